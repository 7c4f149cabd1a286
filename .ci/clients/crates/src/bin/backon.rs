use backon::{ExponentialBuilder, Retryable};
use clients::{client, request, tell};

#[tokio::main]
async fn main() {
    let client = client();
    let send = || async { client.execute(request(&client)).await?.error_for_status() };
    let result = send.retry(ExponentialBuilder::default()).sleep(tokio::time::sleep).await;
    tell(result.map(|answer| answer.status().as_u16()));
}

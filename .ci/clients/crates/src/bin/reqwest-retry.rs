use clients::{client, request, tell};
use reqwest_middleware::ClientBuilder;
use reqwest_retry::{policies::ExponentialBackoff, RetryTransientMiddleware};

#[tokio::main]
async fn main() {
    let policy = ExponentialBackoff::builder().build_with_max_retries(3);
    let plain = client();
    let call = request(&plain);
    let client = ClientBuilder::new(plain).with(RetryTransientMiddleware::new_with_policy(policy)).build();
    tell(client.execute(call).await.map(|answer| answer.status().as_u16()));
}

//! reqwest under one fault.
use clients::{client, var};
use serde_json::{json, Map, Value};

#[tokio::main]
async fn main() {
    let client = client();
    if !var("WARM").is_empty() {
        if let Ok(answer) = client.get(var("WARM")).header("X-Api-Key", var("KEY")).send().await {
            let _ = answer.bytes().await;
        }
    }
    let mut seen = Map::from_iter([("where".into(), json!("call"))]);
    if let Err(error) = run(&client, &mut seen).await {
        seen.insert("error".into(), json!(text_of(error.as_ref())));
    }
    println!("{}", Value::Object(seen));
}

async fn run(client: &reqwest::Client, seen: &mut Map<String, Value>) -> Result<(), Box<dyn std::error::Error>> {
    let method = reqwest::Method::from_bytes(var("METHOD").as_bytes())?;
    let mut request = client.request(method, var("URL")).header("X-Api-Key", var("KEY"));
    if !var("BODY").is_empty() {
        request = request.body(std::fs::read(var("BODY"))?).header("Content-Type", var("TYPE"));
    }
    let answer = request.send().await?;
    seen.insert("status".into(), json!(answer.status().as_u16()));
    seen.insert("where".into(), json!("body"));
    let bytes = answer.bytes().await?;
    seen.insert("bytes".into(), json!(bytes.len()));
    seen.insert("where".into(), json!("json"));
    let _: Map<String, Value> = serde_json::from_slice(&bytes)?;
    seen.insert("value".into(), json!("object"));
    seen.insert("where".into(), json!("none"));
    Ok(())
}

/// The error as its caller prints it, and the innermost of its causes.
fn text_of(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    if std::ptr::addr_eq(innermost, error) {
        return format!("\"{error}\"");
    }
    format!("\"{error}\" <- \"{innermost}\"")
}

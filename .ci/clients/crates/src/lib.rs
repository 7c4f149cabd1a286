//! What each program in this folder is called with, and how it says what its caller's code gets to see.
use std::time::Duration;

pub fn var(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// Whether the settings that keep the rules are tried; else the library is left as it comes.
pub fn careful() -> bool {
    var("SETTINGS") == "careful"
}

pub fn is_post() -> bool {
    var("METHOD") == "POST"
}

pub fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder();
    match var("TIMEOUT").parse() {
        Ok(ms) => builder.timeout(Duration::from_millis(ms)).build().unwrap(),
        Err(_) => builder.build().unwrap(),
    }
}

/// The call, as reqwest has it; one Idempotency-Key for one order.
pub fn request(client: &reqwest::Client) -> reqwest::Request {
    let method = if is_post() { reqwest::Method::POST } else { reqwest::Method::GET };
    let mut builder = client.request(method, var("URL")).header("X-Api-Key", var("KEY"));
    if is_post() {
        builder = builder.json(&serde_json::json!({ "video_url": "https://example.com/cat.mp4#t=5" }));
        if careful() {
            builder = builder.header("Idempotency-Key", std::process::id().to_string());
        }
    }
    builder.build().unwrap()
}

/// What Retry-After asks for in seconds; 0 without one.
pub fn retry_after(headers: &reqwest::header::HeaderMap) -> Duration {
    let value = headers.get("retry-after").and_then(|value| value.to_str().ok()).unwrap_or("");
    Duration::from_secs(value.parse().unwrap_or(0))
}

/// Prints the status that the call returned, or its error.
pub fn tell<E: std::error::Error>(result: Result<u16, E>) {
    match result {
        Ok(status) => println!("answer {status}"),
        Err(error) => {
            let mut text = format!("error {:?}", error.to_string());
            let mut cause = error.source();
            while let Some(one) = cause {
                text += &format!(" <- {:?}", one.to_string());
                cause = one.source();
            }
            println!("{text}");
        }
    }
}

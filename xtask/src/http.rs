//! Asking the started servers.

use std::time::Duration;

use anyhow::Result;

/// A client that always comes back, and never goes by a proxy: everything asked is on this machine.
pub fn http_client() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .timeout(Duration::from_mins(1))
        .no_proxy()
        .build()?)
}

/// Whether `url` answers with a success.
pub async fn answers(http: &reqwest::Client, url: &str) -> bool {
    let request = http.get(url).timeout(Duration::from_secs(2));
    request
        .send()
        .await
        .is_ok_and(|response| response.status().is_success())
}

//! Where a homeserver's federation API is (Server-Server API, "Resolving server names"), without SRV records.

use appservice::ServerName;
use url::Url;

use crate::outward::{Outward, OutwardError};

/// The port of federation where none is named.
const FEDERATION: u16 = 8448;
/// How often a `.well-known` may lead elsewhere.
const REDIRECTS: usize = 3;

/// The base address of the homeserver's federation API.
pub(super) async fn federation(
    outward: &Outward,
    server: &ServerName,
) -> Result<Url, OutwardError> {
    if server.is_ip_literal() || server.port().is_some() {
        return base(server);
    }
    match delegated(outward, server).await {
        Some(delegate) => base(&delegate),
        None => base(server),
    }
}

/// Whom the server's `.well-known` names, if it does.
async fn delegated(outward: &Outward, server: &ServerName) -> Option<appservice::OwnedServerName> {
    let mut url: Url = format!("https://{server}/.well-known/matrix/server")
        .parse()
        .ok()?;
    for _ in 0..=REDIRECTS {
        let said = outward.get(url).await.ok()?;
        if said.status.is_redirection() {
            url = said.location.filter(|url| url.scheme() == "https")?;
            continue;
        }
        if !said.status.is_success() {
            return None;
        }
        return ServerName::parse(said.body["m.server"].as_str()?).ok();
    }
    None
}

fn base(server: &ServerName) -> Result<Url, OutwardError> {
    let port = server.port().unwrap_or(FEDERATION);
    format!("https://{}:{port}/", server.host())
        .parse()
        .map_err(|_| OutwardError::Forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_where_to_ask() {
        let at = |name: &str| base(&ServerName::parse(name).unwrap()).unwrap().to_string();
        assert_eq!(at("matrix.example"), "https://matrix.example:8448/");
        assert_eq!(at("matrix.example:443"), "https://matrix.example/");
        assert_eq!(at("192.0.2.1"), "https://192.0.2.1:8448/");
        assert_eq!(at("[2001:db8::1]:8449"), "https://[2001:db8::1]:8449/");
    }
}

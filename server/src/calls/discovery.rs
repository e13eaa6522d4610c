//! Where a homeserver's federation API is (Server-Server API, "Resolving server names").

use appservice::ServerName;
use url::Url;

use super::services::Services;
use crate::outward::{Outward, OutwardError};

/// The port of federation where none is named.
const FEDERATION: u16 = 8448;
/// How often a `.well-known` may lead elsewhere.
const REDIRECTS: usize = 3;

/// Where to ask.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The base address of the federation API. Its certificate is for this address's host.
    pub(super) url: Url,
    /// The machine to connect to, where it goes by another name.
    pub(super) machine: Option<String>,
}

/// The homeserver's federation API, at the places to be tried in turn.
pub(super) async fn federation(
    outward: &Outward,
    services: &Services,
    server: &ServerName,
) -> Result<Vec<Place>, OutwardError> {
    if is_exact(server) {
        return Ok(vec![base(server)?]);
    }
    match delegated(outward, server).await {
        Some(delegate) if is_exact(&delegate) => Ok(vec![base(&delegate)?]),
        Some(delegate) => served(services, &delegate).await,
        None => served(services, server).await,
    }
}

/// Whether the name itself says where to connect to.
fn is_exact(server: &ServerName) -> bool {
    server.is_ip_literal() || server.port().is_some()
}

/// The machines that SRV records name for a host without a port, else the host itself.
async fn served(services: &Services, server: &ServerName) -> Result<Vec<Place>, OutwardError> {
    let host = server.host();
    let mut places = Vec::new();
    for machine in services.machines(host).await {
        places.push(Place {
            url: address(host, machine.port)?,
            machine: Some(machine.name),
        });
    }
    if places.is_empty() {
        places.push(base(server)?);
    }
    Ok(places)
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

fn base(server: &ServerName) -> Result<Place, OutwardError> {
    Ok(Place {
        url: address(server.host(), server.port().unwrap_or(FEDERATION))?,
        machine: None,
    })
}

fn address(host: &str, port: u16) -> Result<Url, OutwardError> {
    format!("https://{host}:{port}/")
        .parse()
        .map_err(|_| OutwardError::Forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::services;

    #[test]
    fn a_name_says_where_to_ask() {
        let at = |name: &str| {
            base(&ServerName::parse(name).unwrap())
                .unwrap()
                .url
                .to_string()
        };
        assert_eq!(at("matrix.example"), "https://matrix.example:8448/");
        assert_eq!(at("matrix.example:443"), "https://matrix.example/");
        assert_eq!(at("192.0.2.1"), "https://192.0.2.1:8448/");
        assert_eq!(at("[2001:db8::1]:8449"), "https://[2001:db8::1]:8449/");
    }

    #[tokio::test]
    async fn records_count_only_where_the_name_says_no_port() {
        let records = &[
            (
                "_matrix-fed._tcp.city.example.",
                0,
                0,
                8450,
                "machine.example.",
            ),
            (
                "_matrix-fed._tcp.192.0.2.1.",
                0,
                0,
                8450,
                "machine.example.",
            ),
        ];
        let services = services::tests::served(records).await;
        let name = |name: &str| ServerName::parse(name).unwrap();
        let there = |url: &str, machine: Option<&str>| Place {
            url: url.parse().unwrap(),
            machine: machine.map(str::to_owned),
        };
        assert_eq!(
            served(&services, &name("city.example")).await.unwrap(),
            [there("https://city.example:8450/", Some("machine.example"))]
        );
        assert_eq!(
            served(&services, &name("other.example")).await.unwrap(),
            [there("https://other.example:8448/", None)]
        );
        let outward = Outward::new(vec![], None, "calls").unwrap();
        for (exact, url) in [
            ("city.example:8449", "https://city.example:8449/"),
            ("192.0.2.1", "https://192.0.2.1:8448/"),
        ] {
            assert_eq!(
                federation(&outward, &services, &name(exact)).await.unwrap(),
                [there(url, None)]
            );
        }
    }
}

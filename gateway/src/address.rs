//! Whose request it is, as far as limits are concerned.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The header in which the city's reverse proxy names the client. Only this one is read: a proxy overwrites
/// the header it knows and passes the other one on as a stranger wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, as most proxies send it.
    #[default]
    XForwardedFor,
    /// `Forwarded` with `for=` (RFC 7239).
    Forwarded,
}

/// The client's address: the peer's, unless the peer is a trusted proxy. Then the nearest address before
/// the trusted ones; a proxy that names nobody readable stands for its client itself.
#[must_use]
pub fn client_address(
    peer: IpAddr,
    headers: &HeaderMap,
    trusted: &[IpNet],
    header: ProxyHeader,
) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let peer = peer.to_canonical();
    if !is_trusted(peer) {
        return peer;
    }
    let name = match header {
        ProxyHeader::XForwardedFor => "x-forwarded-for",
        ProxyHeader::Forwarded => "forwarded",
    };
    let hops: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut nearest = peer;
    for hop in hops.into_iter().rev() {
        let address = match header {
            ProxyHeader::XForwardedFor => parse_node(hop),
            ProxyHeader::Forwarded => forwarded_for(hop).and_then(parse_node),
        };
        let Some(address) = address else { break };
        nearest = address;
        if !is_trusted(address) {
            break;
        }
    }
    nearest
}

/// What limits count by: an IPv4 address, or the /64 of an IPv6 address, because one line has a whole /64.
#[must_use]
pub fn limit_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

/// The `for` parameter of one element of `Forwarded` (RFC 7239, section 4).
fn forwarded_for(element: &str) -> Option<&str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value)
    })
}

/// An address as proxies write it: bare, quoted, in brackets, with or without a port (RFC 7239, section 6).
fn parse_node(node: &str) -> Option<IpAddr> {
    let node = node.trim().trim_matches('"');
    let bare = match node.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        // One colon is a port; more are an IPv6 address.
        None if node.matches(':').count() == 1 => node.split_once(':')?.0,
        None => node,
    };
    bare.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn client(peer: &str, header: ProxyHeader, lines: &[&str]) -> IpAddr {
        let mut headers = HeaderMap::new();
        let name = match header {
            ProxyHeader::XForwardedFor => "x-forwarded-for",
            ProxyHeader::Forwarded => "forwarded",
        };
        for line in lines {
            headers.append(name, line.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        client_address(ip(peer), &headers, &trusted, header)
    }

    #[test]
    fn a_stranger_is_not_believed() {
        let seen = client("203.0.113.9", ProxyHeader::XForwardedFor, &["198.51.100.1"]);
        assert_eq!(seen, ip("203.0.113.9"));
    }

    #[test]
    fn the_nearest_untrusted_hop_counts_not_what_the_client_wrote() {
        use ProxyHeader::{Forwarded, XForwardedFor};
        let seen = |header, lines: &[&str]| client("10.0.0.1", header, lines);
        assert_eq!(
            seen(XForwardedFor, &["1.2.3.4, 198.51.100.1, 10.2.3.4"]),
            ip("198.51.100.1")
        );
        assert_eq!(
            seen(XForwardedFor, &["1.2.3.4", "198.51.100.1:4711"]),
            ip("198.51.100.1")
        );
        assert_eq!(
            seen(
                Forwarded,
                &["for=1.2.3.4, For=\"[2001:db8::17]:4711\";proto=https"]
            ),
            ip("2001:db8::17")
        );
        assert_eq!(seen(XForwardedFor, &["1.2.3.4, unknown"]), ip("10.0.0.1"));
        assert_eq!(
            seen(Forwarded, &["for=_hidden;by=10.0.0.1"]),
            ip("10.0.0.1")
        );
        assert_eq!(seen(XForwardedFor, &[]), ip("10.0.0.1"));
        assert_eq!(
            client("::ffff:10.0.0.1", XForwardedFor, &["192.0.2.7"]),
            ip("192.0.2.7")
        );
    }

    #[test]
    fn one_line_is_one_key() {
        assert_eq!(limit_key(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
        assert_eq!(limit_key(ip("::ffff:192.0.2.7")), ip("192.0.2.7"));
        assert_eq!(limit_key(ip("192.0.2.7")), ip("192.0.2.7"));
    }
}

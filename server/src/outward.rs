//! Requests to addresses that strangers have named: another homeserver, another homeserver's token service, whatever
//! a calendar server redirects to.
//!
//! Names are resolved here and only what is part of the Internet is connected to, so that nobody lets us knock on the
//! city's own machines; the connection goes to the very address that was checked. Redirects are not followed by
//! themselves, proxies of the environment are not used, answers are short.

use std::{
    error::Error,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use ipnet::IpNet;
use reqwest::{
    StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
};
use serde_json::Value;
use url::{Host, Url};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a file may take.
const PATIENCE_FOR_FILES: Duration = Duration::from_secs(30);
/// Addresses that are tried for one file.
const REDIRECTS: usize = 4;
/// Longer answers are not read.
const ANSWER: usize = 64 * 1024;

/// What is not part of the Internet, or leads back into a network: the special-purpose registries of IANA (RFC 6890),
/// multicast, and the ways to write an IPv4 address in IPv6.
const SPECIAL: [&str; 27] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

fn special() -> Result<Vec<IpNet>> {
    let nets = SPECIAL.iter().map(|net| net.parse());
    Ok(nets.collect::<Result<_, _>>()?)
}

/// Whether machines everywhere reach an address.
pub(crate) fn is_of_the_internet(address: IpAddr) -> Result<bool> {
    let allowed = Vec::new();
    let guard = Guard {
        special: special()?,
        allowed,
    };
    Ok(guard.permits(address))
}

/// Why a stranger's address gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OutwardError {
    /// It is none that we ask.
    #[error("not an address that is asked")]
    Forbidden,
    /// Nobody answers there, or it leads nowhere that is asked.
    #[error("no answer")]
    Away,
    /// It says no.
    #[error("refused with status {0}")]
    Refused(u16),
    /// What it says is not what was asked for.
    #[error("an answer that cannot be read")]
    Malformed,
}

/// Which addresses are asked.
#[derive(Debug, Clone)]
struct Guard {
    special: Vec<IpNet>,
    allowed: Vec<IpNet>,
}

impl Guard {
    fn permits(&self, address: IpAddr) -> bool {
        let address = unwrapped(address);
        let within = |nets: &[IpNet]| nets.iter().any(|net| net.contains(&address));
        within(&self.allowed) || !within(&self.special)
    }

    /// The permitted addresses of a name, without a port.
    async fn addresses(&self, name: &str) -> Result<Vec<SocketAddr>, OutwardError> {
        let found = tokio::net::lookup_host((name, 0))
            .await
            .map_err(|_| OutwardError::Away)?;
        let permitted: Vec<SocketAddr> =
            found.filter(|address| self.permits(address.ip())).collect();
        if permitted.is_empty() {
            return Err(OutwardError::Forbidden);
        }
        Ok(permitted)
    }
}

/// The IPv4 address in an IPv6 address that is translated to it (RFC 4291 § 2.5.5.2, RFC 6052).
fn unwrapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => {
            let translated = v6.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
            if translated {
                let low = v6.to_bits().to_be_bytes();
                IpAddr::from([low[12], low[13], low[14], low[15]])
            } else {
                IpAddr::V6(v6).to_canonical()
            }
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

struct GuardedDns(Arc<Guard>);

impl Resolve for GuardedDns {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.0);
        Box::pin(async move {
            let permitted = guard.addresses(name.as_str()).await?;
            Ok::<Addrs, Box<dyn Error + Send + Sync>>(Box::new(permitted.into_iter()))
        })
    }
}

/// Asks strangers.
pub(crate) struct Outward {
    http: reqwest::Client,
    guard: Arc<Guard>,
    certificates: Vec<reqwest::Certificate>,
}

/// What a stranger said.
pub(crate) struct Said {
    pub(crate) status: StatusCode,
    /// Where a redirect leads.
    pub(crate) location: Option<Url>,
    /// Null when it is not JSON.
    pub(crate) body: Value,
}

impl Outward {
    /// `allowed`: networks that are asked although they are not part of the Internet. `ca_file`: certificates in PEM to
    /// be trusted besides the machine's. `table`: where in the configuration these stand, for errors.
    pub(crate) fn new(allowed: Vec<IpNet>, ca_file: Option<&Path>, table: &str) -> Result<Self> {
        let special = special()?;
        let guard = Arc::new(Guard { special, allowed });
        let certificates = match ca_file {
            Some(path) => {
                let pem = std::fs::read(path)
                    .with_context(|| format!("cannot read {table}.ca_file {}", path.display()))?;
                reqwest::Certificate::from_pem_bundle(&pem)
                    .with_context(|| format!("{table}.ca_file has no certificates"))?
            }
            None => Vec::new(),
        };
        Ok(Self {
            http: builder(&guard, &certificates).build()?,
            guard,
            certificates,
        })
    }

    /// A `GET`.
    pub(crate) async fn get(&self, url: Url) -> Result<Said, OutwardError> {
        let request = self.http.get(self.checked(url)?);
        self.send(request).await
    }

    /// A `GET` at a machine that goes by another name than the address's host, as SRV records say: its certificate must
    /// be the host's, and its own name is checked like every other.
    pub(crate) async fn get_from(&self, machine: &str, url: Url) -> Result<Said, OutwardError> {
        let url = self.checked(url)?;
        let host = url.host_str().ok_or(OutwardError::Forbidden)?.to_owned();
        let addresses = self.guard.addresses(machine).await?;
        // HTTP/2 would send the port of the machine as a part of the host's name.
        let http = builder(&self.guard, &self.certificates)
            .http1_only()
            .resolve_to_addrs(&host, &addresses)
            .build()
            .map_err(|_| OutwardError::Away)?;
        let request = http.get(url).header(reqwest::header::HOST, host);
        self.send(request).await
    }

    /// A file of at most so many bytes, wherever redirects lead that may be followed.
    pub(crate) async fn download(&self, url: Url, most: usize) -> Result<Vec<u8>, OutwardError> {
        let mut url = url;
        for _ in 0..REDIRECTS {
            let request = self
                .http
                .get(self.checked(url)?)
                .timeout(PATIENCE_FOR_FILES);
            let mut answer = request.send().await.map_err(|_| OutwardError::Away)?;
            let status = answer.status();
            if status.is_redirection() {
                url = location(&answer).ok_or(OutwardError::Malformed)?;
                continue;
            }
            if !status.is_success() {
                return Err(OutwardError::Refused(status.as_u16()));
            }
            return body(&mut answer, most).await;
        }
        Err(OutwardError::Away)
    }

    /// A `POST` of JSON.
    pub(crate) async fn post(&self, url: Url, body: &Value) -> Result<Said, OutwardError> {
        let request = self.http.post(self.checked(url)?).json(body);
        self.send(request).await
    }

    /// Names are checked when they are resolved; addresses are not resolved and are checked here. Without TLS nobody is
    /// asked but a machine of an allowed network.
    fn checked(&self, url: Url) -> Result<Url, OutwardError> {
        let permitted = match url.host() {
            Some(Host::Ipv4(address)) => self.guard.permits(address.into()),
            Some(Host::Ipv6(address)) => self.guard.permits(address.into()),
            Some(Host::Domain(_)) => true,
            None => false,
        };
        let secure =
            url.scheme() == "https" || (url.scheme() == "http" && self.is_allowed_literal(&url));
        let plain = url.username().is_empty() && url.password().is_none();
        if permitted && secure && plain {
            Ok(url)
        } else {
            Err(OutwardError::Forbidden)
        }
    }

    /// Whether the address is named itself, or as this machine, and in an allowed network.
    pub(crate) fn is_allowed_literal(&self, url: &Url) -> bool {
        let address: IpAddr = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            Some(Host::Domain("localhost")) => Ipv6Addr::LOCALHOST.into(),
            Some(Host::Domain(_)) | None => return false,
        };
        let own = IpAddr::from([127, 0, 0, 1]);
        self.guard.allowed.iter().any(|net| {
            net.contains(&unwrapped(address))
                || (address == Ipv6Addr::LOCALHOST && net.contains(&own))
        })
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Said, OutwardError> {
        let mut answer = request.send().await.map_err(|_| OutwardError::Away)?;
        let status = answer.status();
        let location = location(&answer);
        let body = body(&mut answer, ANSWER).await?;
        Ok(Said {
            status,
            location,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }
}

fn builder(guard: &Arc<Guard>, certificates: &[reqwest::Certificate]) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .dns_resolver(GuardedDns(Arc::clone(guard)))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .user_agent(concat!("vorzimmer/", env!("CARGO_PKG_VERSION")))
        .tls_certs_merge(certificates.iter().cloned())
}

fn location(answer: &reqwest::Response) -> Option<Url> {
    let value = answer.headers().get(reqwest::header::LOCATION)?;
    answer.url().join(value.to_str().ok()?).ok()
}

async fn body(answer: &mut reqwest::Response, most: usize) -> Result<Vec<u8>, OutwardError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| OutwardError::Away)? {
        if body.len() + chunk.len() > most {
            return Err(OutwardError::Malformed);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
        net::TcpListener,
    };
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{ServerConfig, pki_types::PrivatePkcs8KeyDer},
    };

    use super::*;

    fn outward(allowed: &[&str]) -> Outward {
        let allowed = allowed.iter().map(|net| net.parse().unwrap()).collect();
        Outward::new(allowed, None, "calls").unwrap()
    }

    #[test]
    fn only_the_internet_is_asked() {
        let guard = &outward(&[]).guard;
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001::1",
            "fd00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!guard.permits(inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "9.9.9.9",
            "172.32.0.1",
            "2620:fe::fe",
            "::ffff:9.9.9.9",
            "64:ff9b::909:909",
        ] {
            assert!(guard.permits(outside.parse().unwrap()), "{outside}");
        }
        let guard = &outward(&["10.1.0.0/16"]).guard;
        assert!(guard.permits("10.1.2.3".parse().unwrap()));
        assert!(guard.permits("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!guard.permits("10.2.2.3".parse().unwrap()));
    }

    #[test]
    fn addresses_in_addresses_are_checked_too() {
        let strict = outward(&[]);
        let asks = |outward: &Outward, url: &str| outward.checked(url.parse().unwrap()).is_ok();
        assert!(asks(&strict, "https://example.org/x"));
        for refused in [
            "http://example.org/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://user:pass@example.org/",
            "ftp://example.org/",
            "file:///etc/passwd",
        ] {
            assert!(!asks(&strict, refused), "{refused}");
        }
        let local = outward(&["127.0.0.0/8"]);
        assert!(asks(&local, "http://127.0.0.1:8080/"));
        assert!(asks(&local, "http://localhost:8080/"));
        assert!(!asks(&local, "http://10.0.0.1/"));
        assert!(!asks(&local, "http://example.org/"));
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_followed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url: Url = format!("https://localhost:{port}/").parse().unwrap();
        let refused = outward(&[]).get(url).await.err();
        assert_eq!(refused, Some(OutwardError::Away));
        // Nobody has even connected.
        let waiting = std::future::poll_fn(|cx| {
            std::task::Poll::Ready(listener.poll_accept(cx).is_pending())
        });
        assert!(waiting.await);
    }

    /// A machine that answers every request with its head, as JSON; its certificate is for `city.example`.
    async fn machine(ca_file: &Path) -> u16 {
        let own = rcgen::generate_simple_self_signed(vec!["city.example".into()]).unwrap();
        std::fs::write(ca_file, own.cert.pem()).unwrap();
        let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key.into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let mut stream = BufReader::new(stream);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    stream.read_line(&mut head).await.unwrap();
                }
                let body = serde_json::to_string(&head).unwrap();
                let length = body.len();
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        port
    }

    #[tokio::test]
    async fn a_machine_is_asked_in_the_name_of_its_host() {
        let dir = tempfile::tempdir().unwrap();
        let ca_file = dir.path().join("ca.pem");
        let port = machine(&ca_file).await;
        let at = |host: &str| format!("https://{host}:{port}/x").parse().unwrap();
        let own: IpNet = "127.0.0.0/8".parse().unwrap();
        let open = Outward::new(vec![own], Some(&ca_file), "calls").unwrap();

        let said = open
            .get_from("localhost", at("city.example"))
            .await
            .unwrap();
        let head = said.body.as_str().unwrap().to_lowercase();
        assert!(head.starts_with("get /x http/1.1"), "{head}");
        assert!(head.contains("\r\nhost: city.example\r\n"), "{head}");

        // The certificate is another's.
        let other = open.get_from("localhost", at("other.example")).await;
        assert_eq!(other.err(), Some(OutwardError::Away));
        // A record that leads inside is not followed.
        let strict = Outward::new(vec![], Some(&ca_file), "calls").unwrap();
        let inside = strict.get_from("localhost", at("city.example")).await;
        assert_eq!(inside.err(), Some(OutwardError::Forbidden));
    }
}

//! Under which addresses clients reach this machine, where nobody has said so.
//!
//! The address from which the machine would call the world is known without asking anybody; behind a router it is a
//! private one. A STUN server (RFC 8489) sees the public one, and learns by the question that this machine is there.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use stun::{
    agent::TransactionId,
    message::{BINDING_REQUEST, BINDING_SUCCESS, Getter as _, Message},
    xoraddr::XorMappedAddress,
};
use tokio::{
    net::{UdpSocket, lookup_host},
    time::timeout,
};

use crate::shell::clock;

/// How long an answer may take, each time that it is asked for (RFC 8489 §6.2.1 doubles the time as well).
const PATIENCE: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// Larger than any answer.
const LARGEST: usize = 1_500;

/// Why a STUN server did not tell.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The name leads nowhere.
    #[error("the STUN server {0} is not to be found: {1}")]
    Unknown(String, io::Error),
    /// No answer.
    #[error("the STUN server {0} does not answer")]
    Silent(String),
}

/// The addresses from which this machine would call the world, by IPv4 and, if `both`, by IPv6. Nothing is sent to find
/// out.
#[must_use]
pub fn own_addresses(both: bool) -> Vec<IpAddr> {
    // Addresses for documentation (RFC 5737, RFC 3849): routed by default like any other.
    let worlds = [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")];
    let call = |(from, world): (&str, &str)| {
        let socket = std::net::UdpSocket::bind(from).ok()?;
        socket.connect(world).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    let families = if both { 2 } else { 1 };
    worlds.into_iter().take(families).filter_map(call).collect()
}

/// The addresses under which a STUN server (`name:port`) sees this machine, one for each family that it has itself.
pub async fn ask(server: &str) -> Result<Vec<IpAddr>, DiscoveryError> {
    let found = lookup_host(server).await;
    let found: Vec<SocketAddr> = found
        .map_err(|error| DiscoveryError::Unknown(server.to_owned(), error))?
        .collect();
    let mut addresses = Vec::new();
    for by_ipv6 in [false, true] {
        if let Some(at) = found.iter().find(|at| at.is_ipv6() == by_ipv6) {
            // A machine without that family cannot ask, and is not reached by it either.
            addresses.extend(ask_at(*at).await.ok());
        }
    }
    if addresses.is_empty() {
        return Err(DiscoveryError::Silent(server.to_owned()));
    }
    Ok(addresses)
}

async fn ask_at(server: SocketAddr) -> io::Result<IpAddr> {
    let from = if server.is_ipv6() {
        "[::]:0"
    } else {
        "0.0.0.0:0"
    };
    let socket = UdpSocket::bind(from).await?;
    // Answers of others do not come through.
    socket.connect(server).await?;
    let mut number = [0; 12];
    number.copy_from_slice(&clock::secret().map_err(io::Error::other)?[..12]);
    let number = TransactionId(number);
    let mut question = Message::new();
    let setters: [Box<dyn stun::message::Setter>; 2] =
        [Box::new(BINDING_REQUEST), Box::new(number)];
    question.build(&setters).map_err(io::Error::other)?;
    for patience in PATIENCE {
        socket.send(&question.raw).await?;
        if let Ok(answer) = timeout(patience, answer(&socket, number)).await {
            return answer;
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// The address in the answer to a question, whatever else comes.
async fn answer(socket: &UdpSocket, number: TransactionId) -> io::Result<IpAddr> {
    let mut buffer = [0; LARGEST];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let mut message = Message {
            raw: buffer[..length].to_vec(),
            ..Message::default()
        };
        let mut address = XorMappedAddress::default();
        if message.decode().is_ok()
            && message.typ == BINDING_SUCCESS
            && message.transaction_id == number
            && address.get_from(&message).is_ok()
        {
            return Ok(address.ip.to_canonical());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn success(number: TransactionId, ip: IpAddr) -> Vec<u8> {
        let setters: [Box<dyn stun::message::Setter>; 3] = [
            Box::new(BINDING_SUCCESS),
            Box::new(number),
            Box::new(XorMappedAddress { ip, port: 7 }),
        ];
        let mut answer = Message::new();
        answer.build(&setters).unwrap();
        answer.raw
    }

    /// A server that sees everybody at another address, and does not answer the first question.
    async fn server(seen: IpAddr) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; LARGEST];
            let mut first = true;
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                if std::mem::take(&mut first) {
                    continue;
                }
                let mut question = Message {
                    raw: buffer[..length].to_vec(),
                    ..Message::default()
                };
                question.decode().unwrap();
                for number in [TransactionId([9; 12]), question.transaction_id] {
                    // The answer to somebody else's question counts for nothing.
                    let own = number == question.transaction_id;
                    let ip = if own {
                        seen
                    } else {
                        "192.0.2.66".parse().unwrap()
                    };
                    let answer = success(number, ip);
                    socket.send_to(&answer, from).await.unwrap();
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn a_stun_server_tells_the_address_that_it_sees() {
        let public: IpAddr = "198.51.100.7".parse().unwrap();
        let at = server(public).await;
        assert_eq!(ask(&at.to_string()).await.unwrap(), [public]);
    }

    #[tokio::test]
    async fn one_that_is_not_there_is_named() {
        let error = ask("stun.invalid:3478").await.unwrap_err();
        assert!(error.to_string().contains("stun.invalid:3478"), "{error}");
    }
}

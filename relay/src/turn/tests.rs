//! The server as a client of the `turn` crate sees it.

use std::{net::Ipv4Addr, time::Duration};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, ServerConfig, pki_types::ServerName},
};
use turn::client::{Client, ClientConfig as TurnClientConfig};
use util::Conn;

use super::{stream::StreamConn, *};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const AN_HOUR: Duration = Duration::from_hours(1);

/// Stands for the relay's media socket: sends back what it gets.
async fn echo() -> SocketAddr {
    let socket = UdpSocket::bind(LOOPBACK).await.expect("a port");
    let address = socket.local_addr().expect("bound");
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let _ = socket.send_to(&buffer[..length], from).await;
        }
    });
    address
}

fn config() -> TurnConfig {
    TurnConfig {
        max_clients: 8,
        ..TurnConfig::new("localhost".to_owned())
    }
}

async fn start(config: TurnConfig, relay: SocketAddr) -> Result<Turn, TurnError> {
    let peer = Peer {
        advertised: "192.0.2.1:7882".parse().expect("an address"),
        actual: relay,
    };
    Turn::start(config, [7; 32], vec![peer]).await
}

fn address_in(url: &str) -> SocketAddr {
    let port = url.split([':', '?']).nth(2).expect("a port");
    SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port.parse().expect("a number"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server reads the machine's clock"
)]
fn offer(turn: &Turn) -> proto::IceServer {
    turn.ice_server("label", seconds(SystemTime::now()))
}

async fn client(
    conn: impl Conn + Send + Sync + 'static,
    server: SocketAddr,
    offer: &proto::IceServer,
) -> Client {
    let client = Client::new(TurnClientConfig {
        stun_serv_addr: server.to_string(),
        turn_serv_addr: server.to_string(),
        username: offer.username.clone(),
        password: offer.credential.clone(),
        realm: "localhost".to_owned(),
        software: String::new(),
        rto_in_ms: 0,
        conn: Arc::new(conn),
        vnet: None,
    })
    .await
    .expect("a client");
    client.listen().await.expect("listening");
    client
}

/// Sends through an allocation to the relay and reads what comes back.
async fn reaches_the_relay(client: Client) {
    let allocation = client.allocate().await.expect("an allocation");
    let relay: SocketAddr = "192.0.2.1:7882".parse().expect("an address");
    // 1100 bytes: a media packet. An odd length: padding on streams.
    for length in [1100, 5] {
        let packet = vec![9; length];
        allocation.send_to(&packet, relay).await.expect("sent");
        let mut buffer = [0; 1500];
        let (received, from) = allocation.recv_from(&mut buffer).await.expect("an echo");
        assert_eq!(&buffer[..received], packet);
        assert_eq!(
            from, relay,
            "the client knows the relay by its advertised address"
        );
    }
    client.close().await.expect("closed");
}

fn over(stream: TcpStream) -> StreamConn<TcpStream> {
    let (local, remote) = (
        stream.local_addr().expect("connected"),
        stream.peer_addr().expect("connected"),
    );
    StreamConn::new(stream, local, remote, AN_HOUR)
}

#[tokio::test]
async fn media_passes_over_udp() {
    let config = TurnConfig {
        udp: Some(LOOPBACK),
        ..config()
    };
    let turn = start(config, echo().await).await.expect("started");
    let offer = offer(&turn);
    assert!(
        offer.urls[0].starts_with("turn:localhost:") && offer.urls[0].ends_with("?transport=udp")
    );
    let server = address_in(&offer.urls[0]);
    let socket = UdpSocket::bind(LOOPBACK).await.expect("a port");
    reaches_the_relay(client(socket, server, &offer).await).await;
}

#[tokio::test]
async fn media_passes_over_tcp() {
    let config = TurnConfig {
        tcp: Some(LOOPBACK),
        ..config()
    };
    let turn = start(config, echo().await).await.expect("started");
    let offer = offer(&turn);
    let server = address_in(&offer.urls[0]);
    let stream = TcpStream::connect(server).await.expect("connected");
    reaches_the_relay(client(over(stream), server, &offer).await).await;
}

#[tokio::test]
async fn media_passes_over_tls() {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = signing_key.serialize_der().try_into().expect("a key");
    let tls = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a fitting key");
    let config = TurnConfig {
        tls: Some((LOOPBACK, Arc::new(tls))),
        ..config()
    };
    let turn = start(config, echo().await).await.expect("started");
    let offer = offer(&turn);
    assert!(offer.urls[0].starts_with("turns:localhost:"));
    let server = address_in(&offer.urls[0]);

    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).expect("a root");
    let connector = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server).await.expect("connected");
    let local = stream.local_addr().expect("connected");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TlsConnector::from(Arc::new(connector)).connect(name, stream);
    let conn = StreamConn::new(stream.await.expect("a TLS session"), local, server, AN_HOUR);
    reaches_the_relay(client(conn, server, &offer).await).await;
}

#[tokio::test]
async fn nothing_but_the_relay_can_be_reached() {
    let relay = echo().await;
    let bystander = UdpSocket::bind(LOOPBACK).await.expect("a port");
    let config = TurnConfig {
        udp: Some(LOOPBACK),
        ..config()
    };
    let turn = start(config, relay).await.expect("started");
    let offer = offer(&turn);
    let server = address_in(&offer.urls[0]);
    let socket = UdpSocket::bind(LOOPBACK).await.expect("a port");
    let client = client(socket, server, &offer).await;
    let allocation = client.allocate().await.expect("an allocation");
    let forbidden = bystander.local_addr().expect("bound");
    allocation
        .send_to(b"hello", forbidden)
        .await
        .expect("sent to the server");
    // What was sent before has been handled when this comes back: the server reads in order.
    let advertised: SocketAddr = "192.0.2.1:7882".parse().expect("an address");
    allocation
        .send_to(b"hello", advertised)
        .await
        .expect("sent");
    let mut buffer = [0; 16];
    allocation.recv_from(&mut buffer).await.expect("an echo");
    let silence = bystander
        .try_recv(&mut buffer)
        .expect_err("nothing may arrive");
    assert_eq!(silence.kind(), io::ErrorKind::WouldBlock);
    client.close().await.expect("closed");
}

#[tokio::test]
async fn a_wrong_password_gets_no_allocation() {
    let config = TurnConfig {
        tcp: Some(LOOPBACK),
        ..config()
    };
    let turn = start(config, echo().await).await.expect("started");
    let mut offer = offer(&turn);
    offer.credential.push('x');
    let server = address_in(&offer.urls[0]);
    let stream = TcpStream::connect(server).await.expect("connected");
    let client = client(over(stream), server, &offer).await;
    assert!(client.allocate().await.is_err());
    client.close().await.expect("closed");
}

#[tokio::test]
async fn a_stream_that_is_not_turn_is_closed() {
    let config = TurnConfig {
        tcp: Some(LOOPBACK),
        ..config()
    };
    let turn = start(config, echo().await).await.expect("started");
    let mut stream = TcpStream::connect(address_in(&offer(&turn).urls[0]))
        .await
        .expect("connected");
    stream
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .await
        .expect("written");
    assert_closed(stream).await;
}

#[tokio::test]
async fn clients_beyond_the_limit_are_turned_away() {
    let config = TurnConfig {
        udp: Some(LOOPBACK),
        tcp: Some(LOOPBACK),
        max_clients: 1,
        ..config()
    };
    let turn = start(config, echo().await).await.expect("started");
    let offer = offer(&turn);
    let [by_udp, by_tcp] = [0, 1].map(|at| address_in(&offer.urls[at]));
    let first = TcpStream::connect(by_tcp).await.expect("connected");
    let first = client(over(first), by_tcp, &offer).await;
    let allocation = first.allocate().await.expect("an allocation");
    let second = TcpStream::connect(by_tcp).await.expect("connected");
    let second = client(over(second), by_tcp, &offer).await;
    assert!(second.allocate().await.is_err());
    let socket = UdpSocket::bind(LOOPBACK).await.expect("a port");
    let third = client(socket, by_udp, &offer).await;
    assert!(third.allocate().await.is_err());
    // A place is as long taken as there is an allocation.
    allocation.close().await.expect("given up");
    first.close().await.expect("closed");
    let waiting = async {
        loop {
            let socket = UdpSocket::bind(LOOPBACK).await.expect("a port");
            let next = client(socket, by_udp, &offer).await;
            if next.allocate().await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .expect("a place");
}

#[tokio::test]
async fn strangers_over_udp_take_no_place() {
    let config = TurnConfig {
        udp: Some(LOOPBACK),
        ..config()
    };
    let turn = start(config, echo().await).await.expect("started");
    let offer = offer(&turn);
    let server = address_in(&offer.urls[0]);
    // An Allocate request without credentials, and a question for one's own address.
    let mut request = [0; 20];
    request[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
    let mut strangers = Vec::new();
    for number in 0..200_u16 {
        request[1] = if number.is_multiple_of(2) { 3 } else { 1 };
        let socket = UdpSocket::bind(LOOPBACK).await.expect("a port");
        socket.send_to(&request, server).await.expect("sent");
        let mut buffer = [0; 1500];
        let length = socket.recv(&mut buffer).await.expect("an answer");
        assert!(length < 200, "an answer is hardly longer than a question");
        strangers.push(socket);
    }
    let socket = UdpSocket::bind(LOOPBACK).await.expect("a port");
    reaches_the_relay(client(socket, server, &offer).await).await;
}

#[tokio::test]
async fn streams_that_say_nothing_make_room_for_others() {
    let config = TurnConfig {
        tcp: Some(LOOPBACK),
        ..config()
    };
    let turn = start(config, echo().await).await.expect("started");
    let offer = offer(&turn);
    let server = address_in(&offer.urls[0]);
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(server).await.expect("connected"));
    }
    assert_closed(silent.remove(0)).await;
    let stream = TcpStream::connect(server).await.expect("connected");
    reaches_the_relay(client(over(stream), server, &offer).await).await;
}

/// The server has ended the connection: at its end, or cut because it left something unread.
async fn assert_closed(mut stream: TcpStream) {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest).await {
        Ok(_) => assert!(rest.is_empty()),
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
    }
}

#[tokio::test]
async fn without_a_listener_it_says_so() {
    let refused = start(config(), echo().await).await;
    assert!(matches!(refused, Err(TurnError::NoListener)));
}

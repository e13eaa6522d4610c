//! Handshakes through a network that loses much.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rtc::{
    peer_connection::{message::RTCMessage, transport::RTCDtlsRole},
    sansio::Protocol as _,
    shared::{TaggedBytesMut, TransportContext, TransportProtocol},
};

use super::{Pair, STEP, picture, relay_address, shown};
use crate::stack::{Datagram, Protocol, Transmit, flights::Flights};

/// How long a datagram travels.
const DELAY: Duration = Duration::from_millis(75);
/// Datagrams that get lost.
const LOST: f64 = 0.1;

/// Datagrams on their way in one direction.
#[derive(Default)]
struct Way(VecDeque<(Instant, BytesMut)>);

impl Way {
    fn take(&mut self, bytes: BytesMut, random: &mut StdRng, now: Instant) {
        if !random.random_bool(LOST) {
            self.0.push_back((now + DELAY, bytes));
        }
    }

    fn arrived(&mut self, now: Instant) -> Option<BytesMut> {
        let arrived = self.0.pop_front_if(|(at, _)| *at <= now);
        arrived.map(|(_, bytes)| bytes)
    }
}

/// A pair that such a network lies between. The client, which is `rtc` too, has the same remedy.
struct Far {
    pair: Pair,
    client_flights: Flights,
    random: StdRng,
    up: Way,
    down: Way,
}

impl Far {
    fn step(&mut self) {
        let Self {
            pair,
            client_flights,
            random,
            up,
            down,
        } = self;
        pair.now += STEP;
        let now = pair.now;
        let _ = pair.client.handle_timeout(now);
        client_flights.handle_timeout(now);
        if pair.relay.next_timeout().is_some_and(|at| at <= now) {
            pair.relay.handle_timeout(now);
        }
        while let Some(bytes) = up.arrived(now) {
            let datagram = Datagram {
                from: pair.at,
                to: relay_address(),
                protocol: Protocol::Udp,
                bytes,
            };
            pair.relay.receive(datagram, now);
        }
        while let Some(bytes) = down.arrived(now) {
            client_flights.hear(&bytes, now);
            let transport = TransportContext {
                local_addr: pair.at,
                peer_addr: relay_address(),
                transport_protocol: TransportProtocol::UDP,
                ecn: None,
            };
            let _ = pair.client.handle_read(TaggedBytesMut {
                now,
                transport,
                message: bytes,
            });
        }
        while pair.client.poll_event().is_some() {}
        while let Some(message) = pair.client.poll_read() {
            if let RTCMessage::RtpPacket(_, packet) = message.message {
                pair.delivered.push(packet.header.sequence_number);
            }
        }
        while let Some(message) = pair.client.poll_write() {
            let transmit = Transmit {
                to: relay_address(),
                protocol: Protocol::Udp,
                bytes: message.message,
            };
            client_flights.sent(&transmit, now);
            up.take(transmit.bytes, random, now);
        }
        while let Some(transmit) = client_flights.poll_transmit() {
            up.take(transmit.bytes, random, now);
        }
        while pair.relay.poll_event().is_some() {}
        while let Some(transmit) = pair.relay.poll_transmit() {
            down.take(transmit.bytes, random, now);
        }
    }

    /// How long it takes until a picture is there; `None` if that is more than a minute.
    fn shows(role: RTCDtlsRole, seed: u64) -> Option<Duration> {
        let mut far = Self {
            pair: Pair::answering_as(role),
            client_flights: Flights::default(),
            random: StdRng::seed_from_u64(seed),
            up: Way::default(),
            down: Way::default(),
        };
        let sender = far.pair.relay.add_sender(&shown()).unwrap();
        far.pair.be_offered(false);
        let start = far.pair.now;
        for number in 0..3_000 {
            let now = far.pair.now;
            far.pair.relay.send_media(sender, picture(number), now);
            for _ in 0..4 {
                far.step();
            }
            if !far.pair.delivered.is_empty() {
                return Some(far.pair.now - start);
            }
        }
        None
    }
}

/// Of these handshakes a good part stood still for good: whoever lost a flight waited for the other.
#[test]
fn a_handshake_gets_through_whatever_is_lost_of_it() {
    for role in [RTCDtlsRole::Client, RTCDtlsRole::Server] {
        for seed in 0..50 {
            let time = Far::shows(role, seed);
            assert!(time.is_some(), "the client is {role:?}, seed {seed}");
        }
    }
}

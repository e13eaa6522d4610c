//! A peer whose address changes in mid-call: its router has forgotten it, or it is in another network.
//!
//! `rtc` as a lite agent sends to the first address that was nominated until ICE starts anew, and takes the peer for
//! lost when that address is silent; the peer, whose checks are answered wherever it is, does not know why nothing
//! comes. So the stack goes on believing that the peer is where it was, and the datagrams are redirected here. The
//! answer to a check says where the check came from (RFC 8445 §7.3.1.3) and not what the stack believes: the peer would
//! find an address of its own that it does not have.
//!
//! The stack answers a check of the right password that nominates (RFC 8445 §7.3.1.5) only after a check of its own in
//! the other direction. What it has answered therefore comes from where it says.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use stun::{
    agent::TransactionId,
    fingerprint::FINGERPRINT,
    integrity::MessageIntegrity,
    message::{BINDING_SUCCESS, Message, Setter},
    xoraddr::XorMappedAddress,
};

use super::{Datagram, Protocol, Transmit};

/// Addresses from which checks reach the stack until ICE starts anew. It keeps each as a candidate.
const MOST_ADDRESSES: usize = 64;
/// The newest checks, whether answered or not.
const MOST_CHECKS: usize = 64;
/// Clients check every five seconds (RFC 7675 §5.1). Whoever has not done so for longer is no longer there.
const SILENT_AFTER: Duration = Duration::from_secs(7);

/// Where a peer is, and by which of our candidates it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    peer: SocketAddr,
    local: SocketAddr,
    protocol: Protocol,
}

#[derive(Debug)]
struct Check {
    number: [u8; 12],
    from: Place,
    nominates: bool,
}

/// Where the peer of a connection is.
#[derive(Debug, Default)]
pub(super) struct Roaming {
    /// Signs checks and their answers (RFC 8445 §7.2.2).
    password: String,
    /// Where the stack believes it to be.
    chosen: Option<Place>,
    /// Where it is, if that is elsewhere.
    moved: Option<Place>,
    /// When its last check from there came.
    heard: Option<Instant>,
    checks: VecDeque<Check>,
    /// Addresses that the stack has spoken to.
    known: Vec<SocketAddr>,
}

impl Roaming {
    /// ICE starts anew: checks have another password, and the stack has forgotten the addresses that it knew.
    pub(super) fn restart(&mut self, password: String) {
        self.password = password;
        self.known.clear();
    }

    /// A datagram as the stack is to see it; `false` if it is better not to.
    pub(super) fn incoming(&mut self, datagram: &mut Datagram, now: Instant) -> bool {
        let from = Place {
            peer: datagram.from,
            local: datagram.to,
            protocol: datagram.protocol,
        };
        if let Some(number) = stun(&datagram.bytes) {
            if self.known.len() >= MOST_ADDRESSES && !self.known.contains(&from.peer) {
                return false;
            }
            if is_request(&datagram.bytes) {
                if self.checks.len() == MOST_CHECKS {
                    self.checks.pop_front();
                }
                self.checks.push_back(Check {
                    number,
                    from,
                    nominates: nominates(&datagram.bytes),
                });
                if self.moved.or(self.chosen) == Some(from) {
                    self.heard = Some(now);
                }
            }
        }
        if let (Some(moved), Some(chosen)) = (self.moved, self.chosen)
            && moved == from
        {
            datagram.from = chosen.peer;
            datagram.to = chosen.local;
            datagram.protocol = chosen.protocol;
        }
        true
    }

    /// Directs what the stack sends to where the peer is.
    pub(super) fn outgoing(&mut self, transmit: &mut Transmit, now: Instant) {
        let Some(number) = stun(&transmit.bytes) else {
            self.follow(transmit, now);
            return;
        };
        if transmit.bytes[..2] == [0x01, 0x01]
            && let Some(check) = self.checks.iter().find(|check| check.number == number)
        {
            let (from, nominates) = (check.from, check.nominates);
            self.answered(from, nominates, now);
            if transmit.to != from.peer
                && let Some(answer) = answer(number, from.peer, &self.password)
            {
                transmit.bytes = answer;
            }
            transmit.to = from.peer;
            transmit.protocol = from.protocol;
        } else if let (Some(moved), Some(chosen)) = (self.moved, self.chosen)
            && chosen.peer == transmit.to
        {
            transmit.to = moved.peer;
            transmit.protocol = moved.protocol;
        }
        if !self.known.contains(&transmit.to) && self.known.len() < MOST_ADDRESSES {
            self.known.push(transmit.to);
        }
    }

    /// What is no check goes to the address that the stack has chosen.
    fn follow(&mut self, transmit: &mut Transmit, now: Instant) {
        let is_chosen =
            |place: &Place| place.peer == transmit.to && place.protocol == transmit.protocol;
        if !self.chosen.as_ref().is_some_and(is_chosen) {
            let mut places = self.checks.iter().map(|check| check.from);
            self.chosen = places.rfind(is_chosen).or(self.lost_sight_of(transmit));
            self.moved = None;
            self.heard = Some(now);
        }
        if let Some(moved) = self.moved {
            transmit.to = moved.peer;
            transmit.protocol = moved.protocol;
        }
    }

    /// A chosen address no check of which is kept any more. Its local side is as good as the last one's.
    fn lost_sight_of(&self, transmit: &Transmit) -> Option<Place> {
        let last = self.chosen.or(self.checks.back().map(|check| check.from))?;
        Some(Place {
            peer: transmit.to,
            protocol: transmit.protocol,
            ..last
        })
    }

    fn answered(&mut self, from: Place, nominates: bool, now: Instant) {
        let Some(chosen) = self.chosen else { return };
        let current = self.moved.unwrap_or(chosen);
        if from == current {
            return;
        }
        let silent = self
            .heard
            .is_some_and(|heard| now.saturating_duration_since(heard) > SILENT_AFTER);
        if nominates || silent {
            self.moved = (from != chosen).then_some(from);
            self.heard = Some(now);
        }
    }
}

/// What a check is answered with.
fn answer(number: [u8; 12], to: SocketAddr, password: &str) -> Option<BytesMut> {
    let seen = XorMappedAddress {
        ip: to.ip(),
        port: to.port(),
    };
    let signature = MessageIntegrity::new_short_term_integrity(password.to_owned());
    let attributes: [Box<dyn Setter>; 5] = [
        Box::new(TransactionId(number)),
        Box::new(BINDING_SUCCESS),
        Box::new(seen),
        Box::new(signature),
        Box::new(FINGERPRINT),
    ];
    let mut message = Message::new();
    message.build(&attributes).ok()?;
    Some(BytesMut::from(&message.raw[..]))
}

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const USE_CANDIDATE: u16 = 0x0025;

/// The transaction's number, if it is STUN (RFC 8489 §5).
fn stun(bytes: &[u8]) -> Option<[u8; 12]> {
    if bytes.first()? >= &4 || bytes.get(4..8)? != COOKIE {
        return None;
    }
    bytes.get(8..20)?.try_into().ok()
}

fn is_request(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x00, 0x01])
}

fn nominates(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(20..).unwrap_or_default();
    while let [kind @ .., _, _] = rest.get(..4).unwrap_or_default() {
        if kind == USE_CANDIDATE.to_be_bytes() {
            return true;
        }
        let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        rest = rest
            .get(4 + length.next_multiple_of(4)..)
            .unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use stun::message::Getter as _;

    use super::*;
    use crate::forward::testing::at;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::new([192, 0, 2, 1].into(), port)
    }

    fn message(kind: [u8; 2], number: u8, attributes: &[u8]) -> BytesMut {
        let mut bytes = BytesMut::from(&kind[..]);
        bytes.extend([0, u8::try_from(attributes.len()).unwrap()]);
        bytes.extend(COOKIE);
        bytes.extend([number; 12]);
        bytes.extend(attributes);
        bytes
    }

    fn datagram(port: u16, bytes: BytesMut) -> Datagram {
        Datagram {
            from: address(port),
            to: address(7882),
            protocol: Protocol::Udp,
            bytes,
        }
    }

    fn transmit(port: u16, bytes: BytesMut) -> Transmit {
        Transmit {
            to: address(port),
            protocol: Protocol::Udp,
            bytes,
        }
    }

    const NOMINATION: [u8; 4] = [0, 0x25, 0, 0];

    /// The peer checks from a port, as which the stack sees `seen`, and is answered.
    fn checks(roaming: &mut Roaming, port: u16, number: u8, nominates: bool, ms: u64) -> u16 {
        let attributes = if nominates { &NOMINATION[..] } else { &[] };
        let mut check = datagram(port, message([0, 1], number, attributes));
        assert!(roaming.incoming(&mut check, at(ms)));
        let seen = check.from.port();
        let mut answer = transmit(seen, message([1, 1], number, &[]));
        roaming.outgoing(&mut answer, at(ms));
        assert_eq!(answer.to, address(port), "answered where it is");
        if seen != port {
            says_where(&answer, roaming);
        }
        seen
    }

    /// The answer is one for whom it goes to.
    fn says_where(answer: &Transmit, roaming: &Roaming) {
        let mut message = Message {
            raw: answer.bytes.to_vec(),
            ..Message::default()
        };
        message.decode().unwrap();
        let mut told = XorMappedAddress::default();
        told.get_from(&message).unwrap();
        assert_eq!(SocketAddr::new(told.ip, told.port), answer.to);
        FINGERPRINT.check(&message).unwrap();
        MessageIntegrity::new_short_term_integrity(roaming.password.clone())
            .check(&mut message)
            .unwrap();
    }

    fn sends_to(roaming: &mut Roaming, port: u16, ms: u64) -> u16 {
        let mut media = transmit(port, BytesMut::from(&[0x80; 20][..]));
        roaming.outgoing(&mut media, at(ms));
        media.to.port()
    }

    #[test]
    fn media_goes_to_where_the_last_nomination_came_from() {
        let mut roaming = Roaming::default();
        assert_eq!(checks(&mut roaming, 1, 1, true, 0), 1);
        assert_eq!(sends_to(&mut roaming, 1, 10), 1);
        assert_eq!(checks(&mut roaming, 2, 2, true, 20), 2);
        assert_eq!(sends_to(&mut roaming, 1, 30), 2);
        // What comes from there comes, for the stack, from where it believes the peer to be.
        assert_eq!(checks(&mut roaming, 2, 3, true, 40), 1);
        // A check that nominates nothing changes nothing while the peer is heard.
        checks(&mut roaming, 3, 4, false, 50);
        assert_eq!(sends_to(&mut roaming, 1, 60), 2);
        assert_eq!(checks(&mut roaming, 1, 5, true, 70), 1);
        assert_eq!(sends_to(&mut roaming, 1, 80), 1);
    }

    #[test]
    fn whoever_is_silent_at_its_address_is_where_it_checks_from() {
        let mut roaming = Roaming::default();
        checks(&mut roaming, 1, 1, true, 0);
        assert_eq!(sends_to(&mut roaming, 1, 10), 1);
        checks(&mut roaming, 2, 2, false, 5_000);
        assert_eq!(sends_to(&mut roaming, 1, 5_000), 1);
        checks(&mut roaming, 2, 3, false, 8_000);
        assert_eq!(sends_to(&mut roaming, 1, 8_000), 2);
    }

    #[test]
    fn when_the_stack_chooses_anew_that_holds() {
        let mut roaming = Roaming::default();
        checks(&mut roaming, 1, 1, true, 0);
        sends_to(&mut roaming, 1, 10);
        checks(&mut roaming, 2, 2, true, 20);
        assert_eq!(sends_to(&mut roaming, 1, 30), 2);
        roaming.restart("another".to_owned());
        checks(&mut roaming, 3, 3, true, 40);
        assert_eq!(sends_to(&mut roaming, 3, 50), 3);
    }

    #[test]
    fn the_stack_gets_to_know_few_addresses() {
        let mut roaming = Roaming::default();
        for port in 1..=100 {
            let number = u8::try_from(port).unwrap();
            let mut check = datagram(port, message([0, 1], number, &NOMINATION));
            let passes = roaming.incoming(&mut check, at(0));
            assert_eq!(passes, usize::from(port) <= MOST_ADDRESSES, "port {port}");
            if passes {
                let mut answer = transmit(port, message([1, 1], number, &[]));
                roaming.outgoing(&mut answer, at(0));
            }
        }
        // Those that are known still come through, and after a restart others do.
        assert!(roaming.incoming(&mut datagram(5, message([0, 1], 200, &[])), at(1)));
        roaming.restart("another".to_owned());
        assert!(roaming.incoming(&mut datagram(100, message([0, 1], 201, &[])), at(2)));
    }
}

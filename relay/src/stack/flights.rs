//! What gets lost of a DTLS handshake comes again.
//!
//! `rtc` 0.21 stops its retransmission timer at whatever part of a handshake comes, and starts it only with its next
//! flight. So when the peer repeats its flight because ours got lost, ours does not come again, and the handshake stands
//! still for good. Here the datagrams of our last flight are kept, and go out once more as they are when the peer repeats
//! itself (RFC 6347 §4.2.4), and after some time without a word. A peer drops the records that it has (§4.1.2.6).

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::Transmit;

/// How long the peer may be silent before the first repetition; twice as long before each further one (RFC 6347
/// §4.2.4.1).
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two repetitions, however often the peer repeats itself.
const SPACING: Duration = Duration::from_millis(50);
/// A flight is repeated so often, so that nobody can draw more out of us.
const REPETITIONS: u32 = 16;

/// Content types of records (RFC 5246 §6.2.1).
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;

/// Where a record of a handshake stands in it: epoch, message and offset. What is encrypted tells the epoch only.
type Position = (u16, u16, u32);

/// The position of the furthest handshake record of a datagram, if it has any.
fn furthest(mut datagram: &[u8]) -> Option<Position> {
    // Checks and media have other first octets (RFC 7983 §7).
    if !matches!(datagram, [20..=63, ..]) {
        return None;
    }
    let mut furthest = None;
    // RFC 6347 §4.1: type, version, epoch, sequence number, length.
    while let [kind, _, _, e1, e0, _, _, _, _, _, _, l1, l0, rest @ ..] = datagram {
        let length = usize::from(u16::from_be_bytes([*l1, *l0]));
        let (content, next) = rest.split_at_checked(length)?;
        let epoch = u16::from_be_bytes([*e1, *e0]);
        if *kind == HANDSHAKE {
            let position = match content {
                // §4.2.2: type, length, message number, offset of the fragment.
                [_, _, _, _, m1, m0, o2, o1, o0, ..] if epoch == 0 => (
                    epoch,
                    u16::from_be_bytes([*m1, *m0]),
                    u32::from_be_bytes([0, *o2, *o1, *o0]),
                ),
                _ => (epoch, 0, 0),
            };
            furthest = furthest.max(Some(position));
        }
        datagram = next;
    }
    furthest
}

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct Flights {
    /// Our last flight, and the moment in which the stack sent it.
    last: Vec<Transmit>,
    at: Option<Instant>,
    /// The furthest that was heard of the peer.
    heard: Option<Position>,
    repetitions: u32,
    /// When anything of the flight was last sent.
    sent: Option<Instant>,
    again: VecDeque<Transmit>,
    complete: bool,
}

impl Flights {
    /// A datagram of the peer's came, which the stack is about to be given.
    pub(super) fn hear(&mut self, datagram: &[u8], now: Instant) {
        let Some(furthest) = furthest(datagram) else {
            return;
        };
        if self.heard < Some(furthest) {
            self.heard = Some(furthest);
            self.repetitions = 0;
        } else if self.sent.is_some_and(|sent| now >= sent + SPACING) {
            self.repeat(now);
        }
    }

    /// The stack has sent something.
    pub(super) fn sent(&mut self, transmit: &Transmit, now: Instant) {
        let content = transmit.bytes.first();
        if !matches!(content, Some(&(CHANGE_CIPHER_SPEC | HANDSHAKE))) {
            return;
        }
        if self.at != Some(now) {
            self.last.clear();
        }
        self.last.push(transmit.clone());
        self.at = Some(now);
        self.sent = Some(now);
        // It has repeated the flight by itself, or sends the next one.
        self.again.clear();
    }

    /// The handshake is done as far as we know: from now on only a peer that repeats itself misses something.
    pub(super) fn complete(&mut self) {
        self.complete = true;
    }

    /// The peer uses the keys: it has all that it needs.
    pub(super) fn used(&mut self) {
        if !self.last.is_empty() {
            self.last = Vec::new();
            self.again = VecDeque::new();
        }
    }

    /// When [`Flights::handle_timeout`] is wanted.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let waiting = !self.complete && !self.last.is_empty() && self.repetitions < REPETITIONS;
        let patience = PATIENCE * (1 << self.repetitions.min(5));
        self.sent.filter(|_| waiting).map(|sent| sent + patience)
    }

    /// Lets time pass.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.deadline().is_some_and(|due| due <= now) {
            self.repeat(now);
        }
    }

    /// What to send once more, after all that the stack has to send.
    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.again.pop_front()
    }

    fn repeat(&mut self, now: Instant) {
        if self.repetitions < REPETITIONS {
            self.repetitions += 1;
            self.sent = Some(now);
            self.again = self.last.iter().cloned().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::*;
    use crate::{forward::testing::origin, stack::Protocol};

    const MS: Duration = Duration::from_millis(1);

    fn record(kind: u8, epoch: u16, message: u16) -> Vec<u8> {
        let content = [1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 7, 7];
        let mut record = vec![kind, 254, 253];
        record.extend(epoch.to_be_bytes());
        record.extend([0; 6]);
        record.extend([0, 14]);
        record.extend(content);
        record[17..19].copy_from_slice(&message.to_be_bytes());
        record
    }

    fn transmit(kind: u8, mark: u16) -> Transmit {
        Transmit {
            to: "192.0.2.2:5000".parse().unwrap(),
            protocol: Protocol::Udp,
            bytes: BytesMut::from(&record(kind, 0, mark)[..]),
        }
    }

    fn repeated(flights: &mut Flights) -> Vec<BytesMut> {
        std::iter::from_fn(|| flights.poll_transmit())
            .map(|transmit| transmit.bytes)
            .collect()
    }

    #[test]
    fn a_peer_that_repeats_itself_gets_the_last_flight_again_whole() {
        let (mut flights, start) = (Flights::default(), origin());
        flights.hear(&record(HANDSHAKE, 0, 0), start);
        flights.sent(&transmit(HANDSHAKE, 0), start);
        let later = start + 150 * MS;
        flights.hear(&record(HANDSHAKE, 0, 1), later);
        let flight = [transmit(HANDSHAKE, 1), transmit(HANDSHAKE, 2)];
        for part in &flight {
            flights.sent(part, later);
        }
        assert_eq!(repeated(&mut flights), Vec::<BytesMut>::new());
        flights.hear(&record(HANDSHAKE, 0, 1), later + 300 * MS);
        let whole = flight.map(|part| part.bytes);
        assert_eq!(repeated(&mut flights), whole);
        // At once and again: no.
        flights.hear(&record(HANDSHAKE, 0, 1), later + 310 * MS);
        assert_eq!(repeated(&mut flights), Vec::<BytesMut>::new());
        // A part of the next flight has come: the peer has ours.
        let mut next = record(HANDSHAKE, 0, 2);
        next.extend(record(CHANGE_CIPHER_SPEC, 0, 0));
        flights.hear(&next, later + 600 * MS);
        assert_eq!(repeated(&mut flights), Vec::<BytesMut>::new());
    }

    #[test]
    fn what_the_stack_repeats_by_itself_is_not_repeated_beside_it() {
        let (mut flights, start) = (Flights::default(), origin());
        flights.hear(&record(HANDSHAKE, 1, 0), start);
        flights.sent(&transmit(CHANGE_CIPHER_SPEC, 0), start);
        flights.complete();
        let later = start + 300 * MS;
        flights.hear(&record(HANDSHAKE, 1, 0), later);
        flights.sent(&transmit(CHANGE_CIPHER_SPEC, 0), later);
        assert_eq!(repeated(&mut flights), Vec::<BytesMut>::new());
        flights.hear(&record(HANDSHAKE, 1, 0), later + 300 * MS);
        assert_eq!(repeated(&mut flights).len(), 1);
        flights.used();
        flights.hear(&record(HANDSHAKE, 1, 0), later + 600 * MS);
        assert_eq!(repeated(&mut flights), Vec::<BytesMut>::new());
    }

    #[test]
    fn silence_is_answered_more_and_more_seldom_and_not_for_ever() {
        let (mut flights, start) = (Flights::default(), origin());
        flights.sent(&transmit(HANDSHAKE, 0), start);
        let mut moments = Vec::new();
        while let Some(due) = flights.deadline() {
            flights.handle_timeout(due.checked_sub(MS).unwrap());
            assert_eq!(repeated(&mut flights).len(), 0);
            flights.handle_timeout(due);
            assert_eq!(repeated(&mut flights).len(), 1);
            moments.push((due - start).as_secs());
        }
        assert_eq!(moments[..6], [1, 3, 7, 15, 31, 63]);
        assert_eq!(moments.len(), 16);
        let mut done = Flights::default();
        done.sent(&transmit(HANDSHAKE, 0), start);
        done.complete();
        assert_eq!(done.deadline(), None);
    }

    proptest! {
        #[test]
        fn any_datagram_is_heard_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut flights = Flights::default();
            flights.hear(&bytes, origin());
            prop_assert!(flights.poll_transmit().is_none());
        }
    }
}

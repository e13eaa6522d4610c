//! How good participants' connections are called, in virtual time.

use std::time::Duration;

use livekit_protocol as proto;
use proto::{ConnectionQuality, signal_request::Message as Request, signal_response::Message};

use super::{
    super::Side,
    anna_speaks_to_bert,
    fake::House,
    packet,
    video::{A_SECOND, Call},
};
use crate::stack::Event;

/// What somebody was told last of somebody's connection, everything before it being read.
fn told(house: &mut House, session: u64, sid: &str) -> Option<ConnectionQuality> {
    house
        .heard(session)
        .into_iter()
        .filter_map(|message| match message {
            Message::ConnectionQuality(update) => Some(update.updates),
            _ => None,
        })
        .flatten()
        .filter(|one| one.participant_sid == sid)
        .map(|one| one.quality())
        .next_back()
}

/// A report of no loss, and of this round trip.
fn report(ssrc: u32, round_trip: Duration) -> Event {
    Event::Reception {
        ssrc,
        lost: 0.0,
        jitter: 0,
        round_trip: Some(round_trip),
    }
}

/// Anna speaks to Bert.
struct Voice {
    house: House,
    anna: u64,
    bert: u64,
    sequence: u16,
}

impl Voice {
    fn new() -> Self {
        let (house, anna, bert) = anna_speaks_to_bert();
        Self {
            house,
            anna,
            bert,
            sequence: 0,
        }
    }

    /// Five packets a second, as far as `comes` lets them through; Bert reports, if at all, this round trip.
    fn speaks(&mut self, seconds: u16, comes: impl Fn(u16) -> bool, reports: Option<Duration>) {
        for _ in 0..seconds {
            for _ in 0..5 {
                self.sequence += 1;
                if comes(self.sequence) {
                    let packet = packet(1, self.sequence);
                    self.house.happens(self.anna, Side::Publisher, packet);
                }
                self.house.wait(Duration::from_millis(200));
            }
            if let Some(round_trip) = reports {
                let event = report(self.house.senders(self.bert)[0].ssrc, round_trip);
                self.house.happens(self.bert, Side::Subscriber, event);
            }
            for session in [self.anna, self.bert] {
                self.house.says(session, Request::Ping(0));
            }
        }
    }

    fn told(&mut self, identity: &str) -> Option<ConnectionQuality> {
        let sid = self.house.sid(identity);
        told(&mut self.house, self.anna, &sid)
    }
}

#[test]
fn a_path_on_which_nothing_is_heard_is_lost_until_it_is() {
    let all = |_| true;
    let good = Some(Duration::from_millis(40));
    let mut call = Voice::new();
    call.speaks(6, all, good);
    assert_eq!(call.told("bert"), Some(ConnectionQuality::Excellent));
    call.speaks(6, all, None);
    assert_eq!(call.told("bert"), None, "reports on voices are rare");
    call.speaks(10, all, None);
    assert_eq!(call.told("bert"), Some(ConnectionQuality::Lost));
    call.speaks(12, all, good);
    assert_eq!(call.told("bert"), Some(ConnectionQuality::Excellent));
}

#[test]
fn a_connection_that_broke_is_lost_at_once() {
    let mut call = Voice::new();
    call.speaks(1, |_| true, None);
    call.house.happens(call.bert, Side::Subscriber, Event::Lost);
    call.speaks(5, |_| true, None);
    assert_eq!(call.told("bert"), Some(ConnectionQuality::Lost));
}

#[test]
fn what_is_lost_on_the_way_in_counts_for_the_publisher() {
    let mut call = Voice::new();
    call.speaks(6, |sequence| sequence % 3 != 0, None);
    assert_eq!(call.told("anna"), Some(ConnectionQuality::Poor));
    call.speaks(12, |_| true, None);
    assert_eq!(call.told("anna"), Some(ConnectionQuality::Excellent));
}

#[test]
fn a_publisher_of_whom_nothing_comes_is_lost_but_not_when_muted() {
    let nothing = |_| false;
    let mut call = Voice::new();
    call.speaks(6, |_| true, None);
    call.told("anna");
    let sid = call.house.senders(call.bert)[0].track_id.clone();
    let mute = |muted| {
        let sid = sid.clone();
        Request::Mute(proto::MuteTrackRequest { sid, muted })
    };
    call.house.says(call.anna, mute(true));
    call.speaks(11, nothing, None);
    assert_eq!(call.told("anna"), None);
    call.house.says(call.anna, mute(false));
    call.speaks(12, nothing, None);
    assert_eq!(call.told("anna"), Some(ConnectionQuality::Lost));
}

#[test]
fn a_long_way_is_worse_than_a_short_one() {
    let mut call = Voice::new();
    call.speaks(6, |_| true, Some(Duration::from_millis(900)));
    assert_eq!(call.told("bert"), Some(ConnectionQuality::Good));
}

/// Bert reports well of the picture, whatever of it he gets.
fn shown(call: &mut Call, seconds: u16) {
    for _ in 0..seconds {
        call.show(A_SECOND);
        let ssrc = call.house.senders(call.bert)[0].ssrc;
        let good = report(ssrc, Duration::from_millis(40));
        call.house.happens(call.bert, Side::Subscriber, good);
    }
}

#[test]
fn a_picture_smaller_than_wanted_is_good_and_one_that_pauses_poor() {
    let mut call = Call::new();
    let sid = call.house.sid("bert");
    shown(&mut call, 6);
    let excellent = Some(ConnectionQuality::Excellent);
    assert_eq!(told(&mut call.house, call.anna, &sid), excellent);
    call.path_carries(300_000);
    shown(&mut call, 6);
    let good = Some(ConnectionQuality::Good);
    assert_eq!(told(&mut call.house, call.anna, &sid), good);
    call.path_carries(20_000);
    shown(&mut call, 6);
    let poor = Some(ConnectionQuality::Poor);
    assert_eq!(told(&mut call.house, call.anna, &sid), poor);
}

//! A stack without WebRTC: it agrees to everything, and what is to happen on its connections comes as a datagram.

use std::{collections::VecDeque, time::Instant};

use relay::stack::{
    Codec, Connection, Datagram, Event, OutgoingMedia, SenderId, SenderSpec, Stack, StackError,
    Transmit,
};

/// Makes such connections.
#[derive(Debug, Default)]
pub(super) struct Stub {
    made: u32,
}

impl Stack for Stub {
    fn connection(&mut self, _: bool, _: Instant) -> Result<Box<dyn Connection>, StackError> {
        self.made += 1;
        Ok(Box::new(Wire {
            ufrag: format!("user{}", self.made),
            senders: 0,
            placed: 0,
            events: VecDeque::new(),
        }))
    }
}

#[derive(Debug)]
struct Wire {
    ufrag: String,
    senders: usize,
    placed: usize,
    events: VecDeque<Event>,
}

const CODECS: [Codec; 5] = [Codec::Vp8, Codec::Opus, Codec::H264, Codec::Vp9, Codec::Av1];

/// The event that a datagram stands for.
fn event(octets: &[u8]) -> Option<Event> {
    let (kind, body) = octets.split_first()?;
    Some(match kind % 4 {
        0 => Event::Connected,
        1 => Event::ChannelOpen {
            label: "_reliable".to_owned(),
        },
        2 => Event::Data {
            label: "_reliable".to_owned(),
            bytes: body.into(),
        },
        _ => Event::Stream {
            ssrc: u32::from(*body.first()?),
            mid: body.get(1)?.to_string(),
            rid: ["", "q", "h", "f"][usize::from(*body.get(2)?) % 4].to_owned(),
            codec: CODECS[usize::from(*body.get(3)?) % CODECS.len()],
        },
    })
}

impl Connection for Wire {
    fn accept_offer(&mut self, sdp: &str, _: Instant) -> Result<String, StackError> {
        if sdp.is_empty() {
            return Err(StackError::Description("empty".to_owned()));
        }
        self.placed = self.senders;
        Ok("answer".to_owned())
    }

    fn make_offer(&mut self, _: bool, _: Instant) -> Result<String, StackError> {
        self.placed = self.senders;
        Ok("offer".to_owned())
    }

    fn accept_answer(&mut self, sdp: &str, _: Instant) -> Result<(), StackError> {
        if sdp.is_empty() {
            return Err(StackError::Description("empty".to_owned()));
        }
        Ok(())
    }

    fn local_ufrag(&self) -> Option<&str> {
        Some(&self.ufrag)
    }

    fn open_channel(&mut self, _: &str, _: bool) -> Result<(), StackError> {
        Ok(())
    }

    fn send_data(&mut self, _: &str, _: &[u8], _: Instant) -> Result<(), StackError> {
        Ok(())
    }

    fn add_sender(&mut self, _: &SenderSpec) -> Result<SenderId, StackError> {
        self.senders += 1;
        Ok(SenderId(self.senders - 1))
    }

    fn remove_sender(&mut self, _: SenderId) -> Result<(), StackError> {
        Ok(())
    }

    fn sender_mid(&mut self, sender: SenderId) -> Option<String> {
        (sender.0 < self.placed).then(|| sender.0.to_string())
    }

    fn send_media(&mut self, _: SenderId, _: OutgoingMedia, _: Instant) {}

    fn resend_media(&mut self, _: SenderId, _: OutgoingMedia, _: Instant) {}

    fn report(&mut self, _: SenderId, _: u64, _: u32, _: Instant) {}

    fn probe(&mut self, bits: u64, _: Instant) -> bool {
        // Some can be sent and some cannot.
        bits.is_multiple_of(2)
    }

    fn request_keyframe(&mut self, _: u32, _: Instant) {}

    fn receive(&mut self, datagram: Datagram, _: Instant) {
        self.events.extend(event(&datagram.bytes));
    }

    fn next_timeout(&mut self) -> Option<Instant> {
        None
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }

    fn close(&mut self, _: Instant) {}
}

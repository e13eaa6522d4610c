//! What clients say: octets as signalling messages, in either of the forms that the relay reads, to a room.

use std::{collections::HashMap, sync::Arc, time::Duration};

use livekit_protocol as proto;
use prost::Message as _;
use proto::{signal_request::Message, signal_response::Message as Answer};
use rand::{SeedableRng as _, rngs::StdRng};
use relay::{
    Limits,
    room::{ApiCall, ApiReply, Input, Join, Now, Output, ParticipantKey, Room, Side},
    stack::{Datagram, Protocol},
    token::Grants,
};

use super::{origin, stub::Stub};

/// More than any single message of a script may lead to, to two people.
const MOST_ANSWERS: usize = 2_000;
/// The longest step of time.
const LONGEST: Duration = Duration::from_secs(10);

/// Somebody says anything to a room with a bystander in it, who shows a camera: a script of messages, of what happens to
/// the speaker's connections, and of time that passes. Each step is a kind, a length in two octets, and as many octets.
/// Tracks' ids are random; `#0` stands for the first that was announced.
///
/// # Panics
///
/// When the room does, when the bystander is no longer in it, or when one step leads to too much.
pub fn signalling(octets: &[u8]) {
    let Some((flags, mut script)) = octets.split_first() else {
        return;
    };
    let mut house = House::new(flags & 1 == 1);
    while let Some((&[kind, high, low], rest)) = script.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (body, rest) = rest.split_at(rest.len().min(length));
        script = rest;
        house.step(kind, body);
        house.is_in_order();
    }
}

struct House {
    room: Room,
    now: Now,
    single: bool,
    /// The speaker's newest session, and who it is.
    session: u64,
    speaker: Option<ParticipantKey>,
    said: usize,
    tracks: Vec<String>,
    /// The bystander, and its session.
    bystander: Option<(ParticipantKey, u64)>,
}

impl House {
    fn new(single: bool) -> Self {
        let now = Now {
            instant: origin(),
            unix_ms: 1_000_000,
        };
        let room = Room::new(
            "r".to_owned(),
            Arc::new(Limits::default()),
            Box::new(Stub::default()),
            StdRng::seed_from_u64(7),
            now,
        );
        let mut house = Self {
            room,
            now,
            single,
            session: 0,
            speaker: None,
            said: 0,
            tracks: Vec::new(),
            bystander: None,
        };
        house.join("bystander", None);
        house.shows_a_camera();
        house.bystander = house.speaker.map(|key| (key, house.session));
        house.join("speaker", None);
        house
    }

    fn shows_a_camera(&mut self) {
        let request = proto::AddTrackRequest {
            cid: "camera".to_owned(),
            r#type: proto::TrackType::Video.into(),
            ..proto::AddTrackRequest::default()
        };
        let offer = proto::SessionDescription {
            sdp: "m=video 9 x 96\r\na=mid:0\r\na=sendonly\r\na=msid:s camera\r\n".to_owned(),
            ..proto::SessionDescription::default()
        };
        for message in [Message::AddTrack(request), Message::Offer(offer)] {
            let message = Some(message);
            self.says(Some(proto::SignalRequest { message }));
        }
        self.happens(Side::Publisher, &[3, 1, 0, 0, 0]);
    }

    fn join(&mut self, identity: &str, resume: Option<String>) {
        self.session += 1;
        let session = self.session;
        let join = Join {
            grants: Grants {
                identity: identity.to_owned(),
                name: String::new(),
                metadata: String::new(),
                attributes: HashMap::new(),
                kind: 0,
                permission: proto::ParticipantPermission {
                    can_publish: true,
                    can_subscribe: true,
                    can_publish_data: true,
                    can_update_metadata: true,
                    ..proto::ParticipantPermission::default()
                },
                room: "r".to_owned(),
                join: true,
                create: false,
                list: false,
                admin: false,
                since_s: 0,
            },
            auto_subscribe: true,
            adaptive_stream: false,
            single_connection: self.single,
            offer: None,
            tracks: Vec::new(),
            attributes: HashMap::new(),
            metadata: String::new(),
            resume,
            sync: None,
            ice_servers: Vec::new(),
        };
        let join = Box::new(join);
        self.input(Input::Join { session, join });
        for side in [Side::Publisher, Side::Subscriber] {
            self.happens(side, &[0]);
            self.happens(side, &[1]);
        }
    }

    fn input(&mut self, input: Input) {
        self.room.handle(input, self.now);
        while let Some(output) = self.room.poll_output() {
            self.said += 1;
            match output {
                Output::Joined {
                    session,
                    participant,
                } if session == self.session => self.speaker = Some(participant),
                Output::Signal { message, .. } => {
                    if let Answer::TrackPublished(published) = &*message {
                        self.tracks
                            .extend(published.track.iter().map(|track| track.sid.clone()));
                    }
                }
                _ => {}
            }
        }
    }

    fn says(&mut self, message: Option<proto::SignalRequest>) {
        if let Some(mut message) = message.and_then(|request| request.message)
            && let Some(from) = self.speaker
        {
            self.resolve(&mut message);
            let session = self.session;
            let message = Box::new(message);
            self.input(Input::Signal {
                from,
                session,
                message,
            });
        }
    }

    fn resolve(&self, message: &mut Message) {
        let sid = |sid: &mut String| {
            let number = sid.strip_prefix('#').and_then(|number| number.parse().ok());
            if let Some(known) = number.and_then(|number: usize| self.tracks.get(number)) {
                sid.clone_from(known);
            }
        };
        match message {
            Message::Mute(mute) => sid(&mut mute.sid),
            Message::Subscription(update) => update.track_sids.iter_mut().for_each(sid),
            Message::TrackSetting(settings) => settings.track_sids.iter_mut().for_each(sid),
            Message::SyncState(sync) => sync.track_sids_disabled.iter_mut().for_each(sid),
            Message::UpdateAudioTrack(update) => sid(&mut update.track_sid),
            Message::UpdateVideoTrack(update) => sid(&mut update.track_sid),
            Message::SubscriptionPermission(permission) => {
                for permission in &mut permission.track_permissions {
                    permission.track_sids.iter_mut().for_each(sid);
                }
            }
            _ => {}
        }
    }

    fn happens(&mut self, side: Side, event: &[u8]) {
        let Some(speaker) = self.speaker else { return };
        let address = ([192, 0, 2, 1], 9).into();
        self.input(Input::Datagram {
            connection: (speaker, side),
            datagram: Datagram {
                from: address,
                to: address,
                protocol: Protocol::Udp,
                bytes: event.into(),
            },
        });
    }

    fn step(&mut self, kind: u8, body: &[u8]) {
        self.said = 0;
        match kind % 8 {
            0 | 1 => self.says(proto::SignalRequest::decode(body).ok()),
            2 | 3 => self.says(serde_json::from_slice(body).ok()),
            4 => self.happens(Side::Publisher, body),
            5 => self.happens(Side::Subscriber, body),
            6 => {
                // Less than the bystander's silence would be taken for its end.
                let time = Duration::from_millis(body.len() as u64 * 20).min(LONGEST);
                self.now.instant += time;
                self.now.unix_ms += i64::try_from(time.as_millis()).unwrap_or_default();
                self.input(Input::Tick);
                if let Some((from, session)) = self.bystander {
                    let message = Box::new(Message::Ping(0));
                    self.input(Input::Signal {
                        from,
                        session,
                        message,
                    });
                }
            }
            _ => {
                if let Some(from) = self.speaker {
                    let session = self.session;
                    self.input(Input::SignalLost { from, session });
                }
                let resume = std::str::from_utf8(body).ok().map(ToOwned::to_owned);
                self.join("speaker", resume.filter(|sid| !sid.is_empty()));
            }
        }
    }

    fn is_in_order(&mut self) {
        assert!(
            self.said <= MOST_ANSWERS,
            "{} answers to one step",
            self.said
        );
        let bystander = ApiCall::GetParticipant("bystander".to_owned());
        let found = self.room.call(bystander, self.now);
        assert!(
            matches!(found, Ok(ApiReply::Participant(_))),
            "the bystander has gone: {found:?}"
        );
        while self.room.poll_output().is_some() {}
    }
}

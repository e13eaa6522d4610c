//! Offers and answers.

use std::collections::HashMap;

use livekit_protocol as proto;
use proto::signal_response::Message;

use super::{Now, Output, ParticipantKey, Room, Side, participant::Share, track::Track};
use crate::stack::sdp::{self, Description, Voice};

impl Room {
    /// Takes the client's offer and answers it.
    pub(super) fn take_offer(
        &mut self,
        key: ParticipantKey,
        offer: &proto::SessionDescription,
        now: Now,
    ) {
        let Some(link) = self.link((key, Side::Publisher)) else {
            return;
        };
        match link.connection.accept_offer(&offer.sdp, now.instant) {
            Ok(sdp) => {
                let description = Description::parse(&offer.sdp);
                self.match_tracks(key, &description, &offer.mid_to_track_id, now);
                let mid_to_track_id = self.sections_of(key);
                let answer = proto::SessionDescription {
                    r#type: "answer".to_owned(),
                    sdp: self.with_voices(key, &sdp, &mid_to_track_id),
                    id: offer.id,
                    mid_to_track_id,
                };
                self.announce_routes((key, Side::Publisher));
                self.send(key, Message::Answer(answer));
                if self
                    .participants
                    .get(&key)
                    .is_some_and(|participant| participant.subscriber.is_none())
                {
                    self.settled(key, now);
                    self.negotiate(key, now);
                }
            }
            Err(error) => {
                tracing::info!(%error, "an offer was refused");
                self.misdescribed(key, now);
            }
        }
        self.pump((key, Side::Publisher), now);
    }

    /// Takes the client's answer to our offer.
    pub(super) fn take_answer(
        &mut self,
        key: ParticipantKey,
        answer: &proto::SessionDescription,
        now: Now,
    ) {
        let Some(link) = self.link((key, Side::Subscriber)) else {
            return;
        };
        // An answer to an offer that was replaced settles nothing.
        if link.offered.is_none() || (answer.id != 0 && link.offered != Some(answer.id)) {
            return;
        }
        link.offered = None;
        if let Err(error) = link.connection.accept_answer(&answer.sdp, now.instant) {
            tracing::info!(%error, "an answer was refused");
            self.misdescribed(key, now);
        } else {
            self.settled(key, now);
        }
        self.pump((key, Side::Subscriber), now);
        self.negotiate(key, now);
    }

    /// What a client described cannot be made so. Its connection and ours are not what the other takes them for, and no
    /// later description mends that: it joins anew.
    fn misdescribed(&mut self, key: ParticipantKey, now: Now) {
        metrics::counter!("relay_descriptions_refused_total").increment(1);
        self.remove(key, proto::DisconnectReason::StateMismatch, now);
    }

    /// A description for a participant with what is to be said of voices: how its own are to be sent, as the client
    /// announced them, and how those of others come.
    fn with_voices(
        &self,
        key: ParticipantKey,
        ours: &str,
        sections: &HashMap<String, String>,
    ) -> String {
        sdp::with_voices(ours, |mid| {
            if let Some(sid) = sections.get(mid) {
                let track = self.track_by_sid(sid)?;
                return is_stereo(&track.info).then_some(Voice::Stereo);
            }
            let own = |track: &&Track| track.owner == key && track.mid.as_deref() == Some(mid);
            let info = &self.tracks.values().find(own)?.info;
            Some(Voice::Wanted {
                dtx: has_dtx(info),
                stereo: is_stereo(info),
            })
        })
    }

    /// Which media section carries which track to a participant.
    fn sections_of(&mut self, key: ParticipantKey) -> HashMap<String, String> {
        let Self {
            participants,
            tracks,
            ..
        } = self;
        let Some(participant) = participants.get_mut(&key) else {
            return HashMap::new();
        };
        let mut sections = HashMap::new();
        let link = participant
            .subscriber
            .as_mut()
            .unwrap_or(&mut participant.publisher);
        for (track, subscription) in &participant.subscriptions {
            if let Some(mid) = link.connection.sender_mid(subscription.sender)
                && let Some(track) = tracks.get(track)
            {
                sections.insert(mid, track.info.sid.clone());
            }
        }
        sections
    }

    /// What was negotiated can be sent from here on, and sections whose tracks ended take others.
    fn settled(&mut self, key: ParticipantKey, now: Now) {
        let Some(participant) = self.participants.get_mut(&key) else {
            return;
        };
        let mut fresh = Vec::new();
        let answered = participant.subscriber.is_none();
        let link = participant
            .subscriber
            .as_mut()
            .unwrap_or(&mut participant.publisher);
        // An answer of ours says all there is; an offer, what there was when it was made.
        let vacated = link.vacating && (answered || !link.stale);
        link.vacating &= !vacated;
        for (track, subscription) in &mut participant.subscriptions {
            let placed = link.connection.sender_mid(subscription.sender).is_some();
            if placed && !subscription.negotiated {
                subscription.negotiated = true;
                fresh.push(*track);
            }
        }
        if !fresh.is_empty() {
            participant.share = Share::Stale;
        }
        for track in fresh {
            self.retarget(key, track, now);
        }
        if vacated {
            self.subscribe_to_all(key, now);
        }
    }

    /// Offers what has changed, once the last offer is answered.
    pub(super) fn negotiate(&mut self, key: ParticipantKey, now: Now) {
        let Some(participant) = self.participants.get_mut(&key) else {
            return;
        };
        let id = participant.next_offer;
        if participant.subscriber.is_none() {
            self.ask_for_sections(key);
            return;
        }
        let Some(link) = participant.subscriber.as_mut() else {
            return;
        };
        if !link.stale || link.offered.is_some() || participant.session.is_none() {
            return;
        }
        match link.connection.make_offer(link.restart, now.instant) {
            Ok(sdp) => {
                link.stale = false;
                link.restart = false;
                link.offered = Some(id);
                participant.next_offer += 1;
                let sections = self.sections_of(key);
                let sdp = self.with_voices(key, &sdp, &sections);
                let offer = proto::SessionDescription {
                    r#type: "offer".to_owned(),
                    sdp,
                    id,
                    mid_to_track_id: HashMap::new(),
                };
                self.announce_routes((key, Side::Subscriber));
                self.send(key, Message::Offer(offer));
            }
            Err(error) => tracing::error!(%error, "no offer could be made"),
        }
        self.pump((key, Side::Subscriber), now);
    }

    /// Over a single connection the client makes every offer; it is told how many more sections it is to offer.
    fn ask_for_sections(&mut self, key: ParticipantKey) {
        let Self {
            participants,
            tracks,
            ..
        } = self;
        let Some(participant) = participants.get_mut(&key) else {
            return;
        };
        let link = &mut participant.publisher;
        if !link.stale || participant.session.is_none() {
            return;
        }
        link.stale = false;
        let mut requirement = proto::MediaSectionsRequirement::default();
        for (track, subscription) in &mut participant.subscriptions {
            if subscription.asked || link.connection.sender_mid(subscription.sender).is_some() {
                continue;
            }
            subscription.asked = true;
            match tracks.get(track) {
                Some(track) if track.is_audio() => requirement.num_audios += 1,
                Some(_) => requirement.num_videos += 1,
                None => {}
            }
        }
        self.send(key, Message::MediaSectionsRequirement(requirement));
    }

    /// Tells the shell which ICE user names lead to a connection.
    fn announce_routes(&mut self, connection: (ParticipantKey, Side)) {
        let Some(link) = self.link(connection) else {
            return;
        };
        let Some(ufrag) = link.connection.local_ufrag().map(str::to_owned) else {
            return;
        };
        if link.routes.contains(&ufrag) {
            return;
        }
        link.routes.push(ufrag.clone());
        // The path before the last restart is used until the new one stands; older ones are over.
        let old = (link.routes.len() > 2).then(|| link.routes.remove(0));
        self.out.push_back(Output::Route { ufrag, connection });
        self.out.extend(old.map(|ufrag| Output::Unroute { ufrag }));
    }

    /// A resuming client tells what it has and wants.
    pub(super) fn sync_state(&mut self, key: ParticipantKey, sync: &proto::SyncState, now: Now) {
        if let Some(update) = &sync.subscription {
            self.update_subscription(key, update, now);
        }
        if !sync.track_sids_disabled.is_empty() {
            let settings = proto::UpdateTrackSettings {
                track_sids: sync.track_sids_disabled.clone(),
                disabled: true,
                quality: proto::VideoQuality::High.into(),
                ..proto::UpdateTrackSettings::default()
            };
            self.update_track_settings(key, &settings, now);
        }
    }
}

#[expect(deprecated, reason = "older clients tell it in a field of its own")]
fn has_dtx(info: &proto::TrackInfo) -> bool {
    let without = proto::AudioTrackFeature::TfNoDtx.into();
    !info.disable_dtx && !info.audio_features.contains(&without)
}

#[expect(deprecated, reason = "older clients tell it in a field of its own")]
fn is_stereo(info: &proto::TrackInfo) -> bool {
    let stereo = proto::AudioTrackFeature::TfStereo.into();
    info.stereo || info.audio_features.contains(&stereo)
}

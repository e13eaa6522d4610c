//! `MatrixRTC` (MSC4143) as data: what stands in a room for somebody who is in its call, and who is read to be in it.
//! Pure; every byte of what others have written is hostile.
//!
//! Two forms are in use. A **state event** per device, which every client reads; its owner's name on the relay is
//! `@user:server:DEVICE`. A **sticky event** (MSC4354), read by newer clients; the name on the relay is a hash, so
//! that an operator of a relay learns no user ids. A client that sees both under the same key believes the sticky one.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use bridge::ids::MatrixUser;
use jiff::{SignedDuration, Timestamp};
use ruma::{EventId, RoomId};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::types;

/// The one call of a room (MSC4143 § slots).
pub const SLOT: &str = "m.call#ROOM";
/// The device every ghost calls with: the one it sends from. A ghost stands for one guest in one visit.
pub const DEVICE: &str = crate::client::DEVICE;
/// Without a restart in this time, the homeserver takes a ghost out of the call (MSC4140).
pub const LEAVE_AFTER: SignedDuration = SignedDuration::from_secs(15);
/// A sticky event is kept for this long (MSC4354 allows an hour): write it anew before.
pub const STICKY_FOR: SignedDuration = SignedDuration::from_mins(60);
/// A membership in state that nobody took back means nothing after this time.
const EXPIRES: SignedDuration = SignedDuration::from_hours(12);
/// What others' memberships in state mean when they do not say when they expire.
const USUAL_EXPIRES: SignedDuration = SignedDuration::from_hours(4);
/// How long a client rings.
const RINGS: SignedDuration = SignedDuration::from_secs(30);
/// More members than this are not read.
const MOST_MEMBERS: usize = 100;
/// Longer addresses and ids of others are not read.
const LONGEST: usize = 500;

/// How a ghost's membership is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As a state event alone: every client shows it.
    State,
    /// As a state event, and as a sticky event that newer clients believe instead.
    Sticky,
}

impl Form {
    /// The ghost's name on the relay, which is the one that clients expect by its membership.
    #[must_use]
    pub fn identity(self, ghost: &MatrixUser) -> String {
        match self {
            Self::State => identity_by_name(ghost.as_str(), DEVICE),
            Self::Sticky => identity_by_hash(ghost.as_str(), DEVICE, &state_key(ghost)),
        }
    }
}

/// The relay's name of a room's call (MSC4195).
#[must_use]
pub fn alias(room: &str, slot: &str) -> String {
    hash(&json!([room, slot]))
}

/// A participant's name on the relay by user and device.
#[must_use]
pub fn identity_by_name(user: &str, device: &str) -> String {
    format!("{user}:{device}")
}

/// A participant's name on the relay that tells nobody who it is (MSC4195).
#[must_use]
pub fn identity_by_hash(user: &str, device: &str, member: &str) -> String {
    hash(&json!([user, device, member]))
}

fn hash(parts: &Value) -> String {
    STANDARD_NO_PAD.encode(Sha256::digest(parts.to_string()))
}

/// The state key of a ghost's membership. The underscore keeps it from being read as a user's own key.
#[must_use]
pub fn state_key(ghost: &MatrixUser) -> String {
    format!("_{ghost}_{DEVICE}_m.call")
}

/// The content of a ghost's membership in state.
#[must_use]
pub fn state_content(ghost: &MatrixUser, room: &RoomId, service_url: &str) -> Value {
    json!({
        "application": "m.call",
        "call_id": "",
        "scope": "m.room",
        "device_id": DEVICE,
        "membershipID": identity_by_name(ghost.as_str(), DEVICE),
        "expires": millis(EXPIRES),
        "m.call.intent": "video",
        "focus_active": { "type": "livekit", "focus_selection": "multi_sfu" },
        "foci_preferred": [
            { "type": "livekit", "livekit_service_url": service_url, "livekit_alias": room },
        ],
    })
}

/// The content of a ghost's membership as a sticky event.
#[must_use]
pub fn sticky_content(ghost: &MatrixUser, service_url: &str) -> Value {
    let key = state_key(ghost);
    let transports = json!([{ "type": "livekit", "livekit_service_url": service_url }]);
    json!({
        "slot_id": SLOT,
        "application": { "type": "m.call", "m.call.intent": "video" },
        "member": { "user_id": ghost.as_str(), "device_id": DEVICE, "id": key },
        // Earlier drafts call what is sent to `rtc_transports`.
        "rtc_transports": transports,
        "transports": { "published": transports, "can_subscribe": ["livekit"] },
        "versions": [],
        "msc4354_sticky_key": key,
    })
}

/// The content of the sticky event that takes a ghost's membership back.
#[must_use]
pub fn sticky_leave(ghost: &MatrixUser) -> Value {
    json!({ "msc4354_sticky_key": state_key(ghost) })
}

/// The content of the event that rings at `whom` for the call that the membership `member` is in (MSC4075). The
/// mention is what the push rules of every client act on.
#[must_use]
pub fn ring(whom: &MatrixUser, member: &EventId, now: Timestamp) -> Value {
    json!({
        "notification_type": "ring",
        "m.mentions": { "user_ids": [whom] },
        "m.relates_to": { "rel_type": "m.reference", "event_id": member },
        "m.call.intent": "video",
        "sender_ts": now.as_millisecond(),
        "lifetime": millis(RINGS),
    })
}

fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Somebody's device in the room's call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: MatrixUser,
    /// Their name on the relay.
    pub identity: String,
    /// Where tokens for the relay are got that they send to; `None` when they name none.
    pub service_url: Option<String>,
}

/// A membership, with what decides between several.
struct Read {
    member: Member,
    since: i64,
    oldest: bool,
}

/// Who is in the room's call, the longest first. `state` is the room's whole state, `timeline` events of its
/// timeline, the newest first. A membership counts when its sender is in the room and the one it is of, and when it
/// has not run out.
#[must_use]
pub fn members(state: &[Value], timeline: &[Value], now: Timestamp) -> Vec<Member> {
    let joined: BTreeSet<&str> = state
        .iter()
        .filter(|event| {
            event["type"] == "m.room.member" && event["content"]["membership"] == "join"
        })
        .filter_map(|event| event["state_key"].as_str())
        .collect();
    // Of several sticky events under one key the newest counts; it may say that somebody left.
    let mut sticky: BTreeMap<(&str, &str), Option<Read>> = BTreeMap::new();
    for event in timeline {
        if event["type"] == types::RTC_MEMBER
            && let (Some(sender), Some(key)) = (event["sender"].as_str(), sticky_key(event))
            && lasts(event, now)
        {
            sticky
                .entry((sender, key))
                .or_insert_with(|| read_sticky(event));
        }
    }
    // Whoever sends a sticky event under somebody else's key hides nobody.
    let replaced = |event: &Value| {
        let (sender, key) = (event["sender"].as_str(), event["state_key"].as_str());
        let under = sender.zip(key);
        under.is_some_and(|under| sticky.contains_key(&under))
    };
    let of_state = state
        .iter()
        .filter(|event| event["type"] == types::CALL_MEMBER && !replaced(event))
        .filter_map(|event| read_state(event, now));
    let mut read: Vec<Read> = of_state.collect();
    read.extend(sticky.into_values().flatten());
    read.retain(|read| joined.contains(read.member.user.as_str()));
    read.sort_by(|a, b| (a.since, &a.member.identity).cmp(&(b.since, &b.member.identity)));
    read.dedup_by(|a, b| a.member.identity == b.member.identity);
    read.truncate(MOST_MEMBERS);
    // Older clients all send to the relay of whoever came first.
    let first = read
        .first()
        .and_then(|read| read.member.service_url.clone());
    let member = |read: Read| Member {
        service_url: if read.oldest {
            first.clone()
        } else {
            read.member.service_url
        },
        ..read.member
    };
    read.into_iter().map(member).collect()
}

fn sticky_key(event: &Value) -> Option<&str> {
    let content = &event["content"];
    content["msc4354_sticky_key"]
        .as_str()
        .or_else(|| content["sticky_key"].as_str())
}

/// Whether a sticky event still sticks.
fn lasts(event: &Value, now: Timestamp) -> bool {
    let duration = ["msc4354_sticky", "sticky"]
        .into_iter()
        .find_map(|field| event[field]["duration_ms"].as_i64())
        .unwrap_or(0)
        .clamp(0, millis(STICKY_FOR));
    let sent = event["origin_server_ts"].as_i64().unwrap_or(0);
    sent.saturating_add(duration) > now.as_millisecond()
}

fn read_sticky(event: &Value) -> Option<Read> {
    let (content, sender) = (&event["content"], event["sender"].as_str()?);
    let member = &content["member"];
    let transports = match &content["transports"]["published"] {
        Value::Null => &content["rtc_transports"],
        published => published,
    };
    let (device, id) = (short(&member["device_id"])?, short(&member["id"])?);
    if content["slot_id"] != SLOT || member["user_id"] != sender {
        return None;
    }
    Some(Read {
        member: Member {
            user: sender.parse().ok()?,
            identity: identity_by_hash(sender, device, id),
            service_url: service_url(transports),
        },
        since: event["origin_server_ts"].as_i64()?,
        oldest: false,
    })
}

fn read_state(event: &Value, now: Timestamp) -> Option<Read> {
    let (content, sender) = (&event["content"], event["sender"].as_str()?);
    let device = short(&content["device_id"])?;
    let key = event["state_key"].as_str()?;
    // Who may write this type may write it under anybody's key: what counts is who wrote it.
    let own = format!("{sender}_{device}_m.call");
    if content["application"] != "m.call"
        || !matches!(content["call_id"].as_str()?, "" | "ROOM")
        || key.strip_prefix('_').unwrap_or(key) != own
    {
        return None;
    }
    let since = content["created_ts"]
        .as_i64()
        .or_else(|| event["origin_server_ts"].as_i64())?;
    let expires = content["expires"].as_i64().unwrap_or(millis(USUAL_EXPIRES));
    if since.saturating_add(expires) <= now.as_millisecond() {
        return None;
    }
    Some(Read {
        member: Member {
            user: sender.parse().ok()?,
            identity: identity_by_name(sender, device),
            service_url: service_url(&content["foci_preferred"]),
        },
        since,
        oldest: content["focus_active"]["focus_selection"] == "oldest_membership",
    })
}

fn short(value: &Value) -> Option<&str> {
    value
        .as_str()
        .filter(|text| !text.is_empty() && text.len() <= LONGEST)
}

/// The first LiveKit transport.
fn service_url(transports: &Value) -> Option<String> {
    let first = transports
        .as_array()?
        .iter()
        .find(|transport| transport["type"] == "livekit")?;
    short(&first["livekit_service_url"]).map(|url| url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests;

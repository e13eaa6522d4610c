//! Power levels (Client-Server API, `m.room.power_levels`). The bot, as creator, rules every room; a clerk
//! has [`CLERK`]; everybody else has nothing.

use std::collections::{BTreeMap, BTreeSet};

use bridge::ids::MatrixUser;
use serde_json::{Map, Value, json};

use crate::types;

/// A clerk: approves, puts out, redacts.
pub(super) const CLERK: i64 = 50;
/// The bot where a room version does not give creators endless power (before 12).
pub(super) const BOT: i64 = 100;

/// What differs between our rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum House {
    /// Clerks talk, others only pass.
    Door,
    /// Nobody talks.
    Space,
    /// Everybody talks and calls.
    Consultation,
}

/// State that only the bot writes, listed one by one so that no client's default lowers it.
const BOT_ONLY: [&str; 15] = [
    "m.room.name",
    "m.room.topic",
    "m.room.avatar",
    "m.room.canonical_alias",
    "m.room.join_rules",
    "m.room.history_visibility",
    "m.room.guest_access",
    "m.room.power_levels",
    "m.room.encryption",
    "m.room.server_acl",
    types::OFFICE,
    types::OCCUPANCY,
    types::QUEUE,
    types::WIDGETS,
    types::WIDGET_LAYOUT,
];

/// The whole content, for a room of this version.
pub(super) fn content(
    house: House,
    clerks: &BTreeSet<MatrixUser>,
    bot: &MatrixUser,
    version: &str,
) -> Value {
    let mut events: BTreeMap<&str, i64> = BOT_ONLY.iter().map(|name| (*name, BOT)).collect();
    // Above every user but the creators: nobody replaces the room.
    events.insert("m.room.tombstone", 150);
    if house == House::Consultation {
        events.insert(types::CALL_MEMBER, 0);
        events.insert(types::RTC_MEMBER, 0);
    }
    let mut users: BTreeMap<&str, i64> =
        clerks.iter().map(|clerk| (clerk.as_str(), CLERK)).collect();
    if !creators_rule(version) {
        users.insert(bot.as_str(), BOT);
    }
    json!({
        "users": users,
        "users_default": 0,
        "events": events,
        "events_default": match house {
            House::Door => CLERK,
            House::Space => BOT,
            House::Consultation => 0,
        },
        "state_default": BOT,
        "invite": CLERK,
        "kick": CLERK,
        "ban": CLERK,
        "redact": CLERK,
        "notifications": { "room": CLERK },
    })
}

/// Since room version 12 creators have endless power and must not stand in `users`.
pub(super) fn creators_rule(version: &str) -> bool {
    version.parse::<u32>().is_ok_and(|number| number >= 12)
}

/// Whether two contents mean the same: the specification's defaults stand in for what is missing.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    const LEVELS: [(&str, i64); 7] = [
        ("users_default", 0),
        ("events_default", 0),
        ("state_default", 50),
        ("invite", 0),
        ("kick", 50),
        ("ban", 50),
        ("redact", 50),
    ];
    LEVELS.iter().all(|(key, default)| {
        let level = |content: &Value| content[*key].as_i64().unwrap_or(*default);
        level(a) == level(b)
    }) && map(a, "users") == map(b, "users")
        && map(a, "events") == map(b, "events")
}

/// Who has more than nothing, and how much.
pub(super) fn users(content: &Value) -> Vec<(MatrixUser, i64)> {
    map(content, "users")
        .into_iter()
        .flatten()
        .filter_map(|(user, level)| Some((user.parse().ok()?, level.as_i64()?)))
        .collect()
}

fn map<'a>(content: &'a Value, key: &str) -> Option<&'a Map<String, Value>> {
    content[key].as_object().filter(|map| !map.is_empty())
}

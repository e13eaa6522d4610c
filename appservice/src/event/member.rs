//! `m.room.member`: what it means depends on what was before (`unsigned.prev_content`).

use bridge::ids::MatrixUser;
use serde_json::Value;

use super::{REASON_LIMIT, RoomEventKind, text};

pub(super) fn read(event: &Value, state_key: &str, sender: &MatrixUser) -> Option<RoomEventKind> {
    let user: MatrixUser = state_key.parse().ok()?;
    let before = before(event);
    let was_knocking = before == Some("knock");
    let by_self = user == *sender;
    let by = || sender.clone();
    Some(match event["content"]["membership"].as_str()? {
        "knock" => RoomEventKind::Knocked {
            reason: event["content"]["reason"]
                .as_str()
                .map(|reason| text::line(reason, REASON_LIMIT))
                .filter(|reason| !reason.is_empty()),
            user,
        },
        "invite" => RoomEventKind::Invited {
            by: by(),
            user,
            was_knocking,
        },
        // A new name or avatar is a join of somebody who is in.
        "join" if before == Some("join") => RoomEventKind::Renamed { user },
        "join" => RoomEventKind::Joined { user },
        "leave" | "ban" if was_knocking && by_self => RoomEventKind::KnockWithdrawn { user },
        "leave" | "ban" if was_knocking => RoomEventKind::KnockRejected { by: by(), user },
        "leave" if by_self => RoomEventKind::Left { user, by: None },
        "leave" | "ban" => RoomEventKind::Left {
            by: Some(by()),
            user,
        },
        _ => return None,
    })
}

fn before(event: &Value) -> Option<&str> {
    [&event["unsigned"]["prev_content"], &event["prev_content"]]
        .into_iter()
        .find_map(|content| content["membership"].as_str())
}

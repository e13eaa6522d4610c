//! What a room of ours is for, read from the alias it was made with.

use bridge::ids::{OfficeSlug, VisitId};
use ruma::RoomId;

use crate::{
    client::{Matrix, MatrixError, NAMESPACE},
    registration::OFFICE_ALIAS,
};

/// What a room of ours is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An office's door room, or another room that is named like one.
    Door(OfficeSlug),
    /// A visit's consultation room.
    Consultation(VisitId),
}

/// What a room is for; `None` when it is not ours. Right from the room's first event on: people come in and speak
/// before the job that makes a room has ended.
///
/// What the room says of itself is not believed, for anybody can invite the bot to a room: the alias must lead back
/// to it, and only this service can set aliases of its namespace.
pub async fn origin(matrix: &Matrix, room: &RoomId) -> Result<Option<Origin>, MatrixError> {
    let content = match matrix.state(room, "m.room.canonical_alias", "").await {
        Err(error) if error.is_absence() => return Ok(None),
        other => other?,
    };
    let Some((localpart, origin)) = content.as_ref().and_then(|content| {
        let (localpart, _) = content["alias"]
            .as_str()?
            .strip_prefix('#')?
            .split_once(':')?;
        Some((localpart, read(localpart)?))
    }) else {
        return Ok(None);
    };
    let leads_to = matrix.resolve_alias(&matrix.alias(localpart)?).await?;
    Ok((leads_to.as_deref() == Some(room)).then_some(origin))
}

fn read(localpart: &str) -> Option<Origin> {
    if let Some(visit) = localpart.strip_prefix(NAMESPACE) {
        return visit.parse().ok().map(Origin::Consultation);
    }
    let slug = localpart.strip_prefix(OFFICE_ALIAS)?;
    slug.parse().ok().map(Origin::Door)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_of_other_services_mean_nothing() {
        let visit = "abcdefghijklmnopqrstuvwxyz";
        assert_eq!(
            read(&format!("_vorzimmer_{visit}")),
            visit.parse().ok().map(Origin::Consultation)
        );
        assert_eq!(
            read("buero-gewerbe"),
            "gewerbe".parse().ok().map(Origin::Door)
        );
        for foreign in [
            "",
            "gewerbe",
            "_vorzimmer_",
            "_vorzimmer_x",
            "buero-",
            "_irc_buero-a",
        ] {
            assert_eq!(read(foreign), None, "{foreign}");
        }
    }
}

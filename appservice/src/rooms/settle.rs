//! Finds or makes one room and makes it right.

use std::time::Duration;

use bridge::ids::VisitId;
use ruma::{OwnedRoomId, RoomId};

use super::{
    ConsultationSpec, Desired, Finding, Outcome, PreparedSpec, Problem, Repair, Snapshot, plan,
    spec::consultation_alias,
};
use crate::client::{As, Matrix, MatrixError};

/// Making a room takes less than a second; this many looks are twenty.
const LOOKS_AT_A_ROOM_IN_THE_MAKING: u32 = 80;
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

/// Whether to repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Repair what can be repaired.
    Repair,
    /// Change nothing: every problem is reported unrepaired.
    Look,
}

/// What to do about the room behind an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// The room is there; perhaps the alias must be pointed to it.
    Use { room: OwnedRoomId, move_alias: bool },
    /// There is none any more, or none yet.
    Create,
}

/// Decides from the room we remember and the room the alias points to, as far as they are usable.
fn locate(known: Option<OwnedRoomId>, target: Option<OwnedRoomId>) -> Place {
    match (known, target) {
        (Some(room), target) => Place::Use {
            move_alias: target.as_ref() != Some(&room),
            room,
        },
        (None, Some(room)) => Place::Use {
            room,
            move_alias: false,
        },
        (None, None) => Place::Create,
    }
}

/// Finds or makes the room and makes it right. `None` when it is missing and [`Mode::Look`] forbids more.
/// Errors are those that pass; a refused repair is a finding.
pub(super) async fn settle(
    matrix: &Matrix,
    desired: &Desired,
    known: Option<&RoomId>,
    mode: Mode,
) -> Result<(Option<OwnedRoomId>, Vec<Finding>), MatrixError> {
    let mut report = Report {
        room: desired.alias_localpart.clone(),
        findings: Vec::new(),
        is_new: false,
    };
    let alias = matrix.alias(&desired.alias_localpart)?;
    let target = matrix.resolve_alias(&alias).await?;
    let usable = |room: Option<OwnedRoomId>| async {
        match room {
            Some(room) => Ok(look(matrix, &room).await?.map(|_| room)),
            None => Ok::<_, MatrixError>(None),
        }
    };
    let known_usable = usable(known.map(RoomId::to_owned)).await?;
    let target_usable = match target.clone() {
        _ if target == known_usable => known_usable.clone(),
        // Never remembered: perhaps we were stopped while it was made.
        Some(room) if mode == Mode::Repair && known.is_none() => {
            look_when_made(matrix, &room).await?.map(|_| room)
        }
        target => usable(target).await?,
    };

    let room = match locate(known_usable.clone(), target_usable) {
        Place::Use { room, move_alias } => {
            if known.is_some() && known_usable.is_none() {
                report.lost(known);
            } else if known.is_none() {
                report.done(mode, Problem::Forgotten);
            }
            if move_alias {
                let moved = match mode {
                    Mode::Repair => matrix.point_alias(&alias, &room).await,
                    Mode::Look => Ok(()),
                };
                report.attempt(mode, Problem::AliasElsewhere, moved)?;
            }
            room
        }
        Place::Create => {
            let problem = match known.map(RoomId::to_owned).or(target.clone()) {
                Some(room) => Problem::Lost { room },
                None => Problem::Missing,
            };
            if mode == Mode::Look {
                report.done(mode, problem);
                return Ok((None, report.findings));
            }
            if target.is_some() {
                matrix.delete_alias(&alias).await?;
            }
            let room = match matrix.create_room(&desired.creation(matrix.bot())).await {
                Ok(room) => room,
                Err(error) => made_before(matrix, desired, error).await?.0,
            };
            if problem != Problem::Missing {
                report.done(mode, problem);
            }
            report.is_new = true;
            room
        }
    };
    mend(matrix, &room, desired, mode, &mut report).await?;
    Ok((Some(room), report.findings))
}

/// Takes every step of the plan, and the directory.
async fn mend(
    matrix: &Matrix,
    room: &RoomId,
    desired: &Desired,
    mode: Mode,
    report: &mut Report,
) -> Result<(), MatrixError> {
    let Some(actual) = look(matrix, room).await? else {
        return Ok(());
    };
    for repair in plan(&actual, desired, matrix.bot()) {
        let taken = match mode {
            Mode::Repair => take(matrix, room, &repair).await,
            Mode::Look => Ok(()),
        };
        match &repair {
            Repair::Report(problem) => report.unrepaired(problem.clone()),
            _ => report.attempt(mode, repair.problem(), taken)?,
        }
    }
    if matrix.is_listed(room).await? != desired.listed {
        let listed = match mode {
            Mode::Repair => matrix.set_listed(room, desired.listed).await,
            Mode::Look => Ok(()),
        };
        report.attempt(mode, Problem::Directory, listed)?;
    }
    Ok(())
}

/// Makes the visit's consultation room, or finds the one made before, with everybody invited. What does
/// not succeed is an error: the job is executed again.
pub async fn open_consultation(
    matrix: &Matrix,
    spec: &ConsultationSpec,
) -> Result<OwnedRoomId, MatrixError> {
    open(matrix, &spec.desired(matrix.server_name())).await
}

/// Makes the room of a visit that has not begun, or finds the one made before. [`open_consultation`] of the same
/// visit finds it again.
pub async fn prepare_consultation(
    matrix: &Matrix,
    spec: &PreparedSpec,
) -> Result<OwnedRoomId, MatrixError> {
    open(matrix, &spec.desired(matrix.server_name())).await
}

/// The room of a visit: the one that was noted, else one made by an attempt whose end nobody has heard of; `None` if
/// there is none.
pub async fn consultation_room(
    matrix: &Matrix,
    visit: &VisitId,
    noted: Option<&RoomId>,
) -> Result<Option<OwnedRoomId>, MatrixError> {
    if let Some(room) = noted {
        return Ok(Some(room.to_owned()));
    }
    let alias = matrix.alias(&consultation_alias(visit))?;
    matrix.resolve_alias(&alias).await
}

async fn open(matrix: &Matrix, desired: &Desired) -> Result<OwnedRoomId, MatrixError> {
    let mut creation = desired.creation(matrix.bot());
    // Invites across servers can fail and would take the making down with them.
    let (here, elsewhere): (Vec<_>, Vec<_>) = desired
        .invited
        .iter()
        .cloned()
        .partition(|user| matrix.is_local(user));
    creation.invite = here;
    let (room, actual) = match matrix.create_room(&creation).await {
        Ok(room) => {
            for user in &elsewhere {
                matrix.invite(&room, user).await?;
            }
            return Ok(room);
        }
        Err(error) => made_before(matrix, desired, error).await?,
    };
    for repair in plan(&actual, desired, matrix.bot()) {
        match &repair {
            Repair::Report(problem) => {
                tracing::warn!(room = %room, %problem, "consultation room");
            }
            repair => take(matrix, &room, repair).await?,
        }
    }
    Ok(room)
}

/// The room's state, as soon as it can go on as ours. The homeserver goes on making a room whose maker has hung up,
/// and the alias stands before the bot is in it.
async fn look_when_made(matrix: &Matrix, room: &RoomId) -> Result<Option<Snapshot>, MatrixError> {
    for _ in 0..LOOKS_AT_A_ROOM_IN_THE_MAKING {
        if let Some(room) = look(matrix, room).await? {
            return Ok(Some(room));
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(None)
}

/// The room's state, if it can go on as ours.
async fn look(matrix: &Matrix, room: &RoomId) -> Result<Option<Snapshot>, MatrixError> {
    match matrix.full_state(room).await {
        Ok(events) => Ok(Some(Snapshot::new(&events)).filter(|room| room.is_usable(matrix.bot()))),
        Err(error) if error.is_absence() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The room behind the alias and its state, where the making was refused because an earlier attempt has succeeded, or
/// is about to.
async fn made_before(
    matrix: &Matrix,
    desired: &Desired,
    refused: MatrixError,
) -> Result<(OwnedRoomId, Snapshot), MatrixError> {
    if !refused.is("M_ROOM_IN_USE") {
        return Err(refused);
    }
    let alias = matrix.alias(&desired.alias_localpart)?;
    let room = matrix.resolve_alias(&alias).await?.ok_or(refused)?;
    if let Some(actual) = look_when_made(matrix, &room).await? {
        return Ok((room, actual));
    }
    // A ruin: its making was cut off for good. Without its alias the next attempt makes another one.
    matrix.delete_alias(&alias).await?;
    Err(MatrixError::Away {
        detail: "the room was never finished".to_owned(),
    })
}

async fn take(matrix: &Matrix, room: &RoomId, repair: &Repair) -> Result<(), MatrixError> {
    match repair {
        Repair::Put {
            event_type,
            state_key,
            content,
        } => matrix
            .put_state(As::Bot, room, event_type, state_key, content)
            .await
            .map(drop),
        Repair::Invite(user) => matrix.invite(room, user).await,
        Repair::Kick(user) => matrix.kick(room, user, None).await,
        Repair::Report(_) => Ok(()),
    }
}

struct Report {
    room: String,
    findings: Vec<Finding>,
    /// Furnishing a room just made repairs nothing.
    is_new: bool,
}

impl Report {
    fn lost(&mut self, known: Option<&RoomId>) {
        if let Some(room) = known {
            self.add(
                Problem::Lost {
                    room: room.to_owned(),
                },
                Outcome::Repaired,
            );
        }
    }

    fn done(&mut self, mode: Mode, problem: Problem) {
        match mode {
            Mode::Repair => self.add(problem, Outcome::Repaired),
            Mode::Look => self.add(
                problem,
                Outcome::Unrepaired {
                    cure: "start `vorzimmer serve`: it repairs this".to_owned(),
                },
            ),
        }
    }

    fn unrepaired(&mut self, problem: Problem) {
        let cure = problem.cure().to_owned();
        self.add(problem, Outcome::Unrepaired { cure });
    }

    /// A refusal is a finding; what passes by itself is an error and ends the attempt.
    fn attempt(
        &mut self,
        mode: Mode,
        problem: Problem,
        result: Result<(), MatrixError>,
    ) -> Result<(), MatrixError> {
        match result {
            Ok(()) if self.is_new => {}
            Ok(()) => self.done(mode, problem),
            Err(error) if error.retry().is_some() => return Err(error),
            Err(error) => {
                tracing::warn!(room = self.room, errcode = error.code(), "repair refused");
                self.unrepaired(problem);
            }
        }
        Ok(())
    }

    fn add(&mut self, problem: Problem, outcome: Outcome) {
        self.findings.push(Finding {
            room: self.room.clone(),
            problem,
            outcome,
        });
    }
}

#[cfg(test)]
mod tests {
    use ruma::owned_room_id;

    use super::*;

    #[test]
    fn a_room_is_found_by_memory_then_by_alias_or_made() {
        let (ours, other) = (owned_room_id!("!ours"), owned_room_id!("!other"));
        let used = |room: &OwnedRoomId, move_alias| Place::Use {
            room: room.clone(),
            move_alias,
        };

        // As it should be.
        assert_eq!(
            locate(Some(ours.clone()), Some(ours.clone())),
            used(&ours, false)
        );
        // The alias was deleted, or points elsewhere: the room where the clerks are stays.
        assert_eq!(locate(Some(ours.clone()), None), used(&ours, true));
        assert_eq!(
            locate(Some(ours.clone()), Some(other.clone())),
            used(&ours, true)
        );
        // Our memory was lost.
        assert_eq!(locate(None, Some(other.clone())), used(&other, false));
        // Nothing usable.
        assert_eq!(locate(None, None), Place::Create);
    }
}

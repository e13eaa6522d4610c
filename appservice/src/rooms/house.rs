//! All standing rooms of a city: its space and its doors.

use std::collections::BTreeMap;

use bridge::ids::OfficeSlug;
use ruma::{OwnedRoomId, RoomId};

use super::{
    Desired, DoorSpec, Finding, Mode, Outcome, Problem, SPACE_ALIAS, SpaceSpec, settle::settle,
};
use crate::client::{Matrix, MatrixError};

/// The rooms a city must have.
#[derive(Debug, Clone, PartialEq)]
pub struct HouseSpec {
    /// The space.
    pub space: SpaceSpec,
    /// The doors, in the city's order.
    pub doors: Vec<DoorSpec>,
}

/// The rooms a city has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownRooms {
    /// The space.
    pub space: Option<OwnedRoomId>,
    /// The doors.
    pub doors: BTreeMap<OfficeSlug, OwnedRoomId>,
}

/// What reconciling found and did.
#[derive(Debug, Default)]
pub struct HouseReport {
    /// The rooms as they are; to be remembered.
    pub rooms: KnownRooms,
    /// What was not right.
    pub findings: Vec<Finding>,
    /// Rooms (by the local name of their alias) that could not be looked after because the homeserver is
    /// away or slow, or refused to make them: try again.
    pub failed: Vec<(String, MatrixError)>,
}

/// Makes every standing room what it must be. One room's failure does not keep the others waiting.
pub async fn reconcile(
    matrix: &Matrix,
    spec: &HouseSpec,
    known: &KnownRooms,
    mode: Mode,
) -> HouseReport {
    let mut report = HouseReport {
        rooms: known.clone(),
        ..HouseReport::default()
    };
    if mode == Mode::Repair {
        // Doors name the space and the space names the doors: it is made first, with the children it has,
        // and gets its children last.
        let mut space = spec.space.desired(matrix.server_name(), &[]);
        space.only_listed.clear();
        report.settle_space(matrix, &space, mode).await;
    }
    let space = report.rooms.space.clone();
    for door in &spec.doors {
        if door.alias_localpart() == SPACE_ALIAS {
            report.findings.push(Finding {
                room: SPACE_ALIAS.to_owned(),
                outcome: Outcome::Unrepaired {
                    cure: Problem::AliasTwice.cure().to_owned(),
                },
                problem: Problem::AliasTwice,
            });
            continue;
        }
        let before = known.doors.get(&door.slug).map(|room| &**room);
        let settled = settle_door(matrix, door, space.as_deref(), before, mode).await;
        if let Some(room) = report.take(&door.alias_localpart(), settled) {
            report.rooms.doors.insert(door.slug.clone(), room);
        }
    }

    let children: Vec<OwnedRoomId> = spec
        .doors
        .iter()
        .filter_map(|door| report.rooms.doors.get(&door.slug).cloned())
        .collect();
    let space = spec.space.desired(matrix.server_name(), &children);
    report.settle_space(matrix, &space, mode).await;
    report
}

/// Makes one door what it must be, after somebody altered it.
pub async fn reconcile_door(
    matrix: &Matrix,
    door: &DoorSpec,
    space: Option<&RoomId>,
    known: Option<&RoomId>,
    mode: Mode,
) -> Result<(Option<OwnedRoomId>, Vec<Finding>), MatrixError> {
    settle_door(matrix, door, space, known, mode).await
}

async fn settle_door(
    matrix: &Matrix,
    door: &DoorSpec,
    space: Option<&RoomId>,
    known: Option<&RoomId>,
    mode: Mode,
) -> Result<(Option<OwnedRoomId>, Vec<Finding>), MatrixError> {
    let desired = door.desired(matrix.server_name(), space);
    settle(matrix, &desired, known, mode).await
}

impl HouseReport {
    async fn settle_space(&mut self, matrix: &Matrix, space: &Desired, mode: Mode) {
        let known = self.rooms.space.clone();
        let settled = settle(matrix, space, known.as_deref(), mode).await;
        if let Some(room) = self.take(SPACE_ALIAS, settled) {
            self.rooms.space = Some(room);
        }
    }

    fn take(
        &mut self,
        alias: &str,
        settled: Result<(Option<OwnedRoomId>, Vec<Finding>), MatrixError>,
    ) -> Option<OwnedRoomId> {
        match settled {
            Ok((room, findings)) => {
                for finding in findings {
                    // The space is looked at twice; what cannot be repaired is told once.
                    if !self.findings.contains(&finding) {
                        self.findings.push(finding);
                    }
                }
                room
            }
            Err(error) => {
                tracing::warn!(alias, errcode = error.code(), "room not looked after");
                self.failed.push((alias.to_owned(), error));
                None
            }
        }
    }
}

//! Rooms as data. A specification says what a room must be like ([`DoorSpec`], [`SpaceSpec`],
//! [`ConsultationSpec`]); it becomes the [`Desired`] state; [`plan`] compares that with the [`Snapshot`] of
//! the real room and lists repairs. That much is pure. [`reconcile`] and [`open_consultation`] carry it out.

mod finding;
mod house;
mod origin;
mod plan;
mod power;
mod settle;
mod spec;
#[cfg(test)]
mod tests;

pub use self::{
    finding::{Finding, Outcome, Problem},
    house::{HouseReport, HouseSpec, KnownRooms, reconcile, reconcile_door},
    origin::{Origin, origin},
    plan::{Repair, Snapshot, plan},
    settle::{Mode, consultation_room, open_consultation, prepare_consultation},
    spec::{
        ConsultationSpec, Desired, DoorSpec, PreparedSpec, ROOM_VERSION, SPACE_ALIAS, SpaceSpec,
    },
};

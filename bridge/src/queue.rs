//! Who is next.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    ids::VisitId,
    office::Office,
    visit::{Visit, VisitKind, VisitState},
};

/// A waiting visit's place relative to others; the smaller one goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// An appointment whose time has come, by the time of its slot.
    Due(Timestamp),
    /// Without an appointment, by the time of the knock.
    WalkIn(Timestamp),
    /// Came before the time of its slot. Not yet called by *call next*, only by its ticket.
    Early(Timestamp),
}

impl Rank {
    fn of(visit: &Visit, at: Timestamp) -> Self {
        match visit.kind {
            VisitKind::WalkIn => Self::WalkIn(visit.knocked_at),
            VisitKind::Appointment { at: slot } if slot <= at => Self::Due(slot),
            VisitKind::Appointment { at: slot } => Self::Early(slot),
        }
    }
}

impl Office {
    /// The waiting visits with their ranks, the next one first.
    pub(crate) fn ranked(&self, at: Timestamp) -> Vec<(Rank, &Visit)> {
        let mut waiting: Vec<_> = self
            .live()
            .filter(|visit| visit.state == VisitState::Waiting)
            .map(|visit| (Rank::of(visit, at), visit))
            .collect();
        // Two knocks of one instant keep the order of their tickets.
        waiting.sort_by_key(|(rank, visit)| (*rank, visit.knocked_at, visit.ticket.number));
        waiting
    }

    /// The visit that *call next* takes.
    pub(crate) fn head(&self, at: Timestamp) -> Option<&Visit> {
        self.ranked(at)
            .first()
            .filter(|(rank, _)| !matches!(rank, Rank::Early(_)))
            .map(|(_, visit)| *visit)
    }

    /// How many visits wait.
    pub(crate) fn waiting(&self) -> usize {
        self.live()
            .filter(|visit| visit.state == VisitState::Waiting)
            .count()
    }

    /// The places of all waiting visits, counted from 1.
    #[must_use]
    pub fn positions(&self, at: Timestamp) -> BTreeMap<VisitId, u32> {
        self.ranked(at)
            .into_iter()
            .map(|(_, visit)| visit.id.clone())
            .zip(1..)
            .collect()
    }

    /// The place of a waiting visit, counted from 1; `None` if it does not wait. For more than one visit,
    /// [`Office::positions`] does the work once.
    #[must_use]
    pub fn position(&self, visit: &VisitId, at: Timestamp) -> Option<u32> {
        let place = self
            .ranked(at)
            .iter()
            .position(|(_, waiting)| waiting.id == *visit)?;
        u32::try_from(place + 1).ok()
    }
}

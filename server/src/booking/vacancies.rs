//! What has become free while somebody waits for an earlier time.
//!
//! It is found by comparing: where the office has a place to book at this moment, and had none when it was looked at
//! last. So it does not matter why: an appointment was cancelled or moved, a hold or an offer has lapsed, a desk or a day
//! was added, a desk's own calendar has a gap again. What was free all the time is not offered: whoever waits did not
//! want it. What would suit somebody who has had an offer lately counts as new until it is their turn again. What was
//! seen last is stored after the offers that came of it, so that a crash in between loses none.

use std::{collections::BTreeSet, ops::Range};

use jiff::{Timestamp, ToSpan};
use scheduler::slots::{Cell, Span, capacity, cell_start, cells, occupied};
use store::{Read, StoreError, Tx};

use super::{Bookings, Place, offer::REST};

impl Place<'_> {
    /// The cells in which a place can be booked, from this moment to the office's horizon and a little further.
    async fn vacant(&self, read: &mut Read) -> Result<BTreeSet<Cell>, StoreError> {
        let today = self.office.hours.zone.to_datetime(self.now).date();
        let last = today.saturating_add(i32::from(self.terms.rules.horizon_days).days());
        let first = current(self);
        let range = first..Self::cells_around(&(today..=last)).end.max(first);
        let busy = self.busy(read).await?;
        let places = capacity(&self.office.hours, &self.terms.rules, &busy, &range);
        let mut vacant: BTreeSet<Cell> = range
            .clone()
            .zip(&places)
            .filter(|(_, places)| **places > 0)
            .map(|(cell, _)| cell)
            .collect();
        let taken = read
            .taken_places(&self.office.slug, &range, self.now, None)
            .await?;
        for (cell, taken) in taken {
            let places = usize::try_from(cell - first)
                .ok()
                .and_then(|at| places.get(at));
            if places.is_none_or(|places| *places <= taken) {
                vacant.remove(&cell);
            }
        }
        Ok(vacant)
    }

    /// Of what has become free, that which suits somebody who has had an offer lately: it stays new until their next turn.
    /// The time that they were offered is not offered to them again.
    async fn for_later(
        &self,
        read: &mut Read,
        freed: &BTreeSet<Cell>,
    ) -> Result<Vec<Cell>, StoreError> {
        let rested = self.now.saturating_sub(REST).unwrap_or(Timestamp::MIN);
        let resting = read.bookings_offered_since(&self.office.slug, rested);
        let mut later = Vec::new();
        for (booking, offered) in resting.await? {
            let Ok(minutes) = self.minutes(&booking.services) else {
                continue;
            };
            let had = occupied(offered, minutes, self.terms.rules.buffer_minutes).map(cells);
            let suits = |cell: &&Cell| {
                cell_start(**cell).is_some_and(|start| start < booking.start)
                    && had.as_ref().is_none_or(|had| !had.contains(*cell))
            };
            later.extend(freed.iter().filter(suits));
        }
        Ok(later)
    }

    /// Somebody begins to wait: what is free from here on counts as having become free.
    pub(super) async fn begin_to_wait(&self, tx: &mut Tx) -> Result<(), StoreError> {
        if !tx.vacancies_are_known(&self.office.slug).await? {
            let vacant = runs(&self.vacant(tx).await?);
            tx.set_known_vacancies(&self.office.slug, Some(&vacant))
                .await?;
        }
        Ok(())
    }
}

impl Bookings {
    /// Offers what has become free at an office since it was looked at last to those who want an earlier time. How many
    /// offers came of it.
    pub(crate) async fn offer_freed(
        &self,
        place: &Place<'_>,
        dice: u64,
    ) -> Result<usize, StoreError> {
        let slug = &place.office.slug;
        let mut read = self.store.read().await?;
        let Some(known) = read.known_vacancies(slug).await? else {
            return Ok(0);
        };
        if !read.somebody_wants_earlier(slug).await? {
            drop(read);
            self.remember(place, None).await?;
            return Ok(0);
        }
        let first = current(place);
        let known: BTreeSet<Cell> = known
            .into_iter()
            .flat_map(|run| run.start.max(first)..run.end)
            .collect();
        let vacant = place.vacant(&mut read).await?;
        drop(read);
        let freed: BTreeSet<Cell> = vacant.difference(&known).copied().collect();
        if freed.is_empty() && vacant == known {
            return Ok(0);
        }
        let offered = self.offer_earlier(place, &freed, dice).await?;
        let mut read = self.store.read().await?;
        let mut seen = if offered == 0 {
            vacant
        } else {
            // Offers have taken places; what has become free beside them meanwhile is for the next look.
            let left = place.vacant(&mut read).await?;
            vacant.intersection(&left).copied().collect()
        };
        for cell in place.for_later(&mut read, &freed).await? {
            seen.remove(&cell);
        }
        drop(read);
        if seen != known {
            self.remember(place, Some(&runs(&seen))).await?;
        }
        Ok(offered)
    }

    async fn remember(
        &self,
        place: &Place<'_>,
        vacant: Option<&[Range<Cell>]>,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        tx.set_known_vacancies(&place.office.slug, vacant).await?;
        tx.commit().await
    }
}

/// The cell of this moment.
fn current(place: &Place<'_>) -> Cell {
    let now = Span {
        start: place.now,
        end: place.now,
    };
    cells(now).start
}

/// Cells as stretches.
fn runs(cells: &BTreeSet<Cell>) -> Vec<Range<Cell>> {
    let mut runs: Vec<Range<Cell>> = Vec::new();
    for cell in cells {
        match runs.last_mut() {
            Some(run) if run.end == *cell => run.end = cell.saturating_add(1),
            _ => runs.push(*cell..cell.saturating_add(1)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_hold_what_lies_side_by_side() {
        let of = |cells: &[Cell]| runs(&cells.iter().copied().collect());
        assert_eq!(of(&[]), [0..0; 0]);
        assert_eq!(of(&[-1, 0, 1, 5, 7, 8]), [-1..2, 5..6, 7..9]);
    }
}

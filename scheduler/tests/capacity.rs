//! Capacity through the life of an office: whatever is booked, held, moved, cancelled or closed in whatever
//! order, no cell ever has more bookings than desks, and none is lost.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, ToSpan, civil::date, tz::TimeZone};
use proptest::prelude::*;
use scheduler::{
    BookingRules, DeskPlan, MoreHolidays, OpeningHours,
    slots::{
        Affected, Agenda, Bookable, Busy, CellPlace, Conflict, Full, LengthError, Slot, Span,
        Taken, affected, capacity, cell_start, cells, choose_places, find_slot, free_slots,
        nearest_alternatives, occupied, total_minutes,
    },
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours() -> OpeningHours {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    OpeningHours {
        weekly: std::array::from_fn(|_| vec!["08:00-12:00".parse().unwrap()]),
        ..OpeningHours::always(zone)
    }
}

fn rules(desks: u16) -> BookingRules {
    BookingRules {
        desks: DeskPlan::always(desks),
        calendars: 0,
        grid_minutes: 20,
        buffer_minutes: 5,
        min_notice: SignedDuration::ZERO,
        horizon_days: 30,
    }
}

/// What the store keeps: one row for each cell and place, whose pair of cell and place is unique.
#[derive(Debug, Default)]
struct Rows(BTreeMap<CellPlace, u32>);

impl Rows {
    fn others(&self, range: &std::ops::Range<i64>, except: Option<u32>) -> Vec<CellPlace> {
        self.0
            .iter()
            .filter(|(row, owner)| range.contains(&row.cell) && Some(**owner) != except)
            .map(|(row, _)| *row)
            .collect()
    }

    /// As the database would: all rows or none, and none twice.
    fn insert(&mut self, places: &[CellPlace], owner: u32) {
        for place in places {
            assert_eq!(
                self.0.insert(*place, owner),
                None,
                "the constraint is broken"
            );
        }
    }

    fn remove(&mut self, owner: u32) {
        self.0.retain(|_, of| *of != owner);
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// Books or holds, at a start and for so many minutes.
    Book {
        start: i64,
        minutes: u16,
        held: bool,
    },
    /// Time passes; holds older than ten minutes end.
    Pass(i64),
    Move {
        which: usize,
        start: i64,
    },
    Cancel(usize),
    Holiday(i32),
    Desks(u16),
}

fn step() -> impl Strategy<Value = Step> {
    // Three mornings, on a grid that is mostly the office's.
    let start = (0_i64..3, -1_i64..14, prop::bool::weighted(0.1))
        .prop_map(|(day, slot, off)| day * 1440 + slot * 20 + i64::from(off) * 5);
    prop_oneof![
        8 => (start.clone(), prop::sample::select(vec![10_u16, 15, 40, 35]), any::<bool>())
            .prop_map(|(start, minutes, held)| Step::Book { start, minutes, held }),
        2 => (1_i64..200).prop_map(Step::Pass),
        3 => (any::<usize>(), start).prop_map(|(which, start)| Step::Move { which, start }),
        3 => any::<usize>().prop_map(Step::Cancel),
        1 => (0_i32..3).prop_map(Step::Holiday),
        1 => (0_u16..4).prop_map(Step::Desks),
    ]
}

struct Office {
    hours: OpeningHours,
    rules: BookingRules,
    rows: Rows,
    /// By number: its start and minutes, and when it ends if it is a hold.
    bookings: BTreeMap<u32, (Timestamp, u16, Option<Timestamp>)>,
    next: u32,
    now: Timestamp,
}

impl Office {
    fn new() -> Self {
        Self {
            hours: hours(),
            rules: rules(2),
            rows: Rows::default(),
            bookings: BTreeMap::new(),
            next: 0,
            now: at("2026-12-06T12:00:00Z"),
        }
    }

    fn taken(&self, except: Option<u32>) -> Vec<Taken> {
        self.bookings
            .iter()
            .filter(|(number, _)| Some(**number) != except)
            .map(|(_, (start, minutes, _))| Taken {
                span: occupied(*start, *minutes, self.rules.buffer_minutes).unwrap(),
                desks: 1,
            })
            .collect()
    }

    /// Decides twice, as the store does: by the slot, and by the rows. Both must say the same.
    fn choose(
        &self,
        start: Timestamp,
        minutes: u16,
        except: Option<u32>,
    ) -> Option<Vec<CellPlace>> {
        let taken = self.taken(except);
        let agenda = Agenda {
            hours: &self.hours,
            rules: &self.rules,
            taken: &taken,
            busy: &[],
        };
        let slot = find_slot(&agenda, minutes, start, self.now).ok();
        let range = cells(occupied(start, minutes, self.rules.buffer_minutes).unwrap());
        let capacity = capacity(&self.hours, &self.rules, &[], &range);
        let chosen =
            choose_places(range.clone(), &capacity, &self.rows.others(&range, except)).ok();
        if slot.is_some() {
            assert!(chosen.is_some(), "a free slot has no place at {start}");
        }
        slot.and(chosen)
    }

    fn take(&mut self, step: &Step) {
        let instant =
            |minutes: i64| at("2026-12-07T07:00:00Z") + SignedDuration::from_mins(minutes);
        let nth = |office: &Self, which: usize| {
            let count = office.bookings.len();
            (count > 0).then(|| *office.bookings.keys().nth(which % count).unwrap())
        };
        match step {
            Step::Book {
                start,
                minutes,
                held,
            } => {
                if let Some(places) = self.choose(instant(*start), *minutes, None) {
                    let until = held.then(|| self.now + 10.minutes());
                    self.rows.insert(&places, self.next);
                    self.bookings
                        .insert(self.next, (instant(*start), *minutes, until));
                    self.next += 1;
                }
            }
            Step::Pass(minutes) => {
                self.now += minutes.minutes();
                let now = self.now;
                let ended: Vec<u32> = self
                    .bookings
                    .iter()
                    .filter(|(_, (_, _, until))| until.is_some_and(|until| until <= now))
                    .map(|(number, _)| *number)
                    .collect();
                for number in ended {
                    self.rows.remove(number);
                    self.bookings.remove(&number);
                }
            }
            Step::Move { which, start } => {
                let Some(number) = nth(self, *which) else {
                    return;
                };
                let minutes = self.bookings[&number].1;
                if let Some(places) = self.choose(instant(*start), minutes, Some(number)) {
                    self.rows.remove(number);
                    self.rows.insert(&places, number);
                    self.bookings.get_mut(&number).unwrap().0 = instant(*start);
                }
            }
            Step::Cancel(which) => {
                if let Some(number) = nth(self, *which) {
                    self.rows.remove(number);
                    self.bookings.remove(&number);
                }
            }
            Step::Holiday(day) => {
                let day = date(2026, 12, 7) + day.days();
                self.hours.holidays.add.insert(MoreHolidays::Once(day));
            }
            Step::Desks(desks) => self.rules.desks = DeskPlan::always(*desks),
        }
    }

    /// No booking is lost or torn, and where there are too many it is because the calendar changed later: then
    /// the clerks are told of exactly those.
    fn is_sound(&self) {
        let taken = self.taken(None);
        let rows: usize = taken.iter().map(|one| cells(one.span).count()).sum();
        assert_eq!(self.rows.0.len(), rows, "each booking has all its places");
        let told: BTreeSet<usize> = affected(&Agenda {
            hours: &self.hours,
            rules: &self.rules,
            taken: &taken,
            busy: &[],
        })
        .into_iter()
        .map(|one| one.index)
        .collect();
        for (index, one) in taken.iter().enumerate() {
            let range = cells(one.span);
            let capacity = capacity(&self.hours, &self.rules, &[], &range);
            let too_many = range.clone().zip(&capacity).any(|(cell, most)| {
                self.rows.others(&(cell..cell + 1), None).len() > usize::from(*most)
            });
            assert_eq!(told.contains(&index), too_many, "{one:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn capacity_is_kept_whatever_happens(steps in prop::collection::vec(step(), 1..60)) {
        let mut office = Office::new();
        for step in &steps {
            let calendar_changes = matches!(step, Step::Holiday(_) | Step::Desks(_));
            let over = |office: &Office| {
                let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
                for row in office.rows.0.keys() {
                    *counts.entry(row.cell).or_default() += 1;
                }
                counts.into_iter().filter(|(cell, count)| {
                    *count > usize::from(capacity(&office.hours, &office.rules, &[], &(*cell..cell + 1))[0])
                }).collect::<BTreeMap<_, _>>()
            };
            let before = over(&office);
            office.take(step);
            office.is_sound();
            if !calendar_changes {
                // What is over already may only shrink.
                for (cell, count) in over(&office) {
                    prop_assert!(before.get(&cell).is_some_and(|was| count <= *was), "cell {} over by {:?}", cell, step);
                }
            }
        }
    }

    #[test]
    fn the_lowest_free_places_are_chosen(taken in prop::collection::btree_set((0_i64..4, 0_u16..6), 0..20), most in 0_u16..6) {
        let rows: Vec<CellPlace> = taken.iter().map(|(cell, place)| CellPlace { cell: *cell, place: *place }).collect();
        let full = (0..4).find(|cell| taken.iter().filter(|(of, _)| of == cell).count() >= usize::from(most));
        match choose_places(0..4, &[most; 4], &rows) {
            Err(Full { cell }) => prop_assert_eq!(Some(cell), full),
            Ok(places) => {
                prop_assert_eq!(full, None);
                for place in places {
                    prop_assert!(place.place < most);
                    let is_lowest = (0..=place.place).all(|lower| {
                        taken.contains(&(place.cell, lower)) == (lower < place.place)
                    });
                    prop_assert!(is_lowest, "{:?}", place);

                }
            }
        }
    }
}

#[test]
fn a_booking_touches_the_cells_of_its_time_and_buffer() {
    let span = occupied(at("2026-12-07T08:00:00Z"), 20, 5).unwrap();
    assert_eq!(cells(span).count(), 5);
    assert_eq!(cell_start(cells(span).start), Some(span.start));
    let odd = occupied(at("2026-12-07T08:03:00Z"), 4, 0).unwrap();
    assert_eq!(cells(odd).count(), 2, "from 08:00 to 08:10");
    let before_the_epoch = Span {
        start: at("1969-12-31T23:58:00Z"),
        end: at("1970-01-01T00:01:00Z"),
    };
    assert_eq!(cells(before_the_epoch), -1..1);
    let a_nanosecond_more = Span {
        start: at("1969-12-31T23:54:59.999999999Z"),
        end: at("2026-12-07T08:00:00.000000001Z"),
    };
    assert_eq!(cells(a_nanosecond_more).start, -2);
    assert_eq!(cells(a_nanosecond_more).end, cells(span).start + 1);
    assert_eq!(
        cells(Span {
            start: span.end,
            end: span.start
        })
        .count(),
        0
    );
}

#[test]
fn minutes_of_services_add_up() {
    assert_eq!(total_minutes([20, 15]), Ok(35));
    assert_eq!(total_minutes([]), Err(LengthError::Nothing));
    assert_eq!(total_minutes([480, 1]), Err(LengthError::TooLong));
    assert_eq!(
        total_minutes([u16::MAX, u16::MAX]),
        Err(LengthError::TooLong)
    );
}

#[test]
fn a_later_holiday_names_the_bookings_it_hits() {
    let mut hours = hours();
    let taken = |text: &str, desks| Taken {
        span: occupied(at(text), 20, 5).unwrap(),
        desks,
    };
    let taken = [
        taken("2026-12-07T08:00:00Z", 1),
        taken("2026-12-08T08:00:00Z", 1),
        taken("2026-12-09T08:00:00Z", 1),
        taken("2026-12-09T08:20:00Z", 1),
        taken("2026-12-09T09:00:00Z", 1),
    ];
    let mut rules = rules(2);
    let told = |hours: &OpeningHours, rules: &BookingRules, busy: &[Busy]| {
        affected(&Agenda {
            hours,
            rules,
            taken: &taken,
            busy,
        })
    };
    assert_eq!(told(&hours, &rules, &[]), []);
    hours
        .holidays
        .add
        .insert(MoreHolidays::Once(date(2026, 12, 8)));
    let closed = Affected {
        index: 1,
        conflict: Conflict::Closed,
    };
    assert_eq!(told(&hours, &rules, &[]), [closed]);
    hours
        .exceptions
        .insert(date(2026, 12, 7), vec!["08:00-09:15".parse().unwrap()]);
    let cut = Affected {
        index: 0,
        conflict: Conflict::Closed,
    };
    assert_eq!(told(&hours, &rules, &[]), [cut, closed]);
    // One desk where two bookings meet: which has to move is the clerks' to say.
    let one_desk = vec![Bookable {
        period: "00:00-24:00".parse().unwrap(),
        desks: 1,
    }];
    rules.desks.exceptions.insert(date(2026, 12, 9), one_desk);
    let many = |index| Affected {
        index,
        conflict: Conflict::TooManyBookings,
    };
    assert_eq!(told(&hours, &rules, &[]), [cut, closed, many(2), many(3)]);
    let busy = Busy {
        desk: 7,
        span: taken[4].span,
    };
    assert_eq!(
        told(&hours, &rules, &[busy, busy]),
        [cut, closed, many(2), many(3), many(4)]
    );
    // Two share the one desk: one of them may be away.
    rules.calendars = 2;
    assert_eq!(
        told(&hours, &rules, &[busy]),
        [cut, closed, many(2), many(3)]
    );
    let two = [busy, Busy { desk: 8, ..busy }];
    assert_eq!(
        told(&hours, &rules, &two),
        [cut, closed, many(2), many(3), many(4)]
    );
}

#[test]
fn alternatives_are_near() {
    let (hours, rules) = (hours(), rules(1));
    let agenda = Agenda {
        hours: &hours,
        rules: &rules,
        taken: &[],
        busy: &[],
    };
    let day = date(2026, 12, 7);
    let slots = free_slots(&agenda, 15, day..=day, at("2026-12-06T12:00:00Z"));
    let shown = |slots: Vec<Slot>| {
        slots
            .iter()
            .map(|slot| slot.civil_start.time().to_string())
            .collect::<Vec<_>>()
    };
    // 10:00 by the clock of the office.
    let wanted = at("2026-12-07T09:00:00Z");
    assert_eq!(
        shown(nearest_alternatives(&slots, wanted, 3)),
        ["10:00:00", "10:20:00", "09:40:00"]
    );
    assert_eq!(nearest_alternatives(&slots, wanted, 100).len(), slots.len());
    assert_eq!(nearest_alternatives(&[], wanted, 3), []);
}

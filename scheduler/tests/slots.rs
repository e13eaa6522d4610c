//! Free slots against a model that looks at every minute, over random calendars and zones.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, date},
    tz::TimeZone,
};
use proptest::prelude::*;
use scheduler::{
    HolidayCalendar, MoreHolidays, OpeningHours, Period,
    slots::{
        Agenda, Bookable, BookingRules, Busy, DeskPlan, Refused, Slot, Span, Taken, find_slot,
        free_slots,
    },
};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A random office with what is booked there, as data that shrinks well.
#[derive(Debug, Clone)]
struct World {
    hours: OpeningHours,
    rules: BookingRules,
    taken: Vec<Taken>,
    busy: Vec<Busy>,
    minutes: u16,
    first: Date,
    days: i32,
    now: Timestamp,
}

impl World {
    fn agenda(&self) -> Agenda<'_> {
        Agenda {
            hours: &self.hours,
            rules: &self.rules,
            taken: &self.taken,
            busy: &self.busy,
        }
    }

    fn last(&self) -> Date {
        self.first + (self.days - 1).days()
    }
}

/// Whether `minute` (of the wall clock of `date`) lies in the office's period and the bookable one.
fn pairs(world: &World, on: Date) -> Vec<(i32, i32, u16)> {
    let edges = |period: Period| {
        let minute =
            |time: jiff::civil::Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
        let end = minute(period.end);
        (minute(period.start), if end == 0 { 1440 } else { end })
    };
    let mut pairs = Vec::new();
    for open in world.hours.periods_on(on) {
        for bookable in world.rules.desks.on(on) {
            let (one, other) = (edges(*open), edges(bookable.period));
            let (from, to) = (one.0.max(other.0), one.1.min(other.1));
            if from < to {
                pairs.push((from, to, bookable.desks));
            }
        }
    }
    pairs
}

fn shown(world: &World, at: Timestamp) -> (Date, i32) {
    let clock = at.to_zoned(world.hours.zone.clone());
    (
        clock.date(),
        i32::from(clock.hour()) * 60 + i32::from(clock.minute()),
    )
}

/// The five minutes of the step of five minutes that `at` belongs to.
fn step_of(at: Timestamp) -> [Timestamp; 5] {
    let second = at.as_second().div_euclid(300) * 300;
    std::array::from_fn(|minute| {
        Timestamp::from_second(second + 60 * i64::try_from(minute).unwrap()).unwrap()
    })
}

/// How many desks are free at one minute, said as simply as possible.
fn free_at(world: &World, at: Timestamp) -> i64 {
    let step = step_of(at);
    let shown: Vec<_> = step.iter().map(|minute| shown(world, *minute)).collect();
    let desks: i64 = pairs(world, shown[0].0)
        .iter()
        .filter(|(from, to, _)| shown.iter().all(|(_, minute)| (from..to).contains(&minute)))
        .map(|(_, _, desks)| i64::from(*desks))
        .sum();
    let meets = |span: &Span| {
        step.iter()
            .any(|minute| *minute < span.end && *minute + MINUTE > span.start)
    };
    let mut busy: Vec<u32> = world
        .busy
        .iter()
        .filter(|busy| meets(&busy.span))
        .map(|busy| busy.desk)
        .collect();
    busy.sort_unstable();
    busy.dedup();
    let taken: i64 = world
        .taken
        .iter()
        .filter(|taken| meets(&taken.span))
        .map(|taken| i64::from(taken.desks))
        .sum();
    // Whose calendar says nothing is there; desks beyond those with a calendar always are.
    let (busy, calendars) = (
        i64::try_from(busy.len()).unwrap(),
        i64::from(world.rules.calendars),
    );
    let manned = desks.min((desks - calendars).max(0) + calendars - busy);
    manned.max(0) - taken
}

/// Every free start with its places, found by looking at every minute.
fn by_the_minute(world: &World) -> Vec<(Timestamp, u16)> {
    let from = world
        .first
        .at(0, 0, 0, 0)
        .to_zoned(TimeZone::UTC)
        .unwrap()
        .timestamp()
        - SignedDuration::from_hours(28);
    let minutes = (i64::from(world.days) + 3) * 1440;
    let today = shown(world, world.now).0;
    let horizon = today + i32::from(world.rules.horizon_days).days();
    let length = i64::from(world.minutes) + i64::from(world.rules.buffer_minutes);
    let mut memo: BTreeMap<Timestamp, i64> = BTreeMap::new();
    let mut found = Vec::new();
    for minute in 0..minutes {
        let at = from + MINUTE * i32::try_from(minute).unwrap();
        let (on, clock) = shown(world, at);
        let wanted = on >= world.first
            && on <= world.last()
            && on >= today
            && on <= horizon
            && at > world.now
            && at >= world.now + world.rules.min_notice;
        let begins = wanted
            && pairs(world, on).iter().any(|(from, to, _)| {
                let anchor = (from + 4) / 5 * 5;
                clock >= anchor
                    && clock < *to
                    && (clock - anchor) % i32::from(world.rules.grid_minutes) == 0
            });
        if begins {
            let least = (0..length)
                .map(|minute| at + MINUTE * i32::try_from(minute).unwrap())
                .map(|at| *memo.entry(at).or_insert_with(|| free_at(world, at)))
                .min()
                .unwrap();
            if least > 0 {
                found.push((at, u16::try_from(least).unwrap()));
            }
        }
    }
    found
}

fn found(world: &World) -> Vec<Slot> {
    free_slots(
        &world.agenda(),
        world.minutes,
        world.first..=world.last(),
        world.now,
    )
}

fn agrees(world: &World) {
    agrees_by(world, 1);
}

/// Asks for one slot in so many by itself as well: a day of slots for each minute has more than can be asked for.
fn agrees_by(world: &World, each: usize) {
    let slots = found(world);
    let fast: Vec<_> = slots.iter().map(|slot| (slot.start, slot.free)).collect();
    assert_eq!(fast, by_the_minute(world), "{world:?}");
    for slot in slots.into_iter().step_by(each) {
        let clock = |at| world.hours.zone.to_datetime(at);
        assert_eq!(slot.civil_start, clock(slot.start));
        assert_eq!(slot.civil_end, clock(slot.end));
        assert_eq!(slot.offset.to_datetime(slot.start), slot.civil_start);
        assert_eq!(
            find_slot(&world.agenda(), world.minutes, slot.start, world.now),
            Ok(slot)
        );
    }
}

/// Zones and days on which clocks change in ways that break programs.
fn sharp_days() -> Vec<(&'static str, Date)> {
    vec![
        ("Europe/Berlin", date(2026, 3, 29)),
        ("Europe/Berlin", date(2026, 10, 25)),
        ("America/New_York", date(2026, 11, 1)),
        // Half an hour.
        ("Australia/Lord_Howe", date(2026, 4, 5)),
        ("Australia/Lord_Howe", date(2026, 10, 4)),
        // Friday 30 December 2011 did not take place.
        ("Pacific/Apia", date(2011, 12, 29)),
        // A change at midnight: the day begins at 01:00, or 23:00 comes twice.
        ("America/Sao_Paulo", date(2018, 11, 4)),
        ("America/Sao_Paulo", date(2018, 2, 17)),
        ("Africa/Cairo", date(2026, 4, 24)),
        ("Africa/Cairo", date(2026, 10, 29)),
        ("Asia/Kathmandu", date(2026, 6, 1)),
        ("Pacific/Chatham", date(2026, 4, 5)),
        ("Africa/Casablanca", date(2026, 2, 15)),
        ("Europe/Dublin", date(2026, 10, 25)),
        ("Antarctica/Troll", date(2026, 3, 29)),
        ("America/Caracas", date(2016, 5, 1)),
        ("Asia/Pyongyang", date(2018, 5, 4)),
        ("UTC", date(2026, 1, 1)),
    ]
}

fn always(zone: &str, on: Date, minutes: u16, grid: u16) -> World {
    let zone = TimeZone::get(zone).unwrap();
    let now = on
        .at(0, 0, 0, 0)
        .to_zoned(TimeZone::UTC)
        .unwrap()
        .timestamp()
        - SignedDuration::from_hours(60);
    World {
        hours: OpeningHours::always(zone),
        rules: BookingRules {
            desks: DeskPlan::always(1),
            calendars: 0,
            grid_minutes: grid,
            buffer_minutes: 0,
            min_notice: SignedDuration::ZERO,
            horizon_days: 30,
        },
        taken: Vec::new(),
        busy: Vec::new(),
        minutes,
        first: on - 1.day(),
        days: 3,
        now,
    }
}

fn with_breaks() -> [Vec<Period>; 7] {
    std::array::from_fn(|_| {
        ["00:00-01:30", "01:50-03:10", "09:00-12:00", "23:15-24:00"]
            .map(|text| text.parse().unwrap())
            .to_vec()
    })
}

#[test]
fn every_minute_of_the_days_on_which_clocks_change() {
    for (zone, on) in sharp_days() {
        agrees(&always(zone, on, 20, 5));
        let mut world = always(zone, on, 25, 15);
        world.hours.weekly = with_breaks();
        agrees(&world);
    }
}

/// The next two changes of every zone's clock after the beginning of 2026, each with the day on which it falls. Zones
/// whose clocks do the same in the days around it are one case.
fn changes_to_come() -> Vec<(String, Date)> {
    let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let around = SignedDuration::from_hours(7 * 24);
    let mut seen = BTreeSet::new();
    let mut cases = Vec::new();
    for name in jiff::tz::db().available() {
        let zone = TimeZone::get(name.as_str()).unwrap();
        for change in zone.following(from).take(2) {
            let begins = change.timestamp() - around;
            let nearby: Vec<_> = zone
                .following(begins)
                .take_while(|other| other.timestamp() < change.timestamp() + around)
                .map(|other| (other.timestamp(), other.offset()))
                .collect();
            if seen.insert((zone.to_offset(begins), nearby)) {
                let on = zone.to_datetime(change.timestamp()).date();
                cases.push((name.to_string(), on));
            }
        }
    }
    cases
}

/// An appointment may begin at each minute of the day, and at the usual ones of an office with breaks.
#[test]
fn the_next_changes_in_every_zone() {
    let cases = changes_to_come();
    assert!(
        cases.len() > 30,
        "there are more kinds of changes in the world"
    );
    for (zone, on) in cases {
        let mut world = always(&zone, on, 20, 1);
        world.days = 2;
        agrees_by(&world, 53);
        world.rules.grid_minutes = 15;
        world.hours.weekly = with_breaks();
        agrees(&world);
    }
}

fn clock() -> impl Strategy<Value = Period> {
    (0_i32..288, 1_i32..200, prop::bool::weighted(0.1), 0_i32..5).prop_map(
        |(from, length, odd, shift)| {
            let shift = if odd { shift } else { 0 };
            let from = (from * 5 + shift).min(1435);
            let to = (from + length * 5).min(1440);
            let text = |minute: i32| format!("{:02}:{:02}", minute / 60, minute % 60);
            format!("{}-{}", text(from), text(to)).parse().unwrap()
        },
    )
}

fn periods() -> impl Strategy<Value = Vec<Period>> {
    prop::collection::vec(clock(), 0..3).prop_map(|mut periods| {
        periods.sort_by_key(|period| period.start);
        let mut apart: Vec<Period> = Vec::new();
        for period in periods {
            let kept: Vec<Period> = apart.iter().copied().chain([period]).collect();
            if scheduler::overlap(&kept).is_none() {
                apart = kept;
            }
        }
        apart
    })
}

fn plan() -> impl Strategy<Value = Vec<Bookable>> {
    prop_oneof![
        2 => (1_u16..4).prop_map(|desks| vec![Bookable { period: Period::WHOLE_DAY, desks }]),
        1 => prop::collection::vec(
            (clock(), 0_u16..4).prop_map(|(period, desks)| Bookable { period, desks }),
            0..3
        ),
    ]
}

fn zone_and_day() -> impl Strategy<Value = (TimeZone, Date)> {
    let sharp = prop::sample::select(sharp_days())
        .prop_map(|(zone, on)| (TimeZone::get(zone).unwrap(), on));
    let names: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .collect();
    // A zone and the day of one of its changes since 1990, if it had any.
    let any =
        (prop::sample::select(names), 1990_i16..2040, 1_i8..=12).prop_map(|(name, year, month)| {
            let zone = TimeZone::get(&name).unwrap();
            let about = date(year, month, 1);
            let at = about
                .at(0, 0, 0, 0)
                .to_zoned(TimeZone::UTC)
                .unwrap()
                .timestamp();
            let change = zone
                .following(at)
                .next()
                .map(|change| zone.to_datetime(change.timestamp()));
            (
                zone.clone(),
                change.map_or(about, jiff::civil::DateTime::date),
            )
        });
    prop_oneof![sharp, any]
}

fn spans() -> impl Strategy<Value = Vec<(i64, i64, u8)>> {
    prop::collection::vec((-3_000_i64..6_000, 1_i64..300, 0_u8..3), 0..12)
}

fn world() -> impl Strategy<Value = World> {
    let calendar = (
        zone_and_day(),
        prop::array::uniform7(periods()),
        prop::option::of((-1_i32..3, periods())),
        prop::option::of(-1_i32..3),
    );
    let rules = (
        prop::array::uniform7(plan()),
        prop::option::of((-1_i32..3, plan())),
        0_u16..5,
        prop::sample::select(vec![5_u16, 10, 15, 20, 30, 45, 60]),
        prop::sample::select(vec![0_u16, 5, 10, 3]),
        0_i64..3_000,
        0_u16..5,
    );
    (
        calendar,
        rules,
        spans(),
        spans(),
        1_u16..120,
        -4_000_i64..2_000,
    )
        .prop_map(
            |((zone_day, weekly, exception, holiday), rules, taken, busy, minutes, now)| {
                let (zone, on) = zone_day;
                let base = on
                    .at(0, 0, 0, 0)
                    .to_zoned(TimeZone::UTC)
                    .unwrap()
                    .timestamp();
                let at = |minute: i64| base + SignedDuration::from_mins(minute);
                let span = |(start, length, _): (i64, i64, u8)| Span {
                    start: at(start),
                    end: at(start + length),
                };
                let day = |shift: i32| on + shift.days();
                let (
                    plans,
                    plan_exception,
                    calendars,
                    grid_minutes,
                    buffer_minutes,
                    notice,
                    horizon_days,
                ) = rules;
                World {
                    hours: OpeningHours {
                        zone,
                        weekly,
                        exceptions: exception
                            .into_iter()
                            .map(|(shift, day_periods)| (day(shift), day_periods))
                            .collect(),
                        holidays: HolidayCalendar {
                            add: holiday
                                .into_iter()
                                .map(|shift| MoreHolidays::Once(day(shift)))
                                .collect(),
                            ..HolidayCalendar::default()
                        },
                    },
                    rules: BookingRules {
                        desks: DeskPlan {
                            weekly: plans,
                            exceptions: plan_exception
                                .into_iter()
                                .map(|(shift, plan)| (day(shift), plan))
                                .collect(),
                        },
                        calendars,
                        grid_minutes,
                        buffer_minutes,
                        min_notice: SignedDuration::from_mins(notice),
                        horizon_days,
                    },
                    taken: taken
                        .iter()
                        .map(|one| Taken {
                            span: span(*one),
                            desks: 1 + u16::from(one.2 == 2),
                        })
                        .collect(),
                    busy: busy
                        .iter()
                        .map(|one| Busy {
                            desk: u32::from(one.2),
                            span: span(*one),
                        })
                        .collect(),
                    minutes,
                    first: on - 1.day(),
                    days: 3,
                    now: at(now),
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn free_slots_are_those_of_the_model(world in world()) {
        agrees(&world);
    }

    #[test]
    fn what_is_not_among_the_free_slots_is_refused(world in world(), minute in -3_000_i64..6_000) {
        let start = world.now + SignedDuration::from_mins(minute);
        let on = world.hours.zone.to_datetime(start).date();
        let listed = free_slots(&world.agenda(), world.minutes, on..=on, world.now)
            .into_iter()
            .find(|slot| slot.start == start);
        let asked = find_slot(&world.agenda(), world.minutes, start, world.now);
        prop_assert_eq!(asked.ok(), listed);
        if let Err(refused) = asked {
            prop_assert_eq!(minute <= 0, refused == Refused::Past);
        }
    }
}

//! Many who want the same appointments at once: one place, a day of places, a month's times released in the morning.
//!
//! Each citizen has an address and a connection of their own, and does what the page does: holds a time, and books it.
//! Whoever is told to come again in a while does; whoever comes too late takes one of the times that are offered instead.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use blackbox::{Postgres, World, WorldOptions, city_open_all_day, text};
use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    sync::Barrier,
    task::JoinSet,
    time::{Instant, sleep},
};
use xtask::console::say;

use crate::{
    figures::{Samples, Table},
    guest::Guest,
    machine,
};

/// Rows of the raw database's measure.
const INSERTS: usize = 1_000;
/// So many times a citizen who came too late takes the next offered time.
const TRIES: usize = 6;
/// The page asks for so many days.
const DAYS: u16 = 28;
/// Times of a release that everybody wants: those of the first day.
const EARLY: usize = 48;
/// Desks of the office; with one start every half hour, day and night, a day has 48 times as many places.
const DESKS: u16 = 20;

pub(crate) async fn measure(bookers: usize, early_risers: usize) -> Result<()> {
    machine::open("bookings");
    on(false, bookers, early_risers).await?;
    if Postgres::start().await?.is_some() {
        on(true, bookers, early_risers).await?;
    }
    machine::close();
    Ok(())
}

async fn on(postgres: bool, bookers: usize, early_risers: usize) -> Result<()> {
    let name = if postgres { "PostgreSQL" } else { "SQLite" };
    let stage = Stage::start(postgres).await?;
    let raw = stage.world.database().time_inserts(INSERTS).await?;
    drop(stage);
    let mut table = Table::new(&format!("On {name}"), "ms");
    let mut words = vec![format!(
        "{name} alone, one connection: {:.0} inserts a second, each a transaction",
        rate(INSERTS, raw)
    )];
    for (what, plan, size) in [
        ("one place", Plan::OnePlace, bookers),
        ("a day of places", Plan::OneDay, bookers),
        ("a month released", Plan::Release, early_risers),
    ] {
        let stage = Stage::start(postgres).await?;
        let told = stage.run(plan, size).await?;
        told.tell(&format!("{what}, {size} at once"), &mut table, &mut words);
    }
    table.print();
    say("");
    words.iter().for_each(say);
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// All want the last place at one time, and nothing else.
    OnePlace,
    /// Each wants some time of one day, and takes another when it is gone.
    OneDay,
    /// Each looks at the free times first, and wants an early one.
    Release,
}

/// A city with one office to book at.
struct Stage {
    world: World,
    _city: TempDir,
    _postgres: Option<Postgres>,
}

/// What one citizen lived through.
#[derive(Debug, Default)]
struct Story {
    /// How long each answer about a time took, in milliseconds.
    held: Vec<f64>,
    refused: Vec<f64>,
    /// From the first request until the booking was made.
    booked: Option<f64>,
    /// How often one was told to come again.
    postponed: usize,
}

#[derive(Debug)]
struct Told {
    took: Duration,
    stories: Vec<Story>,
    errors: Vec<String>,
}

impl Stage {
    async fn start(postgres: bool) -> Result<Self> {
        let postgres = if postgres {
            Postgres::start().await?
        } else {
            None
        };
        let city = tempfile::tempdir()?;
        let booking = format!(
            "mail = \"gewerbe@dormagen.example\"\ndesks = {DESKS}\nnotice_minutes = 0\nbuffer_minutes = 10\n\
             grid_minutes = 30\nhorizon_days = {DAYS}\nhold_minutes = 60\nservices = [\"anmelden\"]\n"
        );
        let file: PathBuf = city_open_all_day(city.path(), &booking)?;
        let options = WorldOptions {
            city: file,
            mail: true,
            database_url: postgres.as_ref().map(Postgres::url),
            ..WorldOptions::default()
        };
        Ok(Self {
            world: World::start_with(options).await?,
            _city: city,
            _postgres: postgres,
        })
    }

    async fn run(mut self, plan: Plan, size: usize) -> Result<Told> {
        let first = Guest::open(&mut self.world, size).await?;
        let times = free_times(&first).await?;
        let day = far_day(&times)?;
        let of_day: Vec<String> = times
            .iter()
            .filter(|time| time.date == day)
            .map(|time| time.start.clone())
            .collect();
        let wanted: Arc<Vec<String>> = Arc::new(match plan {
            Plan::OnePlace => of_day.into_iter().take(1).collect(),
            Plan::OneDay => of_day,
            Plan::Release => Vec::new(),
        });
        if plan == Plan::OnePlace {
            // One place is left.
            for number in 1..usize::from(DESKS) {
                let guest = Guest::open(&mut self.world, size + number).await?;
                ensure!(
                    matches!(hold(&guest, &wanted[0]).await?, Answer::Held(_)),
                    "the office has fewer places than desks"
                );
            }
        }
        let start = Arc::new(Barrier::new(size + 1));
        let mut citizens = JoinSet::new();
        for number in 0..size {
            let guest = Guest::open(&mut self.world, number).await?;
            let (start, wanted) = (Arc::clone(&start), Arc::clone(&wanted));
            citizens.spawn(async move {
                start.wait().await;
                live(&guest, plan, number, &wanted).await
            });
        }
        start.wait().await;
        let begun = Instant::now();
        let (mut stories, mut errors) = (Vec::with_capacity(size), Vec::new());
        while let Some(story) = citizens.join_next().await {
            match story? {
                Ok(story) => stories.push(story),
                Err(error) => errors.push(format!("{error:#}")),
            }
        }
        let took = begun.elapsed();
        let booked = stories
            .iter()
            .filter(|story| story.booked.is_some())
            .count();
        if plan == Plan::OnePlace {
            ensure!(booked == 1, "{booked} got the one place");
        }
        // Whoever booked one of the next minutes' times and has not confirmed by then has lost it again.
        let stored = self
            .world
            .database()
            .count("bookings WHERE state <> 'held'")
            .await?;
        ensure!(
            i64::try_from(booked)? == stored,
            "{booked} were told of a booking, {stored} are stored"
        );
        Ok(Told {
            took,
            stories,
            errors,
        })
    }
}

impl Told {
    fn tell(&self, what: &str, table: &mut Table, words: &mut Vec<String>) {
        let all = |of: fn(&Story) -> Vec<f64>| {
            Samples::from_unsorted(self.stories.iter().flat_map(of).collect())
        };
        table.line(
            &format!("{what}: a time is held"),
            &all(|story| story.held.clone()),
        );
        table.line(
            &format!("{what}: refused, with the nearest"),
            &all(|story| story.refused.clone()),
        );
        table.line(
            &format!("{what}: booked, from the first request on"),
            &all(|story| story.booked.into_iter().collect()),
        );
        let booked = self
            .stories
            .iter()
            .filter(|story| story.booked.is_some())
            .count();
        let refused: usize = self.stories.iter().map(|story| story.refused.len()).sum();
        let postponed: usize = self.stories.iter().map(|story| story.postponed).sum();
        words.push(format!(
            "{what}: {booked} booked in {:.1} s ({:.0} a second), {refused} refusals with alternatives, {postponed} asked to \
             come again, {} errors",
            self.took.as_secs_f64(),
            rate(booked, self.took),
            self.errors.len()
        ));
        words.extend(
            self.errors
                .first()
                .map(|error| format!("{what}: the first error: {error}")),
        );
    }
}

/// Wants a time until one is booked or nothing is left to try.
async fn live(guest: &Guest, plan: Plan, number: usize, wanted: &[String]) -> Result<Story> {
    let begun = Instant::now();
    let mut story = Story::default();
    let mut start = if plan == Plan::Release {
        let times = free_times(guest).await?;
        // An early one, as everybody wants them.
        let choice = mixed(number) % times.len().clamp(1, EARLY);
        times.get(choice).context("nothing is free")?.start.clone()
    } else {
        wanted[mixed(number) % wanted.len()].clone()
    };
    let mut tries = 0;
    while tries < TRIES {
        let asked = Instant::now();
        match hold(guest, &start).await? {
            Answer::Held(token) => {
                story.held.push(millis(asked));
                story.postponed += book(guest, &token, number).await?;
                story.booked = Some(millis(begun));
                return Ok(story);
            }
            Answer::Taken(nearest) => {
                story.refused.push(millis(asked));
                if plan == Plan::OnePlace {
                    return Ok(story);
                }
                start.clone_from(&nearest[mixed(number + tries) % nearest.len()]);
                tries += 1;
            }
            Answer::Later(pause) => {
                story.postponed += 1;
                sleep(pause).await;
            }
        }
    }
    Ok(story)
}

enum Answer {
    Held(String),
    /// The nearest times that can be had; never empty.
    Taken(Vec<String>),
    Later(Duration),
}

async fn hold(guest: &Guest, start: &str) -> Result<Answer> {
    let wish = json!({ "services": ["anmelden"], "start": start });
    let request = guest.post("offices/gewerbe/holds").json(&wish);
    let response = request.send().await?;
    if let Some(pause) = later(&response)? {
        return Ok(Answer::Later(pause));
    }
    let status = response.status();
    let body: Value = response.json().await?;
    match status {
        StatusCode::CREATED => Ok(Answer::Held(text(&body, "token")?)),
        StatusCode::CONFLICT => {
            let nearest = body["alternatives"].as_array().into_iter().flatten();
            let nearest: Vec<String> = nearest
                .map(|slot| text(slot, "start"))
                .collect::<Result<_>>()?;
            ensure!(
                !nearest.is_empty(),
                "a refusal without another time: {body}"
            );
            Ok(Answer::Taken(nearest))
        }
        _ => bail!("holding: {status} {body}"),
    }
}

/// Books the held time; how often it was told to come again.
async fn book(guest: &Guest, token: &str, number: usize) -> Result<usize> {
    let contact = json!({
        "name": "Erika Musterfrau",
        "mail": format!("erika{number}@example.org"),
        "language": "de",
        "privacy_accepted": true,
    });
    let request = || -> RequestBuilder { guest.post("bookings").bearer_auth(token).json(&contact) };
    let mut postponed = 0;
    loop {
        let response = request().send().await?;
        if let Some(pause) = later(&response)? {
            postponed += 1;
            sleep(pause).await;
            continue;
        }
        if response.status() != StatusCode::CREATED {
            bail!("booking: {} {}", response.status(), response.text().await?);
        }
        return Ok(postponed);
    }
}

/// For how long one is asked to wait, if one is.
fn later(response: &Response) -> Result<Option<Duration>> {
    if response.status() != StatusCode::SERVICE_UNAVAILABLE {
        return Ok(None);
    }
    let seconds = response
        .headers()
        .get(header::RETRY_AFTER)
        .context("503 without Retry-After")?;
    Ok(Some(Duration::from_secs(seconds.to_str()?.parse()?)))
}

/// A time that can be had.
struct Time {
    start: String,
    date: String,
}

async fn free_times(guest: &Guest) -> Result<Vec<Time>> {
    let path = format!("offices/gewerbe/slots?services=anmelden&days={DAYS}");
    loop {
        let response = guest.get(&path).send().await?;
        if let Some(pause) = later(&response)? {
            sleep(pause).await;
            continue;
        }
        let body: Value = response.error_for_status()?.json().await?;
        let slots = body["slots"].as_array().context("no slots")?;
        return slots
            .iter()
            .map(|slot| {
                Ok(Time {
                    start: text(slot, "start")?,
                    date: text(slot, "date")?,
                })
            })
            .collect();
    }
}

/// A whole day, in the middle of those that can be booked.
fn far_day(times: &[Time]) -> Result<String> {
    let time = times.get(times.len() / 2).context("nothing is free")?;
    Ok(time.date.clone())
}

/// A number that looks random and is the same in every run.
fn mixed(number: usize) -> usize {
    number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "thousands")]
fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

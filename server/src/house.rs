//! The house: what all workers share, and the one way to change an office, [`Unit`].

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError, RwLock, atomic::AtomicBool},
};

use appservice::{Matrix, MatrixError, OwnedRoomId, content::Mention};
use bridge::{
    ids::{Language, MatrixUser, OfficeSlug, VisitId},
    input::{Command, Input, Outcome, Refusal},
    office::{Now, Office},
    visit::{Visit, VisitState},
};
use city::model::{City, OfficeConfig};
use gateway::port::{Lobby, VisitEvent};
use scheduler::{Opening, OpeningHours};
use store::{Lane, Store, StoreError, Tx};
use tokio::sync::{Notify, watch};

use crate::{
    booking::{Bookings, Calendars, Post, Soonest},
    calls::Calls,
    city_files::CityInForce,
    hub::Hub,
    names::Names,
    shell,
    standing::Standings,
    task::Errand,
    words::Words,
};

/// What does not change while the program runs.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Ignore opening hours (demo).
    pub(crate) always_open: bool,
    /// The origin citizens use, without a trailing slash.
    pub(crate) public_url: String,
    /// Begins every Matrix transaction id, so that no two installations' ids are alike.
    pub(crate) installation: String,
}

/// What all workers share.
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) matrix: Matrix,
    pub(crate) words: Words,
    pub(crate) hub: Hub,
    pub(crate) city: CityInForce,
    pub(crate) settings: Settings,
    /// The way to the mail server, if the city has one.
    pub(crate) post: Option<Post>,
    /// Appointments; none without mail.
    pub(crate) bookings: Option<Bookings>,
    /// What the lobby says of appointments.
    pub(crate) soonest: Soonest,
    /// Reads desks' calendars.
    pub(crate) calendars: Option<Calendars>,
    pub(crate) names: Names,
    /// None while calls are switched off.
    pub(crate) calls: Option<Calls>,
    pub(crate) doors: Doors,
    pub(crate) lobby: watch::Sender<Arc<Lobby>>,
    /// What waiting citizens are told of their offices' queues.
    pub(crate) standings: Standings,
    /// Offices whose place in the lobby may have changed.
    pub(crate) dirty: Dirty,
    /// Offices whose door room's state may have changed.
    pub(crate) rooms_dirty: Dirty,
    /// Rings when the outbox has new rows.
    pub(crate) outbox: Notify,
    /// Rings when the inbox has new rows.
    pub(crate) inbox: Notify,
    /// Offices where a deadline may have come nearer.
    pub(crate) deadlines: Dirty,
    /// Whether the homeserver has told anything since somebody last looked.
    pub(crate) heard: AtomicBool,
    /// Whether every standing room was seen to since the start.
    pub(crate) rooms_seen_to: watch::Sender<bool>,
    /// Rings when a ghost may have been taken from the stock.
    pub(crate) ghosts: Notify,
    /// Rings when somebody else has written state that we look after.
    pub(crate) reconcile: Notify,
    /// The language in which each clerk spoke to the bot last.
    clerk_languages: Mutex<HashMap<MatrixUser, Language>>,
}

/// Why an office could not be changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error("there is no such office")]
    UnknownOffice,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the operating system gives no randomness")]
    Randomness,
    #[error("the homeserver does not tell whose room it is: {0}")]
    Matrix(#[from] MatrixError),
}

impl House {
    pub(crate) fn new(
        store: Store,
        matrix: Matrix,
        words: Words,
        hub: Hub,
        city: CityInForce,
        settings: Settings,
        lobby: watch::Sender<Arc<Lobby>>,
    ) -> Self {
        Self {
            post: None,
            bookings: None,
            soonest: Soonest::default(),
            calendars: None,
            names: Names::new(matrix.clone()),
            store,
            matrix,
            words,
            hub,
            city,
            settings,
            calls: None,
            doors: Doors::default(),
            lobby,
            standings: Standings::default(),
            dirty: Dirty::default(),
            rooms_dirty: Dirty::default(),
            outbox: Notify::new(),
            inbox: Notify::new(),
            deadlines: Dirty::default(),
            heard: AtomicBool::new(false),
            rooms_seen_to: watch::Sender::new(false),
            ghosts: Notify::new(),
            reconcile: Notify::new(),
            clerk_languages: Mutex::default(),
        }
    }

    /// Begins a change of one office.
    pub(crate) async fn change(&self, slug: &OfficeSlug) -> Result<Unit<'_>, ChangeError> {
        let city = self.city.get();
        let config = city.office(slug).ok_or(ChangeError::UnknownOffice)?;
        let mut tx = self.store.begin().await?;
        // Once it is our turn: whoever was before us in the database was before us in time, and in the queue.
        let now = self.now(config);
        let office = tx.load_office(slug, config.rules.clone()).await?;
        Ok(Unit {
            house: self,
            tx,
            office,
            now,
            outcome: Outcome::default(),
            errands: false,
        })
    }

    /// What the office's calendar says of this moment.
    pub(crate) fn opening(&self, config: &OfficeConfig) -> Opening {
        if self.settings.always_open {
            OpeningHours::always(config.hours.zone.clone()).at(shell::now())
        } else {
            config.hours.at(shell::now())
        }
    }

    /// This moment, as `bridge` wants it.
    pub(crate) fn now(&self, config: &OfficeConfig) -> Now {
        let opening = self.opening(config);
        Now {
            at: shell::now(),
            today: opening.today,
            open: opening.open,
            next_opening: opening.next_opening,
        }
    }

    /// The address of an office's page.
    pub(crate) fn office_url(&self, slug: &OfficeSlug) -> String {
        format!("{}/buero/{slug}", self.settings.public_url)
    }

    /// Takes clerks off duty whom the city no longer names.
    pub(crate) async fn dismiss_former_clerks(&self) -> Result<(), ChangeError> {
        let city = self.city.get();
        for config in &city.offices {
            let mut unit = self.change(&config.slug).await?;
            let outcome = unit
                .office
                .retain_clerks(|clerk| config.clerks.contains(clerk));
            if outcome != Outcome::default() {
                unit.absorb(outcome);
                unit.commit().await?;
            }
        }
        Ok(())
    }

    /// For whom a line rings: the clerks on duty; all of the office when nobody is, so that nothing is lost on an
    /// empty desk.
    pub(crate) async fn mentions(
        &self,
        config: &OfficeConfig,
    ) -> Result<Vec<Mention>, ChangeError> {
        let mut read = self.store.read().await?;
        let office = read.load_office(&config.slug, config.rules.clone()).await?;
        drop(read);
        let mut users: Vec<MatrixUser> = office
            .desks
            .into_keys()
            .filter(|clerk| config.clerks.contains(clerk))
            .collect();
        if users.is_empty() {
            users.clone_from(&config.clerks);
        }
        let mut mentions = Vec::with_capacity(users.len());
        for user in users {
            let name = self.names.of(&user).await;
            mentions.push(Mention { user, name });
        }
        Ok(mentions)
    }

    /// The language to speak to a clerk in.
    pub(crate) fn clerk_language(&self, city: &City, clerk: &MatrixUser) -> Language {
        let languages = self
            .clerk_languages
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        languages
            .get(clerk)
            .copied()
            .unwrap_or_else(|| first_language(city))
    }

    /// Remembers the language in which a clerk spoke to the bot.
    pub(crate) fn clerk_spoke(&self, clerk: &MatrixUser, language: Language) {
        let mut languages = self
            .clerk_languages
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        languages.insert(clerk.clone(), language);
    }
}

/// The language of the city's own rooms.
pub(crate) fn first_language(city: &City) -> Language {
    city.languages.first().copied().unwrap_or_default()
}

/// One change of one office: everything in it becomes true together at [`Unit::commit`], or nothing.
pub(crate) struct Unit<'h> {
    house: &'h House,
    pub(crate) tx: Tx,
    pub(crate) office: Office,
    pub(crate) now: Now,
    outcome: Outcome,
    errands: bool,
}

impl Unit<'_> {
    /// Lets `bridge` decide. A refusal changes nothing.
    pub(crate) fn decide(&mut self, input: Input) -> Result<(), Refusal> {
        let outcome = self.office.handle(input, &self.now)?;
        self.absorb(outcome);
        Ok(())
    }

    /// Adds what was decided otherwise.
    pub(crate) fn absorb(&mut self, outcome: Outcome) {
        for visit in outcome.changed {
            if !self.outcome.changed.contains(&visit) {
                self.outcome.changed.push(visit);
            }
        }
        self.outcome.commands.extend(outcome.commands);
    }

    /// Stores an errand beside the decision.
    pub(crate) async fn enqueue(&mut self, lane: &Lane, errand: &Errand) -> Result<(), StoreError> {
        self.tx.enqueue(lane, errand, self.now.at).await?;
        self.errands = true;
        Ok(())
    }

    /// An errand was stored in this unit's transaction by other means.
    pub(crate) fn has_errands(&mut self) {
        self.errands = true;
    }

    /// Sets what the office tells citizens while it has paused.
    pub(crate) async fn set_notice(&mut self, notice: Option<&str>) -> Result<(), StoreError> {
        self.tx.set_notice(&self.office.slug, notice).await?;
        if !self.outcome.commands.contains(&Command::Publish) {
            self.outcome.commands.push(Command::Publish);
        }
        Ok(())
    }

    /// A visit of this office, also one that ended just now.
    pub(crate) fn visit(&self, id: &VisitId) -> Option<&Visit> {
        self.office.visits.get(id)
    }

    /// Stores the decision with everything that follows from it, then wakes whom it concerns.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let saved = self
            .tx
            .save_office(&self.office, &self.outcome, self.now.at)
            .await?;
        self.tx.commit().await?;
        let house = self.house;
        house.standings.changed(&self.office.slug);
        if saved.jobs > 0 || self.errands {
            house.outbox.notify_one();
        }
        if !self.outcome.changed.is_empty() {
            house.deadlines.mark(&self.office.slug);
        }
        if saved.publish {
            house.dirty.mark(&self.office.slug);
            // One visit's change moves everybody behind it.
            for visit in self
                .office
                .visits
                .values()
                .filter(|visit| visit.state == VisitState::Waiting)
            {
                house.hub.send(&visit.id, VisitEvent::Changed);
            }
        }
        for visit in &self.outcome.changed {
            house.hub.send(visit, VisitEvent::Changed);
        }
        Ok(())
    }
}

/// Which room is which office's door.
#[derive(Default)]
pub(crate) struct Doors(RwLock<HashMap<OfficeSlug, OwnedRoomId>>);

impl Doors {
    /// The office's door room, once it is known.
    pub(crate) fn room(&self, slug: &OfficeSlug) -> Option<OwnedRoomId> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(slug)
            .cloned()
    }

    /// The office whose door room this is.
    pub(crate) fn office(&self, room: &str) -> Option<OfficeSlug> {
        let doors = self.0.read().unwrap_or_else(PoisonError::into_inner);
        doors
            .iter()
            .find(|(_, door)| door.as_str() == room)
            .map(|(slug, _)| slug.clone())
    }

    /// The office's door room is this one from here on.
    pub(crate) fn set(&self, slug: OfficeSlug, room: OwnedRoomId) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(slug, room);
    }
}

/// Offices that somebody has to look at again.
#[derive(Default)]
pub(crate) struct Dirty {
    offices: Mutex<BTreeSet<OfficeSlug>>,
    bell: Notify,
}

impl Dirty {
    /// This office has to be looked at.
    pub(crate) fn mark(&self, slug: &OfficeSlug) {
        self.offices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(slug.clone());
        self.bell.notify_one();
    }

    /// Waits until there is one, and takes all.
    pub(crate) async fn take(&self) -> BTreeSet<OfficeSlug> {
        loop {
            let taken =
                std::mem::take(&mut *self.offices.lock().unwrap_or_else(PoisonError::into_inner));
            if !taken.is_empty() {
                return taken;
            }
            self.bell.notified().await;
        }
    }
}

//! Bookings on a real database, at moments of our choice.

mod answers;
mod arrivals;
mod busy;
mod conflicts;
mod endings;
mod feeds;
mod letters;
mod nearest;
mod notes;
mod offers;
mod post;
mod soonest;
mod taking;
mod tide;
mod walk;

use std::{path::Path, sync::Arc};

use appservice::{Matrix, MatrixConfig, client::Timeouts};
use city::model::{City, OfficeConfig};
use gateway::{
    appointments::{Booked, BookingError, BookingPhase, Contact, Hold, Token},
    port::Lobby,
};
use jiff::Timestamp;
use scheduler::slots::Refused;
use store::{Store, StoreConfig, Way};
use tempfile::TempDir;
use texts::Catalogue;
use tokio::sync::watch;

use super::{
    Bookings, Key, MailConfig, News, Place, Post, Reachable, offer::Unoffered, place::public_by,
    take::Dice,
};
use crate::{
    city_files::CityInForce,
    house::{House, Settings},
    hub::Hub,
    task::{Errand, Task},
    words::Words,
};

/// A Monday, before the office opens.
const NOW: &str = "2026-11-23T06:00:00Z";
/// Wednesday, 8:00 in Dormagen. One desk is bookable.
const WEDNESDAY: &str = "2026-11-25T07:00:00Z";

/// A city of one program, without a homeserver.
struct Stage {
    bookings: Bookings,
    city_files: CityInForce,
    city: Arc<City>,
    office: OfficeConfig,
    folder: TempDir,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn dice(number: u64) -> Dice {
    let mut id = [1; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    let mut long = [2; 32];
    for (index, chunk) in long.chunks_exact_mut(4).enumerate() {
        let mixed = (number + 1)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(u32::try_from(index).unwrap() * 7);
        chunk.copy_from_slice(&mixed.to_be_bytes()[..4]);
    }
    let mut token = long;
    token[..8].copy_from_slice(&number.to_be_bytes());
    Dice {
        id,
        uid: id,
        token,
        code: long,
    }
}

fn contact(mail: &str) -> Contact {
    Contact {
        name: "Erika Musterfrau".to_owned(),
        mail: mail.to_owned(),
        phone: None,
        language: bridge::ids::Language::De,
        interpreter: None,
        accessibility: None,
        companion_mail: Some("max@example.org".to_owned()),
    }
}

async fn open(folder: &TempDir) -> Store {
    Store::open(&StoreConfig::sqlite(&folder.path().join("test.db")))
        .await
        .unwrap()
}

impl Stage {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        store.migrate().await.unwrap();
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/dormagen/city.toml");
        let city_files = CityInForce::read(&demo, "dormagen.example").unwrap();
        let city = city_files.get();
        let office = city.office(&"gewerbe".parse().unwrap()).unwrap().clone();
        Self {
            bookings: Bookings {
                store,
                key: Key::new([3; 32]),
                domain: "dormagen.example".to_owned(),
                reachable: Reachable::default(),
            },
            city_files,
            city,
            office,
            folder,
        }
    }

    /// The house around the bookings. Nobody answers it.
    fn house(&self) -> House {
        let nowhere = MatrixConfig {
            homeserver: "http://127.0.0.1:9".parse().unwrap(),
            server_name: "dormagen.example".try_into().unwrap(),
            appservice_id: "vorzimmer".to_owned(),
            as_token: String::new(),
            sender_localpart: "_vorzimmer_bot".to_owned(),
            deletion_token: None,
            timeouts: Timeouts::default(),
        };
        let settings = Settings {
            always_open: false,
            public_url: "https://vorzimmer.example".to_owned(),
            installation: "house".to_owned(),
        };
        let lobby = Lobby {
            city: Arc::clone(&self.city),
            offices: Vec::new(),
            always_open: false,
        };
        let mail = MailConfig {
            url: "smtp://127.0.0.1:9".parse().unwrap(),
            from: "termine@stadt.example".to_owned(),
            replies: None,
            user: None,
            password_file: None,
        };
        let mut house = House::new(
            self.bookings.store.clone(),
            Matrix::new(nowhere).unwrap(),
            Words(Arc::new(Catalogue::load())),
            Hub::new().0,
            self.city_files.clone(),
            settings,
            watch::Sender::new(Arc::new(lobby)),
        );
        house.post = Some(Post::new(&mail).unwrap());
        house.bookings = Some(self.bookings.clone());
        house
    }

    fn place(&self, now: &str) -> Place<'_> {
        Place::new(&self.office, at(now)).unwrap()
    }

    async fn hold(&self, number: u64, start: &str, now: &str) -> Result<Hold, BookingError> {
        let services = ["anmelden".parse().unwrap()];
        self.bookings
            .hold(&self.place(now), &services, at(start), &dice(number))
            .await
    }

    /// A confirmed booking; its manage secret.
    async fn confirmed(&self, number: u64, start: &str, mail: &str) -> Token {
        let hold = self.hold(number, start, NOW).await.unwrap();
        let place = self.place(NOW);
        let Booked { view, token } = self
            .bookings
            .book(&place, &hold.token.hash(), contact(mail))
            .await
            .unwrap();
        assert_eq!(view.phase, BookingPhase::Unconfirmed);
        assert!(token.is_none(), "the secret goes by mail alone");
        let manage = self
            .bookings
            .key
            .manage(&bridge::ids::BookingId::from_random(dice(number).id));
        let view = self.bookings.confirm(&place, &manage.hash()).await.unwrap();
        assert_eq!(view.phase, BookingPhase::Confirmed);
        manage
    }

    /// What is in the outbox, in order, whatever its lane.
    async fn errands(&self) -> Vec<String> {
        let mut told = Vec::new();
        loop {
            let mut tx = self.bookings.store.begin().await.unwrap();
            let much_later = Timestamp::MAX - jiff::SignedDuration::from_hours(9999);
            let mut due = tx.due(Way::Matrix, much_later, 100).await.unwrap();
            due.extend(tx.due(Way::Mail, much_later, 100).await.unwrap());
            let Some(first) = due.iter().min_by_key(|row| row.id) else {
                return told;
            };
            let task: Task = serde_json::from_value(first.job.clone()).unwrap();
            told.push(match task {
                Task::Own(Errand::Mail { letter, .. }) => format!("mail {letter:?}"),
                Task::Own(Errand::TellBooking { news, .. }) => format!("line {news:?}"),
                Task::Own(Errand::PrepareRoom { .. }) => "room".to_owned(),
                Task::Own(Errand::EraseRoom { room }) => format!("erase {room}"),
                Task::Own(Errand::TellPhone { .. }) => "number".to_owned(),
                Task::Own(Errand::Answer { text }) => text,
                other => format!("{other:?}"),
            });
            tx.done(first.id).await.unwrap();
            tx.commit().await.unwrap();
        }
    }
}

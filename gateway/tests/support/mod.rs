//! A city without a database and without a homeserver, and a browser that visits it.

pub(crate) mod browser;
pub(crate) mod house;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::Router;
use bridge::{ids::Language, office::Rules};
use city::model::{City, Localized, OfficeConfig};
use gateway::{
    pages::Assets,
    port::VisitPhase,
    state::{Gateway, GatewayConfig, Shell},
};
use jiff::{SignedDuration, tz::TimeZone};
use scheduler::{HolidayCalendar, OpeningHours};
use texts::Catalogue;
use tokio::sync::watch;

use self::{browser::Browser, house::House};

/// The origin of the office under test.
pub(crate) const ORIGIN: &str = "http://buero.test";

/// The public listener on a fake house, and the levers of its world.
pub(crate) struct Stage {
    pub(crate) house: Arc<House>,
    pub(crate) router: Router,
    time_ms: Arc<AtomicU64>,
    closing: watch::Sender<bool>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// With other settings.
    pub(crate) fn with(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let mut config = GatewayConfig::new(ORIGIN, guest_web());
        change(&mut config);
        let house = Arc::new(House::new(city()));
        let time_ms = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&time_ms);
        let drawn = AtomicU64::new(0);
        let (closing, listening) = watch::channel(false);
        let shell = Shell {
            clock: Arc::new(move || Duration::from_millis(clock.load(Ordering::Relaxed))),
            now: Arc::new(house::noon),
            random: Arc::new(move |bytes: &mut [u8]| {
                let draw = drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
                bytes.fill(7);
                bytes[..8].copy_from_slice(&draw);
            }),
            closing: listening,
        };
        let router = gateway::router(Gateway {
            house: Arc::clone(&house) as _,
            media_tokens: Some(Arc::clone(&house) as _),
            participants: None,
            appointments: None,
            texts: Arc::new(Catalogue::load()),
            assets: Arc::new(Assets::load(&config.guest_web).unwrap()),
            config: Arc::new(config),
            shell,
        });
        Self {
            house,
            router,
            time_ms,
            closing,
        }
    }

    /// A browser that has never been here.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.router.clone())
    }

    /// A browser in conversation, and its visit's address.
    pub(crate) async fn talking(&self) -> (Browser, String) {
        let mut browser = self.browser();
        let visit = browser.knock().await;
        self.house
            .change_visit(|view| view.phase = VisitPhase::InConversation);
        (browser, visit)
    }

    /// Lets the limiters' time pass.
    pub(crate) fn pass(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap();
        self.time_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// The program stops.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }
}

/// A guest client that is built of nothing but names.
fn guest_web() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/guest-web")
}

fn city() -> City {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let office = |slug: &str, german: &str, english: &str| OfficeConfig {
        slug: slug.parse().unwrap(),
        name: localized(german, english),
        description: localized(german, english),
        services: Vec::new(),
        hours: OpeningHours {
            zone: zone.clone(),
            weekly: Default::default(),
            exceptions: BTreeMap::new(),
            holidays: HolidayCalendar::default(),
        },
        notices: BTreeMap::new(),
        clerks: Vec::new(),
        rules: Rules {
            ticket_letter: 'G',
            no_show_after: SignedDuration::from_mins(3),
            absence_grace: SignedDuration::from_mins(5),
            queue_limit: 50,
            usual_duration: SignedDuration::from_mins(10),
        },
        faq: Vec::new(),
        booking_page: None,
        booking: None,
    };
    City {
        name: localized("Dormagen", "Dormagen"),
        zone: zone.clone(),
        languages: vec![Language::De, Language::En],
        offices: vec![
            office("gewerbe", "Gewerbemeldestelle", "Trade office"),
            office("fundbuero", "Fundbüro", "Lost property"),
        ],
        faq: Vec::new(),
        pages: Vec::new(),
        retention: SignedDuration::from_hours(24),
        untranslated: Vec::new(),
    }
}

fn localized(german: &str, english: &str) -> Localized {
    Localized::new(german, BTreeMap::from([(Language::En, english.to_owned())]))
}

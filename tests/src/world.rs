//! A city with its homeserver, running.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::sync::OnceCell;
use xtask::{
    builds,
    mailbox::Mailbox,
    paths,
    ports::Port,
    synapse::Authority,
    vorzimmer::{self, Vorzimmer},
};

use crate::{
    artifacts::Scratch,
    client::Client,
    database::Database,
    desk::Desk,
    gate::Gate,
    guest::Guest,
    line::Line,
    relay::{Own, RelayAccess, Turn},
    site::{self, Site},
    wait::eventually,
};

/// The clerks of the demo city.
const CLERKS: [&str; 3] = ["anna", "bernd", "ceyda"];

/// A mail, as its reader's program takes it apart.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The subject.
    pub subject: String,
    /// The text for people.
    pub text: String,
    /// The calendar object in it, if there is one, and its method.
    pub calendar: Option<(String, String)>,
}

impl Mail {
    fn read(bytes: &[u8]) -> Option<Self> {
        let message = mail_parser::MessageParser::default().parse(bytes)?;
        let calendar = message.parts.iter().find_map(|part| {
            let kind = mail_parser::MimeHeaders::content_type(part)?;
            let is_calendar = kind.subtype()?.eq_ignore_ascii_case("calendar");
            let method = kind.attribute("method").unwrap_or_default();
            is_calendar.then(|| {
                (
                    method.to_owned(),
                    part.text_contents().unwrap_or_default().to_owned(),
                )
            })
        });
        Some(Self {
            subject: message.subject()?.to_owned(),
            text: message.body_text(0)?.into_owned(),
            calendar,
        })
    }

    /// The address in it that leads to a booking: its path with what stands behind `#`.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        let line = self.text.lines().find(|line| line.contains("/termin#"))?;
        let start = line.find("/en/termin#").or_else(|| line.find("/termin#"))?;
        line[start..].split_whitespace().next()
    }
}

/// How a world differs from the usual one.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of a test"
)]
pub struct WorldOptions {
    /// The city's file.
    pub city: PathBuf,
    /// Ignores the opening hours.
    pub always_open: bool,
    /// Federates with every [`Site`] of the same authority.
    pub authority: Option<Arc<Authority>>,
    /// A PostgreSQL instead of the embedded database.
    pub database_url: Option<String>,
    /// The homeserver reaches the program through [`World::gate`].
    pub gated: bool,
    /// Other limits than the usual ones: `[public.limits]`.
    pub limits: toml::Table,
    /// Video calls over this relay.
    pub relay: Option<RelayAccess>,
    /// Video calls over the program's own relay.
    pub own_relay: bool,
    /// Where the own relay takes media.
    pub media_ip: IpAddr,
    /// TURN beside the own relay.
    pub turn: Option<Turn>,
    /// The citizen reaches the program and its own relay through [`World::line`], clerks around it by TURN.
    pub lined: bool,
    /// With a mail server, and so with appointments.
    pub mail: bool,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            city: paths::checkout().join("demo/dormagen/city.toml"),
            always_open: true,
            authority: None,
            database_url: None,
            gated: false,
            limits: toml::Table::new(),
            relay: None,
            own_relay: false,
            media_ip: Ipv4Addr::LOCALHOST.into(),
            turn: None,
            lined: false,
            mail: false,
        }
    }
}

impl WorldOptions {
    /// The table `[calls]`; what it refers to is written to `dir`.
    fn calls(&self, own: Option<&Own>, dir: &Path) -> Result<Option<toml::Table>> {
        let authority = self.authority.as_deref();
        match (&self.relay, own) {
            (Some(relay), _) => Some(relay.table(dir, authority)),
            (None, Some(own)) => Some(own.table(dir, authority)),
            (None, None) => None,
        }
        .transpose()
    }
}

/// A homeserver, the program `vorzimmer`, and the city's clerks, signed in.
#[derive(Debug)]
pub struct World {
    /// The program, to be stopped, killed and started again.
    pub vorzimmer: Vorzimmer,
    /// The homeserver and its people.
    pub site: Site,
    /// The mail server, if the world has one.
    pub mailbox: Option<Mailbox>,
    /// Between homeserver and program, if it was asked for.
    pub gate: Option<Gate>,
    /// Between browsers and program, if it was asked for.
    pub line: Option<Line>,
    clerks: BTreeMap<&'static str, Client>,
    database: Database,
    strangers: AtomicU32,
    /// Browsers take certificates of nobody they know.
    pub(crate) own_certificates: bool,
    _ports: [Port; 3],
    _relay: Option<Own>,
    // Last: the directory goes when nothing runs in it any more.
    scratch: Scratch,
}

impl World {
    /// The demo city, always open, not federating.
    pub async fn start() -> Result<Self> {
        Self::start_with(WorldOptions::default()).await
    }

    /// The same with video calls over the program's own relay.
    pub async fn with_own_relay() -> Result<Self> {
        let options = WorldOptions {
            own_relay: true,
            ..WorldOptions::default()
        };
        Self::start_with(options).await
    }

    /// Any other.
    pub async fn start_with(options: WorldOptions) -> Result<Self> {
        let program = program().await?;
        let scratch = Scratch::new()?;
        let (public, internal, mail) = (Port::lease()?, Port::lease()?, Port::lease()?);
        let mailbox = if options.mail {
            Some(Mailbox::start(&scratch.path().join("mail"), &mail).await?)
        } else {
            None
        };
        let mut homeserver = site::config(&scratch, options.authority.as_ref())?;
        let mut own = options
            .own_relay
            .then(|| Own::at(options.media_ip, options.turn))
            .transpose()?;
        let line = if options.lined {
            let relay = own.as_mut().context("a line leads to the own relay")?;
            relay.told = Some(Line::FRONT);
            Some(Line::to(public.address(), relay.media()).await?)
        } else {
            None
        };
        let public_url = match &line {
            Some(line) => line.url(),
            None => format!("http://localhost:{}", public.number()),
        };
        let calls = options.calls(own.as_ref(), scratch.path())?;
        if calls.is_some() {
            homeserver.call_service = Some(format!("{public_url}/livekit/jwt"));
        }
        let registration = scratch.path().join("registration.yaml");
        let gate = if options.gated {
            Some(Gate::before(internal.address()).await?)
        } else {
            None
        };
        let reached_at = gate
            .as_ref()
            .map_or_else(|| format!("http://{}", internal.address()), Gate::url);
        vorzimmer::write_registration(
            &program,
            &reached_at,
            &homeserver.server_name(),
            &registration,
        )?;
        homeserver.registrations.push(registration.clone());

        let site = Site::start(homeserver).await?;
        let mut clerks = BTreeMap::new();
        for localpart in CLERKS {
            clerks.insert(localpart, site.clerk(localpart).await?);
        }
        let deletion_token_file = scratch.path().join("deletion-token");
        xtask::files::write_private(&deletion_token_file, &site.admin.account().access_token)?;
        let data_dir = scratch.path().join("data");
        let database = match &options.database_url {
            Some(url) => Database::at(url.clone()),
            None => Database::in_dir(&data_dir),
        };
        let config = vorzimmer::Config {
            city: options.city,
            data_dir,
            database_url: options.database_url,
            guest_web: paths::checkout().join("guest-web/dist"),
            always_open: options.always_open,
            public: vorzimmer::Public {
                listen: public.address(),
                url: public_url,
                limits: options.limits,
            },
            internal: vorzimmer::Internal {
                listen: internal.address(),
            },
            homeserver: vorzimmer::Homeserver {
                url: site.homeserver.config().local_url(),
                server_name: site.homeserver.server_name(),
                registration,
                deletion_token_file: Some(deletion_token_file),
            },
            calls,
            mail: mailbox.as_ref().map(|mailbox| vorzimmer::Mail {
                url: mailbox.url(),
                from: "termine@dormagen.example".to_owned(),
                replies: "antwort@dormagen.example".to_owned(),
            }),
        };
        let vorzimmer = Vorzimmer::start(&program, scratch.path(), config).await?;
        Ok(Self {
            vorzimmer,
            site,
            mailbox,
            gate,
            line,
            clerks,
            database,
            strangers: AtomicU32::new(0),
            own_certificates: options.turn == Some(Turn::Tls),
            _ports: [public, internal, mail],
            _relay: own,
            scratch,
        })
    }

    /// `anna`, `bernd` or `ceyda`.
    pub fn clerk(&self, localpart: &str) -> Result<&Client> {
        self.clerks
            .get(localpart)
            .with_context(|| format!("{localpart} is no clerk of the demo city"))
    }

    /// The first mail whose subject begins like this, once it has come.
    pub async fn mail(&self, subject: &str) -> Result<Mail> {
        eventually(&format!("a mail {subject:?}"), || async {
            let mut mails = self.mails()?.into_iter();
            Ok(mails.find(|mail| mail.subject.starts_with(subject)))
        })
        .await
    }

    /// All mails that have come, the oldest first.
    pub fn mails(&self) -> Result<Vec<Mail>> {
        let mailbox = self.mailbox.as_ref().context("a world without mail")?;
        let mails = mailbox.mails()?;
        Ok(mails.iter().filter_map(|bytes| Mail::read(bytes)).collect())
    }

    /// A citizen's browser that has never been here.
    pub fn guest(&self) -> Result<Guest> {
        Guest::new(self.vorzimmer.url())
    }

    /// The program's database.
    #[must_use]
    pub fn database(&self) -> Database {
        self.database.clone()
    }

    /// The office's door room, once it is there and `clerk` is in it.
    pub async fn door(&self, office: &str, clerk: &Client) -> Result<String> {
        let alias = format!("#buero-{office}:{}", self.site.homeserver.server_name());
        eventually(&format!("{} at {alias}", clerk.user_id()), || async {
            let Ok(room_id) = clerk.resolve(&alias).await else {
                return Ok(None);
            };
            let own = clerk
                .state(&room_id, "m.room.member", clerk.user_id())
                .await;
            let joined = matches!(own, Ok(Some(content)) if content["membership"] == "join");
            Ok(joined.then_some(room_id))
        })
        .await
    }

    /// Waits until nothing is left to be done in Matrix, and nothing was given up.
    pub async fn settled(&self) -> Result<()> {
        let database = self.database();
        eventually("inbox and outbox to be empty", || async {
            let inbox = database.count("inbox_events WHERE processed_at IS NULL");
            let outbox = database.count("outbox WHERE state = 'pending'");
            Ok((inbox.await? == 0 && outbox.await? == 0).then_some(()))
        })
        .await?;
        let dead = database
            .texts("job || ' ' || last_error FROM outbox WHERE state = 'dead'")
            .await?;
        ensure!(dead.is_empty(), "jobs were given up: {dead:?}");
        Ok(())
    }

    /// A citizen's browser at an address of its own, so that many of them can knock.
    pub fn stranger(&self) -> Result<Guest> {
        let number = self.strangers.fetch_add(1, Ordering::Relaxed) + 1;
        let [_, high, middle, low] = number.to_be_bytes();
        // Not 127.0.0.0/16, where everybody else on this machine is.
        let address = Ipv4Addr::new(127, high | 1, middle, low);
        Guest::behind(address, self.vorzimmer.url())
    }

    /// A clerk with an office's door room open.
    pub async fn desk(&self, localpart: &str, office: &str) -> Result<Desk> {
        let server_name = self.site.homeserver.server_name();
        Desk::open(self.clerk(localpart)?, &server_name, office).await
    }

    /// Waits until everybody sees a public office like this.
    pub async fn until_office(
        &self,
        slug: &str,
        what: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let anybody = self.guest()?;
        eventually(&format!("{slug} to be {what}"), || async {
            let office = anybody.office(slug).await?;
            Ok(fits(&office).then_some(office))
        })
        .await
    }

    /// An address of the lobby: `world.url("/offices")`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.vorzimmer.url())
    }

    /// The directory with configuration, logs and data.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.scratch.path()
    }
}

/// The program under test: what `cargo xtask test` has built and named, else built here, once per process.
pub async fn program() -> Result<PathBuf> {
    static PROGRAM: OnceCell<PathBuf> = OnceCell::const_new();
    let build = || async { tokio::task::spawn_blocking(|| builds::server(false)).await? };
    PROGRAM.get_or_try_init(build).await.cloned()
}

//! `vorzimmer serve`: wiring.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use appservice::{Matrix, MatrixConfig, ServerName, registration::Registration};
use axum::{Router, routing::get};
use gateway::{
    pages::Assets,
    port::Lobby,
    state::{Gateway, GatewayConfig, Shell},
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use store::{Store, StoreConfig};
use texts::Catalogue;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
};
use tracing::{error, info, warn};

use crate::{
    booking::{self, Bookings, Calendars, Key, MailConfig, Post, Reachable},
    calls,
    city_files::CityInForce,
    config::Config,
    contact, deadlines,
    front_office::Counter,
    ghosts,
    house::{House, Settings},
    hub::Hub,
    inbox::{self, Letterbox},
    outbox, projection, retention, rooms, shell,
    words::Words,
};

/// How long open requests may take after the wish to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// Everything that both `serve` and `doctor` need: configuration read, database open, homeserver known.
pub(crate) struct Foundation {
    pub(crate) city: CityInForce,
    pub(crate) store: Store,
    pub(crate) matrix: Matrix,
    pub(crate) registration: Registration,
}

impl Foundation {
    /// Reads and opens what the configuration names; touches nothing.
    pub(crate) async fn lay(config: &Config) -> Result<Self> {
        let city = CityInForce::read(&config.city, &config.homeserver.server_name)?;
        let registration = read_registration(config)?;
        let matrix = connect(config, &registration)?;
        if config.database_url.is_none() {
            std::fs::create_dir_all(&config.data_dir)
                .with_context(|| format!("cannot make data_dir {}", config.data_dir.display()))?;
        }
        let store = Store::open(&StoreConfig {
            url: config.database_url(),
        })
        .await
        .context("cannot open the database")?;
        Ok(Self {
            city,
            store,
            matrix,
            registration,
        })
    }

    /// The house on this foundation, and where its pages' presence arrives.
    pub(crate) async fn house(
        self,
        config: &Config,
    ) -> Result<(
        House,
        tokio::sync::mpsc::UnboundedReceiver<crate::hub::PresenceChange>,
    )> {
        let mut tx = self.store.begin().await?;
        let fresh = u64::from_be_bytes(shell::random()?);
        let installation = tx.installation_id(&format!("{fresh:016x}")).await?;
        tx.commit().await?;
        let settings = Settings {
            always_open: config.always_open,
            public_url: config.public_origin(),
            installation,
        };
        let mail = config
            .mail
            .as_ref()
            .map(|mail| mail_room(config, mail, &self.store))
            .transpose()?;
        let (hub, presence) = Hub::new();
        let empty = Lobby {
            city: self.city.get(),
            offices: Vec::new(),
            always_open: config.always_open,
        };
        let words = Words(Arc::new(Catalogue::load()));
        let lobby = watch::Sender::new(Arc::new(empty));
        let calls = calls::Calls::of(config)?;
        let mut house = House::new(
            self.store,
            self.matrix,
            words,
            hub,
            self.city,
            settings,
            lobby,
        );
        house.calls = calls;
        (house.post, house.bookings) = mail.unzip();
        house.calendars = Some(Calendars::new(&config.calendars)?);
        Ok((house, presence))
    }
}

/// The way to the mail server, and what can be booked by it.
pub(crate) fn mail_room(
    config: &Config,
    mail: &MailConfig,
    store: &Store,
) -> Result<(Post, Bookings)> {
    let key = Key::open(&config.data_dir.join("appointments.key"), shell::random()?)?;
    let post = Post::new(mail)?;
    let bookings = Bookings {
        store: store.clone(),
        key,
        domain: post.domain.clone(),
        reachable: Reachable::default(),
    };
    Ok((post, bookings))
}

/// Serves until SIGINT or SIGTERM.
pub(crate) async fn serve(config: Config) -> Result<()> {
    let metrics = PrometheusBuilder::new()
        .install_recorder()
        .context("cannot install metrics")?;
    gateway::telemetry::describe();
    let foundation = Foundation::lay(&config).await?;
    foundation
        .store
        .migrate()
        .await
        .context("cannot bring the database up to date")?;
    let hs_token = foundation.registration.hs_token().to_owned();
    let (house, presence) = foundation.house(&config).await?;
    let house = Arc::new(house);
    rooms::recall(&house).await?;
    ghosts::doubt(&house).await?;
    if let Some(bookings) = &house.bookings {
        booking::look_ahead(&house, bookings).await?;
    }
    house
        .lobby
        .send_replace(Arc::new(projection::lobby(&house).await?));

    let public = listen(config.public.listen, "public.listen").await?;
    let internal = listen(config.internal.listen, "internal.listen").await?;
    info!(public = %public.local_addr()?, internal = %internal.local_addr()?, "listening");

    let internal_router = internal_router(&house, &hs_token, metrics);
    let (stop, closing) = watch::channel(false);
    let mut public_router = public_router(&house, &config, closing.clone())?;
    let relay = start_relay(&house).await?;
    if let Some(relay) = &relay {
        calls::reopen(&house, relay).await?;
        public_router = public_router.nest(calls::RELAY_PATH, relay.router());
    }
    let mut listeners = JoinSet::new();
    listeners.spawn(host(internal, internal_router, closing.clone()));
    listeners.spawn(host(public, public_router, closing));
    let mut workers = JoinSet::new();
    spawn_house(&mut workers, &house, presence);

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => info!("stopping"),
        _ = terminate.recv() => info!("stopping"),
        ended = workers.join_next() => anyhow::bail!("a worker has ended: {ended:?}"),
        ended = listeners.join_next() => anyhow::bail!("a listener has ended: {ended:?}"),
    }
    stop.send_replace(true);
    if let Some(relay) = relay {
        relay.stop().await;
    }
    // What is not answered by then is cut off: nothing is lost by it, the outbox goes on at the next start.
    let _ = tokio::time::timeout(FAREWELL, listeners.join_all()).await;
    workers.shutdown().await;
    house.store.close().await;
    Ok(())
}

/// The program's own relay, if it carries the calls.
async fn start_relay(house: &House) -> Result<Option<relay::Relay>> {
    let Some(config) = house
        .calls
        .as_ref()
        .and_then(|calls| calls.embedded.clone())
    else {
        return Ok(None);
    };
    let relay = relay::Relay::start(config)
        .await
        .context("the relay cannot start: see [calls.embedded]")?;
    info!(udp = %relay.udp_address(), told = ?relay.told_addresses(), "the relay carries calls");
    Ok(Some(relay))
}

fn spawn_house(
    workers: &mut JoinSet<()>,
    house: &Arc<House>,
    presence: tokio::sync::mpsc::UnboundedReceiver<crate::hub::PresenceChange>,
) {
    let share = || Arc::clone(house);
    workers.spawn(contact::keep(share()));
    workers.spawn(rooms::keep(share()));
    workers.spawn(inbox::work(share()));
    workers.spawn(outbox::work(share()));
    workers.spawn(projection::keep_lobby(share()));
    workers.spawn(projection::keep_rooms(share()));
    workers.spawn(deadlines::keep(share()));
    workers.spawn(deadlines::presence(share(), presence));
    workers.spawn(ghosts::keep(share()));
    workers.spawn(retention::keep(share()));
    workers.spawn(calls::keep(share()));
    workers.spawn(calls::keep_delegated(share()));
    workers.spawn(calls::keep_out(share()));
    workers.spawn(booking::keep(share()));
    workers.spawn(booking::keep_calendars(share()));
    workers.spawn(keep_city(share()));
    // The only tasks that end.
    tokio::spawn(deadlines::presume_absent(share()));
    tokio::spawn(calls::look_who_is_inside(share()));
}

/// Follows the city's files, for ever.
async fn keep_city(house: Arc<House>) {
    let mut seen = house.city.stamp();
    loop {
        house.city.changed(&mut seen).await;
        city_changed(&house).await;
    }
}

/// The city's file has changed: lobby, desks, rooms and hours follow; queues stay as they are.
async fn city_changed(house: &House) {
    match projection::lobby(house).await {
        Ok(lobby) => drop(house.lobby.send_replace(Arc::new(lobby))),
        Err(fault) => error!("the lobby could not follow the city's file: {fault}"),
    }
    if let Err(fault) = house.dismiss_former_clerks().await {
        error!("the desks could not follow the city's file: {fault}");
    }
    house.reconcile.notify_one();
    for office in &house.city.get().offices {
        house.deadlines.mark(&office.slug);
    }
}

fn public_router(
    house: &Arc<House>,
    config: &Config,
    closing: watch::Receiver<bool>,
) -> Result<Router> {
    let shell = Shell {
        clock: shell::monotonic(),
        now: Arc::new(shell::now),
        random: Arc::new(shell::fill),
        closing,
    };
    let gateway_config = GatewayConfig {
        trusted_proxies: config.public.trusted_proxies.clone(),
        limits: config.public.limits.clone(),
        ..GatewayConfig::new(config.public_origin(), &config.guest_web)
    };
    Ok(gateway::router(Gateway {
        house: Arc::new(Counter(Arc::clone(house))),
        media_tokens: house
            .calls
            .is_some()
            .then(|| Arc::new(calls::TokenService(Arc::clone(house))) as _),
        participants: house
            .calls
            .is_some()
            .then(|| Arc::new(Counter(Arc::clone(house))) as _),
        appointments: house
            .bookings
            .is_some()
            .then(|| Arc::new(Counter(Arc::clone(house))) as _),
        texts: Arc::clone(&house.words.0),
        assets: Arc::new(Assets::load(&config.guest_web)?),
        config: Arc::new(gateway_config),
        shell,
    }))
}

fn internal_router(house: &Arc<House>, hs_token: &str, metrics: PrometheusHandle) -> Router {
    let ready = Arc::clone(house);
    let health = gateway::health_router(Arc::new(move || {
        let house = Arc::clone(&ready);
        Box::pin(async move { readiness(&house).await })
    }));
    let counts = Arc::clone(house);
    appservice::transactions::router(hs_token, Arc::new(Letterbox(Arc::clone(house))))
        .merge(health)
        .route(
            "/metrics",
            get(move || {
                let (house, metrics) = (Arc::clone(&counts), metrics.clone());
                async move {
                    crate::gauges::update(&house).await;
                    metrics.render()
                }
            }),
        )
}

/// Why knocks could not be taken; a known room counts also while the homeserver is away, for the outbox waits.
async fn readiness(house: &House) -> Result<(), String> {
    let database = house.store.ping().await;
    database.map_err(|fault| fault.to_string())?;
    if *house.rooms_seen_to.borrow() {
        return Ok(());
    }
    let city = house.city.get();
    let mut slugs = city.offices.iter().map(|office| &office.slug);
    match slugs.find(|slug| house.doors.room(slug).is_none()) {
        Some(slug) => Err(format!(
            "the room of {slug} does not exist yet: the homeserver has to answer; see `vorzimmer doctor`"
        )),
        None => Ok(()),
    }
}

async fn listen(address: std::net::SocketAddr, key: &str) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}: is another program there? Change {key} in the configuration"))
}

async fn host(listener: TcpListener, router: Router, mut closing: watch::Receiver<bool>) {
    let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
    let served = axum::serve(relay::gentle(listener), service)
        .with_graceful_shutdown(async move {
            let _ = closing.wait_for(|closing| *closing).await;
        })
        .await;
    if let Err(fault) = served {
        warn!("a listener has ended: {fault}");
    }
}

/// Reads the registration that the homeserver has as well.
fn read_registration(config: &Config) -> Result<Registration> {
    let path = &config.homeserver.registration;
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("cannot read {}; write it with `vorzimmer registration` and give it to the homeserver too", path.display())
    })?;
    Registration::from_yaml(&text)
        .with_context(|| format!("{} is not a registration", path.display()))
}

fn connect(config: &Config, registration: &Registration) -> Result<Matrix> {
    let deletion_token = config
        .homeserver
        .deletion_token_file
        .as_deref()
        .map(|path| {
            std::fs::read_to_string(path)
                .map(|token| token.trim().to_owned())
                .with_context(|| {
                    format!(
                        "cannot read homeserver.deletion_token_file {}",
                        path.display()
                    )
                })
        })
        .transpose()?;
    let server_name = ServerName::parse(&config.homeserver.server_name).with_context(|| {
        format!(
            "homeserver.server_name {:?} is not a server name",
            config.homeserver.server_name
        )
    })?;
    Ok(Matrix::new(MatrixConfig {
        homeserver: config.homeserver.url.clone(),
        server_name,
        appservice_id: registration.id().to_owned(),
        as_token: registration.as_token().to_owned(),
        sender_localpart: registration.sender_localpart().to_owned(),
        deletion_token,
        timeouts: appservice::client::Timeouts::default(),
    })?)
}

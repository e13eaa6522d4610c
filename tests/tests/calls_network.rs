//! Calls of the guest page through hostile and broken networks, and over the relays of two cities.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use blackbox::{
    Backend, CallServer, Engine, Grant, Joining, Picture, Service, Site, Talk, Turn, WorldOptions,
    eventually,
};
use serde_json::{Value, json};
use xtask::{http::http_client, synapse::Authority};

type TestResult = Result<()>;

/// How long a guest is without network.
const CUT: Duration = Duration::from_secs(30);
/// Half a day, in seconds: so long do credentials for TURN hold.
const LIFETIME: u64 = 12 * 60 * 60;

/// What the browser was told of TURN, when that was, and how many candidates its credentials are good for: as they
/// are, and with another time at which they lapse.
const TRY_CREDENTIALS: &str = "
const done = arguments[arguments.length - 1];
const tried = (server) => new Promise((resolve) => {
    const connection = new RTCPeerConnection({ iceServers: [server] });
    let candidates = 0;
    connection.onicecandidate = ({ candidate }) => {
        if (candidate?.candidate) candidates += 1;
        if (candidate === null) resolve(candidates);
    };
    connection.createDataChannel('anything');
    void connection.setLocalDescription();
});
(async () => {
    const own = window.__connections.find((it) => it.connectionState === 'connected');
    const [server] = own.getConfiguration().iceServers;
    const [lapses, label] = server.username.split(':');
    const prolonged = { ...server, username: `${Number(lapses) + 60}:${label}` };
    return {
        urls: server.urls,
        lapses: Number(lapses),
        now: Math.floor(Date.now() / 1000),
        own: await tried(server),
        prolonged: await tried(prolonged),
    };
})().then(done, (error) => done({ error: String(error) }));";

/// A guest whose network lets nothing but TURN through speaks with Anna.
async fn a_guest_speaks_by_turn(turn: Turn, way: &str) -> TestResult {
    let talk = Talk::begin_in(
        Engine::Chromium,
        WorldOptions {
            own_relay: true,
            turn: Some(turn),
            ..WorldOptions::default()
        },
    )
    .await?;
    let (citizen, browser) = (&talk.citizen, &talk.citizen.browser);
    browser.goes_by_turn_alone().await?;
    citizen.reloads().await?;
    citizen.chooses("Mit Bild und Ton sprechen").await?;
    talk.anna_meets_the_guest().await?;
    let ways = browser.ways().await?;
    ensure!(
        !ways.is_empty() && ways.iter().all(|it| it == way),
        "{ways:?}"
    );

    let told = browser
        .page()
        .execute_async(TRY_CREDENTIALS, vec![])
        .await?;
    let number = |field: &str| told[field].as_u64().with_context(|| told.to_string());
    let (lapses, now) = (number("lapses")?, number("now")?);
    ensure!(now < lapses && lapses <= now + LIFETIME, "{told}");
    ensure!(number("own")? > 0 && number("prolonged")? == 0, "{told}");
    Ok(())
}

#[tokio::test]
async fn a_guest_speaks_by_turn_over_udp() -> TestResult {
    a_guest_speaks_by_turn(Turn::Udp, "relay/udp").await
}

#[tokio::test]
async fn a_guest_speaks_by_turn_over_tcp() -> TestResult {
    a_guest_speaks_by_turn(Turn::Tcp, "relay/tcp").await
}

#[tokio::test]
async fn a_guest_speaks_by_turn_over_tls() -> TestResult {
    a_guest_speaks_by_turn(Turn::Tls, "relay/tls").await
}

#[tokio::test]
async fn after_half_a_minute_on_a_dead_line_the_guest_is_back_without_a_reload() -> TestResult {
    let talk = Talk::begin_on_a_line().await?;
    let (citizen, browser) = (&talk.citizen, &talk.citizen.browser);
    let line = talk.world.line.as_ref().context("no line")?;
    citizen.chooses("Mit Bild und Ton sprechen").await?;
    let anna = talk.anna_meets_the_guest().await?;
    let visit = citizen.visit_id().await?;
    let page = browser.page();
    page.execute("window.neverReloaded = true", vec![]).await?;

    line.dies();
    // The browser believes that it is online, as behind a router whose line is dead.
    citizen.reads("Die Verbindung ist unterbrochen.").await?;
    citizen.portrays("call-dead-line").await?;
    // Not to wait for something: this is how long the network is away.
    tokio::time::sleep(CUT).await;
    // Nobody's end has closed a connection, and yet the clerk is not left with somebody who is not there.
    talk.until_shown(false).await?;
    line.is_repaired();
    citizen.reads("Die Verbindung ist wieder da.").await?;
    citizen.reads("Sie sind verbunden mit anna.").await?;
    talk.both_see_and_hear(&anna).await?;
    let still = page
        .execute("return window.neverReloaded === true", vec![])
        .await?;
    ensure!(still == json!(true), "the page was loaded again");
    ensure!(citizen.visit_id().await? == visit, "another visit");
    talk.until_shown(true).await?;
    citizen.says("Da bin ich wieder.").await?;
    ensure!(
        anna.events("reconnecting").is_empty(),
        "Anna's line was dead as well"
    );
    Ok(())
}

#[tokio::test]
async fn a_call_over_the_relays_of_two_cities_carries_everybody_to_everybody() -> TestResult {
    let authority_dir = tempfile::tempdir()?;
    let authority = Arc::new(Authority::in_dir(authority_dir.path())?);
    let theirs = CallServer::start(Backend::Vorzimmer).await?;
    let theirs = theirs.context("our own relay")?;
    let options = WorldOptions {
        own_relay: true,
        authority: Some(Arc::clone(&authority)),
        ..WorldOptions::default()
    };
    let (talk, there) = tokio::try_join!(
        Talk::begin_in(Engine::Chromium, options),
        Site::neighbour(&authority)
    )?;
    let (citizen, browser) = (&talk.citizen, &talk.citizen.browser);
    let room = talk.room.as_str();

    // Frida of the other city comes into the room, and with her that city's relay and its token service.
    let frida = there.user("frida").await?;
    let invited = talk.anna.clerk.invite(room, frida.user_id()).await?;
    invited.success("inviting")?;
    let alias = format!("#x:{}", talk.world.site.homeserver.server_name());
    eventually("the invitation to arrive", async || {
        Ok(frida.join_via(room, &alias).await.ok())
    })
    .await?;
    let their_service = Service::answering(json!({
        "url": theirs.url(),
        "jwt": theirs.sign(Grant::join(room, &talk.guest()))?,
    }))
    .await?;
    let (publishing, watching) = (theirs.stranger(2).await?, theirs.stranger(3).await?);
    let identity = format!("{}:{}", frida.user_id(), frida.device_id());
    let token = theirs.sign(Grant::join(room, &identity))?;
    publishing
        .join(&theirs.url(), &token, &Joining::default())
        .await?;
    publishing.talk().await?;
    publishing.show("cam", Picture::SMALL).await?;

    citizen.chooses("Mit Bild und Ton sprechen").await?;
    let anna = talk.anna_joins().await?;
    anna.talk().await?;
    anna.show("cam", Picture::SMALL).await?;
    let address = format!("http://{}", their_service.address());
    talk.is_shown(&frida, Some(&address)).await?;
    // As Element Call does, Frida receives at the city's relay what others send there.
    talk.connects(&frida, &watching).await?;
    tokio::try_join!(
        browser.sees_and_hears(2, 2),
        talk.anna_sees_and_hears(&anna),
        talk.anna_sees_and_hears(&watching)
    )?;
    citizen.portrays("call-two-relays").await?;
    let guest_there = publishing.look().await?[talk.guest()].clone();
    ensure!(
        guest_there["tracks"] == json!({}),
        "the guest publishes at home alone: {guest_there}"
    );

    // The other city's token service got a proof of who the guest is that the guest's homeserver confirms.
    let asked = their_service.asked("/get_token");
    let asked = asked.first().context("no token was asked for")?;
    ensure!(
        asked["member"]["claimed_user_id"] == talk.ghost.as_str(),
        "{asked}"
    );
    let homeserver = talk.world.site.homeserver.config().local_url();
    let proof = asked["openid_token"]["access_token"]
        .as_str()
        .context("no proof")?;
    let confirm =
        format!("{homeserver}/_matrix/federation/v1/openid/userinfo?access_token={proof}");
    let confirmed: Value = http_client()?.get(confirm).send().await?.json().await?;
    ensure!(confirmed["sub"] == talk.ghost.as_str(), "{confirmed}");
    // Whoever has it there does not come into the call as the guest by it.
    let by_device = json!({
        "room": room, "openid_token": asked["openid_token"], "device_id": "VORZIMMER",
    });
    for (path, request) in [("sfu/get", &by_device), ("get_token", asked)] {
        let url = talk.world.url(&format!("/livekit/jwt/{path}"));
        let answer = http_client()?.post(url).json(request).send().await?;
        ensure!(answer.status() == 403, "{path}: {answer:?}");
    }

    // Frida hangs up: the guest leaves that relay, and the call goes on.
    talk.is_shown(&frida, None).await?;
    publishing
        .event("went", |event| event["who"] == talk.guest().as_str())
        .await?;
    talk.both_see_and_hear(&anna).await
}

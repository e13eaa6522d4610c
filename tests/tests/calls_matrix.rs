//! Calls as Matrix sees them: who gets a token, and how long a guest is shown to be in a call.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blackbox::{
    Answer, Backend, CallServer, Caller, Client, Desk, Events, Guest, Happening, Joining, MEMBER,
    RelayAccess, Service, Site, World, WorldOptions, eventually,
};
use http::Method;
use serde_json::{Value, json};
use xtask::{http::http_client, synapse::Authority};

type TestResult = Result<()>;

/// A word that must be nowhere but in the room's membership list.
const NAME: &str = "Käthe Kruse";
const STICKY: &str = "org.matrix.msc4143.rtc.member";
const RING: &str = "org.matrix.msc4075.rtc.notification";

async fn world(relay: RelayAccess, authority: Option<&Arc<Authority>>) -> Result<World> {
    World::start_with(WorldOptions {
        relay: Some(relay),
        authority: authority.cloned(),
        ..WorldOptions::default()
    })
    .await
}

/// A guest in conversation with Anna.
struct Talk {
    anna: Desk,
    guest: Guest,
    page: Events,
    visit: String,
    room: String,
    ghost: String,
}

impl Talk {
    async fn begin(world: &World) -> Result<Self> {
        let mut talk = Self::called(world).await?;
        talk.guest.enter(&talk.visit).await?;
        world.settled().await?;
        // What the page has been told until now is no news.
        talk.page
            .until("the conversation", |name, data| {
                (name == "visit" && data["state"] == "in_conversation").then_some(())
            })
            .await?;
        Ok(talk)
    }

    /// Called, with the page open, and not in yet.
    async fn called(world: &World) -> Result<Self> {
        let mut anna = world.desk("anna", "gewerbe").await?;
        anna.on_duty().await?;
        let guest = world.guest()?;
        let form = json!({
            "concern": "Eisdiele", "name": NAME, "language": "de", "privacy_accepted": true,
        });
        let visit = guest
            .knock_with("gewerbe", &form)
            .await?
            .success("knocking")?;
        let visit = visit["id"].as_str().context("an id")?.to_owned();
        let page = guest.events(&visit).await?;
        let ghost = anna.approves("G-001").await?;
        let room = anna.consultation("G-001").await?;
        guest.until(&visit, "called").await?;
        Ok(Self {
            anna,
            guest,
            page,
            visit,
            room,
            ghost,
        })
    }

    fn key(&self) -> String {
        format!("_{}_VORZIMMER_m.call", self.ghost)
    }

    async fn call(&self, method: Method) -> Result<Answer> {
        let path = format!("visits/{}/call", self.visit);
        self.guest.call(method, &path, None).await
    }

    async fn join(&self) -> Result<Value> {
        self.call(Method::POST).await?.success("joining the call")
    }

    /// Waits until the clerk's client shows the guest in the call, or not.
    async fn until_shown(&self, shown: bool) -> Result<Value> {
        eventually(&format!("the guest to be in the call: {shown}"), || async {
            let key = self.key();
            let content = self.anna.clerk.state(&self.room, MEMBER, &key).await?;
            let content = content.unwrap_or_else(|| json!({}));
            let is_shown = content != json!({});
            Ok((is_shown == shown).then_some(content))
        })
        .await
    }

    /// Events of a type in the room, the newest first.
    async fn events(&self, event_type: &str) -> Result<Vec<Value>> {
        let mut events = self.anna.clerk.messages(&self.room, 100).await?;
        events.retain(|event| event["type"] == event_type);
        Ok(events)
    }
}

async fn openid(client: &Client) -> Result<Value> {
    let user = client.user_id().replace('@', "%40").replace(':', "%3A");
    let path = format!("v3/user/{user}/openid/request_token");
    client
        .call(Method::POST, &path, Some(&json!({})))
        .await?
        .success("an OpenID token")
}

fn asked(room: &str, client: &Client, openid: &Value) -> Value {
    json!({
        "room_id": room, "slot_id": "m.call#ROOM", "openid_token": openid,
        "member": { "id": "m1", "claimed_user_id": client.user_id(), "claimed_device_id": client.device_id() },
    })
}

fn asked_before(room: &str, client: &Client, openid: &Value) -> Value {
    json!({ "room": room, "openid_token": openid, "device_id": client.device_id() })
}

async fn token(world: &World, way: &str, body: &Value) -> Result<(u16, Value)> {
    let answer = http_client()?
        .post(world.url(&format!("/livekit/jwt/{way}")))
        .header("origin", "https://element.example")
        .json(body)
        .send()
        .await?;
    ensure!(answer.headers()["access-control-allow-origin"] == "*");
    Ok((answer.status().as_u16(), answer.json().await?))
}

/// The claims of an access token.
fn claims(token: &Value) -> Result<Value> {
    let part = token.as_str().and_then(|token| token.split('.').nth(1));
    let claims = URL_SAFE_NO_PAD.decode(part.context("a token")?)?;
    Ok(serde_json::from_slice(&claims)?)
}

/// The room of a call stays for as long as a token for it is good, which cannot begin one.
fn outlasts(room: &Value, token: &Value) -> TestResult {
    let good_for = token["exp"].as_i64().context("exp")? - token["nbf"].as_i64().context("nbf")?;
    for timeout in ["empty_timeout", "departure_timeout"] {
        ensure!(room[timeout].as_i64() >= Some(good_for), "{room} {token}");
    }
    ensure!(token["video"].get("roomCreate").is_none(), "{token}");
    Ok(())
}

async fn transports(client: &Client) -> Result<Value> {
    let path = "unstable/org.matrix.msc4143/rtc/transports";
    client
        .call(Method::GET, path, None)
        .await?
        .success("transports")
}

#[tokio::test]
async fn who_is_in_the_room_gets_a_token_and_nobody_else() -> TestResult {
    let relay = Service::answering(json!({})).await?;
    let world = world(relay.as_relay(), None).await?;
    let talk = Talk::begin(&world).await?;
    let (anna, bernd) = (&talk.anna.clerk, world.clerk("bernd")?);
    assert_eq!(
        transports(anna).await?["rtc_transports"],
        json!([{ "type": "livekit", "livekit_service_url": world.url("/livekit/jwt") }])
    );

    let proof = openid(anna).await?;
    let (status, new) = token(&world, "get_token", &asked(&talk.room, anna, &proof)).await?;
    assert_eq!(status, 200, "{new}");
    assert_eq!(new["url"], format!("ws://{}", relay.address()));
    let (status, old) = token(&world, "sfu/get", &asked_before(&talk.room, anna, &proof)).await?;
    assert_eq!(status, 200, "{old}");
    let (new, old) = (claims(&new["jwt"])?, claims(&old["jwt"])?);
    assert_eq!(
        old["sub"],
        format!("{}:{}", anna.user_id(), anna.device_id())
    );
    assert!(!new.to_string().contains("anna"), "{new}");
    assert_eq!(new["video"], old["video"]);
    assert_eq!(new["video"]["roomJoin"], true);
    assert_eq!(new["iss"], "devkey");
    let begun = relay.asked("/twirp/livekit.RoomService/CreateRoom");
    assert_eq!(begun.len(), 2);
    assert!(
        begun
            .iter()
            .all(|room| room["name"] == new["video"]["room"])
    );
    outlasts(&begun[0], &new)?;

    // Nobody's token, somebody else's, and nobody's homeserver.
    let mut forged = proof.clone();
    forged["access_token"] = json!("forged");
    let mut foreign = proof.clone();
    foreign["matrix_server_name"] = json!("localhost:1");
    let as_bernd = asked(&talk.room, bernd, &proof);
    for body in [
        asked(&talk.room, anna, &forged),
        asked(&talk.room, anna, &foreign),
        as_bernd,
    ] {
        let (status, answer) = token(&world, "get_token", &body).await?;
        assert_eq!(
            (status, &answer["errcode"]),
            (401, &json!("M_UNAUTHORIZED"))
        );
    }
    // Not in the room; a room of the house without calls; a room of others; no room at all.
    let theirs = bernd
        .create_room(&json!({ "preset": "private_chat" }))
        .await?;
    let proof = openid(bernd).await?;
    for room in [&talk.room, &talk.anna.door, &theirs, &"!nowhere".to_owned()] {
        let (status, answer) = token(&world, "sfu/get", &asked_before(room, bernd, &proof)).await?;
        assert_eq!(
            (status, &answer["errcode"]),
            (403, &json!("M_FORBIDDEN")),
            "{room}"
        );
    }
    assert_eq!(
        relay.asked("CreateRoom").len(),
        2,
        "nobody else begins a call"
    );

    // Whoever leaves the room is taken out of the call.
    anna.invite(&talk.room, bernd.user_id())
        .await?
        .success("inviting")?;
    eventually("Bernd to be in the room", async || {
        Ok(bernd.join(&talk.room).await.ok())
    })
    .await?;
    let proof = openid(bernd).await?;
    let (status, inside) = token(&world, "get_token", &asked(&talk.room, bernd, &proof)).await?;
    assert_eq!(status, 200, "{inside}");
    let name = claims(&inside["jwt"])?["sub"].clone();
    bernd.leave(&talk.room).await?;
    let out = eventually("Bernd to be taken out", async || {
        let out = relay.asked("/twirp/livekit.RoomService/RemoveParticipant");
        Ok((!out.is_empty()).then_some(out))
    })
    .await?;
    let [out] = out.as_slice() else {
        bail!("taken out more than once: {out:?}");
    };
    assert_eq!(
        (&out["room"], &out["identity"]),
        (&new["video"]["room"], &name)
    );
    ensure!(out["revoke_token_ts"].is_i64(), "tokens go on: {out}");

    // After the end there is no call.
    talk.guest.leave(&talk.visit).await?;
    world.settled().await?;
    let proof = openid(anna).await?;
    let (status, _) = token(&world, "get_token", &asked(&talk.room, anna, &proof)).await?;
    assert_eq!(status, 403);
    let ended = relay.asked("/twirp/livekit.RoomService/DeleteRoom");
    assert_eq!(ended, [json!({ "room": new["video"]["room"] })]);
    Ok(())
}

/// A relay that goes on without the program goes on with whoever is in a call there.
#[tokio::test]
async fn whoever_leaves_the_room_while_the_program_is_away_is_taken_out_when_it_is_back()
-> TestResult {
    let relay = Service::answering(json!({})).await?;
    let mut world = world(relay.as_relay(), None).await?;
    let talk = Talk::begin(&world).await?;
    let bernd = world.clerk("bernd")?.clone();
    talk.anna
        .clerk
        .invite(&talk.room, bernd.user_id())
        .await?
        .success("inviting")?;
    eventually("Bernd to be in the room", async || {
        Ok(bernd.join(&talk.room).await.ok())
    })
    .await?;
    let proof = openid(&bernd).await?;
    let (status, inside) = token(&world, "get_token", &asked(&talk.room, &bernd, &proof)).await?;
    assert_eq!(status, 200, "{inside}");
    let name = claims(&inside["jwt"])?["sub"].clone();
    world.vorzimmer.kill()?;
    bernd.leave(&talk.room).await?;
    world.vorzimmer.resume().await?;
    eventually("Bernd to be taken out", async || {
        let out = relay.asked("/twirp/livekit.RoomService/RemoveParticipant");
        Ok(out.iter().any(|one| one["identity"] == name).then_some(()))
    })
    .await
}

#[tokio::test]
async fn an_old_token_leads_back_into_an_empty_call_until_the_visit_ends() -> TestResult {
    let world = World::start_with(WorldOptions {
        own_relay: true,
        ..WorldOptions::default()
    })
    .await?;
    let talk = Talk::begin(&world).await?;
    let anna = &talk.anna.clerk;
    let proof = openid(anna).await?;
    let (status, granted) =
        token(&world, "sfu/get", &asked_before(&talk.room, anna, &proof)).await?;
    assert_eq!(status, 200, "{granted}");
    let own = talk.join().await?["transports"][0].clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let url = text(&granted["url"]);
    let (hers, theirs) = (text(&granted["jwt"]), text(&own["token"]));
    let joins = async |number: u8, token: &str| {
        let caller = Caller::start(number, world.dir()).await?;
        caller.join(&url, token, &Joining::default()).await?;
        anyhow::Ok(caller)
    };
    for round in 0..2 {
        let clerk = joins(round, &hers).await?;
        let guest = joins(10 + round, &theirs).await?;
        clerk.event("came", |_| true).await?;
        clerk.leave().await?;
        guest.leave().await?;
    }
    talk.guest.leave(&talk.visit).await?;
    world.settled().await?;
    for token in [&hers, &theirs] {
        let late = joins(20, token).await;
        ensure!(late.is_err(), "an old token begins a call");
    }
    Ok(())
}

#[tokio::test]
async fn somebody_of_another_homeserver_gets_a_token_when_in_the_room() -> TestResult {
    let authority_dir = tempfile::tempdir()?;
    let authority = Arc::new(Authority::in_dir(authority_dir.path())?);
    let relay = Service::answering(json!({})).await?;
    let mut world = world(relay.as_relay(), Some(&authority)).await?;
    let there = Site::neighbour(&authority).await?;
    let frida = there.user("frida").await?;
    let talk = Talk::begin(&world).await?;

    let body = |proof: &Value| asked(&talk.room, &frida, proof);
    let outside = token(&world, "get_token", &body(&openid(&frida).await?)).await?;
    assert_eq!(outside.0, 403, "{}", outside.1);
    talk.anna
        .clerk
        .invite(&talk.room, frida.user_id())
        .await?
        .success("inviting")?;
    let alias = format!("#x:{}", world.site.homeserver.server_name());
    eventually("the invitation to arrive", || async {
        Ok(frida.join_via(&talk.room, &alias).await.ok())
    })
    .await?;
    let inside = eventually("the token", || async {
        let answer = token(&world, "get_token", &body(&openid(&frida).await?)).await?;
        Ok((answer.0 == 200).then_some(answer.1))
    })
    .await?;
    claims(&inside["jwt"])?;
    assert!(
        relay.asked("CreateRoom").is_empty(),
        "a guest begins no call"
    );

    // A homeserver speaks for its own users alone.
    let mut proof = openid(&frida).await?;
    proof["matrix_server_name"] = json!(world.site.homeserver.server_name());
    assert_eq!(token(&world, "get_token", &body(&proof)).await?.0, 401);

    // Without leave, no machine of a private network is asked.
    world.vorzimmer.stop().await?;
    let calls = world.vorzimmer.config().calls.as_mut();
    calls.context("calls")?.remove("allowed_networks");
    world.vorzimmer.resume().await?;
    let refused = token(&world, "get_token", &body(&openid(&frida).await?)).await?;
    assert_eq!(refused.0, 401, "{}", refused.1);
    Ok(())
}

#[tokio::test]
async fn a_guest_is_shown_in_the_call_for_as_long_as_they_are_there() -> TestResult {
    let relay = Service::answering(json!({})).await?;
    let mut world = world(relay.as_relay(), None).await?;

    // The clerk's client rings the moment the visit is called.
    let mut talk = Talk::called(&world).await?;
    let content = talk.until_shown(true).await?;
    assert_eq!(content["application"], "m.call");
    assert_eq!(
        content["foci_preferred"][0]["livekit_service_url"],
        world.url("/livekit/jwt")
    );
    let (room, anna) = (talk.room.clone(), talk.anna.clerk.user_id().to_owned());
    let ring = talk
        .anna
        .sees("the ring", |Happening { room_id: at, event }| {
            *at == room && event["type"] == RING
        })
        .await?;
    assert_eq!(ring.event["sender"], talk.ghost.as_str());
    let ring = &ring.event["content"];
    assert_eq!(ring["notification_type"], "ring");
    assert_eq!(ring["m.mentions"]["user_ids"], json!([anna]));
    let rung_for = ring["m.relates_to"]["event_id"]
        .as_str()
        .context("an event")?;
    let member = talk.anna.clerk.event(&talk.room, rung_for).await?;
    assert_eq!(member["state_key"], talk.key());
    let early = talk.call(Method::POST).await?;
    assert_eq!(early.problem(), Some("no-conversation"));

    // Entered, hung up, joined again.
    talk.guest.enter(&talk.visit).await?;
    let joined = talk.join().await?;
    let own = &joined["transports"][0];
    assert_eq!(own["own"], true);
    let own = claims(&own["token"])?;
    assert_eq!(own["sub"], format!("{}:VORZIMMER", talk.ghost));
    assert_eq!(joined["participants"][0]["name"], NAME);
    assert_eq!(joined["participants"][0]["identity"], own["sub"]);
    for _ in 0..2 {
        let left = talk.call(Method::DELETE).await?;
        assert_eq!(left.status.as_u16(), 204);
    }
    talk.until_shown(false).await?;
    talk.join().await?;
    talk.join().await?;
    talk.until_shown(true).await?;
    world.settled().await?;

    // No name and no concern in the room's state, but for the name in the membership list.
    let state = talk.anna.clerk.full_state(&talk.room).await?;
    for event in state
        .iter()
        .filter(|event| event["type"] != "m.room.member")
    {
        let text = event.to_string();
        assert!(
            !text.contains("Kruse") && !text.contains("Eisdiele"),
            "{text}"
        );
    }

    // Killed: the homeserver takes the guest out by itself.
    world.vorzimmer.kill()?;
    talk.until_shown(false).await?;
    world.vorzimmer.resume().await?;
    talk.page = talk.guest.events(&talk.visit).await?;
    talk.join().await?;
    talk.until_shown(true).await?;

    // The page is gone.
    drop(talk.page);
    eventually("the guest to be out of the call", || async {
        let key = format!("_{}_VORZIMMER_m.call", talk.ghost);
        let content = talk.anna.clerk.state(&talk.room, MEMBER, &key).await?;
        Ok(content.filter(|content| *content == json!({})))
    })
    .await?;
    Ok(())
}

/// A city whose guests are shown in calls by sticky events as well.
async fn sticky_world(relay: &Service) -> Result<World> {
    let access = RelayAccess {
        sticky: true,
        ..relay.as_relay()
    };
    world(access, None).await
}

#[tokio::test]
async fn the_end_of_the_visit_ends_the_guests_call_in_both_forms() -> TestResult {
    let relay = Service::answering(json!({})).await?;
    let world = sticky_world(&relay).await?;
    let talk = Talk::begin(&world).await?;
    let joined = talk.join().await?;
    talk.until_shown(true).await?;
    let stuck = talk.events(STICKY).await?;
    let member = stuck.first().context("a sticky membership")?;
    assert_eq!(member["sender"], talk.ghost.as_str());
    assert_eq!(member["content"]["member"]["user_id"], talk.ghost.as_str());
    assert_eq!(member["content"]["msc4354_sticky_key"], talk.key());
    let own = claims(&joined["transports"][0]["token"])?;
    let identity = own["sub"].as_str().context("an identity")?;
    assert!(!identity.contains("_vorzimmer_"), "{identity}");

    talk.guest.leave(&talk.visit).await?;
    talk.until_shown(false).await?;
    world.settled().await?;
    let stuck = talk.events(STICKY).await?;
    assert_eq!(
        stuck.first().context("a sticky event")?["content"],
        json!({ "msc4354_sticky_key": talk.key() })
    );
    Ok(())
}

#[tokio::test]
async fn a_citizen_whom_the_clerk_puts_out_of_the_room_has_been_served() -> TestResult {
    let relay = Service::answering(json!({})).await?;
    let world = sticky_world(&relay).await?;
    let talk = Talk::begin(&world).await?;
    talk.join().await?;
    talk.until_shown(true).await?;

    // A ghost of another visit, who has no business here, is put out without consequences.
    let other = world.stranger()?;
    other.knock("gewerbe", "Verirrt").await?;
    let mut anna = talk.anna;
    let knock = anna.sees_knock("G-002").await?;
    let stray = knock["state_key"].as_str().context("a ghost")?;
    let clerk = &anna.clerk;
    let invited = clerk.invite(&talk.room, stray).await?;
    invited.success("inviting")?;
    clerk
        .kick(&talk.room, stray)
        .await?
        .success("putting out")?;
    world.settled().await?;
    let visit = talk.guest.visit(&talk.visit).await?;
    ensure!(visit["state"] == "in_conversation", "{visit}");

    clerk
        .kick(&talk.room, &talk.ghost)
        .await?
        .success("putting out")?;
    let visit = talk.guest.until(&talk.visit, "ended").await?;
    ensure!(visit["ending"] == "served", "{visit}");
    eventually("the membership of the call to be gone", async || {
        let key = format!("_{}_VORZIMMER_m.call", talk.ghost);
        let content = clerk.state(&talk.room, MEMBER, &key).await?;
        Ok(content.filter(|content| *content == json!({})))
    })
    .await?;
    world.settled().await?;
    assert_eq!(
        relay.asked("/twirp/livekit.RoomService/DeleteRoom").len(),
        1
    );
    let path = format!("visits/{}/call", talk.visit);
    let late = talk.guest.call(Method::POST, &path, None).await?;
    assert_eq!(late.problem(), Some("no-conversation"));
    Ok(())
}

#[tokio::test]
async fn a_guest_learns_who_is_in_the_call_and_where_they_send_to() -> TestResult {
    let relay = Service::answering(json!({})).await?;
    let elsewhere =
        Service::answering(json!({ "url": "wss://sfu.example", "jwt": "j.w.t" })).await?;
    let world = world(relay.as_relay(), None).await?;
    let mut talk = Talk::begin(&world).await?;
    let alone = talk.join().await?;
    assert_eq!(alone["participants"].as_array().map(Vec::len), Some(1));

    let service = format!("http://{}", elsewhere.address());
    let membership = |device: &str| {
        json!({
            "application": "m.call", "call_id": "", "scope": "m.room", "device_id": device, "expires": 14_400_000,
            "focus_active": { "type": "livekit", "focus_selection": "multi_sfu" },
            "foci_preferred": [{ "type": "livekit", "livekit_service_url": service }],
        })
    };
    let anna = talk.anna.clerk.clone();
    let key = |device: &str| format!("_{}_{device}_m.call", anna.user_id());
    anna.set_state(&talk.room, MEMBER, &key("PHONE"), &membership("PHONE"))
        .await?;
    talk.page
        .until("the clerk to join", |name, _| {
            (name == "call").then_some(())
        })
        .await?;
    // Written by the clerk in the name of the guest: believed by nobody.
    let forged = format!("_{}_OTHER_m.call", talk.ghost);
    anna.set_state(&talk.room, MEMBER, &forged, &membership("OTHER"))
        .await?;
    let joined = talk.join().await?;
    let people = joined["participants"].as_array().context("participants")?;
    assert_eq!(people.len(), 2, "{people:?}");
    assert_eq!(people[1]["role"], "clerk");
    assert_eq!(people[1]["identity"], format!("{}:PHONE", anna.user_id()));
    assert_eq!(people[1]["name"], "anna");
    assert_eq!(
        joined["transports"][1],
        json!({ "url": "wss://sfu.example", "token": "j.w.t", "own": false })
    );
    let proof = elsewhere.asked("/get_token");
    assert_eq!(proof.len(), 1);
    assert_eq!(proof[0]["member"]["claimed_user_id"], talk.ghost.as_str());
    assert_eq!(proof[0]["room_id"], talk.room.as_str());

    anna.set_state(&talk.room, MEMBER, &key("PHONE"), &json!({}))
        .await?;
    eventually("the clerk to be gone", || async {
        let joined = talk.join().await?;
        let people = joined["participants"].as_array().map(Vec::len);
        Ok((people == Some(1)).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_livekit_server_accepts_our_tokens() -> TestResult {
    let Some(livekit) = CallServer::start(Backend::LiveKit).await? else {
        return Ok(());
    };
    accepted_by(&livekit).await
}

#[tokio::test]
async fn our_relay_accepts_our_tokens() -> TestResult {
    let relay = CallServer::start(Backend::Vorzimmer).await?;
    accepted_by(&relay.context("our own relay")?).await
}

async fn accepted_by(relay: &CallServer) -> TestResult {
    let world = world(RelayAccess::of(relay), None).await?;
    let talk = Talk::begin(&world).await?;
    let joined = talk.join().await?;
    let guest = joined["transports"][0]["token"]
        .as_str()
        .context("a token")?;
    let judged =
        async |token: &str| Ok::<_, anyhow::Error>(relay.validate("/rtc/validate", token).await?.0);
    assert_eq!(judged(guest).await?, 200);
    let anna = &talk.anna.clerk;
    let proof = openid(anna).await?;
    let (_, answer) = token(&world, "get_token", &asked(&talk.room, anna, &proof)).await?;
    let clerk = answer["jwt"].as_str().context("a token")?;
    assert_eq!(judged(clerk).await?, 200);
    let (signed, _) = clerk.rsplit_once('.').context("a signature")?;
    assert_eq!(judged(&format!("{signed}.AAAA")).await?, 401);
    talk.guest.leave(&talk.visit).await?;
    world.settled().await
}

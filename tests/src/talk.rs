//! A guest in conversation with Anna: the citizen in front of the page, the clerk with LiveKit's SDK in place of
//! Element Call.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use http::Method;
use serde_json::{Value, json};
use xtask::http::http_client;

use crate::{
    browser::Engine,
    call::{CallServer, Caller, Joining, Picture, Way},
    citizen::{Citizen, Knock},
    client::Client,
    desk::Desk,
    relay::{RelayAccess, Turn, address_of_this_machine},
    wait::eventually,
    world::{World, WorldOptions},
};

/// A call membership in room state (MSC3401).
pub const MEMBER: &str = "org.matrix.msc3401.call.member";

/// A guest who has entered the conversation, in a city whose calls go over the program's own relay.
#[derive(Debug)]
pub struct Talk {
    /// The clerk.
    pub anna: Desk,
    /// The guest.
    pub citizen: Citizen,
    /// The consultation room.
    pub room: String,
    /// Who stands for the guest in Matrix.
    pub ghost: String,
    /// Homeserver and program. Last: what runs in it ends before.
    pub world: World,
}

impl Talk {
    /// Knocked, called, entered; nobody is in the call yet.
    pub async fn begin(engine: Engine) -> Result<Self> {
        let options = WorldOptions {
            own_relay: true,
            media_ip: match engine {
                Engine::Chromium => Ipv4Addr::LOCALHOST.into(),
                // Its own candidates are never on loopback, and from others nothing reaches loopback.
                Engine::Firefox => address_of_this_machine(),
            },
            ..WorldOptions::default()
        };
        Self::begin_in(engine, options).await
    }

    /// The same over a relay of its own.
    pub async fn begin_over(relay: &CallServer) -> Result<Self> {
        let options = WorldOptions {
            relay: Some(RelayAccess::of(relay)),
            ..WorldOptions::default()
        };
        Self::begin_in(Engine::Chromium, options).await
    }

    /// The same with the guest at [`World::line`], around which no TURN leads.
    pub async fn begin_on_a_line() -> Result<Self> {
        let options = WorldOptions {
            own_relay: true,
            lined: true,
            turn: Some(Turn::Tcp),
            ..WorldOptions::default()
        };
        let talk = Self::begin_in(Engine::Chromium, options).await?;
        talk.citizen.browser.goes_without_turn().await?;
        talk.citizen.reloads().await?;
        Ok(talk)
    }

    /// The same in another world, which has some relay.
    pub async fn begin_in(engine: Engine, options: WorldOptions) -> Result<Self> {
        let world = World::start_with(options).await?;
        let (mut anna, citizen) = tokio::try_join!(
            world.desk("anna", "gewerbe"),
            Citizen::equipped(&world, engine)
        )?;
        anna.on_duty().await?;
        let knock = Knock {
            concern: "Ich eröffne ein Café.",
            name: "Kim",
            ..Knock::default()
        };
        let ticket = citizen.knocks("gewerbe", knock).await?;
        let ghost = anna.approves(&ticket).await?;
        let room = anna.consultation(&ticket).await?;
        citizen.sees_heading("Sie sind dran!").await?;
        citizen.enters().await?;
        if engine == Engine::Firefox {
            citizen.browser.watch_calls_from_now_on().await?;
        }
        Ok(Self {
            anna,
            citizen,
            room,
            ghost,
            world,
        })
    }

    /// The guest's name on the relay.
    #[must_use]
    pub fn guest(&self) -> String {
        format!("{}:VORZIMMER", self.ghost)
    }

    /// Anna joins the call as her client would: a membership in the room, and a token for the relay.
    pub async fn anna_joins(&self) -> Result<Caller> {
        let service = self.world.url("/livekit/jwt");
        self.is_shown(&self.anna.clerk, Some(&service)).await?;
        let caller = Caller::start(1, self.world.dir()).await?;
        self.connects(&self.anna.clerk, &caller).await?;
        Ok(caller)
    }

    /// Anna joins, speaks and shows herself to the guest, who is in the call; each sees and hears the other.
    pub async fn anna_meets_the_guest(&self) -> Result<Caller> {
        let anna = self.anna_joins().await?;
        anna.talk().await?;
        anna.show("cam", Picture::SMALL).await?;
        self.citizen.reads("Sie sind verbunden mit anna.").await?;
        self.both_see_and_hear(&anna).await?;
        Ok(anna)
    }

    /// The guest's page decodes pictures of Anna and hears her, and Anna's client the guest's, from now on.
    pub async fn both_see_and_hear(&self, anna: &Caller) -> Result<()> {
        let guest = self.citizen.browser.sees_and_hears(1, 1);
        tokio::try_join!(guest, self.anna_sees_and_hears(anna)).map(drop)
    }

    /// Shows somebody in the call, whose media are at the relay of a token service; or no longer.
    pub async fn is_shown(&self, who: &Client, service: Option<&str>) -> Result<()> {
        let key = format!("_{}_{}_m.call", who.user_id(), who.device_id());
        let membership = service.map_or_else(
            || json!({}),
            |service| {
                json!({
                    "application": "m.call",
                    "call_id": "",
                    "scope": "m.room",
                    "device_id": who.device_id(),
                    "expires": 14_400_000,
                    "focus_active": { "type": "livekit", "focus_selection": "multi_sfu" },
                    "foci_preferred": [{
                        "type": "livekit",
                        "livekit_service_url": service,
                        "livekit_alias": self.room,
                    }],
                })
            },
        );
        who.set_state(&self.room, MEMBER, &key, &membership)
            .await
            .map(drop)
    }

    /// Connects somebody's client to the city's relay, with a token of the token service.
    pub async fn connects(&self, who: &Client, caller: &Caller) -> Result<()> {
        let user = who.user_id().replace('@', "%40").replace(':', "%3A");
        let path = format!("v3/user/{user}/openid/request_token");
        let proof = who.call(Method::POST, &path, Some(&json!({}))).await?;
        let asked = json!({
            "room": self.room,
            "openid_token": proof.success("an OpenID token")?,
            "device_id": who.device_id(),
        });
        let granted: Value = http_client()?
            .post(self.world.url("/livekit/jwt/sfu/get"))
            .json(&asked)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        let text = |field: &str| granted[field].as_str().context("no such field");
        let (url, token) = (text("url")?, text("jwt")?);
        let Some(line) = &self.world.line else {
            return caller.join(url, token, &Joining::default()).await;
        };
        // Only the citizen is at the line; TURN leads around it.
        let joining = Joining {
            way: Way::Turn,
            ..Joining::default()
        };
        caller.join(&line.beside(url), token, &joining).await
    }

    /// Anna's client decodes pictures of the guest and hears the beeps, from now on.
    pub async fn anna_sees_and_hears(&self, anna: &Caller) -> Result<()> {
        let before = self.received(anna).await?;
        let mut last = before;
        let found = eventually("pictures and sound of the guest", async || {
            last = self.received(anna).await?;
            Ok((last.0 >= before.0 + 10 && last.1 > before.1).then_some(()))
        })
        .await;
        found.with_context(|| format!("at first {before:?}, at last {last:?}"))
    }

    /// Pictures, and pieces of sound that were not silent, which Anna's client has received of the guest.
    async fn received(&self, anna: &Caller) -> Result<(u64, u64)> {
        let (camera, microphone) = (
            self.track(anna, "camera").await?,
            self.track(anna, "microphone").await?,
        );
        let pieces = microphone["hertz"].as_object().into_iter().flatten();
        Ok((
            camera["frames"].as_u64().unwrap_or_default(),
            pieces.filter_map(|(_, count)| count.as_u64()).sum(),
        ))
    }

    /// What Anna's client knows of a track of the guest's.
    pub async fn track(&self, anna: &Caller, name: &str) -> Result<Value> {
        Ok(anna.look().await?[self.guest()]["tracks"][name].clone())
    }

    /// Waits until Anna's Element shows the guest in the call, or not.
    pub async fn until_shown(&self, shown: bool) -> Result<()> {
        let key = format!("_{}_VORZIMMER_m.call", self.ghost);
        eventually(
            &format!("the guest to be in the call: {shown}"),
            async || {
                let content = self.anna.clerk.state(&self.room, MEMBER, &key).await?;
                let there = content.is_some_and(|content| content != json!({}));
                Ok((there == shown).then_some(()))
            },
        )
        .await
    }

    /// Waits until the guest is out of the call, on the relay and for Anna's Element.
    pub async fn until_hung_up(&self, anna: &Caller) -> Result<()> {
        eventually("the guest to be gone from the relay", async || {
            let there = anna.look().await?;
            Ok(there.get(self.guest()).is_none().then_some(()))
        })
        .await?;
        self.until_shown(false).await
    }

    /// Waits until a control of the call is on or off, as a screen reader would say it.
    pub async fn control_is(&self, label: &str, on: bool) -> Result<()> {
        let script = "const [label, on] = arguments;
            return [...document.querySelectorAll('.vz-control')]
                .some(it => it.innerText.includes(label) && it.getAttribute('aria-pressed') === String(on))";
        self.citizen
            .browser
            .wait_until(
                &format!("{label} to be on: {on}"),
                script,
                vec![label.into(), on.into()],
            )
            .await
    }
}

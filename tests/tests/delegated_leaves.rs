//! Clerks' clients that hand their delayed leave over (MSC4140, MSC4195): real homeserver, LiveKit's own client.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use blackbox::{Caller, Client, Desk, Joining, MEMBER, World, eventually};
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use xtask::http::http_client;

type TestResult = Result<()>;

/// After how long the homeserver takes a client out that hands nothing over.
const SHORT: Duration = Duration::from_secs(6);
/// Longer than any test waits.
const LONG: Duration = Duration::from_hours(1);

/// Anna in a consultation room.
struct Anna {
    world: World,
    desk: Desk,
    room: String,
}

impl Anna {
    async fn begin() -> Result<Self> {
        let world = World::with_own_relay().await?;
        let mut desk = world.desk("anna", "gewerbe").await?;
        desk.on_duty().await?;
        let guest = world.guest()?;
        guest.knock("gewerbe", "Eisdiele").await?;
        desk.approves("G-001").await?;
        let room = desk.consultation("G-001").await?;
        Ok(Self { world, desk, room })
    }

    fn client(&self) -> &Client {
        &self.desk.clerk
    }

    fn state_path(&self) -> String {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        format!(
            "v3/rooms/{}/state/{MEMBER}/{}",
            encode(&self.room),
            encode(&self.key())
        )
    }

    fn key(&self) -> String {
        let anna = self.client();
        format!("_{}_{}_m.call", anna.user_id(), anna.device_id())
    }

    /// Lays the way out, as clients do before they go in.
    async fn delays_leave(&self, delay: Duration) -> Result<String> {
        let path = format!(
            "{}?org.matrix.msc4140.delay={}",
            self.state_path(),
            delay.as_millis()
        );
        let answer = self
            .client()
            .call(Method::PUT, &path, Some(&json!({})))
            .await?;
        let answer = answer.success("delaying a leave")?;
        Ok(answer["delay_id"].as_str().context("an id")?.to_owned())
    }

    async fn shows_herself(&self) -> Result<()> {
        let membership = json!({
            "application": "m.call", "call_id": "", "scope": "m.room",
            "device_id": self.client().device_id(), "expires": 14_400_000,
        });
        let (anna, key) = (self.client(), self.key());
        anna.set_state(&self.room, MEMBER, &key, &membership)
            .await
            .map(drop)
    }

    async fn is_shown(&self) -> Result<bool> {
        let content = self.client().state(&self.room, MEMBER, &self.key()).await?;
        Ok(content.is_some_and(|content| content != json!({})))
    }

    /// Asks the token service, handing a leave over.
    async fn asks(&self, way: &str, delay_id: &str, delay: Duration) -> Result<Value> {
        let anna = self.client();
        let user = utf8_percent_encode(anna.user_id(), NON_ALPHANUMERIC);
        let path = format!("v3/user/{user}/openid/request_token");
        let proof = anna.call(Method::POST, &path, Some(&json!({}))).await?;
        let asked = json!({
            "room_id": self.room,
            "slot_id": "m.call#ROOM",
            "openid_token": proof.success("an OpenID token")?,
            "member": {
                "id": "m1",
                "claimed_user_id": anna.user_id(),
                "claimed_device_id": anna.device_id(),
            },
            "delay_id": delay_id,
            "delay_timeout": u64::try_from(delay.as_millis())?,
            "delay_cs_api_url": anna.homeserver_url(),
        });
        let answer = http_client()?
            .post(self.world.url(&format!("/livekit/jwt/{way}")))
            .json(&asked)
            .send()
            .await?;
        let status = answer.status();
        let body = answer.text().await?;
        ensure!(status.is_success(), "{way}: {status} {body}");
        Ok(serde_json::from_str(&body)?)
    }

    async fn until_gone(&self) -> Result<()> {
        eventually("Anna to be taken out of the call", async || {
            Ok((!self.is_shown().await?).then_some(()))
        })
        .await
    }
}

#[tokio::test]
async fn a_clerk_is_shown_while_connected_and_taken_out_when_the_machine_dies() -> TestResult {
    let anna = Anna::begin().await?;
    // Before the clock runs: starting a client takes a while.
    let caller = Caller::start(1, anna.world.dir()).await?;
    let leave = anna.delays_leave(SHORT).await?;
    anna.shows_herself().await?;
    let granted = anna.asks("get_token", &leave, SHORT).await?;
    let text = |field: &str| granted[field].as_str().context("no such field");
    caller
        .join(text("url")?, text("jwt")?, &Joining::default())
        .await?;
    // Not to wait for something: it is shown that nothing happens in this time.
    tokio::time::sleep(3 * SHORT).await;
    ensure!(anna.is_shown().await?, "still connected");

    // In the call, a leave that would come in an hour takes the place of the first.
    let path = format!("unstable/org.matrix.msc4140/delayed_events/{leave}");
    let cancel = json!({ "action": "cancel" });
    let cancelled = anna
        .client()
        .call(Method::POST, &path, Some(&cancel))
        .await?;
    cancelled.success("cancelling")?;
    let leave = anna.delays_leave(LONG).await?;
    anna.asks("delegate_delayed_leave", &leave, LONG).await?;
    anna.world.settled().await?;
    ensure!(anna.is_shown().await?, "still connected");
    // Its process is killed.
    drop(caller);
    anna.until_gone().await
}

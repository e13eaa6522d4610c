//! Clerks whose clients are the Matrix libraries that real clients are built on.

use std::{process::Stdio, time::Duration};

use anyhow::{Context as _, Result, bail};
use blackbox::{Client, World, eventually, text};
use matrix_sdk::{
    RoomMemberships, SessionMeta, SessionTokens,
    authentication::matrix::MatrixSession,
    config::SyncSettings,
    ruma::{OwnedUserId, RoomId, events::room::message::RoomMessageEventContent},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

type TestResult = anyhow::Result<()>;

/// Long: parallel tests share the machine. A test that passes never waits for it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until the guest has got these words from the clerk.
async fn until_read(guest: &blackbox::Guest, id: &str, words: &str) -> TestResult {
    eventually(&format!("{words:?} on the guest's page"), || async {
        let messages = guest.messages(id).await?;
        let read = messages.iter().any(|message| message["body"] == words);
        Ok(read.then_some(()))
    })
    .await
}

/// The clerk's library, signed in.
async fn sdk_client(clerk: &Client) -> Result<matrix_sdk::Client> {
    let client = matrix_sdk::Client::builder()
        .homeserver_url(clerk.homeserver_url())
        .build()
        .await?;
    let session = MatrixSession {
        meta: SessionMeta {
            user_id: clerk.user_id().try_into()?,
            device_id: clerk.device_id().into(),
        },
        tokens: SessionTokens {
            access_token: clerk.access_token().to_owned(),
            refresh_token: None,
        },
    };
    client.restore_session(session).await?;
    Ok(client)
}

/// Syncs until `found` finds what it looks for in what the library knows.
async fn sync_until<T, F: Future<Output = Result<Option<T>>>>(
    client: &matrix_sdk::Client,
    what: &str,
    mut found: impl FnMut() -> F,
) -> Result<T> {
    let follow = async {
        loop {
            let settings = SyncSettings::new().timeout(Duration::from_secs(1));
            client.sync_once(settings).await?;
            if let Some(value) = found().await? {
                return Ok(value);
            }
        }
    };
    match timeout(PATIENCE, follow).await {
        Ok(result) => result,
        Err(_) => bail!("the library has waited {} s for {what}", PATIENCE.as_secs()),
    }
}

/// A whole visit, the clerk's side by `matrix-sdk`.
#[tokio::test]
async fn a_clerk_on_matrix_sdk_serves_a_guest() -> TestResult {
    let world = World::start().await?;
    let mut desk = world.desk("anna", "gewerbe").await?;
    desk.ask("!dienst an").await?;
    let clerk = sdk_client(&desk.clerk).await?;
    clerk.sync_once(SyncSettings::new()).await?;
    let door: &RoomId = desk.door.as_str().try_into()?;
    let door = clerk
        .get_room(door)
        .context("the library does not see the door room")?;
    assert_eq!(door.unread_notification_counts().highlight_count, 0);

    let guest = world.stranger()?;
    let visit = guest.knock("gewerbe", "Ein Kiosk").await?;
    let (id, ticket) = (text(&visit, "id")?, text(&visit, "ticket")?);

    // Rings: a red badge in every client.
    sync_until(&clerk, "the highlight", || async {
        let counts = door.unread_notification_counts();
        Ok((counts.highlight_count >= 1).then_some(()))
    })
    .await?;
    let knocker: OwnedUserId = sync_until(&clerk, "the knock", || async {
        let knocking = door.members(RoomMemberships::KNOCK).await?;
        Ok(knocking.first().map(|member| member.user_id().to_owned()))
    })
    .await?;
    assert!(knocker.localpart().starts_with("_vorzimmer_"), "{knocker}");

    door.invite_user_by_id(&knocker).await?;
    let start = format!("{ticket} ");
    let consultation = sync_until(&clerk, "the consultation room", || async {
        let room = clerk.joined_rooms().into_iter().find(|room| {
            room.name()
                .is_some_and(|name| name.starts_with(start.as_str()))
        });
        Ok(room)
    })
    .await?;
    assert_eq!(guest.until(&id, "called").await?["clerk_name"], "anna");
    guest.enter(&id).await?;
    guest.say(&id, "Guten Tag, hier ist Lina").await?;
    sync_until(&clerk, "the guest's words", || async {
        let newest = consultation
            .messages(matrix_sdk::room::MessagesOptions::backward())
            .await?;
        let heard = newest
            .chunk
            .iter()
            .any(|event| event.raw().json().get().contains("hier ist Lina"));
        Ok(heard.then_some(()))
    })
    .await?;
    let greeting = RoomMessageEventContent::text_plain("Guten Tag, womit kann ich helfen?");
    consultation.send(greeting).await?;
    until_read(&guest, &id, "Guten Tag, womit kann ich helfen?").await?;
    consultation
        .send(RoomMessageEventContent::text_plain("!ende"))
        .await?;
    assert_eq!(guest.until(&id, "ended").await?["ending"], "served");
    sync_until(&clerk, "the empty door", || async {
        Ok(door
            .members(RoomMemberships::KNOCK)
            .await?
            .is_empty()
            .then_some(()))
    })
    .await
}

/// A clerk's client in a process of its own: `tests/js/clerk.mjs`.
struct JsClerk {
    _process: Child,
    orders: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl JsClerk {
    fn start(clerk: &Client) -> Result<Self> {
        let dir = xtask::builds::node_clerk()?;
        let mut process = Command::new("node")
            .arg(dir.join("clerk.mjs"))
            .env("BASE_URL", clerk.homeserver_url())
            .env("ACCESS_TOKEN", clerk.access_token())
            .env("USER_ID", clerk.user_id())
            .env("DEVICE_ID", clerk.device_id())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot run node")?;
        let orders = process.stdin.take().context("node has no input")?;
        let output = process.stdout.take().context("node has no output")?;
        Ok(Self {
            _process: process,
            orders,
            lines: BufReader::new(output).lines(),
        })
    }

    async fn order(&mut self, order: &Value) -> TestResult {
        self.orders
            .write_all(format!("{order}\n").as_bytes())
            .await?;
        Ok(())
    }

    /// Reads on to what `found` finds.
    async fn until<T>(
        &mut self,
        what: &str,
        mut found: impl FnMut(&Value) -> Option<T>,
    ) -> Result<T> {
        let read = async {
            loop {
                let line = self.lines.next_line().await?;
                let line = line.with_context(|| format!("node has ended before {what}"))?;
                let seen: Value =
                    serde_json::from_str(&line).with_context(|| format!("node says {line}"))?;
                if seen["saw"] == "failure" {
                    bail!("node has failed: {}", seen["what"]);
                }
                if let Some(value) = found(&seen) {
                    return Ok(value);
                }
            }
        };
        match timeout(PATIENCE, read).await {
            Ok(result) => result,
            Err(_) => bail!("node has waited {} s for {what}", PATIENCE.as_secs()),
        }
    }
}

/// A whole visit, the clerk's side by `matrix-js-sdk`, on which Element Web is built.
#[tokio::test]
async fn a_clerk_on_matrix_js_sdk_serves_a_guest() -> TestResult {
    let world = World::start().await?;
    let mut desk = world.desk("ceyda", "wahlamt").await?;
    desk.ask("!dienst an").await?;
    let mut clerk = JsClerk::start(&desk.clerk)?;
    clerk
        .until("the first sync", |seen| {
            (seen["saw"] == "sync").then_some(())
        })
        .await?;

    let guest = world.stranger()?;
    let visit = guest.knock("wahlamt", "Briefwahl").await?;
    let (id, ticket) = (text(&visit, "id")?, text(&visit, "ticket")?);
    // Either may be seen first: nothing in the door room depends on their order.
    let (mut knocker, mut rung) = (None, false);
    let knocker = clerk
        .until("the knock and the ring", |seen| {
            if seen["saw"] == "knock" && seen["room"] == desk.door {
                knocker = Some(seen["user"].clone());
            }
            let line = format!("🔔 {ticket} ");
            rung |= seen["body"]
                .as_str()
                .is_some_and(|body| body.starts_with(&line))
                && seen["highlights"].as_u64().is_some_and(|count| count >= 1);
            knocker.clone().filter(|_| rung)
        })
        .await?;

    clerk
        .order(&json!({ "do": "approve", "room": desk.door, "user": knocker }))
        .await?;
    let room = clerk
        .until("the consultation room", |seen| {
            let name = seen["name"].as_str()?;
            let named = name.starts_with(&format!("{ticket} "));
            named.then(|| seen["room"].clone())
        })
        .await?;
    assert_eq!(guest.until(&id, "called").await?["clerk_name"], "ceyda");
    guest.enter(&id).await?;
    guest.say(&id, "Guten Tag, hier ist Lina").await?;
    clerk
        .until("the guest's words", |seen| {
            let heard = seen["room"] == room && seen["body"] == "Guten Tag, hier ist Lina";
            heard.then_some(())
        })
        .await?;
    clerk
        .order(&json!({ "do": "say", "room": room, "body": "Guten Tag!" }))
        .await?;
    until_read(&guest, &id, "Guten Tag!").await?;
    clerk
        .order(&json!({ "do": "say", "room": room, "body": "!ende" }))
        .await?;
    assert_eq!(guest.until(&id, "ended").await?["ending"], "served");
    Ok(())
}

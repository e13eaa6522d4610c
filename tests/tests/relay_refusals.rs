//! Whom a relay refuses, and with which status. Runs against LiveKit's server and against ours.

use blackbox::{Backend, CallServer, Grant, Joining};
use serde_json::json;

type TestResult = anyhow::Result<()>;

const ROOM: &str = "consultation";
/// So many of the refused tokens are not genuine; the others are, and allow too little.
const FALSE: usize = 8;

async fn tokens_that_do_not_count(server: CallServer) -> TestResult {
    let join = || Grant::join(ROOM, "caller-1");
    let good = server.sign(join())?;
    let (head, signature) = good.rsplit_once('.').unwrap_or_default();
    let unsigned = {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let content = head.split_once('.').map_or("", |(_, content)| content);
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        format!("{none}.{content}.")
    };
    let refused = [
        ("expired", server.sign(join().expired())?, 401),
        (
            "not valid yet",
            server.sign(join().with("/nbf", json!(u32::MAX)))?,
            401,
        ),
        (
            "of another secret",
            join().signed(server.key(), "another secret, as long as ours is")?,
            401,
        ),
        (
            "of an unknown key",
            join().signed("stranger", "another secret, as long as ours is")?,
            401,
        ),
        (
            "with a changed signature",
            format!("{head}.{}", signature.chars().rev().collect::<String>()),
            401,
        ),
        ("without a signature", unsigned, 401),
        ("no token at all", "nonsense".to_owned(), 401),
        ("empty", String::new(), 401),
        (
            "that does not allow to join",
            server.sign(join().with("/video/roomJoin", json!(false)))?,
            401,
        ),
        ("for administrators", server.sign(Grant::admin(ROOM))?, 401),
        (
            "without an identity",
            server.sign(join().with("/sub", json!("")))?,
            400,
        ),
    ];
    // The older protocol looks at everything.
    let (status, body) = server.validate("/rtc/validate", &good).await?;
    assert_eq!(status, 200, "{body}");
    // The newer one wants to know how somebody joins, once the token is known to be genuine.
    let (status, body) = server.validate("/rtc/v1/validate", &good).await?;
    assert_eq!(status, 400, "{body}");
    for (index, (what, token, expected)) in refused.iter().enumerate() {
        let (status, body) = server.validate("/rtc/validate", token).await?;
        assert_eq!(status, *expected, "a token {what}: {body}");
        let (status, body) = server.validate("/rtc/v1/validate", token).await?;
        // What a genuine token allows may be asked before or after how somebody joins.
        let expected: &[u16] = if index < FALSE { &[401] } else { &[400, 401] };
        assert!(
            expected.contains(&status),
            "v1, a token {what}: {status} {body}"
        );
        assert!(!body.contains("requested room does not exist"), "{body}");
    }
    let stranger = server.stranger(1).await?;
    let expired = server.sign(join().expired())?;
    for single in [false, true] {
        let joining = Joining {
            single,
            ..Joining::default()
        };
        assert!(
            stranger
                .join(&server.url(), &expired, &joining)
                .await
                .is_err()
        );
    }
    assert_eq!(server.rooms(ROOM).names().await?, [""; 0]);
    if server.backend() == Backend::Vorzimmer {
        let counted = server.counted("relay_requests_refused_total").await?;
        assert!(counted >= 2.0 * 11.0, "{counted} refusals were counted");
    }
    Ok(())
}

/// A token says which room: asking for another changes nothing, and its administrator has no say elsewhere.
async fn tokens_of_another_room(server: CallServer) -> TestResult {
    let one = server.caller(ROOM, 1).await?;
    let token = server.sign(Grant::join("elsewhere", "caller-2"))?;
    let two = server.stranger(2).await?;
    let url = format!("{}?room={ROOM}", server.url());
    two.join(&url, &token, &Joining::default()).await?;
    assert_eq!(
        server.rooms("elsewhere").identities().await?,
        [two.identity()]
    );
    assert_eq!(server.rooms(ROOM).identities().await?, [one.identity()]);

    let asked = json!({ "room": ROOM, "identity": one.identity() });
    for (what, grant) in [
        ("of another room", Grant::admin("elsewhere")),
        ("of a participant", Grant::join(ROOM, one.identity())),
    ] {
        for method in ["RemoveParticipant", "ListParticipants"] {
            let (status, answer) = server.twirp(method, grant.clone(), &asked).await?;
            assert_eq!(
                (status, &answer["code"]),
                (401, &json!("unauthenticated")),
                "{method} with a token {what}: {answer}"
            );
        }
    }
    let (status, answer) = server
        .twirp("DeleteRoom", Grant::admin(ROOM), &json!({ "room": ROOM }))
        .await?;
    assert_eq!(status, 401, "{answer}");
    assert_eq!(server.rooms(ROOM).identities().await?, [one.identity()]);

    let nobody = json!({ "room": ROOM, "identity": "nobody" });
    let (status, answer) = server
        .twirp("RemoveParticipant", Grant::admin(ROOM), &nobody)
        .await?;
    assert_eq!(
        (status, &answer["code"]),
        (404, &json!("not_found")),
        "{answer}"
    );
    Ok(())
}

mod livekit {
    use super::{Backend, CallServer, TestResult};

    #[tokio::test]
    async fn tokens_that_do_not_count() -> TestResult {
        match CallServer::start(Backend::LiveKit).await? {
            Some(server) => super::tokens_that_do_not_count(server).await,
            None => Ok(()),
        }
    }

    #[tokio::test]
    async fn tokens_of_another_room() -> TestResult {
        match CallServer::start(Backend::LiveKit).await? {
            Some(server) => super::tokens_of_another_room(server).await,
            None => Ok(()),
        }
    }
}

mod vorzimmer {
    use super::{Backend, CallServer, TestResult};

    #[tokio::test]
    async fn tokens_that_do_not_count() -> TestResult {
        match CallServer::start(Backend::Vorzimmer).await? {
            Some(server) => super::tokens_that_do_not_count(server).await,
            None => Ok(()),
        }
    }

    #[tokio::test]
    async fn tokens_of_another_room() -> TestResult {
        match CallServer::start(Backend::Vorzimmer).await? {
            Some(server) => super::tokens_of_another_room(server).await,
            None => Ok(()),
        }
    }
}

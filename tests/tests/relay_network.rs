//! Calls through difficult networks, with LiveKit's own clients, against LiveKit's server and ours.

use std::sync::{Arc, Mutex, PoisonError};

use blackbox::{Backend, CallServer, Caller, Grant, Joining, Picture, Reach, Way};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

type TestResult = anyhow::Result<()>;

const ROOM: &str = "consultation";

/// Two people see and hear each other.
async fn meet(callers: &[Caller; 2]) -> TestResult {
    let [one, other] = callers;
    tokio::try_join!(
        one.sees(other, "cam"),
        one.hears(other),
        other.sees(one, "cam"),
        other.hears(one),
    )?;
    Ok(())
}

async fn talk_and_show(callers: &[Caller; 2]) -> TestResult {
    for caller in callers {
        caller.talk().await?;
        caller.show("cam", Picture::SMALL).await?;
    }
    Ok(())
}

/// Two people join, by one connection and by two, and meet.
async fn two_meet(backend: Backend, reach: Reach) -> TestResult {
    let Some(server) = CallServer::reached(backend, reach).await? else {
        return Ok(());
    };
    let way = match reach {
        Reach::TurnUdp | Reach::TurnTcp => Way::Turn,
        Reach::Direct | Reach::Tcp | Reach::Ipv6 | Reach::Mapped | Reach::Carried => Way::Any,
    };
    let joining = |single| Joining {
        single,
        way,
        ..Joining::default()
    };
    let callers = [
        server.caller_with(ROOM, 1, &joining(true)).await?,
        server.caller_with(ROOM, 2, &joining(false)).await?,
    ];
    talk_and_show(&callers).await?;
    meet(&callers).await
}

/// Passes connections on to a server until they are cut.
struct Wire {
    url: String,
    open: Arc<Mutex<JoinSet<()>>>,
    accepting: JoinHandle<()>,
}

impl Wire {
    /// To the server at `ws://…`.
    async fn to(server: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("ws://{}", listener.local_addr()?);
        let open = Arc::<Mutex<JoinSet<()>>>::default();
        let (connections, server) = (Arc::clone(&open), server.replacen("ws://", "", 1));
        let accepting = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let server = server.clone();
                let carry = async move {
                    if let Ok(mut server) = TcpStream::connect(server).await {
                        // It ends as either side ends it.
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    }
                };
                let mut connections = connections.lock().unwrap_or_else(PoisonError::into_inner);
                connections.spawn(carry);
            }
        });
        Ok(Self {
            url,
            open,
            accepting,
        })
    }

    /// Ends every connection that is open. New ones are passed on.
    fn cut(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.abort_all();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Signalling breaks; the client comes back by itself, and the call goes on.
async fn signalling_comes_back(backend: Backend) -> TestResult {
    let Some(server) = CallServer::start(backend).await? else {
        return Ok(());
    };
    let wire = Wire::to(&server.url()).await?;
    let callers = [server.stranger(1).await?, server.caller(ROOM, 2).await?];
    let token = server.sign(Grant::join(ROOM, callers[0].identity()))?;
    callers[0]
        .join(&wire.url, &token, &Joining::default())
        .await?;
    talk_and_show(&callers).await?;
    meet(&callers).await?;
    wire.cut();
    callers[0].event("reconnected", |_| true).await?;
    // Media goes both ways, and signalling as well.
    meet(&callers).await?;
    callers[0].mute("mic", true).await?;
    callers[1].hears_silence(&callers[0]).await?;
    anyhow::ensure!(callers[1].events("went").is_empty(), "nobody had gone");
    Ok(())
}

/// A router forgets whose datagrams it carried, and they come from another address; the call goes on, and nobody has
/// to join anew.
async fn an_address_changes_in_a_call(single: bool) -> TestResult {
    let Some((server, network)) = CallServer::behind_network().await? else {
        return Ok(());
    };
    let joining = Joining {
        single,
        ..Joining::default()
    };
    let callers = [
        server.caller_with(ROOM, 1, &joining).await?,
        server.caller_with(ROOM, 2, &joining).await?,
    ];
    talk_and_show(&callers).await?;
    meet(&callers).await?;
    for _ in 0..2 {
        assert!(network.rebind() >= 2, "two clients at least");
        meet(&callers).await?;
    }
    for caller in &callers {
        for event in ["reconnecting", "out"] {
            anyhow::ensure!(caller.events(event).is_empty(), "{caller}: {event}");
        }
    }
    Ok(())
}

mod livekit {
    use super::*;

    #[tokio::test]
    async fn two_meet_by_tcp() -> TestResult {
        two_meet(Backend::LiveKit, Reach::Tcp).await
    }

    #[tokio::test]
    async fn signalling_comes_back() -> TestResult {
        super::signalling_comes_back(Backend::LiveKit).await
    }
}

mod vorzimmer {
    use super::*;

    #[tokio::test]
    async fn two_meet_by_tcp() -> TestResult {
        two_meet(Backend::Vorzimmer, Reach::Tcp).await
    }

    #[tokio::test]
    async fn two_meet_by_ipv6() -> TestResult {
        two_meet(Backend::Vorzimmer, Reach::Ipv6).await
    }

    #[tokio::test]
    async fn two_meet_by_ipv4_where_ipv6_is_spoken_as_well() -> TestResult {
        two_meet(Backend::Vorzimmer, Reach::Mapped).await
    }

    #[tokio::test]
    async fn two_meet_by_turn_over_udp() -> TestResult {
        two_meet(Backend::Vorzimmer, Reach::TurnUdp).await
    }

    #[tokio::test]
    async fn two_meet_by_turn_over_tcp() -> TestResult {
        two_meet(Backend::Vorzimmer, Reach::TurnTcp).await
    }

    #[tokio::test]
    async fn signalling_comes_back() -> TestResult {
        super::signalling_comes_back(Backend::Vorzimmer).await
    }

    #[tokio::test]
    async fn an_address_changes_in_a_call_over_one_connection() -> TestResult {
        super::an_address_changes_in_a_call(true).await
    }

    #[tokio::test]
    async fn an_address_changes_in_a_call_over_two_connections() -> TestResult {
        super::an_address_changes_in_a_call(false).await
    }
}

//! Two clerks, one knock.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use blackbox::{Desk, Guest, World, eventually, text};
use serde_json::Value;

type TestResult = anyhow::Result<()>;

/// How often the race is run: with every way at least thrice against every other.
const ROUNDS: usize = 9;

/// The three ways to take a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Element's *Approve*: an invite of the knocker.
    Approve,
    /// `!weiter`
    Next,
    /// `!ruf G-001`
    Call,
}

impl Way {
    async fn take(self, desk: &Desk, knocker: &str, ticket: &str) -> anyhow::Result<()> {
        match self {
            Self::Approve => {
                // The second of two invites is refused once the ghost is gone: that is losing, too.
                desk.clerk.invite(&desk.door, knocker).await?;
                Ok(())
            }
            Self::Next => desk.write("!weiter").await,
            Self::Call => desk.write(&format!("!ruf {ticket}")).await,
        }
    }
}

/// A guest who knocks, and whose ghost stands at the door.
struct Knock {
    guest: Guest,
    visit: String,
    ticket: String,
    ghost: String,
}

async fn knock(world: &World, desk: &mut Desk, office: &str) -> anyhow::Result<Knock> {
    let guest = world.stranger()?;
    let visit = guest.knock(office, "Ich habe eine Frage").await?;
    let ticket = text(&visit, "ticket")?;
    desk.until_ring(&ticket).await?;
    let ghost = desk.knocker(&ticket).await?;
    Ok(Knock {
        guest,
        visit: text(&visit, "id")?,
        ticket,
        ghost,
    })
}

/// Who is in a room, as one of them sees it: names without server.
async fn joined(desk: &Desk, room_id: &str) -> anyhow::Result<Vec<String>> {
    let state = desk.clerk.full_state(room_id).await?;
    let mut users: Vec<String> = state
        .iter()
        .filter(|event| {
            event["type"] == "m.room.member" && event["content"]["membership"] == "join"
        })
        .filter_map(|event| Some(event["state_key"].as_str()?.to_owned()))
        .collect();
    users.sort();
    Ok(users)
}

#[tokio::test]
async fn of_two_clerks_exactly_one_gets_a_knock_by_whatever_way_they_take() -> TestResult {
    let world = World::start().await?;
    let (mut anna, mut bernd) = tokio::try_join!(
        world.desk("anna", "gewerbe"),
        world.desk("bernd", "gewerbe")
    )?;
    anna.ask("!dienst an").await?;
    bernd.ask("!dienst an").await?;
    let ways = [Way::Approve, Way::Next, Way::Call];
    for round in 0..ROUNDS {
        let by = (ways[round % 3], ways[round / 3]);
        race(&world, &mut anna, &mut bernd, by)
            .await
            .with_context(|| format!("round {round}: {by:?}"))?;
    }
    Ok(())
}

async fn race(world: &World, anna: &mut Desk, bernd: &mut Desk, by: (Way, Way)) -> TestResult {
    let knock = knock(world, anna, "gewerbe").await?;
    let ticket = &knock.ticket;
    tokio::try_join!(
        by.0.take(anna, &knock.ghost, ticket),
        by.1.take(bernd, &knock.ghost, ticket),
    )?;

    let called = knock.guest.until(&knock.visit, "called").await?;
    let winner = text(&called, "clerk_name")?;
    let (winner, loser) = match winner.as_str() {
        "anna" => (&mut *anna, &mut *bernd),
        "bernd" => (&mut *bernd, &mut *anna),
        other => anyhow::bail!("{other} has won"),
    };
    let room_id = winner.consultation(ticket).await?;
    // An answer to a question of the loser comes after everything that the race has brought about.
    loser.ask("!schlange").await?;
    ensure!(
        loser.consultations(ticket).is_empty(),
        "the loser has a consultation room as well"
    );
    ensure!(
        winner.consultations(ticket).len() == 1,
        "the winner has two rooms"
    );
    let mut expected = vec![
        knock.ghost.clone(),
        winner.bot.clone(),
        winner.clerk.user_id().to_owned(),
    ];
    expected.sort();
    eventually("everybody to be in the room", || async {
        let users = joined(winner, &room_id).await?;
        Ok((users.len() >= expected.len()).then_some(()))
    })
    .await?;
    assert_eq!(joined(winner, &room_id).await?, expected);
    winner.until_membership(&knock.ghost, "leave").await?;

    // Who won is told so, who lost is told by whom.
    let name = winner.clerk.user_id()[1..]
        .split(':')
        .next()
        .unwrap_or_default()
        .to_owned();
    let won = format!("{name} hat {ticket} aufgerufen.");
    let lost = format!("{ticket} wurde schon von {name} aufgerufen.");
    let (mut wins, mut losses) = (0, 0);
    let newest = loser.clerk.messages(&loser.door, 60).await?;
    let ring = format!("🔔 {ticket} ");
    let since_the_knock = newest.iter().take_while(|event| {
        let body = event["content"]["body"].as_str();
        !body.is_some_and(|body| body.starts_with(&ring))
    });
    let newest: Vec<&Value> = since_the_knock.collect();
    for event in &newest {
        let body = event["content"]["body"].as_str().unwrap_or_default();
        if event["sender"] == loser.bot && event["content"]["msgtype"] == "m.notice" {
            wins += usize::from(body.starts_with(&won));
            losses += usize::from(body == lost);
        }
    }
    assert_eq!(wins, 1, "one call");
    // `!weiter` after the call finds nobody; an *Approve* after the ghost has gone is refused by the homeserver.
    let loser_is_anna = loser.clerk.user_id().starts_with("@anna:");
    let way = if loser_is_anna { by.0 } else { by.1 };
    match way {
        Way::Call => assert_eq!(losses, 1, "the loser is told by whom"),
        Way::Approve => assert!(losses <= 1, "the loser is told once"),
        Way::Next => {
            let empty = newest.iter().any(|event| {
                event["sender"] == loser.bot && event["content"]["body"] == "Niemand wartet."
            });
            assert!(empty, "the loser is told that nobody waits");
        }
    }

    // Once only, in the database as well: the guest comes in, talks, and is served.
    knock.guest.enter(&knock.visit).await?;
    winner.clerk.send_text(&room_id, "!ende").await?;
    let over = knock.guest.until(&knock.visit, "ended").await?;
    assert_eq!(over["ending"], "served");
    winner
        .until_notice(&format!("{ticket} ist beendet."))
        .await?;
    Ok(())
}

#[tokio::test]
async fn buttons_pressed_too_late_or_twice_do_no_harm() -> TestResult {
    let world = World::start().await?;
    let (mut anna, mut ceyda) = tokio::try_join!(
        world.desk("anna", "fundbuero"),
        world.desk("ceyda", "fundbuero")
    )?;
    let mut at_gewerbe = world.desk("anna", "gewerbe").await?;
    anna.ask("!dienst an").await?;
    approve_after_the_guest_has_left(&world, &mut anna).await?;
    deny_after_the_call(&world, &mut anna, &mut ceyda).await?;
    approve_twice(&world, &mut anna).await?;
    several_at_once_and_two_offices(&world, &mut anna, &mut at_gewerbe).await
}

async fn approve_after_the_guest_has_left(world: &World, anna: &mut Desk) -> TestResult {
    let knock = knock(world, anna, "fundbuero").await?;
    // The leaving and the button cross: whichever comes first, nobody is left standing in the door room.
    let (left, _approved) = tokio::join!(
        knock.guest.leave(&knock.visit),
        anna.clerk.invite(&anna.door, &knock.ghost)
    );
    left?;
    let over = knock.guest.until(&knock.visit, "ended").await?;
    assert_eq!(over["ending"], "left");
    anna.until_membership(&knock.ghost, "leave").await?;
    // What the button has brought about, if anything, is told before this.
    anna.write("!schlange").await?;
    anna.until_notice("Niemand wartet.\n").await?;

    // Long after: the ghost is invited into the door room, comes in, and is shown out.
    anna.clerk
        .invite(&anna.door, &knock.ghost)
        .await?
        .success("a late Approve")?;
    anna.until_notice("Diesen Besuch gibt es nicht (mehr).")
        .await?;
    anna.until_membership(&knock.ghost, "leave").await?;
    assert_eq!(
        knock.guest.visit(&knock.visit).await?["state"],
        "ended",
        "an ended visit stays ended"
    );
    let listed = anna.ask("!schlange").await?;
    assert!(listed.starts_with("Niemand wartet.\n"), "{listed}");
    Ok(())
}

async fn deny_after_the_call(world: &World, anna: &mut Desk, ceyda: &mut Desk) -> TestResult {
    let knock = knock(world, anna, "fundbuero").await?;
    // Ceyda's Element still shows the buttons while Anna's call is under way.
    let call = format!("!ruf {}", knock.ticket);
    let (called, _denied) = tokio::join!(
        anna.write(&call),
        ceyda.clerk.kick(&ceyda.door, &knock.ghost)
    );
    called?;
    anna.until_membership(&knock.ghost, "leave").await?;
    let visit = eventually("call or denial", || async {
        let visit = knock.guest.visit(&knock.visit).await?;
        Ok((visit["state"] != "waiting").then_some(visit))
    })
    .await?;
    if visit["state"] == "called" {
        // A denial of somebody who is in conversation already changes nothing.
        anna.consultation(&knock.ticket).await?;
        knock.guest.enter(&knock.visit).await?;
        ceyda.clerk.kick(&ceyda.door, &knock.ghost).await?;
        ceyda.ask("!schlange").await?;
        assert_eq!(
            knock.guest.visit(&knock.visit).await?["state"],
            "in_conversation"
        );
        anna.ask(&format!("!ende {}", knock.ticket)).await?;
        knock.guest.until(&knock.visit, "ended").await?;
    } else {
        assert_eq!(visit["ending"], "declined");
        assert!(anna.consultations(&knock.ticket).is_empty());
    }
    Ok(())
}

async fn approve_twice(world: &World, anna: &mut Desk) -> TestResult {
    let knock = knock(world, anna, "fundbuero").await?;
    let (first, second) = tokio::try_join!(
        anna.clerk.invite(&anna.door, &knock.ghost),
        anna.clerk.invite(&anna.door, &knock.ghost)
    )?;
    assert!(first.status.is_success() || second.status.is_success());
    knock.guest.until(&knock.visit, "called").await?;
    anna.consultation(&knock.ticket).await?;
    anna.until_membership(&knock.ghost, "leave").await?;
    anna.ask("!schlange").await?;
    assert_eq!(anna.consultations(&knock.ticket).len(), 1);
    knock.guest.enter(&knock.visit).await?;
    let ended = anna.ask("!ende").await?;
    assert_eq!(ended, format!("{} ist beendet.", knock.ticket));
    Ok(())
}

/// One clerk approves two knocks of one office and one of another: three conversations, none mixed up.
async fn several_at_once_and_two_offices(
    world: &World,
    anna: &mut Desk,
    at_gewerbe: &mut Desk,
) -> TestResult {
    let first = knock(world, anna, "fundbuero").await?;
    let second = knock(world, anna, "fundbuero").await?;
    let third = knock(world, at_gewerbe, "gewerbe").await?;
    tokio::try_join!(
        anna.clerk.invite(&anna.door, &first.ghost),
        anna.clerk.invite(&anna.door, &second.ghost),
        at_gewerbe.clerk.invite(&at_gewerbe.door, &third.ghost),
    )?;
    let mut rooms = Vec::new();
    for knock in [&first, &second, &third] {
        let called = knock.guest.until(&knock.visit, "called").await?;
        assert_eq!(called["clerk_name"], "anna");
        let room_id = anna.consultation(&knock.ticket).await?;
        knock.guest.enter(&knock.visit).await?;
        let words = format!("Nur für {}", knock.ticket);
        anna.clerk.send_text(&room_id, &words).await?;
        rooms.push(room_id);
    }
    for knock in [&first, &second, &third] {
        let messages = eventually("the clerk's words", || async {
            let messages = knock.guest.messages(&knock.visit).await?;
            let said = messages
                .iter()
                .any(|message| message["author"] == "participant");
            Ok(said.then_some(messages))
        })
        .await?;
        let words: Vec<_> = messages
            .iter()
            .filter(|message| message["author"] == "participant")
            .map(|message| message["body"].clone())
            .collect();
        assert_eq!(words, [format!("Nur für {}", knock.ticket)]);
    }
    // Each `!ende` in its own room ends that one and no other, in whatever order.
    for (knock, room_id) in [
        (&second, &rooms[1]),
        (&third, &rooms[2]),
        (&first, &rooms[0]),
    ] {
        anna.clerk.send_text(room_id, "!ende").await?;
        let over = knock.guest.until(&knock.visit, "ended").await?;
        assert_eq!(over["ending"], "served");
    }
    let office = eventually("nobody to be talking", || async {
        let office = world.guest()?.office("fundbuero").await?;
        Ok((office["in_conversation"] == 0).then_some(office))
    })
    .await?;
    assert_eq!(office["waiting"], 0);
    tokio::time::timeout(Duration::from_mins(1), anna.ask("!schlange")).await??;
    Ok(())
}

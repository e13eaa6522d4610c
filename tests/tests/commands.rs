//! What clerks type in a door room, in both languages, and what comes of it.

use blackbox::{Desk, Guest, World, eventually, membership, text};
use http::StatusCode;
use serde_json::{Value, json};
use xtask::process::Signal;

type TestResult = anyhow::Result<()>;

fn ticket(visit: &Value) -> anyhow::Result<String> {
    text(visit, "ticket")
}

fn id(visit: &Value) -> anyhow::Result<String> {
    text(visit, "id")
}

#[tokio::test]
async fn commands_work_in_german_and_english_and_wrong_use_is_answered_with_the_right_one()
-> TestResult {
    let world = World::start().await?;
    let mut anna = world.desk("anna", "gewerbe").await?;
    let mut bernd = world.desk("bernd", "gewerbe").await?;
    help_speaks_the_clerks_language(&mut anna, &mut bernd).await?;
    duty_changes_the_occupancy(&world, &mut anna, &mut bernd).await?;
    misuse_shows_the_right_use(&mut anna, &mut bernd).await?;
    the_queue_is_listed_and_worked_off(&world, &mut anna, &mut bernd).await?;
    Ok(())
}

async fn help_speaks_the_clerks_language(anna: &mut Desk, bernd: &mut Desk) -> TestResult {
    let german = anna.ask("!hilfe").await?;
    for part in [
        "So arbeiten Sie mit der Tür:",
        "!dienst an",
        "!schlange",
        "!weiter",
        "!ruf G-017",
        "!ablehnen G-017 Grund",
        "!pause Hinweis",
        "!fortsetzen",
        "!ende G-017",
        "„Genehmigen“",
    ] {
        assert!(german.contains(part), "{part} is missing in: {german}");
    }
    let english = bernd.ask("!help").await?;
    for part in [
        "How to work with the door:",
        "!duty on",
        "!queue",
        "!next",
        "!call G-017",
        "!decline G-017 reason",
        "!pause notice",
        "!resume",
        "!end G-017",
        "“Approve”",
    ] {
        assert!(english.contains(part), "{part} is missing in: {english}");
    }
    Ok(())
}

async fn duty_changes_the_occupancy(
    world: &World,
    anna: &mut Desk,
    bernd: &mut Desk,
) -> TestResult {
    let occupancy = "org.vorzimmer.occupancy";
    let nobody = anna
        .until_state(occupancy, "nobody on duty", |state| {
            state["desks_on_duty"] == 0
        })
        .await?;
    assert_eq!(nobody["status"], "busy");
    assert_eq!(nobody["estimated_wait_s"], Value::Null);

    assert_eq!(
        anna.ask("!dienst an").await?,
        "anna, Sie sind im Dienst. Mit !weiter rufen Sie die nächste Nummer auf."
    );
    assert_eq!(anna.ask("!AN").await?, "anna, Sie waren schon im Dienst.");
    assert_eq!(
        bernd.ask("!duty on").await?,
        "bernd, you are on duty. Call the next number with !next."
    );
    assert_eq!(bernd.ask("!on").await?, "bernd, you were on duty already.");
    let both = anna
        .until_state(occupancy, "two on duty", |state| {
            state["desks_on_duty"] == 2
        })
        .await?;
    assert_eq!(both["status"], "free");
    let office = world
        .until_office("gewerbe", "free", |office| office["status"] == "free")
        .await?;
    assert_eq!(office["desks_on_duty"], 2);
    let topic = anna.until_state("m.room.topic", "a free office", |state| {
        state["topic"]
            .as_str()
            .is_some_and(|topic| topic.starts_with("Gewerbemeldestelle ist frei."))
    });
    topic.await?;

    assert_eq!(bernd.ask("!off").await?, "bernd, you are off duty.");
    assert_eq!(
        bernd.ask("!duty off").await?,
        "bernd, you were not on duty."
    );
    assert_eq!(
        anna.ask("!aus").await?,
        "anna, Sie sind nicht mehr im Dienst."
    );
    assert_eq!(
        anna.ask("!dienst aus").await?,
        "anna, Sie waren nicht im Dienst."
    );
    anna.until_state(occupancy, "nobody on duty again", |state| {
        state["desks_on_duty"] == 0 && state["status"] == "busy"
    })
    .await?;
    Ok(())
}

async fn misuse_shows_the_right_use(anna: &mut Desk, bernd: &mut Desk) -> TestResult {
    let long = format!("!pause {}", "a".repeat(501));
    for (command, answer) in [
        (
            "!quatsch",
            "Dieses Kommando gibt es nicht. !hilfe zeigt alle.",
        ),
        (
            "!weiter G-001",
            "So geht es: !weiter – die nächste Nummer aufrufen",
        ),
        ("!ruf", "So geht es: !ruf G-017 – diese Nummer aufrufen"),
        (
            "!ruf jemanden",
            "So geht es: !ruf G-017 – diese Nummer aufrufen",
        ),
        (
            "!ablehnen",
            "So geht es: !ablehnen G-017 Grund – ablehnen; die Person liest den Grund",
        ),
        (
            "!dienst vielleicht",
            "So geht es: !dienst an – Sie nehmen Besuche an. !dienst aus – Sie hören auf.",
        ),
        ("!schlange bitte", "So geht es: !schlange – wer wartet"),
        (
            "!ende morgen",
            "So geht es: !ende – Ihr Gespräch beenden. !ende G-017 – dieses beenden",
        ),
        (
            long.as_str(),
            "Der Text ist zu lang (höchstens 500 Zeichen). So geht es: !pause Hinweis – keine neuen Besuche; \
             der Hinweis steht auf der Seite. !fortsetzen – weiter",
        ),
        (
            "!ruf G-999",
            "G-999 wartet hier nicht. Die Schlange zeigt !schlange.",
        ),
        (
            "!ablehnen G-999 nein",
            "G-999 wartet hier nicht. Die Schlange zeigt !schlange.",
        ),
        (
            "!ende G-999",
            "G-999 wartet hier nicht. Die Schlange zeigt !schlange.",
        ),
        ("!ende", "anna, Sie haben kein laufendes Gespräch."),
        ("!weiter", "Niemand wartet."),
        ("!fortsetzen", "Das Büro macht keine Pause."),
    ] {
        assert_eq!(anna.ask(command).await?, answer, "{command}");
    }
    for (command, answer) in [
        ("!nonsense", "There is no such command. !help shows all."),
        ("!next G-001", "This is how: !next – call the next number"),
        ("!call", "This is how: !call G-017 – call this number"),
        (
            "!decline please",
            "This is how: !decline G-017 reason – decline; the person reads the reason",
        ),
        (
            "!end tomorrow",
            "This is how: !end – finish your conversation. !end G-017 – finish this one",
        ),
        (
            "!call G-999",
            "G-999 is not waiting here. !queue shows who is.",
        ),
        ("!end", "bernd, you have no conversation."),
        ("!next", "Nobody is waiting."),
        ("!resume", "The office is not having a break."),
    ] {
        assert_eq!(bernd.ask(command).await?, answer, "{command}");
    }
    // Clerks may talk to each other, and shout while they do: the next answer is the one to the help.
    anna.write("Guten Morgen!").await?;
    anna.write("!!! Achtung").await?;
    anna.write("! nur so").await?;
    assert!(anna.ask("!hilfe").await?.starts_with("So arbeiten Sie"));
    Ok(())
}

/// A guest with the id of their visit.
type Seat = (Guest, String);

async fn the_queue_is_listed_and_worked_off(
    world: &World,
    anna: &mut Desk,
    bernd: &mut Desk,
) -> TestResult {
    let seats = three_knock(world, anna).await?;
    let listed = anna.ask("!schlange").await?;
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 5, "{listed}");
    assert_eq!(lines[0], "3 Personen warten:");
    assert!(
        lines[1].starts_with("1. G-001 · Deutsch · seit "),
        "{listed}"
    );
    assert!(
        lines[2].starts_with("2. G-002 · Englisch · seit "),
        "{listed}"
    );
    assert!(
        lines[3].starts_with("3. G-003 · Deutsch · seit "),
        "{listed}"
    );
    assert_eq!(lines[4], "Niemand ist im Dienst.");

    let (of_first, of_third) = all_are_called(&seats, anna, bernd).await?;
    all_are_served(&seats, anna, bernd, &of_first, &of_third).await
}

async fn three_knock(world: &World, anna: &mut Desk) -> anyhow::Result<Vec<Seat>> {
    let guests = [world.stranger()?, world.stranger()?, world.stranger()?];
    let (mut seats, mut tickets) = (Vec::new(), Vec::new());
    for (guest, language) in guests.iter().zip(["de", "en", "de"]) {
        let form = json!({
            "concern": "Ich habe eine Frage",
            "language": language,
            "privacy_accepted": true,
        });
        let visit = guest
            .knock_with("gewerbe", &form)
            .await?
            .success("knocking")?;
        anna.until_ring(&ticket(&visit)?).await?;
        anna.until_notice("Ich habe eine Frage").await?;
        tickets.push(ticket(&visit)?);
        seats.push((guest.clone(), id(&visit)?));
    }
    assert_eq!(tickets, ["G-001", "G-002", "G-003"]);
    Ok(seats)
}

/// Calls by ticket and by turn. The consultation rooms of the first and of the third.
async fn all_are_called(
    seats: &[Seat],
    anna: &mut Desk,
    bernd: &mut Desk,
) -> anyhow::Result<(String, String)> {
    // A call puts a clerk on duty; the third before the others, by ticket. No page is open here: the clerk learns that
    // the guest may take a moment.
    bernd.ask("!queue").await?;
    let called = bernd.ask("!call g 3").await?;
    assert_eq!(
        called,
        "bernd has called G-003. The visitor’s page is not connected at the moment; please wait a little."
    );
    let of_third = bernd.consultation("G-003").await?;
    seats[2].0.until(&seats[2].1, "called").await?;
    let entered = seats[2].0.enter(&seats[2].1).await?;
    assert_eq!(entered["state"], "in_conversation");
    assert_eq!(entered["clerk_name"], "bernd");

    // Anna reads her own answers only: what Bernd did meanwhile is passed over.
    assert!(
        anna.ask("!weiter")
            .await?
            .starts_with("anna hat G-001 aufgerufen.")
    );
    let of_first = anna.consultation("G-001").await?;
    seats[0].0.enter(&seats[0].1).await?;
    assert_eq!(
        anna.ask("!weiter").await?,
        "anna, Sie sind noch mit G-001 im Gespräch. Beenden Sie es mit !ende, oder rufen Sie gezielt eine Nummer \
         auf: !ruf G-017"
    );
    assert!(
        anna.ask("!ruf G-002")
            .await?
            .starts_with("anna hat G-002 aufgerufen.")
    );
    anna.consultation("G-002").await?;
    seats[1].0.enter(&seats[1].1).await?;
    assert_eq!(
        anna.ask("!ruf G-003").await?,
        "G-003 wurde schon von bernd aufgerufen."
    );
    let listed = bernd.ask("!queue").await?;
    assert!(listed.starts_with("Nobody is waiting.\n"), "{listed}");
    for ticket in ["G-001", "G-002", "G-003"] {
        assert!(
            listed.contains(&format!("{ticket} · talking since ")),
            "{listed}"
        );
    }
    assert!(listed.ends_with("2 desks are on duty."), "{listed}");
    Ok((of_first, of_third))
}

async fn all_are_served(
    seats: &[Seat],
    anna: &mut Desk,
    bernd: &mut Desk,
    of_first: &str,
    of_third: &str,
) -> TestResult {
    // In a consultation room `!ende` means that one, not the one begun last.
    anna.clerk.send_text(of_first, "!ende").await?;
    let over = seats[0].0.until(&seats[0].1, "ended").await?;
    assert_eq!(over["ending"], "served");
    assert_eq!(
        seats[1].0.visit(&seats[1].1).await?["state"],
        "in_conversation"
    );
    assert_eq!(anna.until_notice("G-001 ist").await?, "G-001 ist beendet.");
    assert_eq!(anna.ask("!ende").await?, "G-002 ist beendet.");
    assert_eq!(
        seats[1].0.until(&seats[1].1, "ended").await?["ending"],
        "served"
    );

    // The guest's own `!ende` is a message like any other.
    seats[2].0.say(&seats[2].1, "!ende").await?;
    bernd
        .until("the guest's words", |happening| {
            let heard =
                happening.room_id == of_third && happening.event["content"]["body"] == "!ende";
            heard.then_some(())
        })
        .await?;
    bernd.clerk.send_text(of_third, "Gerne!").await?;
    eventually("the clerk's words", || async {
        let messages = seats[2].0.messages(&seats[2].1).await?;
        Ok(messages
            .iter()
            .any(|message| message["body"] == "Gerne!")
            .then_some(()))
    })
    .await?;
    assert_eq!(
        seats[2].0.visit(&seats[2].1).await?["state"],
        "in_conversation"
    );
    // A colleague can tidy up after a clerk who is gone; both are told.
    assert_eq!(anna.ask("!ende G-003").await?, "G-003 ist beendet.");
    assert_eq!(
        seats[2].0.until(&seats[2].1, "ended").await?["ending"],
        "served"
    );
    bernd.until_notice("G-003 is finished.").await?;
    Ok(())
}

#[tokio::test]
async fn citizens_read_why_they_are_declined_and_that_the_office_pauses() -> TestResult {
    let world = World::start().await?;
    let mut anna = world.desk("anna", "fundbuero").await?;
    let mut ceyda = world.desk("ceyda", "wahlamt").await?;
    a_declined_guest_reads_the_reason(&world, &mut anna, &mut ceyda).await?;
    a_pause_shows_its_notice_and_refuses_knocks(&world, &mut anna).await?;
    only_clerks_command(&world, &mut anna).await
}

async fn a_declined_guest_reads_the_reason(
    world: &World,
    anna: &mut Desk,
    ceyda: &mut Desk,
) -> TestResult {
    let (german, english) = (world.stranger()?, world.stranger()?);
    let visit = german.knock("fundbuero", "Mein Fahrrad ist weg").await?;
    anna.until_notice("Mein Fahrrad ist weg").await?;
    let ghost = anna.knocker(&ticket(&visit)?).await?;
    let reason = "Bitte gehen Sie zur Polizei, Krefelder Straße 1.";
    assert_eq!(
        anna.ask(&format!("!ablehnen {}: {reason}", ticket(&visit)?))
            .await?,
        "F-001 ist abgelehnt."
    );
    let over = german.until(&id(&visit)?, "ended").await?;
    assert_eq!(over["ending"], "declined");
    assert_eq!(over["decline_text"], reason);
    anna.until_membership(&ghost, "leave").await?;
    // The clerk's words are for the citizen alone: membership is state and stays.
    let state = serde_json::to_string(&anna.clerk.full_state(&anna.door).await?)?;
    assert!(!state.contains("Polizei"), "the reason stands in state");

    let form = json!({ "concern": "Where do I vote?", "language": "en", "privacy_accepted": true });
    let visit = english
        .knock_with("wahlamt", &form)
        .await?
        .success("knocking")?;
    ceyda.until_notice("Where do I vote?").await?;
    assert_eq!(ceyda.ask("!decline W-001").await?, "W-001 is declined.");
    let over = english.until(&id(&visit)?, "ended").await?;
    assert_eq!(over["ending"], "declined");
    assert_eq!(
        over["decline_text"],
        "Unfortunately the office cannot help with this here."
    );
    assert_eq!(
        ceyda.ask("!decline W-001 again").await?,
        "W-001 is not waiting here. !queue shows who is."
    );
    Ok(())
}

async fn a_pause_shows_its_notice_and_refuses_knocks(world: &World, anna: &mut Desk) -> TestResult {
    let waiting = world.stranger()?;
    let visit = waiting.knock("fundbuero", "Ein Schirm").await?;
    anna.until_notice("Ein Schirm").await?;
    let notice = "Feueralarm – um 11 Uhr geht es weiter.";
    assert_eq!(
        anna.ask(&format!("!pause {notice}")).await?,
        "Das Büro macht Pause. Wer wartet, bleibt in der Schlange. Weiter geht es mit !fortsetzen."
    );
    let office = world
        .until_office("fundbuero", "paused", |office| office["status"] == "paused")
        .await?;
    assert_eq!(office["notice"], notice);
    assert_eq!(office["accepting"], false);
    assert_eq!(office["waiting"], 1);
    let kept = waiting.visit(&id(&visit)?).await?;
    assert_eq!(kept["state"], "waiting");
    assert_eq!(kept["position"], 1);
    assert_eq!(kept["notice"], notice);
    anna.until_state("org.vorzimmer.occupancy", "a pause", |state| {
        state["status"] == "paused"
    })
    .await?;
    // The notice is a clerk's free text: it stands on the page, not in state.
    let state = serde_json::to_string(&anna.clerk.full_state(&anna.door).await?)?;
    assert!(!state.contains("Feueralarm"), "the notice stands in state");

    let form = json!({ "concern": "Noch ein Schirm", "language": "de", "privacy_accepted": true });
    let late = world.stranger()?;
    let refused = late.knock_with("fundbuero", &form).await?;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(refused.problem(), Some("office-paused"));
    assert_eq!(anna.ask("!pause").await?, "Das Büro macht schon Pause.");

    assert_eq!(anna.ask("!resume").await?, "The office takes visits again.");
    let office = world
        .until_office("fundbuero", "open again", |office| {
            office["status"] != "paused"
        })
        .await?;
    assert_eq!(office["notice"], Value::Null);
    assert_eq!(office["accepting"], true);
    assert_eq!(
        late.knock("fundbuero", "Noch ein Schirm").await?["position"],
        2
    );
    Ok(())
}

/// Somebody who is no clerk of the office gets into the door room, while the program does not see it, and tries to
/// command.
async fn only_clerks_command(world: &World, anna: &mut Desk) -> TestResult {
    let emma = world.site.user("emma").await?;
    anna.ask("!dienst aus").await?;
    world.vorzimmer.signal(Signal::SIGSTOP)?;
    anna.clerk
        .invite(&anna.door, emma.user_id())
        .await?
        .success("inviting")?;
    anna.until_membership(emma.user_id(), "join").await?;
    for command in ["!dienst an", "!pause"] {
        let content = json!({ "msgtype": "m.text", "body": command });
        let sent = emma.send(&anna.door, "m.room.message", &content).await;
        assert!(sent.is_err(), "somebody who is no clerk writes at the door");
    }
    world.vorzimmer.signal(Signal::SIGCONT)?;

    eventually("emma to be shown out", || async {
        let membership = membership(&anna.clerk, &anna.door, emma.user_id()).await?;
        Ok((membership.as_deref() == Some("leave")).then_some(()))
    })
    .await?;
    let listed = anna.ask("!schlange").await?;
    assert!(listed.ends_with("Niemand ist im Dienst."), "{listed}");
    let office = world.guest()?.office("fundbuero").await?;
    assert_eq!(office["status"], "busy");
    assert_eq!(office["desks_on_duty"], 0);
    Ok(())
}

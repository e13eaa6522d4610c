//! Reloads, closed tabs and lost networks: place and conversation survive.

use anyhow::{Result, ensure};
use blackbox::{Citizen, Desk, Happening, Knock, World};

#[tokio::test]
async fn place_and_conversation_survive_reloads_closed_tabs_and_a_lost_network() -> Result<()> {
    let world = World::start().await?;
    let (mut desk, citizen) = tokio::try_join!(world.desk("anna", "gewerbe"), Citizen::of(&world))?;
    desk.on_duty().await?;
    let knock = Knock {
        concern: "Eine Frage zum Gewerbe",
        ..Knock::default()
    };
    let ticket = citizen.knocks("gewerbe", knock).await?;
    let visit = citizen.visit_id().await?;

    // Waiting.
    citizen.reloads().await?;
    citizen.reads("Sie sind als Nächstes dran.").await?;
    assert_eq!(citizen.ticket().await?, ticket);
    citizen.comes_back_in_a_new_tab().await?;
    citizen.reads("Sie sind als Nächstes dran.").await?;
    assert_eq!(citizen.ticket().await?, ticket);
    citizen.opens("/").await?;
    citizen.chooses("Zurück zu Ihrer Nummer").await?;
    citizen.reads("Sie sind als Nächstes dran.").await?;
    assert_eq!(citizen.visit_id().await?, visit);

    // Called while the network is gone.
    citizen.browser.set_offline(true).await?;
    citizen.reads("Keine Verbindung.").await?;
    assert_eq!(
        citizen.ticket().await?,
        ticket,
        "the number stays on the page"
    );
    desk.approves(&ticket).await?;
    let room = desk.consultation(&ticket).await?;
    citizen.browser.set_offline(false).await?;
    citizen.is_told("Sie sind dran!").await?;
    citizen.reloads().await?;
    citizen.sees_heading("Sie sind dran!").await?;
    citizen.comes_back_in_a_new_tab().await?;
    citizen.sees_heading("Sie sind dran!").await?;
    citizen.enters().await?;

    // Talking, with a gap.
    citizen.says("Eins").await?;
    desk.clerk.send_text(&room, "Zwei").await?;
    citizen.reads("Zwei").await?;
    citizen.browser.set_offline(true).await?;
    citizen.reads("Keine Verbindung.").await?;
    for text in ["Drei", "Vier", "Fünf"] {
        citizen.writes(text).await?;
    }
    citizen.reads("Nicht gesendet").await?;
    for text in ["Sechs", "Sieben", "Acht"] {
        desk.clerk.send_text(&room, text).await?;
    }
    citizen.browser.set_offline(false).await?;
    citizen.reads("Acht").await?;
    for text in ["Drei", "Vier", "Fünf"] {
        citizen.sees_delivered(text).await?;
    }
    citizen.says("Neun").await?;

    let expected = [
        "Eins", "Zwei", "Drei", "Vier", "Fünf", "Sechs", "Sieben", "Acht", "Neun",
    ];
    complete_and_in_order(&citizen, &expected).await?;
    let before = citizen.log().await?;
    citizen.reloads().await?;
    citizen.reads("Neun").await?;
    assert_eq!(citizen.log().await?, before, "after a reload");
    citizen.comes_back_in_a_new_tab().await?;
    citizen.reads("Neun").await?;
    assert_eq!(citizen.log().await?, before, "in a new tab");

    desk.sees_message(&room, "Neun").await?;
    assert_eq!(
        from_the_ghost(&desk, &room),
        ["Eins", "Drei", "Vier", "Fünf", "Neun"]
    );

    // Ended.
    desk.clerk.send_text(&room, "!ende").await?;
    citizen.sees_heading("Vielen Dank für Ihren Besuch").await?;
    citizen.reloads().await?;
    citizen.sees_heading("Vielen Dank für Ihren Besuch").await?;
    citizen.comes_back_in_a_new_tab().await?;
    citizen.sees_heading("Vielen Dank für Ihren Besuch").await
}

/// Each message is there once, and nobody's messages have changed their order.
async fn complete_and_in_order(citizen: &Citizen, expected: &[&str]) -> Result<()> {
    let log = citizen.log().await?;
    let mut texts: Vec<&str> = log.iter().map(|shown| shown.text.as_str()).collect();
    let of = |author: &str| -> Vec<&str> {
        let own = log.iter().filter(|shown| shown.author == author);
        own.map(|shown| shown.text.as_str()).collect()
    };
    assert_eq!(of("Sie"), ["Eins", "Drei", "Vier", "Fünf", "Neun"]);
    assert_eq!(of("anna"), ["Zwei", "Sechs", "Sieben", "Acht"]);
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    texts.sort_unstable();
    ensure!(texts == expected, "the log is {log:?}");
    Ok(())
}

/// What the citizen has said, as the clerk got it.
fn from_the_ghost<'d>(desk: &'d Desk, room: &str) -> Vec<&'d str> {
    let said = desk.seen().iter().filter(
        |Happening {
             room_id: here,
             event,
         }| {
            here == room
                && event["type"] == "m.room.message"
                && event["sender"]
                    .as_str()
                    .is_some_and(|sender| sender.starts_with("@_vorzimmer_"))
        },
    );
    said.filter_map(|heard| heard.event["content"]["body"].as_str())
        .collect()
}

//! What happens in a door room, turned into inputs: Element's buttons, text commands, native knocks.

use appservice::event::{MessageKind, RoomEvent, RoomEventKind};
use bridge::{
    command_line::{self, ClerkCommand, Misuse, Verb},
    ids::{Language, MatrixUser, OfficeSlug, Ticket, VisitId},
    input::{ClerkAction, Input, Knock, Refusal},
    visit::{VisitKind, VisitState, Visitor},
};
use city::model::{City, OfficeConfig};
use store::{Lane, VisitPrivate};

use crate::{
    booking,
    house::{ChangeError, House, Unit, first_language},
    inbox, shell,
    task::Errand,
};

/// Turns an event of a door room into an input, and stores the decision with the mark that the event is
/// processed.
pub(crate) async fn happened(
    house: &House,
    slug: &OfficeSlug,
    event: &RoomEvent,
) -> Result<(), ChangeError> {
    let city = house.city.get();
    let Some(office) = city.office(slug) else {
        return inbox::ignore(house, event).await;
    };
    let is_clerk = |user: &MatrixUser| office.clerks.contains(user);
    match &event.kind {
        RoomEventKind::Knocked { user, reason } if !house.matrix.is_ghost(user) => {
            knocked(house, &city, office, event, user, reason.clone()).await
        }
        RoomEventKind::KnockWithdrawn { user } if !house.matrix.is_ghost(user) => {
            let mut unit = house.change(slug).await?;
            if let Some(visit) = visit_of(&mut unit, user).await?
                && unit
                    .visit(&visit)
                    .is_some_and(|visit| visit.state == VisitState::Waiting)
            {
                // Waiting visits can always be left.
                let _ = unit.decide(Input::Leave { visit });
            }
            finish(unit, event).await
        }
        RoomEventKind::Invited { user, by, .. } if is_clerk(by) && !is_clerk(user) => {
            let mut unit = house.change(slug).await?;
            match visit_of(&mut unit, user).await? {
                Some(visit) => act(&mut unit, by, ClerkAction::Approve { visit }),
                None => show_out(&mut unit, user).await?,
            }
            finish(unit, event).await
        }
        RoomEventKind::Joined { user } if !is_clerk(user) => {
            let mut unit = house.change(slug).await?;
            show_out(&mut unit, user).await?;
            finish(unit, event).await
        }
        RoomEventKind::KnockRejected { user, by } if is_clerk(by) => {
            let mut unit = house.change(slug).await?;
            if let Some(visit) = visit_of(&mut unit, user).await? {
                decline(&mut unit, house, &city, by, visit, None).await?;
            }
            finish(unit, event).await
        }
        RoomEventKind::Left { user, by: None } if is_clerk(user) => {
            let mut unit = house.change(slug).await?;
            if unit.office.desks.contains_key(user) {
                act(&mut unit, user, ClerkAction::OffDuty);
            }
            finish(unit, event).await
        }
        RoomEventKind::Message {
            kind: MessageKind::Text,
            body,
            ..
        } if is_clerk(&event.sender) => match command_line::parse(body) {
            Some(line) => command(house, &city, office, event, line).await,
            None => inbox::ignore(house, event).await,
        },
        RoomEventKind::StateChanged { .. }
        | RoomEventKind::RoomEncrypted
        | RoomEventKind::Tombstone { .. } => {
            house.reconcile.notify_one();
            inbox::ignore(house, event).await
        }
        _ => inbox::ignore(house, event).await,
    }
}

/// Somebody with an own Matrix account knocks: a visit like any other.
async fn knocked(
    house: &House,
    city: &City,
    office: &OfficeConfig,
    event: &RoomEvent,
    user: &MatrixUser,
    reason: Option<String>,
) -> Result<(), ChangeError> {
    let mut unit = house.change(&office.slug).await?;
    let visit = VisitId::from_random(shell::random().map_err(|_| ChangeError::Randomness)?);
    let language = first_language(city);
    let knock = Knock {
        visit: visit.clone(),
        visitor: Visitor::Matrix(user.clone()),
        kind: VisitKind::WalkIn,
        language,
        service: None,
    };
    match unit.decide(Input::Knock(knock)) {
        Ok(()) => {
            unit.tx
                .put_private(
                    &visit,
                    &VisitPrivate {
                        concern: reason,
                        ..VisitPrivate::default()
                    },
                )
                .await?;
            unit.tx
                .set_knock_event(&visit, Some(event.event_id.as_str()))
                .await?;
        }
        // A client may knock again to change its words: the visit stays as it is.
        Err(Refusal::AlreadyHere { .. }) => {}
        Err(refusal) => {
            let key = match refusal {
                Refusal::Closed { .. } => "reject-closed",
                Refusal::Paused => "reject-paused",
                Refusal::QueueFull => "reject-full",
                Refusal::AlreadyHere { .. } | Refusal::UnknownVisit | Refusal::WrongState => {
                    "reject-over"
                }
            };
            let reason = house.words.say(language, key, &[]);
            let office = office.slug.clone();
            at_the_doorstep(
                &mut unit,
                &Errand::TurnDown {
                    office,
                    user: user.clone(),
                    reason,
                },
            )
            .await?;
        }
    }
    finish(unit, event).await
}

/// A text command.
async fn command(
    house: &House,
    city: &City,
    office: &OfficeConfig,
    event: &RoomEvent,
    line: Result<command_line::CommandLine, Misuse>,
) -> Result<(), ChangeError> {
    let clerk = &event.sender;
    let spoken = match &line {
        Ok(line) => line.language,
        Err(Misuse::Arguments { language, .. } | Misuse::TooLong { language, .. }) => *language,
        Err(Misuse::Unknown) => None,
    };
    if let Some(language) = spoken {
        house.clerk_spoke(clerk, language);
    }
    let language = house.clerk_language(city, clerk);
    let mut unit = house.change(&office.slug).await?;
    let answer = match line {
        Err(misuse) => Some(right_use(house, language, &misuse)),
        Ok(line) => {
            carry_out(
                &mut unit,
                house,
                city,
                office,
                clerk,
                language,
                line.command,
            )
            .await?
        }
    };
    if let Some(text) = answer {
        let door = Lane::door(&unit.office.slug);
        for answer in Errand::answers(&text) {
            unit.enqueue(&door, &answer).await?;
        }
    }
    finish(unit, event).await
}

/// Carries a command out; the answer, where `bridge` gives none itself.
async fn carry_out(
    unit: &mut Unit<'_>,
    house: &House,
    city: &City,
    office: &OfficeConfig,
    clerk: &MatrixUser,
    language: Language,
    command: ClerkCommand,
) -> Result<Option<String>, ChangeError> {
    let unknown = |ticket: Ticket| {
        house
            .words
            .say(language, "answer-unknown-ticket", &[("ticket", &ticket)])
    };
    match command {
        ClerkCommand::Help => return Ok(Some(house.words.help(language))),
        ClerkCommand::Queue => {
            let desks = unit.office.occupancy(&unit.now).desks_on_duty;
            let queue = unit.office.queue(unit.now.at);
            return Ok(Some(house.words.queue(
                language,
                &queue,
                desks,
                &office.hours.zone,
            )));
        }
        ClerkCommand::Agenda { days } => {
            return booking::agenda_of(unit, house, office, language, days).await;
        }
        ClerkCommand::OfferTime { code, time } => {
            return booking::offer_for_clerk(unit, house, office, language, &code, time).await;
        }
        ClerkCommand::CancelBooking { code, reason } => {
            return booking::cancel_for_clerk(unit, house, office, language, &code, reason).await;
        }
        ClerkCommand::OnDuty => act(unit, clerk, ClerkAction::OnDuty),
        ClerkCommand::OffDuty => act(unit, clerk, ClerkAction::OffDuty),
        ClerkCommand::CallNext => act(unit, clerk, ClerkAction::CallNext),
        ClerkCommand::Resume => act(unit, clerk, ClerkAction::Resume),
        ClerkCommand::Pause { notice } => {
            act(unit, clerk, ClerkAction::Pause);
            unit.set_notice(notice.as_deref()).await?;
        }
        ClerkCommand::Call { ticket } => match by_ticket(unit, ticket) {
            Some(visit) => act(unit, clerk, ClerkAction::Call { visit }),
            None => return Ok(Some(unknown(ticket))),
        },
        ClerkCommand::Decline { ticket, reason } => match by_ticket(unit, ticket) {
            Some(visit) => decline(unit, house, city, clerk, visit, reason).await?,
            None => return Ok(Some(unknown(ticket))),
        },
        ClerkCommand::End { ticket: None } => act(unit, clerk, ClerkAction::End { visit: None }),
        ClerkCommand::End {
            ticket: Some(ticket),
        } => match by_ticket(unit, ticket) {
            Some(visit) => act(unit, clerk, ClerkAction::End { visit: Some(visit) }),
            None => return Ok(Some(unknown(ticket))),
        },
    }
    Ok(None)
}

/// The answer to a command that was not written right.
fn right_use(house: &House, language: Language, misuse: &Misuse) -> String {
    let (key, verb) = match misuse {
        Misuse::Unknown => return house.words.say(language, "misuse-unknown", &[]),
        Misuse::Arguments { verb, .. } => ("misuse-usage", verb),
        Misuse::TooLong { verb, .. } => ("misuse-too-long", verb),
    };
    let usage = match verb {
        Verb::Help => "help-heading",
        Verb::Duty => "help-duty",
        Verb::Queue => "help-queue",
        Verb::Next => "help-next",
        Verb::Call => "help-call",
        Verb::Decline => "help-decline",
        Verb::Pause | Verb::Resume => "help-pause",
        Verb::End => "help-end",
        Verb::Agenda => "help-agenda",
        Verb::OfferTime => "help-offer-time",
        Verb::CancelBooking => "help-cancel-booking",
    };
    let usage = house.words.say(language, usage, &[]);
    house.words.say(language, key, &[("usage", &usage)])
}

/// Declines a waiting visit, with the clerk's words for the citizen or the usual ones.
async fn decline(
    unit: &mut Unit<'_>,
    house: &House,
    city: &City,
    clerk: &MatrixUser,
    visit: VisitId,
    reason: Option<String>,
) -> Result<(), ChangeError> {
    let Some(before) = unit.visit(&visit) else {
        return Ok(());
    };
    let was_waiting = before.state == VisitState::Waiting;
    let language = city.spoken(before.language);
    act(
        unit,
        clerk,
        ClerkAction::Decline {
            visit: visit.clone(),
        },
    );
    if was_waiting {
        let words = reason.unwrap_or_else(|| house.words.say(language, "decline-default", &[]));
        unit.tx.set_decline_text(&visit, Some(&words)).await?;
    }
    Ok(())
}

/// A clerk acts. `bridge` answers clerks by commands and refuses them nothing.
fn act(unit: &mut Unit<'_>, clerk: &MatrixUser, action: ClerkAction) {
    let decided = unit.decide(Input::Clerk {
        clerk: clerk.clone(),
        action,
    });
    debug_assert!(
        decided.is_ok(),
        "a clerk's action is answered, never refused"
    );
}

/// The visitor's live visit at this office.
async fn visit_of(unit: &mut Unit<'_>, user: &MatrixUser) -> Result<Option<VisitId>, ChangeError> {
    let native = Visitor::Matrix(user.clone());
    if let Some(visit) = unit.office.live().find(|visit| visit.visitor == native) {
        return Ok(Some(visit.id.clone()));
    }
    let record = unit.tx.visit_of_ghost(user.as_str()).await?;
    Ok(record
        .filter(|record| record.office == unit.office.slug)
        .map(|record| record.visit.id))
}

fn by_ticket(unit: &Unit<'_>, ticket: Ticket) -> Option<VisitId> {
    unit.office.by_ticket(ticket).map(|visit| visit.id.clone())
}

/// Somebody stands in the door room who does not belong there: citizens talk in rooms of their own.
async fn show_out(unit: &mut Unit<'_>, user: &MatrixUser) -> Result<(), ChangeError> {
    let office = unit.office.slug.clone();
    at_the_doorstep(
        unit,
        &Errand::ShowOut {
            office,
            user: user.clone(),
        },
    )
    .await
}

/// Adds an errand about somebody who has no visit. Its lane is not the door room's: a far homeserver that does
/// not answer must not hold up what clerks are told.
async fn at_the_doorstep(unit: &mut Unit<'_>, errand: &Errand) -> Result<(), ChangeError> {
    Ok(unit.enqueue(&Lane::named("doorstep"), errand).await?)
}

async fn finish(mut unit: Unit<'_>, event: &RoomEvent) -> Result<(), ChangeError> {
    let now = unit.now.at;
    unit.tx.processed(event.event_id.as_str(), now).await?;
    Ok(unit.commit().await?)
}

//! What an outbox row means at the moment it runs: words and ids are looked up here, not stored in the row.

use appservice::{
    OwnedEventId, OwnedRoomId,
    content::{Mention, Text},
    jobs::{Effect, Job, OutgoingFile, Speaker},
    rooms::ConsultationSpec,
};
use bridge::{
    ids::{BookingId, MatrixUser, OfficeSlug, Ticket, VisitId},
    input::{ClerkNotice, Command},
    visit::{Ending, VisitState, Visitor},
};
use bytes::Bytes;
use city::model::{City, OfficeConfig};
use gateway::port::VisitEvent;
use store::{Delivery, Job as Row, Tx, VisitMatrix, VisitPrivate, VisitRecord};

use crate::{
    booking::{self, Letter},
    front_office::message_view,
    house::{ChangeError, House, first_language},
    task::{Errand, Task},
    words::{KnockLine, Welcome, clock},
};

/// What to do about a row.
pub(crate) enum Plan {
    /// Execute this.
    Job(Box<Job>),
    /// End the call of this name at the relay.
    EndCall(String),
    /// Send this mail.
    Mail {
        /// The mail.
        mail: Box<lettre::Message>,
        /// Whose booking, and what it is about.
        about: (BookingId, Letter),
    },
    /// It has become needless.
    Nothing,
    /// The office's door room does not exist yet.
    NoDoorYet,
    /// It can never be done, and whoever waits for it has to know.
    InVain,
    /// It cannot be put into the form it needs; a word for the log.
    Unfit {
        /// What does not fit.
        code: &'static str,
    },
    /// The row is not readable.
    Unreadable,
}

impl Plan {
    pub(crate) fn job(job: Job) -> Self {
        Self::Job(Box::new(job))
    }
}

/// A visit with all that is known of it.
struct Case {
    record: VisitRecord,
    private: VisitPrivate,
    place: VisitMatrix,
}

/// Builds the job of a row from what is true at this moment.
pub(crate) async fn plan(house: &House, row: &Row) -> Result<Plan, ChangeError> {
    match serde_json::from_value::<Task>(row.job.clone()) {
        Ok(Task::Decided(command)) => decided(house, row, command).await,
        Ok(Task::Own(errand)) => own(house, row, errand).await,
        Err(_) => Ok(Plan::Unreadable),
    }
}

async fn decided(house: &House, row: &Row, command: Command) -> Result<Plan, ChangeError> {
    let visit = match &command {
        Command::TellClerk { clerk, notice } => return tell_clerk(house, row, clerk, notice).await,
        Command::Publish => return Ok(Plan::Nothing),
        Command::PlaceKnock { visit }
        | Command::Announce { visit }
        | Command::UpdateAnnouncement { visit }
        | Command::ClearDoor { visit }
        | Command::OpenConsultation { visit }
        | Command::CloseConsultation { visit, .. }
        | Command::RedactConcern { visit } => visit,
    };
    // An erased visit needs nothing any more; an office that the city has given up has no rooms.
    let Some(case) = case(house, visit).await? else {
        return Ok(Plan::Nothing);
    };
    let city = house.city.get();
    let Some(office) = city.office(&case.record.office) else {
        return Ok(Plan::Nothing);
    };
    let Some(door) = house.doors.room(&office.slug) else {
        return Ok(Plan::NoDoorYet);
    };
    let scene = Scene {
        house,
        city: &city,
        office,
        case: &case,
    };
    let job = match command {
        Command::PlaceKnock { .. } => scene.place_knock(door),
        Command::Announce { .. } => scene.announce(door).await?,
        Command::UpdateAnnouncement { .. } => scene.update_line(door).await?,
        Command::ClearDoor { .. } => scene.clear_door(door),
        Command::OpenConsultation { .. } => scene.open_consultation(),
        Command::CloseConsultation { ending, .. } => scene.close_consultation(ending),
        Command::RedactConcern { .. } => event_id(case.place.concern_event.as_deref())
            .map(|event| Job::Redact { room: door, event }),
        Command::TellClerk { .. } | Command::Publish => None,
    };
    Ok(job.map_or(Plan::Nothing, Plan::job))
}

async fn case(house: &House, visit: &VisitId) -> Result<Option<Case>, ChangeError> {
    let mut read = house.store.read().await?;
    let Some(record) = read.visit(visit).await? else {
        return Ok(None);
    };
    let private = read.private(visit).await?;
    let place = read.visit_matrix(visit).await?;
    Ok(Some(Case {
        record,
        private,
        place,
    }))
}

/// A case at its office.
struct Scene<'s> {
    house: &'s House,
    city: &'s City,
    office: &'s OfficeConfig,
    case: &'s Case,
}

impl Scene<'_> {
    /// The service's name in the city's first language.
    fn service(&self) -> Option<&str> {
        let service = self
            .office
            .service(self.case.record.visit.service.as_ref()?)?;
        Some(service.name.get(first_language(self.city)))
    }

    /// The visitor's Matrix user: the ghost, or the person's own.
    fn visitor(&self) -> Option<MatrixUser> {
        match &self.case.record.visit.visitor {
            Visitor::Guest(_) => self.case.place.ghost.clone(),
            Visitor::Matrix(user) => Some(user.clone()),
        }
    }

    fn place_knock(&self, door: OwnedRoomId) -> Option<Job> {
        let visit = &self.case.record.visit;
        if visit.state != VisitState::Waiting {
            return None;
        }
        let ghost = self.case.place.ghost.clone()?;
        let reason =
            self.house
                .words
                .knock_reason(first_language(self.city), visit.ticket, self.service());
        Some(Job::PlaceKnock {
            door,
            ghost,
            display_name: visit.ticket.to_string(),
            reason,
        })
    }

    async fn announce(&self, door: OwnedRoomId) -> Result<Option<Job>, ChangeError> {
        if !self.case.record.visit.is_live() {
            return Ok(None);
        }
        let language = first_language(self.city);
        let concern = self.case.private.concern.as_deref().map(|concern| {
            let ticket = self.case.record.visit.ticket;
            Text::notice(self.house.words.say(
                language,
                "knock-concern",
                &[("ticket", &ticket), ("concern", &concern)],
            ))
        });
        let mut mentions = Vec::new();
        for user in self.on_duty().await? {
            let name = self.house.names.of(&user).await;
            mentions.push(Mention { user, name });
        }
        let line = Text::plain(self.line().await?).mentioning(mentions);
        Ok(Some(Job::Announce {
            door,
            line,
            concern,
        }))
    }

    /// Clerks on duty; all of the office when nobody is, so that a knock is not lost on an empty desk.
    async fn on_duty(&self) -> Result<Vec<MatrixUser>, ChangeError> {
        let mut read = self.house.store.read().await?;
        let office = read
            .load_office(&self.office.slug, self.office.rules.clone())
            .await?;
        let on_duty: Vec<MatrixUser> = office
            .desks
            .into_keys()
            .filter(|clerk| self.office.clerks.contains(clerk))
            .collect();
        Ok(if on_duty.is_empty() {
            self.office.clerks.clone()
        } else {
            on_duty
        })
    }

    /// The line about the knock, as it has to read at this moment.
    async fn line(&self) -> Result<String, ChangeError> {
        let words = &self.house.words;
        let language = first_language(self.city);
        let zone = &self.office.hours.zone;
        let visit = &self.case.record.visit;
        let service = self.service();
        Ok(match &visit.state {
            VisitState::Waiting => {
                let mut read = self.house.store.read().await?;
                let office = read
                    .load_office(&self.office.slug, self.office.rules.clone())
                    .await?;
                words.knock_line(
                    language,
                    &KnockLine {
                        ticket: visit.ticket,
                        service,
                        language: visit.language,
                        interpreter: self.case.private.interpreter.is_some(),
                        position: office
                            .position(&visit.id, self.house.now(self.office).at)
                            .unwrap_or(1),
                        since: clock(visit.knocked_at, zone),
                    },
                )
            }
            VisitState::Called { clerk, at } | VisitState::InConversation { clerk, since: at } => {
                let name = self.house.names.of(clerk).await;
                words.called_line(language, visit.ticket, service, &name, &clock(*at, zone))
            }
            VisitState::Ended { ending, at, .. } => {
                words.ended_line(language, visit.ticket, service, *ending, &clock(*at, zone))
            }
        })
    }

    async fn update_line(&self, room: OwnedRoomId) -> Result<Option<Job>, ChangeError> {
        let Some(event) = event_id(self.case.place.line_event.as_deref()) else {
            return Ok(None);
        };
        Ok(Some(Job::EditLine {
            room,
            event,
            line: Text::plain(self.line().await?),
        }))
    }

    fn clear_door(&self, door: OwnedRoomId) -> Option<Job> {
        let declined = matches!(
            self.case.record.visit.state,
            VisitState::Ended {
                ending: Ending::Declined,
                ..
            }
        );
        let reason = declined.then(|| {
            self.house
                .words
                .say(first_language(self.city), "reject-declined", &[])
        });
        Some(Job::ClearDoor {
            door,
            visitor: self.visitor()?,
            reason,
        })
    }

    fn open_consultation(&self) -> Option<Job> {
        let words = &self.house.words;
        let visit = &self.case.record.visit;
        let (VisitState::Called { clerk, .. } | VisitState::InConversation { clerk, .. }) =
            &visit.state
        else {
            return None;
        };
        let language = self.house.clerk_language(self.city, clerk);
        let private = &self.case.private;
        let first = words.welcome(
            language,
            &Welcome {
                ticket: visit.ticket,
                name: private.name.as_deref(),
                service: self.service(),
                interpreter: private.interpreter.as_deref(),
                concern: private.concern.as_deref(),
            },
        );
        let guest_name = match &visit.visitor {
            Visitor::Guest(_) => Some(guest_name(self.house, self.city, self.case)),
            Visitor::Matrix(_) => None,
        };
        let spec = ConsultationSpec {
            visit: visit.id.clone(),
            name: self.room_name("room-name"),
            clerk: clerk.clone(),
            visitor: self.visitor()?,
        };
        Some(Job::OpenConsultation {
            spec,
            guest_name,
            first: Text::plain(first),
        })
    }

    fn close_consultation(&self, ending: Ending) -> Option<Job> {
        let room = self
            .case
            .place
            .consultation_room
            .as_deref()?
            .try_into()
            .ok()?;
        let ghost = match &self.case.record.visit.visitor {
            Visitor::Guest(_) => self.case.place.ghost.clone(),
            Visitor::Matrix(_) => None,
        };
        let goodbye = Text::notice(self.house.words.goodbye(first_language(self.city), ending));
        Some(Job::CloseConsultation {
            room,
            ghost,
            goodbye,
            retired_name: self.room_name("room-name-ended"),
        })
    }

    fn room_name(&self, key: &str) -> String {
        let language = first_language(self.city);
        let office = self.office.name.get(language);
        self.house.words.say(
            language,
            key,
            &[
                ("ticket", &self.case.record.visit.ticket),
                ("office", &office),
            ],
        )
    }
}

async fn tell_clerk(
    house: &House,
    row: &Row,
    clerk: &MatrixUser,
    notice: &ClerkNotice,
) -> Result<Plan, ChangeError> {
    let Some(room) = door_of(house, row) else {
        return Ok(Plan::NoDoorYet);
    };
    let language = house.clerk_language(&house.city.get(), clerk);
    let name = house.names.of(clerk).await;
    let by = match notice {
        ClerkNotice::AlreadyTaken { by, .. } => house.names.of(by).await,
        _ => String::new(),
    };
    let text = Text::notice(house.words.notice(language, &name, notice, &by));
    Ok(Plan::job(Job::Say {
        room,
        speaker: Speaker::Bot,
        text,
    }))
}

/// The door room whose lane the row is in.
fn door_of(house: &House, row: &Row) -> Option<OwnedRoomId> {
    let slug: OfficeSlug = row.lane.as_str().strip_prefix("door:")?.parse().ok()?;
    house.doors.room(&slug)
}

async fn own(house: &House, row: &Row, errand: Errand) -> Result<Plan, ChangeError> {
    let (office, visitor, reason) = match errand {
        Errand::Deliver { visit, message } => return deliver(house, &visit, message).await,
        Errand::NameGuest { visit } => return name_guest(house, &visit).await,
        Errand::JoinCall { visit, ring } => return join_call(house, &visit, ring).await,
        Errand::LeaveCall { visit } => return leave_call(house, &visit).await,
        Errand::EndCall { visit } => return end_call(house, &visit).await,
        Errand::Mail { booking, letter } => return mail(house, row, booking, letter).await,
        Errand::TellBooking { booking, news } => {
            return booking::plan_line(house, &booking, news).await;
        }
        Errand::Answer { text } => {
            let job = |room| Job::Say {
                room,
                speaker: Speaker::Bot,
                text: Text::notice(text),
            };
            return Ok(door_of(house, row)
                .map(job)
                .map_or(Plan::NoDoorYet, Plan::job));
        }
        Errand::TurnDown {
            office,
            user,
            reason,
        } => (office, user, Some(reason)),
        Errand::ShowOut { office, user } => (office, user, None),
    };
    let job = |door| Job::ClearDoor {
        door,
        visitor,
        reason,
    };
    Ok(house
        .doors
        .room(&office)
        .map(job)
        .map_or(Plan::NoDoorYet, Plan::job))
}

/// A mail that cannot be written is given up like one that no server takes.
async fn mail(
    house: &House,
    row: &Row,
    id: BookingId,
    letter: Letter,
) -> Result<Plan, ChangeError> {
    let Some(post) = &house.post else {
        return Ok(Plan::Nothing);
    };
    Ok(
        match booking::plan_letter(house, post, row, &id, letter).await? {
            booking::Planned::Mail(mail) => Plan::Mail {
                mail,
                about: (id, letter),
            },
            booking::Planned::Nothing => Plan::Nothing,
            booking::Planned::Unfit(code) => Plan::Unfit { code },
        },
    )
}

/// The consultation room and the ghost in it, if both are there.
fn inside(case: &Case) -> Option<(OwnedRoomId, MatrixUser)> {
    let room = case.place.consultation_room.as_deref()?.try_into().ok()?;
    Some((room, case.place.ghost.clone()?))
}

async fn deliver(house: &House, visit: &VisitId, message: i64) -> Result<Plan, ChangeError> {
    let Some(case) = case(house, visit).await? else {
        return Ok(Plan::Nothing);
    };
    let mut read = house.store.read().await?;
    let Some(message) = read.message(visit, message).await? else {
        return Ok(Plan::Nothing);
    };
    // The room was opened earlier in this lane, or never will be.
    let Some((room, ghost)) = inside(&case) else {
        return Ok(Plan::InVain);
    };
    let speaker = Speaker::Ghost(ghost);
    Ok(Plan::job(match message.content.file {
        None => Job::Say {
            room,
            speaker,
            text: Text::plain(message.content.body),
        },
        Some(file) => {
            let Some(bytes) = read.blob(message.id).await? else {
                return Ok(Plan::InVain);
            };
            let file = OutgoingFile {
                name: file.name,
                media_type: file.media_type,
                bytes: Bytes::from(bytes),
            };
            Job::SendFile {
                room,
                speaker,
                file,
            }
        }
    }))
}

async fn name_guest(house: &House, visit: &VisitId) -> Result<Plan, ChangeError> {
    let Some(case) = case(house, visit).await? else {
        return Ok(Plan::Nothing);
    };
    let Some((room, ghost)) = inside(&case) else {
        return Ok(Plan::Nothing);
    };
    let name = guest_name(house, &house.city.get(), &case);
    Ok(Plan::job(Job::NameGuest { room, ghost, name }))
}

/// How the guest is called in the consultation room and in its call, and nowhere else.
fn guest_name(house: &House, city: &City, case: &Case) -> String {
    let name = case.private.name.clone();
    name.unwrap_or_else(|| unnamed(house, city, case.record.visit.ticket))
}

/// How a guest is called who has told no name.
pub(crate) fn unnamed(house: &House, city: &City, ticket: Ticket) -> String {
    house.words.say(
        first_language(city),
        "guest-default-name",
        &[("ticket", &ticket)],
    )
}

async fn join_call(house: &House, visit: &VisitId, ring: bool) -> Result<Plan, ChangeError> {
    let (Some(calls), Some(case)) = (&house.calls, case(house, visit).await?) else {
        return Ok(Plan::Nothing);
    };
    let (VisitState::Called { clerk, .. } | VisitState::InConversation { clerk, .. }) =
        &case.record.visit.state
    else {
        return Ok(Plan::Nothing);
    };
    // The guest has hung up or gone since, or the program was started anew: the page asks again when it is there.
    if !calls.wants(visit) {
        return Ok(Plan::Nothing);
    }
    let Some((room, ghost)) = inside(&case) else {
        return Ok(Plan::Nothing);
    };
    Ok(Plan::job(Job::JoinCall {
        room,
        ghost,
        service_url: calls.service_url.clone(),
        form: calls.form,
        ring: ring.then(|| clerk.clone()),
    }))
}

async fn leave_call(house: &House, visit: &VisitId) -> Result<Plan, ChangeError> {
    // Back already: a job that joins again follows.
    if house.calls.as_ref().is_some_and(|calls| calls.wants(visit)) {
        return Ok(Plan::Nothing);
    }
    let case = case(house, visit).await?;
    let place = case.as_ref().and_then(inside);
    Ok(place.map_or(Plan::Nothing, |(room, ghost)| {
        Plan::job(Job::LeaveCall { room, ghost })
    }))
}

async fn end_call(house: &House, visit: &VisitId) -> Result<Plan, ChangeError> {
    let mut read = house.store.read().await?;
    let room = read.visit_matrix(visit).await?.consultation_room;
    Ok(match room {
        Some(room) if house.calls.is_some() => {
            Plan::EndCall(appservice::rtc::alias(&room, appservice::rtc::SLOT))
        }
        _ => Plan::Nothing,
    })
}

fn event_id(id: Option<&str>) -> Option<OwnedEventId> {
    id?.try_into().ok()
}

/// Stores what a job brought about, in the transaction that removes its row; what the guest's page is told.
pub(crate) async fn remember(
    tx: &mut Tx,
    row: &Row,
    effect: Effect,
) -> Result<Option<(VisitId, VisitEvent)>, ChangeError> {
    let task = serde_json::from_value::<Task>(row.job.clone()).ok();
    match (effect, task) {
        (Effect::Announced { line, concern }, Some(Task::Decided(Command::Announce { visit }))) => {
            tx.set_line_event(&visit, Some(line.as_str())).await?;
            tx.set_concern_event(&visit, concern.as_ref().map(|event| event.as_str()))
                .await?;
        }
        (Effect::Opened { room }, Some(Task::Decided(Command::OpenConsultation { visit }))) => {
            tx.set_consultation_room(&visit, Some(room.as_str()))
                .await?;
        }
        (Effect::Nothing, Some(Task::Decided(Command::RedactConcern { visit }))) => {
            tx.set_concern_event(&visit, None).await?;
        }
        (Effect::Sent { event }, Some(Task::Own(Errand::Deliver { visit, message }))) => {
            tx.set_delivery(message, Delivery::Delivered, Some(event.as_str()))
                .await?;
            return delivered(tx, visit, message).await;
        }
        (
            Effect::SentFile { event, address },
            Some(Task::Own(Errand::Deliver { visit, message })),
        ) => {
            tx.set_delivery(message, Delivery::Delivered, Some(event.as_str()))
                .await?;
            tx.set_mxc(message, address.as_str()).await?;
            tx.delete_blob(message).await?;
            return delivered(tx, visit, message).await;
        }
        _ => {}
    }
    Ok(None)
}

/// A message that cannot be delivered says so on the guest's page.
pub(crate) async fn give_up(
    tx: &mut Tx,
    row: &Row,
) -> Result<Option<(VisitId, VisitEvent)>, ChangeError> {
    let Ok(Task::Own(Errand::Deliver { visit, message })) =
        serde_json::from_value::<Task>(row.job.clone())
    else {
        return Ok(None);
    };
    tx.set_delivery(message, Delivery::Failed, None).await?;
    tx.delete_blob(message).await?;
    delivered(tx, visit, message).await
}

async fn delivered(
    tx: &mut Tx,
    visit: VisitId,
    message: i64,
) -> Result<Option<(VisitId, VisitEvent)>, ChangeError> {
    let stored = tx.message(&visit, message).await?;
    Ok(stored.map(|message| (visit, VisitEvent::Message(message_view(message)))))
}

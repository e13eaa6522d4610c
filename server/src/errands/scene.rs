//! What the commands about one visit mean in Matrix.

use appservice::{OwnedRoomId, content::Text, jobs::Job, rooms::ConsultationSpec};
use bridge::{
    ids::MatrixUser,
    visit::{Ending, VisitKind, VisitState, Visitor},
};
use city::model::{City, OfficeConfig};

use super::{Case, event_id, guest_name};
use crate::{
    house::{ChangeError, House, first_language},
    words::{KnockLine, Welcome, clock},
};

/// A case at its office.
pub(super) struct Scene<'s> {
    pub(super) house: &'s House,
    pub(super) city: &'s City,
    pub(super) office: &'s OfficeConfig,
    pub(super) case: &'s Case,
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

    pub(super) fn place_knock(&self, door: OwnedRoomId) -> Option<Job> {
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

    pub(super) async fn announce(&self, door: OwnedRoomId) -> Result<Option<Job>, ChangeError> {
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
        let mentions = self.house.mentions(self.office).await?;
        let line = Text::plain(self.line().await?).mentioning(mentions);
        Ok(Some(Job::Announce {
            door,
            line,
            concern,
        }))
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
                        appointment: match visit.kind {
                            VisitKind::Appointment { at } => Some(clock(at, zone)),
                            VisitKind::WalkIn => None,
                        },
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

    pub(super) async fn update_line(&self, room: OwnedRoomId) -> Result<Option<Job>, ChangeError> {
        let Some(event) = event_id(self.case.place.line_event.as_deref()) else {
            return Ok(None);
        };
        Ok(Some(Job::EditLine {
            room,
            event,
            line: Text::plain(self.line().await?),
        }))
    }

    pub(super) fn clear_door(&self, door: OwnedRoomId) -> Option<Job> {
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

    pub(super) fn open_consultation(&self) -> Option<Job> {
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

    pub(super) fn close_consultation(&self, ending: Ending) -> Option<Job> {
        let room = match self.case.place.consultation_room.as_deref() {
            Some(room) => Some(room.try_into().ok()?),
            None => None,
        };
        let ghost = match &self.case.record.visit.visitor {
            Visitor::Guest(_) => self.case.place.ghost.clone(),
            Visitor::Matrix(_) => None,
        };
        let goodbye = Text::notice(self.house.words.goodbye(first_language(self.city), ending));
        Some(Job::CloseConsultation {
            visit: self.case.record.visit.id.clone(),
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

//! The house as browsers see it: [`FrontOffice`] on store, `bridge` and homeserver.

use std::{sync::Arc, time::Duration};

use appservice::MxcUri;
use async_trait::async_trait;
use bridge::{
    ids::{GuestId, OfficeSlug, VisitId},
    input::{Input, Knock},
    visit::{Ending, VisitKind, VisitState, Visitor},
};
use bytes::Bytes;
use gateway::port::{
    self, CallView, Download, FileView, FrontOffice, HouseError, KnockForm, Lobby, MessageView,
    Upload, VisitEvent, VisitEvents, VisitPhase, VisitView,
};
use jiff::SignedDuration;
use store::{
    Author, Delivery, FileMeta, Lane, Message, NewMessage, StoreError, VisitPrivate, VisitRecord,
};
use tokio::sync::watch;
use tracing::{error, warn};

use crate::{
    calls, ghosts,
    house::{ChangeError, House},
    shell,
    task::{Errand, Party},
};

/// A guest sees an ended visit for this long.
const SHOWN_AFTER_END: SignedDuration = SignedDuration::from_hours(1);
/// A guest who types is shown typing for this long without word from the page.
const TYPING: Duration = Duration::from_secs(20);
/// Files that clerks send may be this large.
const LARGEST_FILE: usize = 25 << 20;

/// The house behind the gateway.
pub(crate) struct Counter(pub(crate) Arc<House>);

#[async_trait]
impl FrontOffice for Counter {
    fn lobby(&self) -> watch::Receiver<Arc<Lobby>> {
        self.0.lobby.subscribe()
    }

    async fn knock(
        &self,
        office: &OfficeSlug,
        guest: &GuestId,
        form: KnockForm,
    ) -> Result<VisitView, HouseError> {
        let house = &self.0;
        let city = house.city.get();
        let config = city.office(office).ok_or(HouseError::UnknownOffice)?;
        if form
            .service
            .as_ref()
            .is_some_and(|service| config.service(service).is_none())
        {
            return Err(HouseError::UnknownService);
        }
        let id = VisitId::from_random(shell::random().map_err(|_| ChangeError::Randomness)?);
        let mut unit = house.change(office).await?;
        unit.decide(Input::Knock(Knock {
            visit: id.clone(),
            visitor: Visitor::Guest(guest.clone()),
            kind: VisitKind::WalkIn,
            language: form.language,
            service: form.service,
        }))?;
        let private = VisitPrivate {
            concern: Some(form.concern),
            name: form.name,
            interpreter: form.interpreter,
            decline_text: None,
        };
        unit.tx.put_private(&id, &private).await.or_internal()?;
        let ghost = ghosts::take(house, &mut unit.tx).await?;
        unit.tx.set_ghost(&id, &ghost).await.or_internal()?;
        unit.commit().await.or_internal()?;
        house.ghosts.notify_one();
        self.visit(guest, &id).await
    }

    async fn visits(&self, guest: &GuestId) -> Result<Vec<VisitView>, HouseError> {
        let since = shell::now() - SHOWN_AFTER_END;
        let records = self
            .0
            .store
            .read()
            .await
            .or_internal()?
            .visits_of_guest(guest, since)
            .await
            .or_internal()?;
        let mut views = Vec::with_capacity(records.len());
        for record in records {
            views.push(self.view(record).await?);
        }
        Ok(views)
    }

    async fn visit(&self, guest: &GuestId, visit: &VisitId) -> Result<VisitView, HouseError> {
        let record = self.record(guest, visit).await?;
        self.view(record).await
    }

    async fn watch(&self, guest: &GuestId, visit: &VisitId) -> Result<VisitEvents, HouseError> {
        self.record(guest, visit).await?;
        Ok(self.0.hub.watch(&Party::citizen(visit)))
    }

    async fn leave(&self, guest: &GuestId, visit: &VisitId) -> Result<(), HouseError> {
        let record = self.record(guest, visit).await?;
        if !record.visit.is_live() {
            return Ok(());
        }
        let mut unit = self.0.change(&record.office).await?;
        match unit.decide(Input::Leave {
            visit: visit.clone(),
        }) {
            // It has ended between reading and deciding: what the guest wants is so.
            Err(bridge::input::Refusal::UnknownVisit) => return Ok(()),
            decided => decided?,
        }
        unit.commit().await.or_internal()
    }

    async fn enter(&self, guest: &GuestId, visit: &VisitId) -> Result<VisitView, HouseError> {
        let record = self.record(guest, visit).await?;
        let mut unit = self.0.change(&record.office).await?;
        unit.decide(Input::Enter {
            visit: visit.clone(),
        })?;
        unit.commit().await.or_internal()?;
        self.visit(guest, visit).await
    }

    async fn messages(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        after: i64,
    ) -> Result<Vec<MessageView>, HouseError> {
        self.record(guest, visit).await?;
        let messages = self
            .0
            .store
            .read()
            .await
            .or_internal()?
            .messages(visit, after)
            .await
            .or_internal()?;
        Ok(messages.into_iter().map(message_view).collect())
    }

    async fn say(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        client_id: &str,
        body: String,
    ) -> Result<MessageView, HouseError> {
        self.post(guest, visit, client_id, body, None).await
    }

    async fn typing(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        typing: bool,
    ) -> Result<(), HouseError> {
        let record = self.record(guest, visit).await?;
        if !in_conversation(&record) {
            return Err(HouseError::NoConversation);
        }
        let mut read = self.0.store.read().await.or_internal()?;
        let place = read.visit_matrix(visit).await.or_internal()?;
        drop(read);
        if let (Some(ghost), Some(room)) = (place.ghost, place.consultation_room)
            && let Ok(room) = room.as_str().try_into()
            && let Err(fault) = self
                .0
                .matrix
                .typing(&ghost, room, typing.then_some(TYPING))
                .await
        {
            // Typing is a courtesy: a lost one is no fault of the guest's request.
            tracing::debug!("typing was not told: {}", fault.code());
        }
        Ok(())
    }

    async fn send_file(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        client_id: &str,
        upload: Upload,
    ) -> Result<MessageView, HouseError> {
        self.post(guest, visit, client_id, String::new(), Some(upload))
            .await
    }

    async fn file(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        message: i64,
    ) -> Result<Download, HouseError> {
        self.record(guest, visit).await?;
        let mut read = self.0.store.read().await.or_internal()?;
        let message = read
            .message(visit, message)
            .await
            .or_internal()?
            .ok_or(HouseError::UnknownFile)?;
        let file = message.content.file.ok_or(HouseError::UnknownFile)?;
        let kept = read.blob(message.id).await.or_internal()?;
        drop(read);
        let bytes = match (kept, &file.mxc) {
            (Some(bytes), _) => Bytes::from(bytes),
            (None, Some(mxc)) => {
                let address: &MxcUri = mxc.as_str().into();
                let media = self.0.matrix.download(address, LARGEST_FILE).await;
                media
                    .map_err(|fault| {
                        if fault.retry().is_some() {
                            HouseError::HomeserverAway
                        } else {
                            HouseError::UnknownFile
                        }
                    })?
                    .bytes
            }
            (None, None) => return Err(HouseError::UnknownFile),
        };
        Ok(Download {
            file: file_view(file),
            bytes,
        })
    }

    async fn rate(&self, guest: &GuestId, visit: &VisitId, stars: u8) -> Result<(), HouseError> {
        let record = self.record(guest, visit).await?;
        let city = self.0.city.get();
        let zone = city
            .office(&record.office)
            .map_or_else(|| city.zone.clone(), |office| office.hours.zone.clone());
        let mut tx = self.0.store.begin().await.or_internal()?;
        if !tx
            .rate(visit, shell::now().to_zoned(zone).date(), stars)
            .await
            .or_internal()?
        {
            return Err(HouseError::NotRatable);
        }
        tx.commit().await.or_internal()?;
        self.0.hub.send(visit, VisitEvent::Changed);
        Ok(())
    }

    async fn join_call(&self, guest: &GuestId, visit: &VisitId) -> Result<CallView, HouseError> {
        let record = self.record(guest, visit).await?;
        calls::join(&self.0, &record, &Party::citizen(visit)).await
    }

    async fn leave_call(&self, guest: &GuestId, visit: &VisitId) -> Result<(), HouseError> {
        self.record(guest, visit).await?;
        calls::hang_up(&self.0, &Party::citizen(visit))
            .await
            .or_internal()
    }
}

impl Counter {
    /// The visit, if it is this guest's.
    pub(crate) async fn record(
        &self,
        guest: &GuestId,
        visit: &VisitId,
    ) -> Result<VisitRecord, HouseError> {
        let record = self
            .0
            .store
            .read()
            .await
            .or_internal()?
            .visit(visit)
            .await
            .or_internal()?;
        record
            .filter(
                |record| matches!(&record.visit.visitor, Visitor::Guest(owner) if owner == guest),
            )
            .ok_or(HouseError::UnknownVisit)
    }

    /// The visit with everything its guest sees beside it.
    async fn view(&self, record: VisitRecord) -> Result<VisitView, HouseError> {
        let house = &self.0;
        let visit = record.visit;
        let city = house.city.get();
        let (mut position, mut estimate, mut notice, mut enter_by) = (None, None, None, None);
        if let Some(config) = city.office(&record.office).filter(|_| visit.is_live()) {
            let standing = house.standings.of(house, config).await.or_internal()?;
            position = standing.positions.get(&visit.id).copied();
            estimate = standing.estimates.get(&visit.id).copied();
            notice.clone_from(&standing.notice);
            if let VisitState::Called { at, .. } = &visit.state {
                enter_by = Some(*at + config.rules.no_show_after);
            }
        }
        let decline_text = match &visit.state {
            VisitState::Ended {
                ending: Ending::Declined,
                ..
            } => {
                let mut read = house.store.read().await.or_internal()?;
                read.private(&visit.id).await.or_internal()?.decline_text
            }
            _ => None,
        };
        let clerk_name = match visit.clerk() {
            Some(clerk) => Some(house.names.of(clerk).await),
            None => None,
        };
        let (phase, ending) = match &visit.state {
            VisitState::Waiting => (VisitPhase::Waiting, None),
            VisitState::Called { .. } => (VisitPhase::Called, None),
            VisitState::InConversation { .. } => (VisitPhase::InConversation, None),
            VisitState::Ended { ending, .. } => (VisitPhase::Ended, Some(*ending)),
        };
        Ok(VisitView {
            id: visit.id,
            ticket: visit.ticket,
            office: record.office,
            language: visit.language,
            phase,
            ending,
            position,
            estimated_wait_s: estimate,
            knocked_at: visit.knocked_at,
            enter_by,
            clerk_name,
            decline_text,
            notice,
            rated: record.rated,
        })
    }

    /// Stores the guest's message and its way to the consultation room together.
    async fn post(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        client_id: &str,
        body: String,
        upload: Option<Upload>,
    ) -> Result<MessageView, HouseError> {
        let house = &self.0;
        self.record(guest, visit).await?;
        let now = shell::now();
        let mut tx = house.store.begin().await.or_internal()?;
        if let Some(earlier) = tx.message_of_client(visit, client_id).await.or_internal()? {
            return Ok(message_view(earlier));
        }
        // Read again inside the transaction: the visit may have ended since.
        let record = tx
            .visit(visit)
            .await
            .or_internal()?
            .ok_or(HouseError::UnknownVisit)?;
        if !in_conversation(&record) {
            return Err(HouseError::NoConversation);
        }
        let file = upload.as_ref().map(|upload| FileMeta {
            name: upload.name.clone(),
            size: u64::try_from(upload.bytes.len()).unwrap_or(u64::MAX),
            media_type: upload.media_type.clone(),
            mxc: None,
        });
        let message = NewMessage {
            visit: visit.clone(),
            client_id: Some(client_id.to_owned()),
            author: Author::Guest,
            author_name: None,
            sent_at: now,
            body,
            file,
            delivery: Delivery::Sending,
            event_id: None,
        };
        let message = tx.insert_message(message).await.or_internal()?.message;
        if let Some(upload) = upload {
            tx.put_blob(message.id, &upload.bytes).await.or_internal()?;
        }
        let errand = Errand::Deliver {
            visit: visit.clone(),
            message: message.id,
        };
        tx.enqueue(&Lane::visit(visit), &errand, now)
            .await
            .or_internal()?;
        tx.commit().await.or_internal()?;
        house.outbox.notify_one();
        let view = message_view(message);
        house.hub.send(visit, VisitEvent::Message(view.clone()));
        Ok(view)
    }
}

pub(crate) fn in_conversation(record: &VisitRecord) -> bool {
    matches!(record.visit.state, VisitState::InConversation { .. })
}

/// A stored message as the guest sees it.
pub(crate) fn message_view(message: Message) -> MessageView {
    let content = message.content;
    MessageView {
        id: message.id,
        client_id: content.client_id,
        author: match content.author {
            Author::Guest => port::Author::Guest,
            Author::Participant => port::Author::Participant,
            Author::Office => port::Author::Office,
        },
        author_name: content.author_name,
        sent_at: content.sent_at,
        body: content.body,
        file: content.file.map(file_view),
        delivery: match content.delivery {
            Delivery::Sending => port::Delivery::Sending,
            Delivery::Delivered => port::Delivery::Delivered,
            Delivery::Failed => port::Delivery::Failed,
        },
    }
}

fn file_view(file: FileMeta) -> FileView {
    FileView {
        name: file.name,
        size: file.size,
        media_type: file.media_type,
    }
}

/// A fault of ours: told in the log, without what it was about.
pub(crate) fn internal(fault: impl std::fmt::Display) -> HouseError {
    error!("a request failed: {fault}");
    HouseError::Internal
}

/// Turns any fault of ours into what browsers may know of it; the log gets the rest, without what it was about.
pub(crate) trait OrInternal<T> {
    fn or_internal(self) -> Result<T, HouseError>;
}

impl<T, E: Into<ChangeError>> OrInternal<T> for Result<T, E> {
    fn or_internal(self) -> Result<T, HouseError> {
        self.map_err(|fault| fault.into().into())
    }
}

impl From<ChangeError> for HouseError {
    fn from(fault: ChangeError) -> Self {
        match fault {
            ChangeError::UnknownOffice => Self::UnknownOffice,
            ChangeError::Refused(refusal) => Self::Refused(refusal),
            ChangeError::Store(StoreError::Busy(_) | StoreError::Away(_)) => {
                warn!("a request was turned away: {fault}");
                Self::Busy
            }
            ChangeError::Store(_) | ChangeError::Randomness | ChangeError::Matrix(_) => {
                internal(fault)
            }
        }
    }
}

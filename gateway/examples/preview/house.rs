//! A house without a homeserver: it calls whoever knocks after a few seconds, and its clerk answers everything.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bridge::{
    ids::{GuestId, OfficeSlug, Ticket, VisitId},
    input::Refusal,
    office::WaitRange,
    visit::Ending,
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use gateway::port::{
    Author, CallView, Delivery, Download, FileView, FrontOffice, HouseError, KnockForm, Lobby,
    MessageView, Upload, VisitEvent, VisitEvents, VisitPhase, VisitView,
};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{broadcast, watch};
use tokio_stream::wrappers::BroadcastStream;

/// Between one step of the play and the next.
const STEP: Duration = Duration::from_secs(6);
const CLERK: &str = "Anna Becker";

#[derive(Clone)]
pub(crate) struct ShowHouse {
    lobby: watch::Sender<Arc<Lobby>>,
    visits: Arc<Mutex<BTreeMap<VisitId, Show>>>,
}

struct Show {
    guest: GuestId,
    view: VisitView,
    messages: Vec<MessageView>,
    files: BTreeMap<i64, Bytes>,
    events: broadcast::Sender<VisitEvent>,
}

impl Show {
    fn tell(&self, event: VisitEvent) {
        // Nobody may be listening, and that is fine.
        let _ = self.events.send(event);
    }

    fn change(&mut self, change: impl FnOnce(&mut VisitView)) {
        change(&mut self.view);
        self.tell(VisitEvent::Changed);
    }

    fn add(&mut self, author: Author, client_id: Option<&str>, body: &str) -> &mut MessageView {
        let id = i64::try_from(self.messages.len()).unwrap_or(i64::MAX) + 1;
        self.messages.push(MessageView {
            id,
            client_id: client_id.map(str::to_owned),
            author,
            author_name: (author == Author::Participant).then(|| CLERK.to_owned()),
            sent_at: now(),
            body: body.to_owned(),
            file: None,
            delivery: Delivery::Delivered,
        });
        let last = self.messages.len() - 1;
        &mut self.messages[last]
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the preview is a program of its own"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

impl ShowHouse {
    pub(crate) fn new(lobby: Lobby) -> Self {
        Self {
            lobby: watch::Sender::new(Arc::new(lobby)),
            visits: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<VisitId, Show>> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        act: impl FnOnce(&mut Show) -> T,
    ) -> Result<T, HouseError> {
        let mut visits = self.lock();
        let show = visits.get_mut(visit).filter(|show| show.guest == *guest);
        Ok(act(show.ok_or(HouseError::UnknownVisit)?))
    }

    /// After a step, does something to the visit unless it has gone on.
    async fn later(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        phase: VisitPhase,
        act: impl FnOnce(&mut Show),
    ) {
        tokio::time::sleep(STEP).await;
        // A visit that is gone has no next step.
        let _ = self.with(guest, visit, |show| {
            if show.view.phase == phase {
                act(show);
            }
        });
    }

    async fn play_waiting(self, guest: GuestId, visit: VisitId) {
        self.later(&guest, &visit, VisitPhase::Waiting, |show| {
            show.change(|view| {
                view.position = Some(1);
                view.estimated_wait_s = Some(WaitRange { low: 0, high: 200 });
            });
        })
        .await;
        self.later(&guest, &visit, VisitPhase::Waiting, |show| {
            show.change(|view| {
                view.phase = VisitPhase::Called;
                view.position = None;
                view.clerk_name = Some(CLERK.to_owned());
                view.enter_by = Some(now() + SignedDuration::from_mins(3));
            });
        })
        .await;
    }

    async fn play_answer(self, guest: GuestId, visit: VisitId) {
        // Gone guests get no answer.
        let _ = self.with(&guest, &visit, |show| show.tell(VisitEvent::Typing(true)));
        self.later(&guest, &visit, VisitPhase::InConversation, |show| {
            let answer = show
                .add(Author::Participant, None, "Danke, das sehe ich mir an.")
                .clone();
            show.tell(VisitEvent::Message(answer));
            show.tell(VisitEvent::Typing(false));
        })
        .await;
    }
}

#[async_trait]
impl FrontOffice for ShowHouse {
    fn lobby(&self) -> watch::Receiver<Arc<Lobby>> {
        self.lobby.subscribe()
    }

    async fn knock(
        &self,
        office: &OfficeSlug,
        guest: &GuestId,
        form: KnockForm,
    ) -> Result<VisitView, HouseError> {
        let mut visits = self.lock();
        let here = visits.values().find(|show| {
            show.guest == *guest
                && show.view.office == *office
                && show.view.phase != VisitPhase::Ended
        });
        if let Some(show) = here {
            let visit = show.view.id.clone();
            return Err(Refusal::AlreadyHere { visit }.into());
        }
        let number = u32::try_from(visits.len()).unwrap_or_default() + 1;
        let id = VisitId::from_random(u128::from(number).to_be_bytes());
        let view = VisitView {
            id: id.clone(),
            ticket: Ticket {
                letter: 'G',
                number,
            },
            office: office.clone(),
            language: form.language,
            phase: VisitPhase::Waiting,
            ending: None,
            position: Some(2),
            estimated_wait_s: Some(WaitRange {
                low: 310,
                high: 850,
            }),
            knocked_at: now(),
            enter_by: None,
            clerk_name: None,
            decline_text: None,
            notice: None,
            rated: false,
        };
        visits.insert(
            id.clone(),
            Show {
                guest: guest.clone(),
                view: view.clone(),
                messages: Vec::new(),
                files: BTreeMap::new(),
                events: broadcast::Sender::new(64),
            },
        );
        tokio::spawn(self.clone().play_waiting(guest.clone(), id));
        Ok(view)
    }

    async fn visits(&self, guest: &GuestId) -> Result<Vec<VisitView>, HouseError> {
        let visits = self.lock();
        let own = visits.values().rev().filter(|show| show.guest == *guest);
        Ok(own.map(|show| show.view.clone()).collect())
    }

    async fn visit(&self, guest: &GuestId, visit: &VisitId) -> Result<VisitView, HouseError> {
        self.with(guest, visit, |show| show.view.clone())
    }

    async fn watch(&self, guest: &GuestId, visit: &VisitId) -> Result<VisitEvents, HouseError> {
        let events = self.with(guest, visit, |show| show.events.subscribe())?;
        let events = BroadcastStream::new(events);
        Ok(Box::pin(
            events.map(|event| event.unwrap_or(VisitEvent::Resync)),
        ))
    }

    async fn leave(&self, guest: &GuestId, visit: &VisitId) -> Result<(), HouseError> {
        self.with(guest, visit, |show| {
            show.change(|view| {
                view.ending = Some(match view.phase {
                    VisitPhase::InConversation => Ending::Served,
                    VisitPhase::Waiting | VisitPhase::Called | VisitPhase::Ended => Ending::Left,
                });
                view.phase = VisitPhase::Ended;
                view.position = None;
            });
        })
    }

    async fn enter(&self, guest: &GuestId, visit: &VisitId) -> Result<VisitView, HouseError> {
        self.with(guest, visit, |show| {
            show.add(Author::Participant, None, "Guten Tag, wie kann ich helfen?");
            show.change(|view| {
                view.phase = VisitPhase::InConversation;
                view.enter_by = None;
            });
            show.view.clone()
        })
    }

    async fn messages(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        after: i64,
    ) -> Result<Vec<MessageView>, HouseError> {
        self.with(guest, visit, |show| {
            let newer = show.messages.iter().filter(|message| message.id > after);
            newer.cloned().collect()
        })
    }

    async fn say(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        client_id: &str,
        body: String,
    ) -> Result<MessageView, HouseError> {
        let said = self.with(guest, visit, |show| {
            show.add(Author::Guest, Some(client_id), &body).clone()
        })?;
        tokio::spawn(self.clone().play_answer(guest.clone(), visit.clone()));
        Ok(said)
    }

    async fn typing(&self, _: &GuestId, _: &VisitId, _: bool) -> Result<(), HouseError> {
        Ok(())
    }

    async fn send_file(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        client_id: &str,
        upload: Upload,
    ) -> Result<MessageView, HouseError> {
        self.with(guest, visit, |show| {
            let message = show.add(Author::Guest, Some(client_id), "");
            message.file = Some(FileView {
                name: upload.name,
                size: upload.bytes.len() as u64,
                media_type: upload.media_type,
            });
            let message = message.clone();
            show.files.insert(message.id, upload.bytes);
            message
        })
    }

    async fn file(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        message: i64,
    ) -> Result<Download, HouseError> {
        self.with(guest, visit, |show| {
            let bytes = show.files.get(&message)?.clone();
            let sent = show.messages.iter().find(|it| it.id == message)?;
            let file = sent.file.clone()?;
            Some(Download { file, bytes })
        })?
        .ok_or(HouseError::UnknownFile)
    }

    async fn rate(&self, guest: &GuestId, visit: &VisitId, _: u8) -> Result<(), HouseError> {
        self.with(guest, visit, |show| show.change(|view| view.rated = true))
    }

    async fn join_call(&self, _: &GuestId, _: &VisitId) -> Result<CallView, HouseError> {
        Err(HouseError::CallsUnavailable)
    }

    async fn leave_call(&self, _: &GuestId, _: &VisitId) -> Result<(), HouseError> {
        Ok(())
    }
}

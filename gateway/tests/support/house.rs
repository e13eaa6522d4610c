//! A house in memory. It follows the port's promises, and fails when told to.

use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bridge::{
    ids::{GuestId, OfficeSlug, Ticket, VisitId},
    input::Refusal,
    office::{Occupancy, Status, WaitRange},
    visit::Ending,
};
use city::model::City;
use futures_util::{StreamExt, stream};
use gateway::port::{
    Author, CallParticipant, CallRole, CallView, Claim, DelayedLeave, Delivery, Download, FileView,
    FrontOffice, HouseError, KnockForm, Lobby, MediaTokens, MessageView, NextAppointment,
    OfficeLive, TokenError, TokenGrant, TokenRequest, Transport, Upload, VisitEvent, VisitEvents,
    VisitPhase, VisitView,
};
use jiff::{Timestamp, civil::date};
use scheduler::Opening;
use tokio::sync::{mpsc, watch};

/// One visit with all that belongs to it.
pub(crate) struct Record {
    pub(crate) guest: GuestId,
    pub(crate) view: VisitView,
    pub(crate) form: KnockForm,
    pub(crate) messages: Vec<MessageView>,
    pub(crate) files: Vec<(i64, Download)>,
    watchers: Vec<mpsc::UnboundedSender<VisitEvent>>,
}

type FaultFn = fn() -> HouseError;

pub(crate) struct House {
    lobby: watch::Sender<Arc<Lobby>>,
    records: Mutex<Vec<Record>>,
    fault: Mutex<Option<FaultFn>>,
    pub(crate) watching: Arc<AtomicUsize>,
    pub(crate) typing: Mutex<Vec<bool>>,
    pub(crate) stars: Mutex<Vec<u8>>,
}

pub(crate) fn noon() -> Timestamp {
    "2026-11-23T11:00:00Z".parse().unwrap()
}

impl House {
    pub(crate) fn new(city: City) -> Self {
        let live = |slug: &OfficeSlug| OfficeLive {
            slug: slug.clone(),
            occupancy: Occupancy {
                status: Status::Busy,
                waiting: 2,
                in_conversation: 1,
                desks_on_duty: 1,
                estimated_wait_s: Some(WaitRange {
                    low: 300,
                    high: 900,
                }),
                next_opening: None,
                as_of: noon(),
            },
            opening: Opening {
                open: true,
                closes_at: Some("2026-11-23T15:00:00Z".parse().unwrap()),
                next_opening: None,
                today: date(2026, 11, 23),
                periods_today: Vec::new(),
            },
            accepting: true,
            notice: None,
            appointment: NextAppointment::NotOffered,
        };
        let offices = city
            .offices
            .iter()
            .map(|office| live(&office.slug))
            .collect();
        let lobby = Lobby {
            city: Arc::new(city),
            offices,
            always_open: false,
        };
        Self {
            lobby: watch::Sender::new(Arc::new(lobby)),
            records: Mutex::default(),
            fault: Mutex::default(),
            watching: Arc::default(),
            typing: Mutex::default(),
            stars: Mutex::default(),
        }
    }

    /// Every call fails like this until [`House::mend`].
    pub(crate) fn fail(&self, fault: FaultFn) {
        *self.fault.lock().unwrap() = Some(fault);
    }

    pub(crate) fn mend(&self) {
        *self.fault.lock().unwrap() = None;
    }

    pub(crate) fn change_lobby(&self, change: impl FnOnce(&mut Lobby)) {
        self.lobby.send_modify(|lobby| {
            let mut next = Lobby::clone(lobby);
            change(&mut next);
            *lobby = Arc::new(next);
        });
    }

    pub(crate) fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap()
    }

    /// Changes the newest visit and tells its pages.
    pub(crate) fn change_visit(&self, change: impl FnOnce(&mut VisitView)) {
        let mut records = self.records();
        let record = records.last_mut().unwrap();
        change(&mut record.view);
        record.tell(&VisitEvent::Changed);
    }

    pub(crate) fn tell(&self, event: &VisitEvent) {
        self.records().last_mut().unwrap().tell(event);
    }

    /// A clerk writes in the newest visit.
    pub(crate) fn clerk_says(&self, body: &str) {
        let mut records = self.records();
        let record = records.last_mut().unwrap();
        let message = message(record, Author::Participant, None, body, None);
        record.tell(&VisitEvent::Message(message));
    }

    fn sound(&self) -> Result<(), HouseError> {
        match *self.fault.lock().unwrap() {
            Some(fault) => Err(fault()),
            None => Ok(()),
        }
    }

    fn with<T>(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        act: impl FnOnce(&mut Record) -> Result<T, HouseError>,
    ) -> Result<T, HouseError> {
        self.sound()?;
        let mut records = self.records();
        let record = records
            .iter_mut()
            .find(|record| record.guest == *guest && record.view.id == *visit)
            .ok_or(HouseError::UnknownVisit)?;
        act(record)
    }
}

impl Record {
    fn tell(&mut self, event: &VisitEvent) {
        self.watchers
            .retain(|watcher| watcher.send(event.clone()).is_ok());
    }

    fn talking(&self) -> Result<(), HouseError> {
        match self.view.phase {
            VisitPhase::InConversation => Ok(()),
            VisitPhase::Waiting | VisitPhase::Called | VisitPhase::Ended => {
                Err(HouseError::NoConversation)
            }
        }
    }
}

fn message(
    record: &mut Record,
    author: Author,
    client_id: Option<&str>,
    body: &str,
    file: Option<FileView>,
) -> MessageView {
    let known = record
        .messages
        .iter()
        .find(|known| client_id.is_some() && known.client_id.as_deref() == client_id);
    if let Some(known) = known {
        return known.clone();
    }
    let view = MessageView {
        id: i64::try_from(record.messages.len()).unwrap() + 1,
        client_id: client_id.map(str::to_owned),
        author,
        author_name: (author == Author::Participant).then(|| "Frau Yilmaz".to_owned()),
        sent_at: noon(),
        body: body.to_owned(),
        file,
        delivery: Delivery::Sending,
    };
    record.messages.push(view.clone());
    view
}

/// Counts a watcher for as long as its stream lives.
struct Presence(Arc<AtomicUsize>);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl FrontOffice for House {
    fn lobby(&self) -> watch::Receiver<Arc<Lobby>> {
        self.lobby.subscribe()
    }

    async fn knock(
        &self,
        office: &OfficeSlug,
        guest: &GuestId,
        form: KnockForm,
    ) -> Result<VisitView, HouseError> {
        self.sound()?;
        if !self
            .lobby
            .borrow()
            .offices
            .iter()
            .any(|known| known.slug == *office)
        {
            return Err(HouseError::UnknownOffice);
        }
        if form
            .service
            .as_ref()
            .is_some_and(|service| service.as_str() != "anmelden")
        {
            return Err(HouseError::UnknownService);
        }
        let mut records = self.records();
        let live = records.iter().find(|record| {
            record.guest == *guest
                && record.view.office == *office
                && record.view.phase != VisitPhase::Ended
        });
        if let Some(live) = live {
            let visit = live.view.id.clone();
            return Err(Refusal::AlreadyHere { visit }.into());
        }
        let number = u32::try_from(records.len()).unwrap() + 1;
        let view = VisitView {
            id: VisitId::from_random(u128::from(number).rotate_right(16).to_be_bytes()),
            ticket: Ticket {
                letter: 'G',
                number,
            },
            office: office.clone(),
            language: form.language,
            phase: VisitPhase::Waiting,
            ending: None,
            position: Some(number),
            estimated_wait_s: Some(WaitRange {
                low: 300,
                high: 900,
            }),
            knocked_at: noon(),
            enter_by: None,
            clerk_name: None,
            decline_text: None,
            notice: None,
            rated: false,
        };
        records.push(Record {
            guest: guest.clone(),
            view: view.clone(),
            form,
            messages: Vec::new(),
            files: Vec::new(),
            watchers: Vec::new(),
        });
        Ok(view)
    }

    async fn visits(&self, guest: &GuestId) -> Result<Vec<VisitView>, HouseError> {
        self.sound()?;
        let records = self.records();
        let own = records.iter().rev().filter(|record| record.guest == *guest);
        Ok(own.map(|record| record.view.clone()).collect())
    }

    async fn visit(&self, guest: &GuestId, visit: &VisitId) -> Result<VisitView, HouseError> {
        self.with(guest, visit, |record| Ok(record.view.clone()))
    }

    async fn watch(&self, guest: &GuestId, visit: &VisitId) -> Result<VisitEvents, HouseError> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.with(guest, visit, |record| {
            record.watchers.push(sender);
            Ok(())
        })?;
        self.watching.fetch_add(1, Ordering::SeqCst);
        let presence = Presence(Arc::clone(&self.watching));
        let events = stream::unfold((receiver, presence), |(mut receiver, presence)| async {
            let event = receiver.recv().await?;
            Some((event, (receiver, presence)))
        });
        Ok(events.boxed())
    }

    async fn leave(&self, guest: &GuestId, visit: &VisitId) -> Result<(), HouseError> {
        self.with(guest, visit, |record| {
            record.view.phase = VisitPhase::Ended;
            record.view.ending = Some(Ending::Left);
            Ok(())
        })
    }

    async fn enter(&self, guest: &GuestId, visit: &VisitId) -> Result<VisitView, HouseError> {
        self.with(guest, visit, |record| match record.view.phase {
            VisitPhase::Called | VisitPhase::InConversation => {
                record.view.phase = VisitPhase::InConversation;
                Ok(record.view.clone())
            }
            VisitPhase::Waiting | VisitPhase::Ended => Err(Refusal::WrongState.into()),
        })
    }

    async fn messages(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        after: i64,
    ) -> Result<Vec<MessageView>, HouseError> {
        self.with(guest, visit, |record| {
            let later = record.messages.iter().filter(|message| message.id > after);
            Ok(later.cloned().collect())
        })
    }

    async fn say(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        client_id: &str,
        body: String,
    ) -> Result<MessageView, HouseError> {
        self.with(guest, visit, |record| {
            record.talking()?;
            Ok(message(record, Author::Guest, Some(client_id), &body, None))
        })
    }

    async fn typing(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        typing: bool,
    ) -> Result<(), HouseError> {
        self.with(guest, visit, |record| {
            record.talking()?;
            self.typing.lock().unwrap().push(typing);
            Ok(())
        })
    }

    async fn send_file(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        client_id: &str,
        upload: Upload,
    ) -> Result<MessageView, HouseError> {
        self.with(guest, visit, |record| {
            record.talking()?;
            let file = FileView {
                name: upload.name,
                size: upload.bytes.len() as u64,
                media_type: upload.media_type,
            };
            let view = message(
                record,
                Author::Guest,
                Some(client_id),
                "",
                Some(file.clone()),
            );
            let bytes = upload.bytes;
            record.files.push((view.id, Download { file, bytes }));
            Ok(view)
        })
    }

    async fn file(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        message: i64,
    ) -> Result<Download, HouseError> {
        self.with(guest, visit, |record| {
            let found = record.files.iter().find(|(id, _)| *id == message);
            let (_, download) = found.ok_or(HouseError::UnknownFile)?;
            Ok(Download {
                file: download.file.clone(),
                bytes: download.bytes.clone(),
            })
        })
    }

    async fn rate(&self, guest: &GuestId, visit: &VisitId, stars: u8) -> Result<(), HouseError> {
        self.with(guest, visit, |record| {
            if record.view.phase != VisitPhase::Ended || record.view.rated {
                return Err(HouseError::NotRatable);
            }
            record.view.rated = true;
            self.stars.lock().unwrap().push(stars);
            Ok(())
        })
    }

    async fn join_call(&self, guest: &GuestId, visit: &VisitId) -> Result<CallView, HouseError> {
        self.with(guest, visit, |record| {
            record.talking()?;
            Ok(CallView {
                transports: vec![Transport {
                    url: "wss://buero.test/relay".to_owned(),
                    token: "t0ken".to_owned(),
                    own: true,
                }],
                participants: vec![CallParticipant {
                    identity: "@ghost:test:VORZIMMER".to_owned(),
                    name: "Gast G-001".to_owned(),
                    role: CallRole::Guest,
                }],
            })
        })
    }

    async fn leave_call(&self, guest: &GuestId, visit: &VisitId) -> Result<(), HouseError> {
        self.with(guest, visit, |_| Ok(()))
    }
}

/// Anna is in `!room:test`; her token is `good`.
/// The one leave that is taken over.
fn handed_over() -> DelayedLeave {
    DelayedLeave {
        delay_id: "syd_good".to_owned(),
        timeout: std::time::Duration::from_mins(1),
    }
}

#[async_trait]
impl MediaTokens for House {
    async fn token(
        &self,
        request: TokenRequest,
        leave: Option<DelayedLeave>,
    ) -> Result<TokenGrant, TokenError> {
        if leave.is_some_and(|leave| leave != handed_over()) {
            return Err(TokenError::NotTaken);
        }
        let claims_anna = match &request.claim {
            Claim::Device { .. } => true,
            Claim::Member { user_id, .. } => user_id == "@anna:test",
        };
        if request.openid.access_token != "good" || !claims_anna {
            return Err(TokenError::Unproven);
        }
        if request.room_id != "!room:test" || request.slot_id != "m.call#ROOM" {
            return Err(TokenError::NotInRoom);
        }
        Ok(TokenGrant {
            url: "wss://buero.test/relay".to_owned(),
            jwt: "t0ken".to_owned(),
        })
    }

    async fn delegate(&self, request: TokenRequest, leave: DelayedLeave) -> Result<(), TokenError> {
        self.token(request, Some(leave)).await.map(|_| ())
    }
}

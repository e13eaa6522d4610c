//! Calls: who is in one, where its relay is, and who gets a token for it.
//!
//! What a guest wants (to be in the call, or not) lives in memory; what the clerk's client is shown lives in the room,
//! written by jobs like everything else. The homeserver takes a ghost out of the call by itself when nobody restarts the
//! delayed event ([`keep`]): after a crash, nobody is left behind.

mod delegate;
mod discovery;
mod embedded;
mod errand;
mod foreign;
mod guest;
mod keep;
mod openid;
mod outside;
mod recall;
mod relay;
mod services;
mod tokens;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use anyhow::{Result, bail};
use appservice::{
    jobs::Effect,
    rtc::{self, Form},
};
use bridge::{
    ids::{MatrixUser, VisitId},
    input::Command,
};
use gateway::port::Transport;
use jiff::{SignedDuration, Timestamp};
use store::{Job as Row, Lane, Tx};

use self::{delegate::Delegated, relay::RelayAccess, services::Services};
pub(crate) use self::{
    delegate::keep_delegated,
    embedded::PATH as RELAY_PATH,
    errand::{end as plan_end, join as plan_join, leave as plan_leave, turn_out as plan_turn_out},
    guest::join,
    keep::keep,
    outside::keep_out,
    recall::{look_who_is_inside, reopen},
    relay::RelayError,
    tokens::TokenService,
};
use crate::{
    config::{Config, Membership, Relay},
    house::{ChangeError, House},
    outward::Outward,
    shell,
    task::{Errand, Party, Task},
};

/// Where the token service is, behind the public origin.
const SERVICE: &str = "/livekit/jwt";
/// A membership that is not in the room after this time is written again when the guest asks.
const WRITTEN_WITHIN: SignedDuration = SignedDuration::from_secs(20);

/// All about calls that the workers share.
pub(crate) struct Calls {
    pub(crate) relay: RelayAccess,
    /// How the program's own relay is to be started, if it is the one.
    pub(crate) embedded: Option<::relay::Config>,
    /// Where Matrix clients get tokens for the relay.
    pub(crate) service_url: String,
    pub(crate) form: Form,
    outward: Outward,
    services: Services,
    delegated: Delegated,
    guests: Mutex<HashMap<Party, InCall>>,
}

/// A guest who wants to be in the call.
#[derive(Clone)]
struct InCall {
    /// When the membership was ordered or written last.
    since: Timestamp,
    /// When the guest was at the relay last, or was to come there.
    seen: Timestamp,
    /// What is in the room; none while the job is under way.
    written: Option<Written>,
    /// Relays of other homeservers, by the address of their token service, and until when the token is given out again.
    others: HashMap<String, (Transport, Timestamp)>,
}

/// A membership in the room.
#[derive(Clone)]
struct Written {
    ghost: MatrixUser,
    /// The call at the relay.
    alias: String,
    /// The delayed events that take it back.
    leaves: Vec<String>,
}

impl Calls {
    /// What the configuration says of calls; none when they are switched off.
    pub(crate) fn of(config: &Config) -> Result<Option<Self>> {
        let Some(calls) = config.calls.as_ref().filter(|calls| calls.enabled) else {
            return Ok(None);
        };
        let (relay, embedded) = match (calls.relay, &calls.livekit) {
            (Some(Relay::Livekit) | None, Some(livekit)) => (RelayAccess::of(livekit)?, None),
            (Some(Relay::Embedded) | None, None) => {
                let (relay, embedded) = embedded::relay(config, &calls.embedded)?;
                (relay, Some(embedded))
            }
            (Some(Relay::Livekit), None) => bail!("calls.relay is livekit: write [calls.livekit]"),
            (Some(Relay::Embedded), Some(_)) => {
                bail!("calls.relay is embedded: leave out [calls.livekit]")
            }
        };
        Ok(Some(Self {
            relay,
            embedded,
            service_url: format!("{}{SERVICE}", config.public_origin()),
            form: match calls.membership {
                Membership::State => Form::State,
                Membership::Sticky => Form::Sticky,
            },
            outward: Outward::new(
                calls.allowed_networks.clone(),
                calls.ca_file.as_deref(),
                "calls",
            )?,
            services: Services::of_machine(),
            delegated: Delegated::default(),
            guests: Mutex::default(),
        }))
    }

    /// Ends a call at the relay, for everybody in it.
    pub(crate) async fn end(&self, alias: &str) -> Result<(), RelayError> {
        self.relay.delete_room(alias).await
    }

    /// Takes somebody out of a call at the relay, under all names they may have there.
    pub(crate) async fn turn_out(&self, alias: &str, names: &[String]) -> Result<(), RelayError> {
        for name in names {
            self.relay.remove_participant(alias, name).await?;
        }
        Ok(())
    }

    /// Whether the guest wants to be in the call.
    pub(crate) fn wants(&self, party: &Party) -> bool {
        self.lock().contains_key(party)
    }

    /// The guest wants to be in the call; whether the membership has to be written.
    fn enter(&self, party: &Party, now: Timestamp) -> bool {
        let mut guests = self.lock();
        if let Some(known) = guests.get_mut(party) {
            let late = known.written.is_none() && now.duration_since(known.since) > WRITTEN_WITHIN;
            if late {
                known.since = now;
            }
            return late;
        }
        let fresh = InCall {
            since: now,
            seen: now,
            written: None,
            others: HashMap::new(),
        };
        guests.insert(party.clone(), fresh);
        true
    }

    /// The guest is at the relay.
    fn saw(&self, party: &Party, now: Timestamp) {
        if let Some(guest) = self.lock().get_mut(party) {
            guest.seen = now;
        }
    }

    /// The guest no longer wants to be in the call; whether they did.
    fn exit(&self, party: &Party) -> bool {
        self.lock().remove(party).is_some()
    }

    /// The visit has ended, for everybody in it.
    fn forget(&self, visit: &VisitId) {
        self.lock().retain(|party, _| party.visit != *visit);
    }

    /// The membership is in the room. Of a guest who has gone since, it is taken back by a job that is ordered already.
    fn written(&self, party: &Party, written: Written, now: Timestamp) {
        if let Some(guest) = self.lock().get_mut(party) {
            guest.since = now;
            guest.written = Some(written);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Party, InCall>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Orders that the guest is shown to be in the call; who comes along is brought into the room for it.
async fn order(house: &House, party: &Party, ring: bool) -> Result<(), ChangeError> {
    let lane = Lane::visit(&party.visit);
    let mut tx = house.store.begin().await?;
    if let Some(participant) = &party.participant {
        let errand = Errand::Admit {
            visit: party.visit.clone(),
            participant: participant.clone(),
        };
        tx.enqueue(&lane, &errand, shell::now()).await?;
    }
    let errand = Errand::JoinCall {
        party: party.clone(),
        ring,
    };
    tx.enqueue(&lane, &errand, shell::now()).await?;
    tx.commit().await?;
    house.outbox.notify_one();
    Ok(())
}

/// The guest hangs up, or is gone. Of one who was in no call nothing has to be taken back: what an earlier run of the
/// program has left, the homeserver takes back itself.
pub(crate) async fn hang_up(house: &House, party: &Party) -> Result<(), ChangeError> {
    let Some(calls) = &house.calls else {
        return Ok(());
    };
    if !calls.exit(party) {
        return Ok(());
    }
    let errand = Errand::LeaveCall {
        party: party.clone(),
    };
    let mut tx = house.store.begin().await?;
    tx.enqueue(&Lane::visit(&party.visit), &errand, shell::now())
        .await?;
    tx.commit().await?;
    house.outbox.notify_one();
    Ok(())
}

/// A guest's ghost was put out of the room: the guest is out of the call, at the relay as in the room.
pub(crate) async fn put_out(
    house: &House,
    tx: &mut Tx,
    party: &Party,
    ghost: &MatrixUser,
) -> Result<(), ChangeError> {
    let Some(calls) = &house.calls else {
        return Ok(());
    };
    calls.exit(party);
    let lane = Lane::visit(&party.visit);
    let errand = Errand::TurnOut {
        visit: party.visit.clone(),
        user: ghost.clone(),
    };
    tx.enqueue(&lane, &errand, shell::now()).await?;
    let errand = Errand::LeaveCall {
        party: party.clone(),
    };
    tx.enqueue(&lane, &errand, shell::now()).await?;
    Ok(())
}

/// What a finished job means for calls; further jobs are stored in the transaction that removes its row.
pub(crate) async fn follow(
    house: &House,
    tx: &mut Tx,
    row: &Row,
    effect: &Effect,
) -> Result<(), ChangeError> {
    let Some(calls) = &house.calls else {
        return Ok(());
    };
    let now = shell::now();
    match (effect, serde_json::from_value::<Task>(row.job.clone())) {
        // The clerk's client shows the call as soon as there is a room, if the guest is there to be talked to.
        (Effect::Opened { .. }, Ok(Task::Decided(Command::OpenConsultation { visit })))
            if house.hub.is_here(&visit) && calls.enter(&Party::citizen(&visit), now) =>
        {
            let lane = Lane::visit(&visit);
            let party = Party::citizen(&visit);
            tx.enqueue(&lane, &Errand::JoinCall { party, ring: true }, now)
                .await?;
        }
        (Effect::InCall { ghost, leaves }, Ok(Task::Own(Errand::JoinCall { party, .. }))) => {
            let place = tx.visit_matrix(&party.visit).await?;
            if let Some(room) = place.consultation_room {
                let written = Written {
                    ghost: ghost.clone(),
                    alias: rtc::alias(&room, rtc::SLOT),
                    leaves: leaves.clone(),
                };
                calls.written(&party, written, now);
            }
        }
        (_, Ok(Task::Decided(Command::CloseConsultation { visit, .. }))) => {
            calls.forget(&visit);
            tx.forget_call_names(&visit).await?;
            let lane = Lane::visit(&visit);
            for participant in tx.participants(&visit).await? {
                let party = Party {
                    visit: visit.clone(),
                    participant: Some(participant.id.clone()),
                };
                tx.enqueue(&lane, &Errand::LeaveCall { party }, now).await?;
                let errand = Errand::SeeOff {
                    visit: visit.clone(),
                    participant: participant.id,
                };
                tx.enqueue(&lane, &errand, now).await?;
            }
            tx.enqueue(&lane, &Errand::EndCall { visit }, now).await?;
        }
        _ => {}
    }
    Ok(())
}

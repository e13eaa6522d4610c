//! The outbox worker: takes the oldest row of each lane, executes it, and stores what came of it together
//! with its removal.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use appservice::{
    MatrixError, Retry,
    jobs::{self, Effect, Job},
};
use bridge::ids::{BookingId, VisitId};
use jiff::SignedDuration;
use metrics::counter;
use store::{Job as Row, Lane, Way};
use tokio::task::JoinSet;
use tracing::{error, warn};

use crate::{
    booking::{self, Letter, Sent},
    calls::{self, RelayError},
    errands::{self, Plan},
    house::{ChangeError, House},
    shell,
};

/// Lanes to the homeserver that are worked on at the same time.
const AT_ONCE: usize = 8;
/// Mails that are handed over at the same time. They have places of their own: at a release of appointments there are
/// many, and a mail server that does not answer keeps each for long. Nobody at a door waits for that.
const MAILS_AT_ONCE: usize = 3;
/// Without a bell, the outbox is looked at this often.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// A row that waits for its door room looks again after this time.
const NO_DOOR_YET: SignedDuration = SignedDuration::from_secs(2);
/// The longest pause between two attempts.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// A row that was refused this often, for reasons that may pass, is given up after a day of attempts.
const MOST_ATTEMPTS: u32 = 300;

/// A row that the door room refuses this often is given up: the room is well, the row is not.
const DOOR_ATTEMPTS: u32 = 30;

/// A relay is asked this often to end a call.
const RELAY_ATTEMPTS: u32 = 10;

/// The Matrix transaction id of a row: the same at each attempt, unlike any other installation's.
pub(crate) fn transaction_id(house: &House, row: &str) -> String {
    format!("{}-{row}", house.settings.installation)
}

/// Works the outbox off, for ever: different lanes at the same time, each lane in order.
pub(crate) async fn work(house: Arc<House>) {
    let mut matrix = Crew::new(Way::Matrix, AT_ONCE);
    let mut mails = Crew::new(Way::Mail, MAILS_AT_ONCE);
    let knocks = Knocks::default();
    loop {
        let started = async {
            let next = matrix.start_due(&house, &knocks).await?;
            Ok::<_, ChangeError>(next.min(mails.start_due(&house, &knocks).await?))
        };
        let wait = match started.await {
            Ok(wait) => wait,
            Err(fault) => {
                error!("the outbox stands still: {fault}");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = matrix.one_ends() => {}
            () = mails.one_ends() => {}
            () = house.outbox.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// What is under way to one side.
struct Crew {
    way: Way,
    /// So many lanes at the same time.
    most: usize,
    running: JoinSet<Lane>,
    busy: Vec<Lane>,
}

impl Crew {
    fn new(way: Way, most: usize) -> Self {
        Self {
            way,
            most,
            running: JoinSet::new(),
            busy: Vec::new(),
        }
    }

    /// Starts what is due in lanes that rest; how long until the next look without a bell.
    async fn start_due(
        &mut self,
        house: &Arc<House>,
        knocks: &Knocks,
    ) -> Result<Duration, ChangeError> {
        let mut wait = LOOK_EVERY;
        // What is due but has no free place is started when a running one ends.
        if self.busy.len() < self.most {
            let now = shell::now();
            let mut read = house.store.read().await?;
            let due = read.due(self.way, now, 1000).await?;
            let next = read.next_due(self.way).await?;
            drop(read);
            for row in due {
                self.start(house, row, knocks);
            }
            if let Some(next) = next.filter(|_| self.busy.len() < self.most) {
                wait = wait.min(next.duration_since(now));
            }
        }
        if !self.running.is_empty() {
            wait = wait.max(SignedDuration::from_millis(100));
        }
        Ok(Duration::try_from(wait)
            .unwrap_or_default()
            .max(Duration::from_millis(5)))
    }

    /// Starts a lane's head, if there is a place for it and nothing that it has to wait for.
    fn start(&mut self, house: &Arc<House>, row: Row, knocks: &Knocks) {
        if self.busy.len() >= self.most
            || self.busy.contains(&row.lane)
            || errands::announces(&row).is_some_and(|visit| knocks.is_under_way(&visit))
        {
            return;
        }
        self.busy.push(row.lane.clone());
        let knock = errands::places_knock(&row)
            .filter(|_| row.attempts == 0)
            .map(|visit| knocks.begin(house, visit));
        let house = Arc::clone(house);
        self.running.spawn(async move {
            let lane = row.lane.clone();
            if let Err(fault) = run(&house, row, knock).await {
                error!("a job's outcome could not be stored: {fault}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            lane
        });
    }

    /// Waits until one of its lanes rests again; for ever, where none is worked on.
    async fn one_ends(&mut self) {
        match self.running.join_next().await {
            Some(Ok(lane)) => self.busy.retain(|other| *other != lane),
            Some(Err(_)) => {
                // A job panicked: its lane is unknown here, so let all be looked at again.
                self.running.shutdown().await;
                self.busy.clear();
            }
            None => std::future::pending().await,
        }
    }
}

/// Knocks that are being placed for the first time. The line about a knock waits for it: at the same moment, each would
/// hold the other up in the homeserver, and clerks would read of a knock that is not there yet.
#[derive(Default)]
struct Knocks(Arc<Mutex<HashSet<VisitId>>>);

impl Knocks {
    fn begin(&self, house: &Arc<House>, visit: VisitId) -> Knock {
        lock(&self.0).insert(visit.clone());
        Knock {
            knocks: Arc::clone(&self.0),
            house: Arc::clone(house),
            visit,
        }
    }

    fn is_under_way(&self, visit: &VisitId) -> bool {
        lock(&self.0).contains(visit)
    }
}

/// A knock that is being placed. Dropped when it stands, or could not be placed.
pub(crate) struct Knock {
    knocks: Arc<Mutex<HashSet<VisitId>>>,
    house: Arc<House>,
    visit: VisitId,
}

impl Drop for Knock {
    fn drop(&mut self) {
        lock(&self.knocks).remove(&self.visit);
        self.house.outbox.notify_one();
    }
}

fn lock(knocks: &Mutex<HashSet<VisitId>>) -> MutexGuard<'_, HashSet<VisitId>> {
    knocks.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One row: plan, execute, store what came of it.
pub(crate) async fn run(house: &House, row: Row, knock: Option<Knock>) -> Result<(), ChangeError> {
    match errands::plan(house, &row).await? {
        Plan::Job(job) => {
            let txn = transaction_id(house, &row.id.to_string());
            let executed = jobs::execute(&house.matrix, &job, &txn).await;
            drop(knock);
            match executed {
                Ok(effect) => done(house, &row, effect).await,
                Err(fault) => failed(house, &row, &job, &fault).await,
            }
        }
        Plan::EndCall(alias) => {
            let ended = match &house.calls {
                Some(calls) => calls.end(&alias).await,
                None => Ok(()),
            };
            asked_relay(house, &row, ended).await
        }
        Plan::TurnOut { alias, names } => {
            let out = match &house.calls {
                Some(calls) => calls.turn_out(&alias, &names).await,
                None => Ok(()),
            };
            asked_relay(house, &row, out).await
        }
        Plan::Mail { mail, about } => send(house, &row, mail, about).await,
        Plan::Nothing => done(house, &row, Effect::Nothing).await,
        Plan::InVain => {
            warn!(job = %row.id, "a job has nothing left to work on");
            let mut tx = house.store.begin().await?;
            let event = errands::give_up(&mut tx, &row).await?;
            tx.done(row.id).await?;
            tx.commit().await?;
            counter!("vorzimmer_jobs_total", "outcome" => "in_vain").increment(1);
            if let Some((visit, event)) = event {
                house.hub.send(&visit, event);
            }
            Ok(())
        }
        Plan::NoDoorYet => {
            let mut tx = house.store.begin().await?;
            tx.retry(row.id, shell::now() + NO_DOOR_YET, "no_door_yet")
                .await?;
            Ok(tx.commit().await?)
        }
        Plan::Unreadable => {
            error!(job = %row.id, "a job cannot be read and is given up");
            let mut tx = house.store.begin().await?;
            tx.bury(row.id, "unreadable").await?;
            Ok(tx.commit().await?)
        }
    }
}

/// A relay that is away for longer has forgotten the call by itself.
async fn asked_relay(
    house: &House,
    row: &Row,
    answer: Result<(), RelayError>,
) -> Result<(), ChangeError> {
    match answer {
        Err(fault) if row.attempts < RELAY_ATTEMPTS => {
            warn!(job = %row.id, attempt = row.attempts, "the relay has to be asked again: {fault}");
            let mut tx = house.store.begin().await?;
            tx.retry(row.id, shell::now() + back_off(row.attempts), "relay")
                .await?;
            Ok(tx.commit().await?)
        }
        Err(_) | Ok(()) => done(house, row, Effect::Nothing).await,
    }
}

/// Hands a mail to the city's mail server.
async fn send(
    house: &House,
    row: &Row,
    mail: Result<Box<lettre::Message>, &'static str>,
    (booking, letter): (BookingId, Letter),
) -> Result<(), ChangeError> {
    let Some(post) = &house.post else {
        return done(house, row, Effect::Nothing).await;
    };
    let sent = match mail {
        Ok(mail) => post.send(*mail).await,
        Err(unfit) => Sent::Never(unfit.to_owned()),
    };
    let never = match sent {
        Sent::Yes => return done(house, row, Effect::Nothing).await,
        Sent::Later(code) if row.attempts < MOST_ATTEMPTS => {
            warn!(job = %row.id, attempt = row.attempts, "a mail has to wait: {code}");
            counter!("vorzimmer_jobs_total", "outcome" => "retried").increment(1);
            let mut tx = house.store.begin().await?;
            tx.retry(row.id, shell::now() + back_off(row.attempts), &code)
                .await?;
            return Ok(tx.commit().await?);
        }
        Sent::Later(code) | Sent::Never(code) => code,
    };
    error!(job = %row.id, "a mail is given up: {never}; see `vorzimmer doctor`");
    counter!("vorzimmer_jobs_total", "outcome" => "buried").increment(1);
    let mut tx = house.store.begin().await?;
    booking::give_up_mail(&mut tx, row.id, (&booking, letter), &never, shell::now()).await?;
    tx.commit().await?;
    house.outbox.notify_one();
    Ok(())
}

async fn done(house: &House, row: &Row, effect: Effect) -> Result<(), ChangeError> {
    let mut tx = house.store.begin().await?;
    calls::follow(house, &mut tx, row, &effect).await?;
    let event = errands::remember(&mut tx, row, effect).await?;
    tx.done(row.id).await?;
    tx.commit().await?;
    counter!("vorzimmer_jobs_total", "outcome" => "done").increment(1);
    if let Some((visit, event)) = event {
        house.hub.send(&visit, event);
    }
    Ok(())
}

/// Tries again later what may succeed then; gives up what cannot.
async fn failed(
    house: &House,
    row: &Row,
    job: &Job,
    fault: &MatrixError,
) -> Result<(), ChangeError> {
    let code = fault.code();
    let mut tx = house.store.begin().await?;
    let mut event = None;
    match fault.retry() {
        Some(retry) if row.attempts < MOST_ATTEMPTS => {
            let pause = match retry {
                Retry::Later => back_off(row.attempts),
                Retry::After(pause) => SignedDuration::try_from(pause)
                    .unwrap_or(LONGEST_PAUSE)
                    .min(LONGEST_PAUSE),
            };
            warn!(job = %row.id, attempt = row.attempts, "a job has to wait: {code}");
            counter!("vorzimmer_jobs_total", "outcome" => "retried").increment(1);
            tx.retry(row.id, shell::now() + pause, code).await?;
        }
        // The door room is gone, or altered so that the bot cannot work there: it is repaired or made anew, and the
        // row goes on there.
        None if at_door(row) && fault.is_absence() && row.attempts < DOOR_ATTEMPTS => {
            warn!(job = %row.id, attempt = row.attempts, "a job waits for its door room: {code}");
            counter!("vorzimmer_jobs_total", "outcome" => "retried").increment(1);
            house.reconcile.notify_one();
            tx.retry(row.id, shell::now() + NO_DOOR_YET, code).await?;
        }
        _ => {
            error!(job = %row.id, kind = kind(job), "a job is given up: {code}; see `vorzimmer doctor`");
            counter!("vorzimmer_jobs_total", "outcome" => "buried").increment(1);
            event = errands::give_up(&mut tx, row).await?;
            tx.bury(row.id, code).await?;
        }
    }
    tx.commit().await?;
    if let Some((visit, event)) = event {
        house.hub.send(&visit, event);
    }
    Ok(())
}

/// Whether the row is work in a door room.
fn at_door(row: &Row) -> bool {
    row.lane.as_str().starts_with("door:")
}

/// 0.25 s, 0.5 s, 1 s … up to [`LONGEST_PAUSE`].
fn back_off(attempts: u32) -> SignedDuration {
    let pause = SignedDuration::from_millis(250)
        .checked_mul(1 << attempts.min(12))
        .unwrap_or(LONGEST_PAUSE);
    pause.min(LONGEST_PAUSE)
}

/// A word for the log.
const fn kind(job: &Job) -> &'static str {
    match job {
        Job::PlaceKnock { .. } => "place_knock",
        Job::SetDisplayName { .. } => "set_display_name",
        Job::Announce { .. } => "announce",
        Job::EditLine { .. } => "edit_line",
        Job::Redact { .. } => "redact",
        Job::ClearDoor { .. } => "clear_door",
        Job::OpenConsultation { .. } => "open_consultation",
        Job::PrepareConsultation { .. } => "prepare_consultation",
        Job::NameGuest { .. } => "name_guest",
        Job::Admit { .. } => "admit",
        Job::JoinCall { .. } => "join_call",
        Job::LeaveCall { .. } => "leave_call",
        Job::CloseConsultation { .. } => "close_consultation",
        Job::VacateRoom { .. } => "vacate_room",
        Job::EraseRoom { .. } => "erase_room",
        Job::RetireGhost { .. } => "retire_ghost",
        Job::Say { .. } => "say",
        Job::SendFile { .. } => "send_file",
        Job::Publish { .. } => "publish",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_up_to_five_minutes() {
        assert_eq!(back_off(0), SignedDuration::from_millis(250));
        assert_eq!(back_off(3), SignedDuration::from_secs(2));
        assert_eq!(back_off(1000), LONGEST_PAUSE);
    }
}

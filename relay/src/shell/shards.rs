//! Shards carry rooms, each on one core at a time: whoever has the shard locked. A room stays with its shard from its
//! beginning to its end.
//!
//! Each shard has a thread, which lets its time pass and takes what comes by signalling. Datagrams are mostly too few at
//! a time to be worth waking it: who reads the port carries them out at once, and leaves them to the thread only when
//! that is at work, or when more are waiting to be read.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::sync::mpsc;

use super::{
    routes::Route,
    shard::{Equipment, Shard, ShardInput},
};
use crate::{room::TICK, stack::Datagram};

/// Inputs that wait for a busy thread; then datagrams are dropped and signalling waits.
const WAITING: usize = 4_096;
/// Datagrams that wait for a busy thread, some ten megabytes; whoever sent more will send it again, or has newer ones.
const WAITING_DATAGRAMS: usize = 8_192;

/// How long a stop may take.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(3);

/// A shard, as those who feed it see it.
struct Post {
    inputs: mpsc::Sender<ShardInput>,
    /// Datagrams among the inputs.
    waiting: Arc<AtomicUsize>,
    shard: Arc<Mutex<Shard>>,
}

/// The shards.
#[derive(Clone)]
pub(crate) struct Shards(Arc<[Post]>);

impl std::fmt::Debug for Shards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Shards").field(&self.count()).finish()
    }
}

impl Shards {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The thread of a room of that name.
    pub(crate) fn of_room(&self, name: &str) -> usize {
        // FNV-1a: the same for the whole run, and nothing to gain for who chooses names.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        usize::try_from(hash % self.0.len() as u64).unwrap_or(0)
    }

    /// Carries datagrams out at once, unless the shard is at work; whether it did.
    pub(crate) fn carry_out(&self, shard: usize, datagrams: &mut Vec<(Route, Datagram)>) -> bool {
        let post = &self.0[shard];
        // What waits for the thread came before.
        if post.waiting.load(Ordering::Relaxed) > 0 {
            return false;
        }
        let mut shard = match post.shard.try_lock() {
            Ok(shard) => shard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        shard.datagrams(datagrams.drain(..));
        shard.outbox.flush();
        true
    }

    /// Leaves datagrams to a thread, or drops them when it is far behind.
    pub(crate) fn leave(&self, shard: usize, datagrams: Vec<(Route, Datagram)>) {
        let post = &self.0[shard];
        let count = datagrams.len();
        let waiting = post.waiting.fetch_add(count, Ordering::Relaxed) + count;
        let input = ShardInput::Datagrams(datagrams);
        if waiting > WAITING_DATAGRAMS || post.inputs.try_send(input).is_err() {
            post.waiting.fetch_sub(count, Ordering::Relaxed);
            metrics::counter!("relay_inputs_dropped_total").increment(count as u64);
        }
    }

    /// Gives a thread an input, waiting for room.
    pub(crate) async fn tell(&self, shard: usize, input: ShardInput) {
        // The threads end with the relay; then nobody is left to be told.
        let _ = self.0[shard].inputs.send(input).await;
    }
}

/// Starts the threads.
pub(crate) fn start(count: usize, equipment: &Equipment) -> std::io::Result<Shards> {
    let mut posts = Vec::new();
    for index in 0..count.max(1) {
        let (inputs, receiver) = mpsc::channel(WAITING);
        let shard = Arc::new(Mutex::new(Shard::new(index, equipment.clone())));
        let waiting = Arc::default();
        posts.push(Post {
            inputs,
            waiting: Arc::clone(&waiting),
            shard: Arc::clone(&shard),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        thread::Builder::new()
            .name(format!("relay-{index}"))
            .spawn(move || runtime.block_on(run(&shard, receiver, &waiting)))?;
    }
    Ok(Shards(posts.into()))
}

/// What a shard's thread does.
async fn run(shard: &Mutex<Shard>, mut inputs: mpsc::Receiver<ShardInput>, waiting: &AtomicUsize) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut batch = Vec::with_capacity(64);
    loop {
        tokio::select! {
            biased;
            _ = tick.tick() => {
                let mut shard = lock(shard);
                shard.tick();
                shard.outbox.flush();
            }
            count = inputs.recv_many(&mut batch, 64) => {
                if count == 0 {
                    return;
                }
                let mut shard = lock(shard);
                let mut carried = 0;
                for input in batch.drain(..) {
                    if let ShardInput::Datagrams(datagrams) = &input {
                        carried += datagrams.len();
                    }
                    if shard.take(input) {
                        return;
                    }
                }
                // Not before they are carried out: the reader would overtake them.
                waiting.fetch_sub(carried, Ordering::Relaxed);
                shard.outbox.flush();
            }
        }
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

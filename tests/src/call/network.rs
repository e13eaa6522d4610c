//! A bad network between clients and a relay: datagrams wait, queue at a bottleneck, and get lost.
//!
//! The [`Way`] of datagrams in one direction asks no clock and draws its losses from a seed; [`Network`] is the sockets
//! around it.

use std::{
    collections::{HashMap, VecDeque},
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    net::UdpSocket,
    sync::{broadcast, mpsc},
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// How long a datagram waits before a bottleneck at most; what comes to a longer queue is lost.
const LONGEST_QUEUE: Duration = Duration::from_millis(300);
/// Larger than any datagram of a call.
const DATAGRAM: usize = 2048;
/// Incidents that wait for a client's way.
const INCIDENTS: usize = 1_024;
/// A far future.
const NEVER: Duration = Duration::from_hours(1);

/// After a bad time: longer than a relay that has fallen a few times stays low, and then looks for room.
pub const RECOVERY: Duration = Duration::from_mins(3);

/// What a network does to datagrams in one direction.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// Of a thousand datagrams so many get lost.
    pub lost: u16,
    /// How long each travels.
    pub delay: Duration,
    /// What the narrowest place carries, in bit/s.
    pub bottleneck: Option<u64>,
    /// Of a thousand datagrams so many are preceded by a damaged copy.
    pub garbled: u16,
}

/// One direction.
#[derive(Debug)]
struct Way {
    chance: u64,
    free: Option<Instant>,
    travelling: VecDeque<(Instant, Vec<u8>)>,
}

impl Way {
    fn new(seed: u64) -> Self {
        Self {
            chance: seed,
            free: None,
            travelling: VecDeque::new(),
        }
    }

    /// A number of which every bit is as good as drawn (splitmix64).
    fn draw(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A datagram sets out.
    fn take(&mut self, datagram: Vec<u8>, weather: &Weather, now: Instant) {
        if self.draw() % 1000 < u64::from(weather.lost) {
            return;
        }
        if weather.garbled > 0 && self.draw() % 1000 < u64::from(weather.garbled) {
            let damaged = self.damage(&datagram);
            self.send_off(damaged, weather, now);
        }
        self.send_off(datagram, weather, now);
    }

    /// A copy of which some octets are others, or the end is missing.
    fn damage(&mut self, datagram: &[u8]) -> Vec<u8> {
        let mut damaged = datagram.to_vec();
        if self.draw().is_multiple_of(4) {
            let kept = self.draw() % (datagram.len() as u64 + 1);
            damaged.truncate(usize::try_from(kept).unwrap_or_default());
        }
        for _ in 0..=self.draw() % 4 {
            let draw = self.draw();
            if !damaged.is_empty() {
                let at = usize::try_from(draw >> 8).unwrap_or_default() % damaged.len();
                damaged[at] ^= draw.to_le_bytes()[0] | 1;
            }
        }
        damaged
    }

    fn send_off(&mut self, datagram: Vec<u8>, weather: &Weather, now: Instant) {
        let mut through = now;
        if let Some(rate) = weather.bottleneck {
            let begin = self.free.map_or(now, |free| free.max(now));
            if begin - now > LONGEST_QUEUE {
                return;
            }
            let bits = datagram.len() as u64 * 8;
            through = begin + Duration::from_micros(bits * 1_000_000 / rate.max(1));
            self.free = Some(through);
        }
        let mut arrival = through + weather.delay;
        // None overtakes another, also when the weather gets better.
        if let Some((last, _)) = self.travelling.back() {
            arrival = arrival.max(*last);
        }
        self.travelling.push_back((arrival, datagram));
    }

    /// The next datagram that has arrived.
    fn arrived(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.travelling
            .pop_front_if(|(arrival, _)| *arrival <= now)
            .map(|(_, datagram)| datagram)
    }

    /// When the next arrives.
    fn next(&self) -> Option<Instant> {
        self.travelling.front().map(|(arrival, _)| *arrival)
    }
}

/// The weather towards the relay and from it.
type Sky = Arc<Mutex<[Weather; 2]>>;

fn weather(sky: &Sky) -> [Weather; 2] {
    *sky.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What happens to the clients' datagrams beside the weather.
#[derive(Debug, Clone)]
enum Incident {
    /// Each client's address towards the relay is another from now on.
    Rebound,
    /// This comes to the relay from each client's address.
    Forged(Vec<u8>),
}

/// A network in front of a relay's port for UDP. Dropping it cuts it.
#[derive(Debug)]
pub struct Network {
    sky: Sky,
    incidents: broadcast::Sender<Incident>,
    task: JoinHandle<()>,
}

impl Drop for Network {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Network {
    /// Carries what comes to `front` to the relay at `relay`, and back.
    pub(crate) async fn between(front: SocketAddr, relay: SocketAddr) -> Result<Self> {
        let front = UdpSocket::bind(front).await.context("a network's socket")?;
        let sky = Sky::default();
        let (incidents, _) = broadcast::channel(INCIDENTS);
        let (for_each, weather) = (incidents.clone(), Arc::clone(&sky));
        let task = tokio::spawn(listen(Arc::new(front), relay, weather, for_each));
        Ok(Self {
            sky,
            incidents,
            task,
        })
    }

    /// From now on: towards the relay, and from it to clients.
    pub fn set(&self, up: Weather, down: Weather) {
        *self.sky.lock().unwrap_or_else(PoisonError::into_inner) = [up, down];
    }

    /// Gives every client another address towards the relay, as a router does that has forgotten it. How many clients
    /// there are.
    #[must_use]
    pub fn rebind(&self) -> usize {
        self.incidents.send(Incident::Rebound).unwrap_or_default()
    }

    /// Sends something to the relay from every client's address, which the client itself has not sent.
    pub fn forge(&self, datagram: &[u8]) {
        // Without clients there is nobody in whose name to send.
        let _ = self.incidents.send(Incident::Forged(datagram.to_vec()));
    }
}

/// Gives the datagrams of each client to a connection of its own.
async fn listen(
    front: Arc<UdpSocket>,
    relay: SocketAddr,
    sky: Sky,
    incidents: broadcast::Sender<Incident>,
) {
    let mut clients: HashMap<SocketAddr, mpsc::UnboundedSender<Vec<u8>>> = HashMap::new();
    let mut connections = tokio::task::JoinSet::new();
    let mut datagram = [0; DATAGRAM];
    loop {
        // A client whose port is closed is no reason to end.
        let Ok((length, client)) = front.recv_from(&mut datagram).await else {
            continue;
        };
        let seed = clients.len() as u64;
        let to = clients.entry(client).or_insert_with(|| {
            let (sender, from_client) = mpsc::unbounded_channel();
            let (front, sky) = (Arc::clone(&front), Arc::clone(&sky));
            let incidents = incidents.subscribe();
            let both = Both {
                front,
                client,
                relay,
            };
            connections.spawn(carry(both, from_client, incidents, sky, seed));
            sender
        });
        // It ends with the network.
        let _ = to.send(datagram[..length].to_vec());
    }
}

/// The ends of one client's way.
struct Both {
    front: Arc<UdpSocket>,
    client: SocketAddr,
    relay: SocketAddr,
}

/// Carries the datagrams of one client both ways.
async fn carry(
    Both {
        front,
        client,
        relay,
    }: Both,
    mut from_client: mpsc::UnboundedReceiver<Vec<u8>>,
    mut incidents: broadcast::Receiver<Incident>,
    sky: Sky,
    seed: u64,
) -> std::io::Result<()> {
    let mut back = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let (mut up, mut down) = (Way::new(2 * seed), Way::new(2 * seed + 1));
    let mut datagram = [0; DATAGRAM];
    loop {
        let next = [up.next(), down.next()].into_iter().flatten().min();
        let next = next.unwrap_or_else(|| Instant::now() + NEVER);
        tokio::select! {
            sent = from_client.recv() => match sent {
                Some(sent) => up.take(sent, &weather(&sky)[0], Instant::now()),
                None => return Ok(()),
            },
            received = back.recv(&mut datagram) => {
                let length = received?;
                down.take(datagram[..length].to_vec(), &weather(&sky)[1], Instant::now());
            }
            // One who lags behind has missed forgeries.
            Ok(incident) = incidents.recv() => match incident {
                Incident::Rebound => back = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?,
                Incident::Forged(datagram) => drop(back.send_to(&datagram, relay).await),
            },
            () = sleep_until(next) => {}
        }
        let now = Instant::now();
        // What a closed port refuses is lost, as on any network.
        while let Some(arrived) = up.arrived(now) {
            let _ = back.send_to(&arrived, relay).await;
        }
        while let Some(arrived) = down.arrived(now) {
            let _ = front.send_to(&arrived, client).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(way: &mut Way, now: Instant) -> usize {
        std::iter::from_fn(|| way.arrived(now)).count()
    }

    #[tokio::test]
    async fn each_datagram_travels_its_time_in_order() {
        let begin = Instant::now();
        let mut way = Way::new(1);
        let slow = Weather {
            delay: Duration::from_millis(75),
            ..Weather::default()
        };
        way.take(vec![1], &slow, begin);
        way.take(vec![2], &Weather::default(), begin);
        assert_eq!(arrivals(&mut way, begin + Duration::from_millis(74)), 0);
        assert_eq!(way.arrived(begin + slow.delay), Some(vec![1]));
        assert_eq!(way.arrived(begin + slow.delay), Some(vec![2]));
        assert_eq!(way.next(), None);
    }

    #[tokio::test]
    async fn the_share_that_gets_lost_is_the_one_asked_for_and_the_same_each_time() {
        let begin = Instant::now();
        let weather = Weather {
            lost: 50,
            ..Weather::default()
        };
        let run = |seed| {
            let mut way = Way::new(seed);
            for _ in 0..10_000 {
                way.take(vec![0], &weather, begin);
            }
            arrivals(&mut way, begin)
        };
        assert!((9_400..9_600).contains(&run(1)), "{}", run(1));
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[tokio::test]
    async fn a_bottleneck_carries_its_rate_and_drops_what_queues_too_long() {
        let begin = Instant::now();
        let weather = Weather {
            bottleneck: Some(80_000),
            ..Weather::default()
        };
        let mut way = Way::new(1);
        // Ten kilobytes a second: each of these takes a tenth of a second.
        for _ in 0..20 {
            way.take(vec![0; 1_000], &weather, begin);
        }
        assert_eq!(arrivals(&mut way, begin + Duration::from_millis(250)), 2);
        let all = 2 + arrivals(&mut way, begin + Duration::from_secs(10));
        assert_eq!(all, 4, "0, 100, 200 and 300 ms of waiting");
    }
}

//! The forwarding core in virtual time: a simulcast publisher, lossy, reordering, duplicating and narrow links, and
//! subscribers whose decoder knows what it must not be given. Everything is seeded; nothing waits.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

mod links;
mod publisher;
mod sfu;
mod subscriber;

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use links::{Link, Rng};
use proptest::{prelude::*, test_runner::RngSeed};
use publisher::Publisher;
use relay::forward::downtrack::Target;
use sfu::{Sfu, Steering};
use subscriber::Subscriber;

/// Virtual milliseconds as an instant.
#[expect(
    clippy::disallowed_methods,
    reason = "an origin for virtual time, never compared with another reading"
)]
fn at(ms: u64) -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(Instant::now) + Duration::from_millis(ms)
}

/// One publisher, one relay, some subscribers, each on a link of its own.
struct World {
    now: u64,
    publisher: Publisher,
    up: Link,
    sfu: Sfu,
    subscribers: Vec<(Subscriber, Link)>,
}

impl World {
    fn new(seed: u64, up: Link, down: Vec<Link>) -> Self {
        let mut rng = Rng::new(seed);
        let subscribers: Vec<_> = down
            .into_iter()
            .map(|link| (Subscriber::default(), link))
            .collect();
        Self {
            now: 0,
            publisher: Publisher::new(&mut rng),
            up,
            sfu: Sfu::new(subscribers.len(), &mut rng),
            subscribers,
        }
    }

    /// Goes on for so many ms; `each` may interfere before every one.
    fn run(&mut self, ms: u64, mut each: impl FnMut(&mut Self)) {
        for _ in 0..ms {
            each(self);
            self.step();
            self.now += 1;
        }
    }

    fn step(&mut self) {
        let now = self.now;
        for packet in self.publisher.step(now) {
            self.up.send(now, packet);
        }
        for packet in self.up.arrived(now) {
            self.sfu.inbound(&packet.bytes, now);
        }
        // Reports back to the publisher take the link's delay as well, and are not lost.
        for (layer, sequence) in self.sfu.missing_upstream(now) {
            if let Some(packet) = self.publisher.again(layer, sequence) {
                self.up.send(now + 20, packet);
            }
        }
        for layer in self.sfu.keyframes(now) {
            self.publisher.ask(layer);
        }
        self.sfu.step(now);
        for (index, (subscriber, link)) in self.subscribers.iter_mut().enumerate() {
            for packet in self.sfu.outbound(index, now) {
                link.send(now, packet);
            }
            for packet in link.arrived(now) {
                subscriber.receive(&packet, now);
            }
            for sequence in subscriber.missing(now) {
                self.sfu.report_loss(index, sequence, now);
            }
            if subscriber.is_lost(now) {
                self.sfu.picture_lost(index);
            }
            if now % 100 == 99 {
                self.sfu.feedback(index, &subscriber.feedback(), now);
            }
        }
    }
}

/// Targets in hard and fast succession, as no allocator would give them.
fn restless(world: &mut World, seed: u64) {
    if !world.now.is_multiple_of(350) {
        return;
    }
    let mut rng = Rng::new(seed ^ world.now);
    for index in 0..world.subscribers.len() {
        let layer = u8::try_from(rng.below(3)).unwrap();
        let temporal = [0, 1, 7, 7][usize::try_from(rng.below(4)).unwrap()];
        let target = (rng.below(8) > 0).then_some(Target { layer, temporal });
        world.sfu.steer(index, Steering::By(target));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 16,
        rng_seed: RngSeed::Fixed(3),
        ..ProptestConfig::default()
    })]

    /// The decoder's own assertions are the test: what looks whole by its headers is whole, in order, and begins with
    /// a key frame wherever the source changes. And the picture lives.
    #[test]
    fn no_broken_picture_however_the_layers_change(seed: u64, loss in 0u64..8, jitter in 0u64..30, twice in 0u64..4) {
        let link = |salt: u64| Link::new(seed ^ salt).delay(20).jitter(jitter).loss_percent(loss).twice_percent(twice);
        let mut world = World::new(seed, link(1), vec![link(2), link(3)]);
        world.run(12_000, |world| restless(world, seed));
        for index in 0..2 {
            world.sfu.steer(index, Steering::By(Some(Target::layer(2))));
        }
        world.run(3000, |_| {});
        for (index, (subscriber, _)) in world.subscribers.iter().enumerate() {
            prop_assert!(subscriber.decoded() > 100, "{} pictures", subscriber.decoded());
            prop_assert!(world.sfu.switches(index) > 4);
            prop_assert!(subscriber.newest_layer() == Some(2), "{:?}", subscriber.newest_layer());
        }
    }
}

#[test]
fn without_loss_every_frame_of_the_layer_is_shown() {
    let mut world = World::new(1, Link::new(1).delay(20), vec![Link::new(2).delay(20)]);
    world.sfu.steer(0, Steering::By(Some(Target::layer(1))));
    world.run(10_000, |_| {});
    // The first key frame is on its way for 40 ms.
    assert!(
        (300..=304).contains(&world.subscribers[0].0.decoded()),
        "{}",
        world.subscribers[0].0.decoded()
    );
}

#[test]
fn loss_is_repaired_by_retransmission_and_not_by_keyframes() {
    let lossy = |seed| Link::new(seed).delay(25).loss_percent(5);
    let mut world = World::new(7, lossy(1), vec![lossy(2)]);
    world.sfu.steer(0, Steering::By(Some(Target::layer(2))));
    world.run(20_000, |_| {});
    let decoded = world.subscribers[0].0.decoded();
    assert!(decoded > 560, "{decoded} of 600 pictures");
    assert!(
        world.publisher.keyframes(2) < 6,
        "{} key frames",
        world.publisher.keyframes(2)
    );
}

#[test]
fn a_bottleneck_of_300_kbit_is_found_and_left_again() {
    let mut world = World::new(
        11,
        Link::new(1).delay(10),
        vec![Link::new(2).delay(30).bits_per_second(300_000)],
    );
    world.sfu.steer(0, Steering::ByEstimate);
    world.run(20_000, |_| {});
    let before = world.subscribers[0].0.decoded();
    world.run(20_000, |_| {});
    let shown = world.subscribers[0].0.decoded() - before;
    assert!(shown > 400, "the picture lives: {shown} pictures in 20 s");
    let layer = world.subscribers[0].0.newest_layer();
    assert!(layer < Some(2), "the high layer does not fit: {layer:?}");

    world.subscribers[0].1.set_bits_per_second(5_000_000);
    world.run(45_000, |_| {});
    assert_eq!(
        world.subscribers[0].0.newest_layer(),
        Some(2),
        "estimate {}",
        world.sfu.estimate(0)
    );
}

#[test]
fn one_narrow_link_does_not_slow_the_others() {
    let wide = |seed| Link::new(seed).delay(20).bits_per_second(20_000_000);
    let narrow = Link::new(3).delay(20).bits_per_second(150_000);
    let mut world = World::new(13, wide(1), vec![wide(2), narrow, wide(4)]);
    for index in 0..3 {
        world.sfu.steer(index, Steering::ByEstimate);
    }
    world.run(40_000, |_| {});
    let layers: Vec<_> = world
        .subscribers
        .iter()
        .map(|(subscriber, _)| subscriber.newest_layer())
        .collect();
    assert_eq!(
        layers,
        [Some(2), Some(0), Some(2)],
        "estimates {:?}",
        [0, 1, 2].map(|index| world.sfu.estimate(index))
    );
}

#[test]
fn a_layer_that_stops_is_replaced_by_the_one_below() {
    let wide = |seed| Link::new(seed).delay(20);
    let mut world = World::new(17, wide(1), vec![wide(2)]);
    world.sfu.steer(0, Steering::ByEstimate);
    world.run(30_000, |_| {});
    assert_eq!(world.subscribers[0].0.newest_layer(), Some(2));
    world.publisher.stop(2);
    world.run(5000, |_| {});
    assert_eq!(world.subscribers[0].0.newest_layer(), Some(1));
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let run = || {
        let link = |seed| {
            Link::new(seed)
                .delay(20)
                .jitter(20)
                .loss_percent(4)
                .bits_per_second(800_000)
        };
        let mut world = World::new(5, link(1), vec![link(2)]);
        world.sfu.steer(0, Steering::ByEstimate);
        world.run(10_000, |_| {});
        (
            world.subscribers[0].0.decoded(),
            world.sfu.estimate(0),
            world.sfu.switches(0),
        )
    };
    assert_eq!(run(), run());
}

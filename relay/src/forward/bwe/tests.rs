use proptest::prelude::*;

use super::*;
use crate::forward::testing::origin;

/// A link with a queue in front of it, in virtual time.
struct Link {
    bits_per_second: f64,
    free_at: f64,
    queue_s: f64,
    /// Every n-th packet is lost.
    lose_every: u64,
    count: u64,
}

impl Link {
    fn new(bits_per_second: f64) -> Self {
        Self {
            bits_per_second,
            free_at: 0.0,
            queue_s: 0.5,
            lose_every: u64::MAX,
            count: 0,
        }
    }

    fn send(&mut self, at: f64, size: u32) -> Option<Duration> {
        self.count += 1;
        let start = self.free_at.max(at);
        if start - at > self.queue_s || self.count.is_multiple_of(self.lose_every) {
            return None;
        }
        self.free_at = start + f64::from(size) * 8.0 / self.bits_per_second;
        Some(Duration::from_secs_f64(self.free_at + 0.02))
    }
}

/// Sends packets of 1000 octets at the rate `sent` makes of the target, with feedback every 100 ms.
fn run(
    estimator: &mut Estimator,
    link: &mut Link,
    from: u32,
    seconds: u32,
    sent: impl Fn(f64) -> f64,
) {
    let mut at = f64::from(from);
    let mut due = at;
    for window in 0..seconds * 10 {
        let end = f64::from(from) + f64::from(window + 1) * 0.1;
        let rate = sent(estimator.target);
        let mut packets = Vec::new();
        due = due.max(at);
        while due < end {
            let left = origin() + Duration::from_secs_f64(due);
            packets.push(Acknowledged {
                sent: left,
                size: 1000,
                arrived: link.send(due, 1000),
                probe: None,
            });
            due += 8000.0 / rate;
        }
        at = end;
        estimator.feedback(&packets, origin() + Duration::from_secs_f64(end + 0.05));
    }
}

#[test]
fn a_wide_path_is_believed_as_soon_as_it_has_carried() {
    let (mut estimator, mut link) = (
        Estimator::new(2_000_000, 50_000, 50_000_000),
        Link::new(100_000_000.0),
    );
    // A voice says nothing of what a picture may take.
    run(&mut estimator, &mut link, 0, 1, |_| 50_000.0);
    run(&mut estimator, &mut link, 1, 1, |_| 8_000_000.0);
    assert!(estimator.target > 7_500_000.0, "{}", estimator.target);
    assert!(!estimator.is_limited());
    link.bits_per_second = 1_000_000.0;
    run(&mut estimator, &mut link, 2, 1, |_| 8_000_000.0);
    assert!(estimator.is_limited());
    assert!(estimator.target < 1_500_000.0, "{}", estimator.target);
}

#[test]
fn settles_below_a_bottleneck_and_keeps_the_queue_short() {
    let (mut estimator, mut link) = (
        Estimator::new(1_000_000, 50_000, 20_000_000),
        Link::new(300_000.0),
    );
    run(&mut estimator, &mut link, 0, 30, |target| target);
    assert!(
        (180_000.0..330_000.0).contains(&estimator.target),
        "{}",
        estimator.target
    );
    assert!(
        link.free_at - 30.0 < 0.3,
        "queue of {} s",
        link.free_at - 30.0
    );
}

#[test]
fn finds_room_again_when_the_link_gets_faster() {
    let (mut estimator, mut link) = (
        Estimator::new(300_000, 50_000, 20_000_000),
        Link::new(300_000.0),
    );
    run(&mut estimator, &mut link, 0, 20, |target| target);
    let before = estimator.target;
    link.bits_per_second = 3_000_000.0;
    run(&mut estimator, &mut link, 20, 40, |target| target);
    assert!(
        estimator.target > before * 3.0,
        "{before} then {}",
        estimator.target
    );
}

#[test]
fn does_not_grow_beyond_what_is_tried() {
    let (mut estimator, mut link) = (
        Estimator::new(100_000, 50_000, 20_000_000),
        Link::new(10_000_000.0),
    );
    run(&mut estimator, &mut link, 0, 60, |_| 200_000.0);
    assert!(estimator.target < 330_000.0, "{}", estimator.target);
}

#[test]
fn a_little_random_loss_is_borne_and_much_is_not() {
    let (mut estimator, mut link) = (
        Estimator::new(1_000_000, 50_000, 20_000_000),
        Link::new(5_000_000.0),
    );
    link.lose_every = 20;
    run(&mut estimator, &mut link, 0, 10, |target| target);
    assert!(estimator.target > 900_000.0, "{}", estimator.target);
    assert!((0.03..0.07).contains(&estimator.loss()));
    link.lose_every = 3;
    run(&mut estimator, &mut link, 10, 10, |target| target);
    assert!(estimator.target < 400_000.0, "{}", estimator.target);
}

fn probe(estimator: &mut Estimator, link: &mut Link, id: u32, at: f64, rate: f64) {
    let packets: Vec<_> = (0..30)
        .map(|index| {
            let due = at + f64::from(index) * 8000.0 / rate;
            let sent = origin() + Duration::from_secs_f64(due);
            Acknowledged {
                sent,
                size: 1000,
                arrived: link.send(due, 1000),
                probe: Some(id),
            }
        })
        .collect();
    estimator.feedback(&packets, origin() + Duration::from_secs_f64(at + 1.0));
}

#[test]
fn a_probe_finds_room_at_once_and_the_limit_where_there_is_one() {
    let (mut estimator, mut link) = (
        Estimator::new(200_000, 50_000, 20_000_000),
        Link::new(10_000_000.0),
    );
    probe(&mut estimator, &mut link, 1, 0.0, 900_000.0);
    assert!(
        (800_000.0..=930_000.0).contains(&estimator.target),
        "{}",
        estimator.target
    );

    let (mut estimator, mut link) = (
        Estimator::new(200_000, 50_000, 20_000_000),
        Link::new(400_000.0),
    );
    probe(&mut estimator, &mut link, 1, 0.0, 900_000.0);
    assert!(estimator.target < 400_000.0, "{}", estimator.target);
}

proptest! {
    #[test]
    fn whatever_a_receiver_claims_the_target_stays_within_its_bounds(
        messages in proptest::collection::vec(
            proptest::collection::vec((0u64..100_000, any::<u32>(), proptest::option::of(any::<u32>()), proptest::option::of(0u32..3)), 0..30),
            0..30,
        ),
    ) {
        let mut estimator = Estimator::new(300_000, 50_000, 5_000_000);
        for (index, message) in (0u64..).zip(messages) {
            let packets: Vec<_> = message
                .into_iter()
                .map(|(sent, size, arrived, probe)| Acknowledged {
                    sent: origin() + Duration::from_millis(sent),
                    size,
                    arrived: arrived.map(|ms| Duration::from_millis(u64::from(ms))),
                    probe,
                })
                .collect();
            estimator.feedback(&packets, origin() + Duration::from_millis(index * 100));
            prop_assert!((50_000..=5_000_000).contains(&estimator.target()));
        }
    }
}

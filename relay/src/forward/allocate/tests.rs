use proptest::prelude::*;

use super::*;
use crate::forward::testing::at;

const LAYERS: [Option<u64>; 3] = [Some(150_000), Some(500_000), Some(1_700_000)];

fn camera(track: u8) -> Demand<u8> {
    Demand {
        track,
        screen: false,
        priority: 0,
        wanted: Some(Target::layer(2)),
        current: None,
        layers: LAYERS,
        temporal_layers: 1,
        shares: [40, 60, 100, 100],
    }
}

fn screen(track: u8) -> Demand<u8> {
    Demand {
        screen: true,
        temporal_layers: 3,
        layers: [Some(400_000), None, Some(2_000_000)],
        ..camera(track)
    }
}

fn once(available: u64, demands: &[Demand<u8>]) -> Vec<Option<Target>> {
    let allocation = Allocator::default().allocate(available, 0, demands, at(0));
    allocation
        .choices
        .into_iter()
        .map(|choice| choice.target)
        .collect()
}

fn layers(available: u64, demands: &[Demand<u8>]) -> Vec<Option<u8>> {
    once(available, demands)
        .into_iter()
        .map(|target| target.map(|target| target.layer))
        .collect()
}

#[test]
fn cameras_climb_in_turns_and_by_priority() {
    let two = [
        camera(1),
        Demand {
            priority: 1,
            ..camera(2)
        },
    ];
    assert_eq!(layers(u64::MAX, &two), [Some(2), Some(2)]);
    assert_eq!(layers(1_200_000, &two), [Some(1), Some(1)]);
    assert_eq!(layers(800_000, &two), [Some(0), Some(1)]);
    assert_eq!(layers(300_000, &two), [Some(0), Some(0)]);
    assert_eq!(layers(200_000, &two), [None, Some(0)]);
    assert_eq!(layers(100_000, &two), [None, None]);
}

#[test]
fn a_screen_loses_frames_before_size_and_goes_before_cameras() {
    let both = [camera(1), screen(2)];
    assert_eq!(
        once(2_400_000, &both),
        [
            Some(Target::layer(1)),
            Some(Target {
                layer: 2,
                temporal: 1
            })
        ]
    );
    assert_eq!(
        once(1_100_000, &both)[1],
        Some(Target {
            layer: 2,
            temporal: 0
        })
    );
    assert_eq!(
        once(350_000, &both),
        [
            Some(Target::layer(0)),
            Some(Target {
                layer: 0,
                temporal: 0
            })
        ]
    );
}

#[test]
fn audio_is_taken_off_first_and_paused_tracks_are_told() {
    let mut allocator = Allocator::default();
    let allocation = allocator.allocate(200_000, 64_000, &[camera(1)], at(0));
    assert_eq!(
        allocation.choices[0],
        Choice {
            track: 1,
            target: None,
            bits: 0,
            limited: true
        }
    );
    let idle = Demand {
        wanted: None,
        ..camera(1)
    };
    assert!(!allocator.allocate(0, 0, &[idle], at(0)).choices[0].limited);
}

#[test]
fn layers_that_are_not_live_are_not_chosen() {
    let stopped = Demand {
        layers: [LAYERS[0], LAYERS[1], None],
        ..camera(1)
    };
    assert_eq!(layers(u64::MAX, &[stopped]), [Some(1)]);
    let single = Demand {
        layers: [None, None, LAYERS[2]],
        wanted: Some(Target::layer(0)),
        ..camera(1)
    };
    assert_eq!(layers(u64::MAX, &[single]), [Some(2)]);
    let liar = Demand {
        layers: [Some(900_000), Some(100_000), Some(800_000)],
        ..camera(1)
    };
    assert_eq!(layers(500_000, std::slice::from_ref(&liar)), [Some(1)]);
    assert_eq!(layers(u64::MAX, &[liar]), [Some(2)]);
}

#[test]
fn climbing_needs_a_margin_that_staying_does_not() {
    assert_eq!(layers(550_000, &[camera(1)]), [Some(0)]);
    let there = Demand {
        current: Some(Target::layer(1)),
        ..camera(1)
    };
    assert_eq!(layers(550_000, &[there]), [Some(1)]);
}

#[test]
fn after_a_fall_nobody_climbs_for_a_while_and_longer_each_time() {
    let mut allocator = Allocator::default();
    let mut current = Some(Target::layer(1));
    let mut step = |available: u64, ms: u64| {
        let demand = Demand {
            current,
            ..camera(1)
        };
        current = allocator.allocate(available, 0, &[demand], at(ms)).choices[0].target;
        current.map(|target| target.layer)
    };
    assert_eq!(step(300_000, 0), Some(0));
    assert_eq!(step(900_000, 1999), Some(0));
    assert_eq!(step(900_000, 2000), Some(1));
    assert_eq!(step(300_000, 3000), Some(0));
    assert_eq!(step(900_000, 6999), Some(0));
    assert_eq!(step(900_000, 7000), Some(1));
}

#[test]
fn a_probe_is_asked_for_when_somebody_could_climb_and_ever_less_often() {
    let mut allocator = Allocator::default();
    let demand = [Demand {
        current: Some(Target::layer(0)),
        ..camera(1)
    }];
    let mut probed = Vec::new();
    for ms in (0..60_000).step_by(200) {
        if let Some(bits) = allocator.allocate(200_000, 30_000, &demand, at(ms)).probe {
            assert!(
                bits > 30_000 + 500_000 * 115 / 100 && bits < 700_000,
                "{bits}"
            );
            probed.push(ms);
        }
    }
    assert_eq!(probed, [3000, 6000, 12_000, 24_000, 48_000]);
    let content = [Demand {
        current: Some(Target::layer(2)),
        ..camera(1)
    }];
    assert_eq!(
        allocator.allocate(u64::MAX, 0, &content, at(200_000)).probe,
        None
    );
}

#[test]
fn where_nothing_can_be_probed_with_something_is_tried_until_a_probe_tells() {
    let mut allocator = Allocator::default();
    let mut demand = [Demand {
        layers: [Some(400_000), None, None],
        ..camera(1)
    }];
    let mut step = |available: u64, ms: u64, can_probe: bool| {
        let allocate = |allocator: &mut Allocator, demand: &[Demand<u8>]| {
            allocator.allocate(available, 30_000, demand, at(ms))
        };
        let mut allocation = allocate(&mut allocator, &demand);
        if allocation.probe.is_some() && !can_probe {
            allocator.try_out(at(ms));
            allocation = allocate(&mut allocator, &demand);
        }
        let choice = allocation.choices[0];
        demand[0].current = choice.target;
        (choice.target.is_some(), choice.limited, allocation.probe)
    };
    let (nothing, tried) = ((false, true, None), (true, true, None));
    assert_eq!(step(60_000, 0, false), nothing);
    assert_eq!(step(60_000, 2_900, false), nothing);
    assert_eq!(step(60_000, 3_000, false), tried);
    assert_eq!(step(60_000, 5_900, true), tried);
    let probe = Some(30_000 + 400_000 * 120 / 100);
    assert_eq!(step(60_000, 6_000, true), (true, true, probe));
    assert_eq!(step(500_000, 6_200, true), (true, false, None), "found");
    assert_eq!(step(500_000, 8_100, true), (true, false, None));
    assert_eq!(step(60_000, 8_200, true), nothing, "no trial any more");
}

fn demands() -> impl Strategy<Value = Vec<Demand<u8>>> {
    let layer = proptest::option::of(0u64..3_000_000);
    let target = || {
        proptest::option::of(
            (0u8..3, 0u8..8).prop_map(|(layer, temporal)| Target { layer, temporal }),
        )
    };
    let shares = proptest::array::uniform4(0u64..=100).prop_map(|mut shares| {
        shares.sort_unstable();
        shares
    });
    let demand = (
        any::<bool>(),
        any::<u8>(),
        target(),
        target(),
        [layer.clone(), layer.clone(), layer],
        (any::<u8>(), shares),
    );
    proptest::collection::vec(
        demand.prop_map(
            |(screen, priority, wanted, current, layers, (temporal_layers, shares))| Demand {
                track: 0,
                screen,
                priority,
                wanted,
                current,
                layers,
                temporal_layers,
                shares,
            },
        ),
        0..8,
    )
}

proptest! {
    #[test]
    fn never_more_than_there_is_and_never_what_is_not_there(available in 0u64..20_000_000, audio in 0u64..500_000, demands in demands()) {
        let allocation = Allocator::default().allocate(available, audio, &demands, at(0));
        let total: u64 = allocation.choices.iter().map(|choice| choice.bits).sum();
        prop_assert!(total <= available.saturating_sub(audio));
        for (choice, demand) in allocation.choices.iter().zip(&demands) {
            if let Some(target) = choice.target {
                prop_assert!(demand.wanted.is_some());
                prop_assert!(demand.layers[usize::from(target.layer)].is_some());
            }
        }
        prop_assert_eq!(&allocation, &Allocator::default().allocate(available, audio, &demands, at(0)));
    }

    #[test]
    fn with_plenty_everyone_has_the_best_that_is_live(demands in demands()) {
        let allocation = Allocator::default().allocate(u64::MAX, 0, &demands, at(0));
        prop_assert!(allocation.choices.iter().all(|choice| !choice.limited));
        prop_assert_eq!(allocation.probe, None);
    }

    #[test]
    fn what_was_decided_stays_decided(available in 0u64..20_000_000, mut demands in demands()) {
        let mut allocator = Allocator::default();
        let settle = |demands: &mut Vec<Demand<u8>>, allocator: &mut Allocator, ms| {
            let choices = allocator.allocate(available, 0, demands, at(ms)).choices;
            for (demand, choice) in demands.iter_mut().zip(&choices) {
                demand.current = choice.target;
            }
            choices
        };
        for demand in &mut demands {
            demand.current = None;
        }
        for round in 0..12 {
            settle(&mut demands, &mut allocator, round * 100_000);
        }
        let before = settle(&mut demands, &mut allocator, 2_000_000);
        prop_assert_eq!(before, settle(&mut demands, &mut allocator, 3_000_000));
    }
}

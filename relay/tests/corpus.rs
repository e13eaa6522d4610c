//! Replays what the fuzzers have found worth keeping (`fuzz/relay/corpus`), and a great deal of seeded noise.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests may fail like tests"
)]

#[path = "../../fuzz/relay/src/lib.rs"]
pub mod targets;

use std::{fs, path::Path};

use proptest::prelude::*;

fn replay(target: &str, run: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/relay/corpus")
        .join(target);
    let mut files: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", directory.display());
    for file in files {
        run(&fs::read(&file).unwrap());
    }
}

#[test]
fn the_corpus_of_packets_is_survived() {
    replay("rtp", targets::rtp);
}

#[test]
fn the_corpus_of_payloads_is_survived() {
    replay("descriptors", targets::descriptors);
}

#[test]
fn the_corpus_of_scripts_is_survived() {
    replay("forwarding", targets::forwarding);
}

/// Numbers near each other, as a stream has them; far jumps come from the plain noise.
fn script() -> impl Strategy<Value = Vec<u8>> {
    let step = (
        0u8..4,
        0u8..3,
        0u8..2,
        any::<u8>(),
        any::<u8>(),
        prop_oneof![
            Just(vec![0x90, 0xf0, 0x80, 1, 1, 0x00, 0]),
            (any::<u8>(), 0u8..4).prop_map(|(id, layer)| vec![
                0x90,
                0xf0,
                0x80,
                id,
                1,
                (layer << 6) | 0x20,
                1
            ]),
            proptest::collection::vec(any::<u8>(), 0..8),
        ],
    );
    let octets = step.prop_map(|(kind, layer, high, low, step, body)| {
        let length = u8::try_from(body.len()).unwrap();
        [&[kind, layer, high, low, step, length][..], &body].concat()
    });
    proptest::collection::vec(octets, 0..200)
        .prop_map(|steps| [&[0, 0xff, 0xf0][..], &steps.concat()].concat())
}

proptest! {
    #[test]
    fn streams_of_noise_are_survived(script in script()) {
        targets::forwarding(&script);
    }

    #[test]
    fn noise_is_survived(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        targets::rtp(&octets);
        targets::descriptors(&octets);
        targets::forwarding(&octets);
    }
}

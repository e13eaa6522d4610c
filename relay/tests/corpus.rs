//! Replays what the fuzzers have found worth keeping (`fuzz/relay/corpus`), a great deal of seeded noise, and what
//! comes of the corpus by changing it a little. `RELAY_FUZZ_ROUNDS` says how many changed inputs each target gets.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests may fail like tests"
)]

#[path = "../../fuzz/relay/src/lib.rs"]
pub mod targets;

use std::{env, fs, path::Path};

use proptest::prelude::*;
use rand::{SeedableRng as _, rngs::StdRng};

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/relay/corpus")
        .join(target);
    let mut files: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", directory.display());
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn replay(target: &str, run: fn(&[u8])) {
    for octets in corpus(target) {
        run(&octets);
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

#[test]
fn the_corpus_of_signalling_is_survived() {
    replay("signalling", targets::signalling);
}

#[test]
fn the_corpus_of_descriptions_is_survived() {
    replay("sdp", targets::sdp);
}

/// Changes inputs a little: octets, runs of octets, and whole lines, also from one into another.
struct Mutations {
    corpus: Vec<Vec<u8>>,
    random: StdRng,
}

impl Mutations {
    fn of(target: &str) -> Self {
        Self {
            corpus: corpus(target),
            random: StdRng::seed_from_u64(1),
        }
    }

    fn any(&mut self) -> Vec<u8> {
        self.corpus[self.random.random_range(0..self.corpus.len())].clone()
    }

    /// Somewhere up to the end.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.random.random_range(0..=length);
        let longest = (length - start).min(40);
        start..start + self.random.random_range(0..=longest)
    }

    fn next(&mut self) -> Vec<u8> {
        let mut input = self.any();
        for _ in 0..self.random.random_range(1..6) {
            let range = self.range(input.len());
            match self.random.random_range(0..7) {
                0 if !range.is_empty() => input[range.start] = self.random.random(),
                1 if !range.is_empty() => input[range.start] ^= 1 << self.random.random_range(0..8),
                2 => drop(input.drain(range)),
                3 => {
                    let other = self.any();
                    let part = self.range(other.len());
                    drop(input.splice(range, other[part].iter().copied()));
                }
                4 => input.truncate(range.end),
                _ => self.change_line(&mut input),
            }
        }
        input
    }

    fn change_line(&mut self, input: &mut Vec<u8>) {
        let mut lines: Vec<Vec<u8>> = input
            .split(|octet| *octet == b'\n')
            .map(Vec::from)
            .collect();
        let at = self.random.random_range(0..lines.len());
        match self.random.random_range(0..4) {
            0 => drop(lines.remove(at)),
            1 => {
                let line = lines[at].clone();
                lines.insert(self.random.random_range(0..=lines.len()), line);
            }
            2 => {
                let other = self.any();
                let others: Vec<&[u8]> = other.split(|octet| *octet == b'\n').collect();
                let line = others[self.random.random_range(0..others.len())].to_vec();
                lines.insert(at, line);
            }
            _ => {
                let number = ["0", "1", "65536", "4294967296", "-1", ""];
                let number = number[self.random.random_range(0..number.len())];
                let digits = lines[at].iter().position(u8::is_ascii_digit);
                if let Some(start) = digits {
                    let after = lines[at][start..].iter();
                    let length = after.take_while(|octet| octet.is_ascii_digit()).count();
                    drop(lines[at].splice(start..start + length, number.bytes()));
                }
            }
        }
        *input = lines.join(&b'\n');
    }
}

fn rounds(default: u32) -> u32 {
    let asked = env::var("RELAY_FUZZ_ROUNDS").ok();
    asked.map_or(default, |rounds| rounds.parse().expect("a number"))
}

fn vary(target: &str, run: fn(&[u8]), rounds: u32) {
    let mut mutations = Mutations::of(target);
    for round in 0..rounds {
        let input = mutations.next();
        let run = std::panic::catch_unwind(|| run(&input));
        assert!(run.is_ok(), "round {round}: {}", input.escape_ascii());
    }
}

#[test]
fn signalling_a_little_changed_is_survived() {
    vary("signalling", targets::signalling, rounds(2_000));
}

#[test]
fn descriptions_a_little_changed_are_survived() {
    vary("sdp", targets::sdp, rounds(200));
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
        targets::signalling(&octets);
    }
}

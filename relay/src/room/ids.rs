//! Ids in LiveKit's form: a prefix that tells the kind and twelve characters.

use rand::{Rng, RngExt as _};

const CHARACTERS: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// A fresh id.
pub(super) fn make(prefix: &str, rng: &mut impl Rng) -> String {
    let mut id = String::with_capacity(prefix.len() + 12);
    id.push_str(prefix);
    for _ in 0..12 {
        id.push(char::from(
            CHARACTERS[rng.random_range(0..CHARACTERS.len())],
        ));
    }
    id
}

//! Random text for tokens, passwords and keys.

use anyhow::{Result, anyhow};

/// 256 random bits as lower-case hexadecimal: 64 characters.
pub fn token() -> Result<String> {
    Ok(hex(&random::<32>()?))
}

/// A password that a person can copy from a terminal: 80 random bits in groups of four characters, without
/// characters that look alike.
pub fn password() -> Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";
    let letters = random::<16>()?.map(|byte| char::from(LETTERS[usize::from(byte & 31)]));
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    Ok(groups.join("-"))
}

/// The machine's randomness. These tools are a shell: they may ask for it, here and nowhere else.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where these tools ask for randomness"
    )]
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("the machine gives no randomness: {error}"))?;
    Ok(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_differ() {
        let (one, two) = (token().unwrap(), token().unwrap());
        assert_eq!(one.len(), 64);
        assert_ne!(one, two);
    }

    #[test]
    fn passwords_are_four_groups_of_four() {
        let password = password().unwrap();
        let groups: Vec<&str> = password.split('-').collect();
        assert_eq!(
            groups.iter().map(|group| group.len()).collect::<Vec<_>>(),
            [4, 4, 4, 4]
        );
    }
}

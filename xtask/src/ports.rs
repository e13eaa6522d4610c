//! TCP ports on loopback.
//!
//! Asking the kernel for a free port and releasing it again is a race: a parallel test may get the same one before
//! it is used. A leased port is therefore locked in the user's cache for as long as the [`Port`] lives, and comes
//! from a range below the one the kernel hands out for outgoing connections.

use std::{net::TcpListener, ops::Range, path::Path, process};

use anyhow::{Result, bail};

use crate::{lock::Lock, paths};

/// Below Linux's own ephemeral ports (32768 and up) and above what services usually claim.
const RANGE: Range<u16> = 20_000..30_000;

/// A port that is ours.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _lease: Option<Lock>,
}

impl Port {
    /// A free port nobody else leases until this value is dropped.
    pub fn lease() -> Result<Self> {
        let locks = paths::cache()?.join("ports");
        // Parallel processes begin their search at different places: fewer locked doors to try.
        let span = u32::from(RANGE.end - RANGE.start);
        let begin = process::id().wrapping_mul(97) % span;
        for step in 0..span {
            let offset = u16::try_from((begin + step) % span).unwrap_or_default();
            if let Some(port) = Self::lease_number(&locks, RANGE.start + offset)? {
                return Ok(port);
            }
        }
        bail!(
            "all ports from {} to {} are taken",
            RANGE.start,
            RANGE.end - 1
        )
    }

    fn lease_number(locks: &Path, number: u16) -> Result<Option<Self>> {
        let Some(lease) = Lock::attempt(&locks.join(number.to_string()))? else {
            return Ok(None);
        };
        Ok(is_free(number).then_some(Self {
            number,
            _lease: Some(lease),
        }))
    }

    /// The port the user asked for with `flag` (or by default), when it is free at this moment.
    pub fn chosen(number: u16, purpose: &str, flag: &str) -> Result<Self> {
        if !is_free(number) {
            bail!(
                "port {number} ({purpose}) is taken: stop what listens there, or choose another with {flag} <PORT>"
            );
        }
        Ok(Self {
            number,
            _lease: None,
        })
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// `127.0.0.1:<port>`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.number)
    }
}

fn is_free(number: u16) -> bool {
    TcpListener::bind(("127.0.0.1", number)).is_ok()
}

/// Refuses one number for two purposes.
pub fn all_different(ports: &[(u16, &str)]) -> Result<()> {
    for (index, (number, flag)) in ports.iter().enumerate() {
        let twin = ports[..index].iter().find(|(other, _)| other == number);
        if let Some((_, other)) = twin {
            bail!("{other} and {flag} both say {number}: give one of them another port");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, thread};

    use super::*;

    #[test]
    fn leases_held_at_the_same_time_differ() {
        let threads: Vec<_> = (0..8)
            .map(|_| thread::spawn(|| (0..8).map(|_| Port::lease().unwrap()).collect::<Vec<_>>()))
            .collect();
        let ports: Vec<Port> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        let numbers: BTreeSet<u16> = ports.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), 64);
        assert!(numbers.iter().all(|number| RANGE.contains(number)));
    }

    #[test]
    fn a_taken_port_names_itself_and_the_flag() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let number = listener.local_addr().unwrap().port();
        let error = Port::chosen(number, "the lobby", "--lobby-port")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&number.to_string()) && error.contains("--lobby-port"),
            "{error}"
        );
    }

    #[test]
    fn one_number_for_two_purposes_is_refused() {
        let ports = [
            (8080, "--lobby-port"),
            (8008, "--homeserver-port"),
            (8080, "--appservice-port"),
        ];
        let error = all_different(&ports).unwrap_err().to_string();
        assert!(
            error.contains("--lobby-port and --appservice-port"),
            "{error}"
        );
        assert!(all_different(&ports[..2]).is_ok());
    }
}

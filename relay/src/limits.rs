//! What is too much for a relay.

use std::{collections::HashMap, time::Duration};

use serde::Deserialize;

/// What is too much. What is over is refused with LiveKit's reason where there is one, else dropped; both are counted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Rooms at a time.
    pub rooms: usize,
    /// Participants of a room; 0 for no limit.
    pub participants: u32,
    /// Tracks of one participant.
    pub tracks: u32,
    /// Tracks that one participant is sent.
    pub subscriptions: u32,
    /// What one participant may send in media and data, in bit/s; 0 for no limit.
    pub publish_bits_per_second: u64,
    /// Data packets of one participant in a second; 0 for no limit.
    pub data_packets_per_second: u32,
    /// Bytes of one data packet.
    pub data_bytes: usize,
    /// Bytes of one signalling message.
    pub signal_bytes: usize,
    /// Signalling messages of one participant in ten seconds, over all its connections; a join counts as ten, and each
    /// 16 kB of a message as one more.
    pub signals_in_ten_seconds: u32,
    /// Bytes of a name or metadata, of all attributes together, and of what is told of all tracks together, each.
    pub metadata_bytes: usize,
    /// How long a room stays without participants, unless `CreateRoom` says otherwise.
    #[serde(skip)]
    pub empty_room: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rooms: 1_000,
            participants: 200,
            tracks: 20,
            subscriptions: 400,
            publish_bits_per_second: 30_000_000,
            data_packets_per_second: 1_000,
            data_bytes: 65_536,
            signal_bytes: 512 * 1024,
            signals_in_ten_seconds: 1_000,
            metadata_bytes: 64 * 1024,
            empty_room: Duration::from_secs(20),
        }
    }
}

/// A limit with which no call would work, and the cure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// Too little.
    #[error("{name} = {value} is too little for a call: write at least {least}")]
    TooLittle {
        /// Which.
        name: &'static str,
        /// What it is.
        value: u64,
        /// What it must be.
        least: u64,
    },
    /// More than the relay can take.
    #[error("{name} = {value} is more than the relay can take: write at most {most}")]
    TooMuch {
        /// Which.
        name: &'static str,
        /// What it is.
        value: u64,
        /// What it may be.
        most: u64,
    },
}

/// Data channels take no longer messages.
const MOST_DATA_BYTES: u64 = 256 * 1024;
/// Signalling messages are read into memory whole.
const MOST_SIGNAL_BYTES: u64 = 16 * 1024 * 1024;

impl Limits {
    /// Whether what is said of a participant is little enough to be told to everybody in the room.
    #[must_use]
    pub fn allow_description(
        &self,
        name: &str,
        metadata: &str,
        attributes: &HashMap<String, String>,
    ) -> bool {
        let lengths = attributes
            .iter()
            .map(|(name, value)| name.len() + value.len());
        name.len().max(metadata.len()).max(lengths.sum()) <= self.metadata_bytes
    }

    /// Whether calls work with these limits.
    pub fn check(&self) -> Result<(), LimitError> {
        let zero_or = |value: u64, least: u64| if value == 0 { 0 } else { least };
        let participants = u64::from(self.participants);
        let packets = u64::from(self.data_packets_per_second);
        let bits = self.publish_bits_per_second;
        for (name, value, least, most) in [
            ("rooms", self.rooms as u64, 1, u64::MAX),
            (
                "participants",
                participants,
                zero_or(participants, 2),
                u64::MAX,
            ),
            // A microphone, a camera, a screen and its sound.
            ("tracks", u64::from(self.tracks), 4, u64::MAX),
            ("subscriptions", u64::from(self.subscriptions), 4, u64::MAX),
            // A voice and the smallest picture.
            (
                "publish_bits_per_second",
                bits,
                zero_or(bits, 200_000),
                u64::MAX,
            ),
            (
                "data_packets_per_second",
                packets,
                zero_or(packets, 10),
                u64::MAX,
            ),
            // LiveKit's clients cut what is longer into pieces of that size.
            (
                "data_bytes",
                self.data_bytes as u64,
                16 * 1024,
                MOST_DATA_BYTES,
            ),
            // The description of a call with a dozen people.
            (
                "signal_bytes",
                self.signal_bytes as u64,
                64 * 1024,
                MOST_SIGNAL_BYTES,
            ),
            // A client that joins a large call sends so many.
            (
                "signals_in_ten_seconds",
                u64::from(self.signals_in_ten_seconds),
                50,
                u64::MAX,
            ),
            (
                "metadata_bytes",
                self.metadata_bytes as u64,
                256,
                MOST_SIGNAL_BYTES,
            ),
        ] {
            if value < least {
                return Err(LimitError::TooLittle { name, value, least });
            }
            if value > most {
                return Err(LimitError::TooMuch { name, value, most });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_lets_no_call_through_is_refused_with_the_cure() {
        assert_eq!(Limits::default().check(), Ok(()));
        let unlimited = Limits {
            participants: 0,
            publish_bits_per_second: 0,
            data_packets_per_second: 0,
            ..Limits::default()
        };
        assert_eq!(unlimited.check(), Ok(()));
        let alone = Limits {
            participants: 1,
            ..Limits::default()
        };
        assert_eq!(
            alone.check().unwrap_err().to_string(),
            "participants = 1 is too little for a call: write at least 2"
        );
        let long = Limits {
            data_bytes: 1_000_000,
            ..Limits::default()
        };
        assert_eq!(
            long.check().unwrap_err().to_string(),
            "data_bytes = 1000000 is more than the relay can take: write at most 262144"
        );
    }

    #[test]
    fn names_metadata_and_attributes_are_bounded_each() {
        let limits = Limits {
            metadata_bytes: 8,
            ..Limits::default()
        };
        let attributes = |pairs: &[(&str, &str)]| {
            let owned = |(name, value): &(&str, &str)| (String::from(*name), String::from(*value));
            pairs.iter().map(owned).collect::<HashMap<_, _>>()
        };
        let few = attributes(&[("a", "123"), ("b", "123")]);
        assert!(limits.allow_description("eight by", "12345678", &few));
        assert!(!limits.allow_description("nine byte", "", &few));
        assert!(!limits.allow_description("", "123456789", &few));
        let many = attributes(&[("a", "123"), ("b", "1234")]);
        assert!(!limits.allow_description("", "", &many));
    }

    #[test]
    fn what_is_not_written_stays_as_it_is() {
        let limits: Limits = serde_json::from_str(r#"{"rooms": 5}"#).unwrap();
        let expected = Limits {
            rooms: 5,
            ..Limits::default()
        };
        assert_eq!(limits, expected);
        assert!(serde_json::from_str::<Limits>(r#"{"roms": 5}"#).is_err());
    }
}

//! Who is speaking, from the audio level header extension (RFC 6464: one octet, `|V| level |`, the level in −dBov,
//! 0 loudest, 127 silence). Numbers as LiveKit's: a window of 400 ms, active when louder than −35 dBov for 40 % of it,
//! smoothed over two windows, told as 0 to 1 in eighths.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Length of a window, and the least time between two updates.
pub const INTERVAL: Duration = Duration::from_millis(400);
const LOUD_ENOUGH: u8 = 35;
const ACTIVE_PERCENT: u32 = 40;
/// Exponential smoothing with the centre of mass of an average over two windows.
const SMOOTHING: f64 = 2.0 / 3.0;
/// One packet speaks for no more than this, whatever its timestamps claim.
const LONGEST_PACKET_MS: u32 = 120;

/// Reads the extension's data: level in −dBov.
#[must_use]
pub fn level(extension: &[u8]) -> Option<u8> {
    extension.first().map(|octet| octet & 0x7f)
}

/// Loudness of one participant.
#[derive(Debug, Clone)]
struct Loudness {
    smoothed: f64,
    loudest: u8,
    active_ms: u32,
    observed_ms: u32,
    newest: Option<(u32, Instant)>,
}

impl Loudness {
    fn new() -> Self {
        Self {
            smoothed: 0.0,
            loudest: 127,
            active_ms: 0,
            observed_ms: 0,
            newest: None,
        }
    }

    fn observe(&mut self, level: u8, timestamp: u32, clock_rate: u32, now: Instant) {
        let ticks = self
            .newest
            .map_or(0, |(newest, _)| timestamp.wrapping_sub(newest));
        if ticks >= 1 << 31 {
            return;
        }
        self.newest = Some((timestamp, now));
        let ms = u32::try_from(u64::from(ticks) * 1000 / u64::from(clock_rate.max(1)))
            .unwrap_or(u32::MAX);
        let ms = ms.min(LONGEST_PACKET_MS);
        self.observed_ms += ms;
        if level <= LOUD_ENOUGH {
            self.active_ms += ms;
            self.loudest = self.loudest.min(level);
        }
        let window = u32::try_from(INTERVAL.as_millis()).unwrap_or(u32::MAX);
        if self.observed_ms < window {
            return;
        }
        self.smoothed = if self.active_ms * 100 >= ACTIVE_PERCENT * window {
            // Half a window of speech counts 6 dB less than a whole one.
            let share = f64::from(self.active_ms) / f64::from(window);
            let linear = 10_f64.powf(-f64::from(self.loudest) / 20.0) * share;
            self.smoothed + (linear - self.smoothed) * SMOOTHING
        } else {
            0.0
        };
        (self.loudest, self.active_ms, self.observed_ms) = (127, 0, 0);
    }

    fn eighths(&self, now: Instant) -> u8 {
        let threshold = 10_f64.powf(-f64::from(LOUD_ENOUGH) / 20.0);
        let heard = self
            .newest
            .is_some_and(|(_, heard)| now.saturating_duration_since(heard) < INTERVAL * 2);
        if !heard || self.smoothed < threshold {
            return 0;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 8"
        )]
        {
            (self.smoothed * 8.0).ceil().clamp(0.0, 8.0) as u8
        }
    }
}

/// A speaker whose level has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Speaker<P> {
    /// Who.
    pub participant: P,
    /// 0 to 1 in eighths; 0 for somebody who has stopped.
    pub level: f32,
    /// Whether this one speaks.
    pub active: bool,
}

/// The speakers of one room.
#[derive(Debug, Clone)]
pub struct Speakers<P> {
    heard: BTreeMap<P, (Loudness, u8)>,
}

impl<P: Ord + Clone> Default for Speakers<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Ord + Clone> Speakers<P> {
    /// A silent room.
    #[must_use]
    pub fn new() -> Self {
        Self {
            heard: BTreeMap::new(),
        }
    }

    /// Notes the level of one audio packet.
    pub fn observe(
        &mut self,
        participant: &P,
        level: u8,
        timestamp: u32,
        clock_rate: u32,
        now: Instant,
    ) {
        if let Some((loudness, _)) = self.heard.get_mut(participant) {
            loudness.observe(level, timestamp, clock_rate, now);
        } else {
            let mut loudness = Loudness::new();
            loudness.observe(level, timestamp, clock_rate, now);
            self.heard.insert(participant.clone(), (loudness, 0));
        }
    }

    /// Forgets somebody who has muted or left; answers with the end of the speech, if there was any.
    pub fn remove(&mut self, participant: &P) -> Option<Speaker<P>> {
        let (_, told) = self.heard.remove(participant)?;
        (told > 0).then(|| Speaker {
            participant: participant.clone(),
            level: 0.0,
            active: false,
        })
    }

    /// Those whose level has changed since the last call, loudest first; call it every [`INTERVAL`].
    pub fn changes(&mut self, now: Instant) -> Vec<Speaker<P>> {
        let mut changed: Vec<_> = self
            .heard
            .iter_mut()
            .filter_map(|(participant, (loudness, told))| {
                let eighths = loudness.eighths(now);
                (std::mem::replace(told, eighths) != eighths).then_some((participant, eighths))
            })
            .collect();
        changed.sort_by_key(|&(_, eighths)| Reverse(eighths));
        changed
            .into_iter()
            .map(|(participant, eighths)| Speaker {
                participant: participant.clone(),
                level: f32::from(eighths) / 8.0,
                active: eighths > 0,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::testing::at;

    /// Talks for `ms` in packets of 20 ms, from `from` on.
    fn talk(room: &mut Speakers<&'static str>, who: &'static str, level: u8, from: u32, ms: u32) {
        for packet in 0..ms / 20 {
            let time = from + packet * 20;
            room.observe(&who, level, time * 48, 48_000, at(u64::from(time)));
        }
    }

    #[test]
    fn the_loudest_comes_first_and_only_changes_are_told() {
        let mut room = Speakers::new();
        for (who, level) in [("quiet", 60), ("ann", 20), ("bob", 5)] {
            talk(&mut room, who, level, 0, 860);
        }
        let told = room.changes(at(860));
        assert_eq!(
            told.iter()
                .map(|speaker| speaker.participant)
                .collect::<Vec<_>>(),
            ["bob", "ann"]
        );
        assert!(
            told.iter()
                .all(|speaker| speaker.active && speaker.level > 0.0 && speaker.level <= 1.0)
        );
        assert_eq!(room.changes(at(861)), []);
    }

    #[test]
    fn silence_ends_a_speech_even_when_packets_stop() {
        let mut room = Speakers::new();
        talk(&mut room, "ann", 10, 0, 900);
        assert_eq!(room.changes(at(900)).len(), 1);
        let end = room.changes(at(1700));
        assert_eq!(
            end,
            [Speaker {
                participant: "ann",
                level: 0.0,
                active: false
            }]
        );
        talk(&mut room, "ann", 10, 2000, 900);
        assert_eq!(room.changes(at(2900)).len(), 1);
        assert!(room.remove(&"ann").is_some());
        assert!(room.remove(&"ann").is_none());
    }

    #[test]
    fn a_cough_is_no_speech() {
        let mut room = Speakers::new();
        talk(&mut room, "ann", 5, 0, 100);
        talk(&mut room, "ann", 90, 100, 400);
        assert_eq!(room.changes(at(500)), []);
    }

    #[test]
    fn the_flag_beside_the_level_is_cut_off() {
        assert_eq!(level(&[0xff]), Some(127));
        assert_eq!(level(&[0x85, 0]), Some(5));
        assert_eq!(level(&[]), None);
    }

    #[test]
    fn forged_timestamps_count_no_longer_than_a_packet() {
        let mut room = Speakers::new();
        room.observe(&"eve", 0, 0, 48_000, at(0));
        room.observe(&"eve", 0, 2_000_000_000, 48_000, at(1));
        room.observe(&"eve", 0, 1, 0, at(2));
        assert_eq!(room.changes(at(3)), []);
    }
}

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
/// Without a packet for so long, nobody speaks.
const SILENCE: Duration = Duration::from_millis(800);
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

/// Loudness of one track. Each counts by timestamps of its own, which begin anywhere.
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
        let mut ticks = 0;
        if let Some((newest, heard)) = self.newest {
            ticks = timestamp.wrapping_sub(newest);
            if ticks >= 1 << 31 {
                let silence = now.saturating_duration_since(heard);
                if silence < SILENCE && ticks.wrapping_neg() < clock_rate {
                    // Overtaken on its way.
                    return;
                }
                // The publisher counts anew.
                ticks = 0;
            }
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
            .is_some_and(|(_, heard)| now.saturating_duration_since(heard) < SILENCE);
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

/// A participant's tracks, and how loud it was when that was told last.
#[derive(Debug, Clone)]
struct Heard<T> {
    tracks: Vec<(T, Loudness)>,
    told: u8,
}

impl<T> Heard<T> {
    /// The loudest of the tracks.
    fn eighths(&self, now: Instant) -> u8 {
        let tracks = self.tracks.iter();
        tracks
            .map(|(_, loudness)| loudness.eighths(now))
            .max()
            .unwrap_or(0)
    }
}

fn speaker<P>(participant: P, eighths: u8) -> Speaker<P> {
    Speaker {
        participant,
        level: f32::from(eighths) / 8.0,
        active: eighths > 0,
    }
}

/// The speakers of one room: participants `P` with tracks `T`.
#[derive(Debug, Clone)]
pub struct Speakers<P, T> {
    heard: BTreeMap<P, Heard<T>>,
}

impl<P: Ord + Clone, T: Eq + Clone> Default for Speakers<P, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Ord + Clone, T: Eq + Clone> Speakers<P, T> {
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
        (participant, track): (&P, &T),
        level: u8,
        timestamp: u32,
        clock_rate: u32,
        now: Instant,
    ) {
        if !self.heard.contains_key(participant) {
            let (tracks, told) = (Vec::new(), 0);
            self.heard
                .insert(participant.clone(), Heard { tracks, told });
        }
        let Some(heard) = self.heard.get_mut(participant) else {
            return;
        };
        let known = heard.tracks.iter_mut().find(|(of, _)| of == track);
        if let Some((_, loudness)) = known {
            loudness.observe(level, timestamp, clock_rate, now);
        } else {
            let mut loudness = Loudness::new();
            loudness.observe(level, timestamp, clock_rate, now);
            heard.tracks.push((track.clone(), loudness));
        }
    }

    /// Forgets a track that has ended.
    pub fn remove_track(&mut self, participant: &P, track: &T) {
        if let Some(heard) = self.heard.get_mut(participant) {
            heard.tracks.retain(|(of, _)| of != track);
        }
    }

    /// Forgets somebody who has left; answers with the end of the speech, if there was any.
    pub fn remove(&mut self, participant: &P) -> Option<Speaker<P>> {
        let heard = self.heard.remove(participant)?;
        (heard.told > 0).then(|| speaker(participant.clone(), 0))
    }

    /// Everybody who was ever heard, as told last: for somebody who may have missed changes.
    pub fn standing(&self) -> impl Iterator<Item = Speaker<P>> {
        let heard = self.heard.iter();
        heard.map(|(participant, heard)| speaker(participant.clone(), heard.told))
    }

    /// Those whose level has changed since the last call, loudest first; call it every [`INTERVAL`].
    pub fn changes(&mut self, now: Instant) -> Vec<Speaker<P>> {
        let mut changed: Vec<_> = self
            .heard
            .iter_mut()
            .filter_map(|(participant, heard)| {
                let eighths = heard.eighths(now);
                (std::mem::replace(&mut heard.told, eighths) != eighths)
                    .then_some((participant, eighths))
            })
            .collect();
        changed.sort_by_key(|&(_, eighths)| Reverse(eighths));
        changed
            .into_iter()
            .map(|(participant, eighths)| speaker(participant.clone(), eighths))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::testing::at;

    /// Talks for `ms` in packets of 20 ms, from `from` on.
    fn talk(room: &mut Talk, who: &'static str, level: u8, from: u32, ms: u32) {
        talk_into(room, (who, "mic"), level, from, ms, 0);
    }

    type Talk = Speakers<&'static str, &'static str>;

    /// The same into a track whose timestamps begin somewhere.
    fn talk_into(
        room: &mut Talk,
        (who, track): (&'static str, &'static str),
        level: u8,
        from: u32,
        ms: u32,
        first: u32,
    ) {
        for packet in 0..ms / 20 {
            let time = from + packet * 20;
            let timestamp = first.wrapping_add(time * 48);
            let now = at(u64::from(time));
            room.observe((&who, &track), level, timestamp, 48_000, now);
        }
    }

    #[test]
    fn another_microphone_counts_by_timestamps_of_its_own() {
        let mut room = Speakers::new();
        talk_into(&mut room, ("ann", "mic"), 10, 0, 900, 1_000_000_000);
        assert_eq!(room.changes(at(900)).len(), 1);
        room.remove_track(&"ann", &"mic");
        assert!(!room.changes(at(901))[0].active);
        talk_into(&mut room, ("ann", "mic2"), 10, 1_000, 900, 7);
        assert!(room.changes(at(1_900))[0].active);
    }

    #[test]
    fn a_track_that_begins_to_count_anew_is_heard() {
        for (first, pause) in [(7, 20), (1_000_000_000 - 48 * 2_500, 2_000)] {
            let mut room = Speakers::new();
            talk_into(&mut room, ("ann", "mic"), 10, 0, 900, 1_000_000_000);
            room.changes(at(900));
            let from = 900 + pause;
            room.changes(at(u64::from(from) + 1_000));
            talk_into(&mut room, ("ann", "mic"), 10, from, 2_000, first);
            let told = room.changes(at(u64::from(from) + 2_000));
            assert!(told[0].active, "{told:?}");
        }
    }

    #[test]
    fn two_tracks_at_a_time_do_not_disturb_each_other() {
        let mut room = Speakers::new();
        for ms in (0..900).step_by(20) {
            talk_into(&mut room, ("ann", "mic"), 10, ms, 20, 7);
            talk_into(&mut room, ("ann", "tab"), 127, ms, 20, 1_000_000_000);
        }
        let told = room.changes(at(900));
        assert_eq!(told.len(), 1);
        assert!(told[0].active);
        let standing: Vec<_> = room.standing().collect();
        assert_eq!(standing, told);
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
        let eve = (&"eve", &"mic");
        room.observe(eve, 0, 0, 48_000, at(0));
        room.observe(eve, 0, 2_000_000_000, 48_000, at(1));
        room.observe(eve, 0, 1, 0, at(2));
        assert_eq!(room.changes(at(3)), []);
    }
}

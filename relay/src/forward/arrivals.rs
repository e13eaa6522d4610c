//! What came of a publisher's stream, judged by its sequence numbers. What was sent again and came is not lost.

/// Further ahead than so many packets is not loss: the publisher counts anew.
const JUMP: u16 = 3_000;

/// Counts of one stream.
#[derive(Debug, Clone, Default)]
pub struct Arrivals {
    newest: Option<u16>,
    expected: u64,
    came: u64,
    told: Came,
}

/// Packets of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Came {
    /// That were sent, by their numbers.
    pub expected: u64,
    /// That did not come.
    pub lost: u64,
}

impl Arrivals {
    /// A packet came for the first time.
    pub fn packet(&mut self, sequence: u16) {
        self.came += 1;
        let ahead = self
            .newest
            .map_or(1, |newest| sequence.wrapping_sub(newest));
        if ahead >= 1 << 15 {
            // Late, or once more.
            return;
        }
        self.expected += if ahead > JUMP { 1 } else { u64::from(ahead) };
        self.newest = Some(sequence);
    }

    /// What came since this was last asked. What comes late makes good a loss of before, and no more than that.
    pub fn news(&mut self) -> Came {
        let whole = Came {
            expected: self.expected,
            lost: self.expected.saturating_sub(self.came),
        };
        let news = Came {
            expected: whole.expected - self.told.expected,
            lost: whole.lost.saturating_sub(self.told.lost),
        };
        self.told = whole;
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news(arrivals: &mut Arrivals, sequences: impl IntoIterator<Item = u16>) -> (u64, u64) {
        sequences
            .into_iter()
            .for_each(|sequence| arrivals.packet(sequence));
        let news = arrivals.news();
        (news.expected, news.lost)
    }

    #[test]
    fn gaps_are_lost_unless_they_close() {
        let mut arrivals = Arrivals::default();
        assert_eq!(news(&mut arrivals, 65_530..=65_535), (6, 0));
        assert_eq!(news(&mut arrivals, [0, 3, 4]), (5, 2));
        assert_eq!(news(&mut arrivals, [1, 5]), (1, 0), "one of them was late");
        assert_eq!(news(&mut arrivals, [7]), (2, 1));
        assert_eq!(news(&mut arrivals, []), (0, 0));
    }

    #[test]
    fn who_counts_anew_loses_nothing() {
        let mut arrivals = Arrivals::default();
        news(&mut arrivals, 0..10);
        assert_eq!(news(&mut arrivals, 20_000..20_010), (10, 0));
    }
}

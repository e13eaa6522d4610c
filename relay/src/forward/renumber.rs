//! Renumbering a wrapping counter so that numbers of dropped items close up.
//!
//! One structure serves sequence numbers (16 bits) and picture ids (15 or 7 bits). It holds two bitmaps over the
//! last [`WINDOW`] numbers: which were seen, which were dropped. The number a late item gets is computed from the
//! offset of today less what was dropped since, so that no table of past offsets is needed.

/// How many numbers back a late item is still recognised.
pub(crate) const WINDOW: u64 = 1024;

/// A bitmap over the last [`WINDOW`] numbers, addressed by the number itself.
#[derive(Debug, Clone)]
struct Bits([u64; (WINDOW / 64) as usize]);

impl Bits {
    fn slot(number: u64) -> (usize, u64) {
        let bit = number % WINDOW;
        ((bit / 64) as usize, 1 << (bit % 64))
    }

    fn get(&self, number: u64) -> bool {
        let (word, mask) = Self::slot(number);
        self.0[word] & mask != 0
    }

    fn set(&mut self, number: u64) {
        let (word, mask) = Self::slot(number);
        self.0[word] |= mask;
    }

    /// Forgets `count` numbers from `first` on.
    fn clear(&mut self, first: u64, count: u64) {
        if count >= WINDOW {
            self.0.fill(0);
            return;
        }
        for number in first..first + count {
            let (word, mask) = Self::slot(number);
            self.0[word] &= !mask;
        }
    }

    /// How many bits are set in `after + 1 ..= last`, which spans less than [`WINDOW`] numbers.
    fn count(&self, after: u64, last: u64) -> u64 {
        let mut number = after + 1;
        let mut total = 0;
        while number <= last {
            let (word, mask) = Self::slot(number);
            let in_word = (64 - number % 64).min(last - number + 1);
            let bits = self.0[word] >> mask.trailing_zeros();
            let kept = if in_word == 64 {
                bits
            } else {
                bits & ((1 << in_word) - 1)
            };
            total += u64::from(kept.count_ones());
            number += in_word;
        }
        total
    }
}

/// Where a number stands relative to what was seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// Newer than everything seen, by `skipped` numbers more than the next.
    Ahead { number: u64, skipped: u64 },
    /// Older than the newest, not seen yet: its place in the output is reserved.
    Missing { number: u64 },
    /// Seen before.
    Seen { number: u64, dropped: bool },
    /// Before the start or out of the window.
    Old,
}

/// See the module's text.
#[derive(Debug, Clone)]
pub(crate) struct Renumber {
    bits: u32,
    first: u64,
    highest: u64,
    /// Output = input − offset, for numbers above `highest`.
    offset: u64,
    seen: Bits,
    dropped: Bits,
}

impl Renumber {
    /// Starts at input `first`, which gets the output `output`; `bits` is the counter's width, at most 16.
    pub(crate) fn start(bits: u32, first: u16, output: u16) -> Self {
        // High enough that no number within reach falls below zero.
        let base = 1 << 40;
        let first = base + u64::from(first);
        Self {
            bits,
            first,
            highest: first - 1,
            offset: first.wrapping_sub(u64::from(output)),
            seen: Bits([0; 16]),
            dropped: Bits([0; 16]),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "masked to the counter's width, at most 16 bits"
    )]
    fn wrap(&self, number: u64) -> u16 {
        (number & ((1 << self.bits) - 1)) as u16
    }

    /// The number nearest to `reference` that wraps to `value`.
    fn extend(&self, reference: u64, value: u16) -> u64 {
        let modulus = 1 << self.bits;
        let ahead = u64::from(value).wrapping_sub(reference) & (modulus - 1);
        if ahead < modulus / 2 {
            reference + ahead
        } else {
            reference + ahead - modulus
        }
    }

    /// Looks a number up without changing anything.
    pub(crate) fn locate(&self, value: u16) -> Position {
        let number = self.extend(self.highest + 1, value);
        if number > self.highest {
            return Position::Ahead {
                number,
                skipped: number - self.highest - 1,
            };
        }
        if number < self.first || self.highest - number >= self.reach() {
            Position::Old
        } else if self.seen.get(number) {
            Position::Seen {
                number,
                dropped: self.dropped.get(number),
            }
        } else {
            Position::Missing { number }
        }
    }

    fn reach(&self) -> u64 {
        WINDOW.min(1 << (self.bits - 1))
    }

    /// Takes the number into the output and says which number it gets there.
    pub(crate) fn take(&mut self, number: u64) -> u16 {
        self.note(number);
        self.output(number)
    }

    /// Leaves the number out. Those that follow close up; if a later one was taken already, the reserved place
    /// stays and is returned, to be filled with something empty.
    pub(crate) fn skip(&mut self, number: u64) -> Option<u16> {
        if number > self.highest {
            self.note(number);
            self.dropped.set(number);
            self.offset += 1;
            None
        } else {
            self.note(number);
            Some(self.output(number))
        }
    }

    fn note(&mut self, number: u64) {
        if number > self.highest {
            self.seen.clear(self.highest + 1, number - self.highest);
            self.dropped.clear(self.highest + 1, number - self.highest);
            self.highest = number;
        }
        self.seen.set(number);
    }

    /// The output number of a number within reach.
    pub(crate) fn output(&self, number: u64) -> u16 {
        let dropped_since = if number >= self.highest {
            0
        } else {
            self.dropped
                .count(number.max(self.highest - (WINDOW - 1)), self.highest)
        };
        self.wrap(number.wrapping_sub(self.offset - dropped_since))
    }

    /// The newest output number given, or the one before the first.
    pub(crate) fn newest_output(&self) -> u16 {
        self.wrap(self.highest.wrapping_sub(self.offset))
    }

    /// Which input stands behind an output number within reach.
    pub(crate) fn input(&self, output: u16) -> Option<u16> {
        let newest = self.highest.wrapping_sub(self.offset);
        let behind = newest.wrapping_sub(u64::from(output)) & ((1 << self.bits) - 1);
        let mut number = self.highest.checked_sub(behind)?;
        loop {
            if number < self.first || self.highest - number >= self.reach() {
                return None;
            }
            let shifted =
                (self.highest - behind).checked_sub(self.dropped.count(number, self.highest))?;
            if shifted == number {
                if !self.dropped.get(number) {
                    return Some(self.wrap(number));
                }
                number -= 1;
            } else {
                number = shifted.min(number - 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ahead(renumber: &Renumber, value: u16) -> u64 {
        match renumber.locate(value) {
            Position::Ahead { number, .. } => number,
            other => panic!("{value} is {other:?}"),
        }
    }

    #[test]
    fn wraps_and_closes_up_over_dropped_numbers() {
        let mut renumber = Renumber::start(16, 65534, 10);
        let number = ahead(&renumber, 65534);
        assert_eq!(renumber.take(number), 10);
        let number = ahead(&renumber, 65535);
        assert_eq!(renumber.skip(number), None);
        let number = ahead(&renumber, 0);
        assert_eq!(renumber.take(number), 11);
        assert_eq!(renumber.input(10), Some(65534));
        assert_eq!(renumber.input(11), Some(0));
        assert_eq!(renumber.input(12), None);
        assert_eq!(renumber.input(9), None);
    }

    #[test]
    fn a_late_number_gets_the_place_reserved_for_it() {
        let mut renumber = Renumber::start(16, 100, 100);
        for value in [100, 102] {
            let number = ahead(&renumber, value);
            renumber.take(number);
        }
        let number = ahead(&renumber, 103);
        renumber.skip(number);
        let number = ahead(&renumber, 104);
        assert_eq!(renumber.take(number), 103);
        let Position::Missing { number } = renumber.locate(101) else {
            panic!()
        };
        assert_eq!(renumber.take(number), 101);
        assert!(matches!(
            renumber.locate(101),
            Position::Seen { dropped: false, .. }
        ));
        assert!(matches!(
            renumber.locate(103),
            Position::Seen { dropped: true, .. }
        ));
        assert_eq!(renumber.locate(99), Position::Old);
    }

    #[test]
    fn a_late_number_left_out_leaves_a_place_to_fill() {
        let mut renumber = Renumber::start(16, 5, 50);
        for value in [5, 7] {
            let number = ahead(&renumber, value);
            renumber.take(number);
        }
        let Position::Missing { number } = renumber.locate(6) else {
            panic!()
        };
        assert_eq!(renumber.skip(number), Some(51));
    }

    #[derive(Debug, Clone)]
    struct Step {
        lost: bool,
        dropped: bool,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        proptest::collection::vec(
            (proptest::bool::weighted(0.1), proptest::bool::weighted(0.3))
                .prop_map(|(lost, dropped)| Step { lost, dropped }),
            1..900,
        )
    }

    proptest! {
        /// Against the plain model: outputs of what is not dropped ahead are consecutive, lost ones keep their place,
        /// and the way back finds each.
        #[test]
        fn output_is_consecutive_and_invertible(first: u16, output: u16, bits in prop_oneof![Just(16u32), Just(15)], steps in steps()) {
            let mask = u16::try_from((1u32 << bits) - 1).unwrap();
            let mut renumber = Renumber::start(bits, first & mask, output & mask);
            let mut next = output & mask;
            let mut given = Vec::new();
            let mut late = Vec::new();
            for (index, step) in (0u16..).zip(&steps) {
                let value = first.wrapping_add(index) & mask;
                if step.lost {
                    late.push((value, next));
                    next = next.wrapping_add(1) & mask;
                    continue;
                }
                let number = ahead(&renumber, value);
                if step.dropped {
                    prop_assert_eq!(renumber.skip(number), None);
                } else {
                    prop_assert_eq!(renumber.take(number), next);
                    given.push((value, next));
                    next = next.wrapping_add(1) & mask;
                }
            }
            for &(value, place) in &late {
                if let Position::Missing { number } = renumber.locate(value) {
                    prop_assert_eq!(renumber.output(number), place);
                    prop_assert_eq!(renumber.input(place), Some(value));
                }
            }
            for (value, place) in given {
                prop_assert_eq!(renumber.input(place), Some(value));
            }
        }

        #[test]
        fn any_order_of_any_numbers_never_panics(
            bits in prop_oneof![Just(16u32), Just(15), Just(7)],
            start: u16,
            values in proptest::collection::vec((any::<u16>(), any::<bool>()), 0..300),
        ) {
            let mask = u16::try_from((1u32 << bits) - 1).unwrap();
            let mut renumber = Renumber::start(bits, start & mask, 0);
            for (value, keep) in values {
                match renumber.locate(value & mask) {
                    Position::Ahead { number, .. } | Position::Missing { number } => {
                        if keep { renumber.take(number); } else { renumber.skip(number); }
                    }
                    Position::Seen { .. } | Position::Old => {}
                }
                let _ = renumber.input(value & mask);
            }
        }
    }
}

//! The lists of numbers in a rule.

/// Numbers in order, each once; some count from the end, from -1. None means any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Numbers(Vec<i16>);

impl Numbers {
    /// `1,-1`: at most as many as a year has days, each good.
    pub(super) fn parse(text: &str, good: impl Fn(i16) -> bool) -> Option<Self> {
        let mut numbers = text
            .split(',')
            .take(367)
            .map(|number| {
                let number = number.trim();
                let digits = number.strip_prefix('+').unwrap_or(number);
                digits.parse().ok().filter(|number| good(*number))
            })
            .collect::<Option<Vec<i16>>>()?;
        numbers.sort_unstable();
        numbers.dedup();
        (numbers.len() <= 366).then_some(Self(numbers))
    }

    pub(super) fn only(number: i8) -> Self {
        Self(vec![i16::from(number)])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn as_slice(&self) -> &[i16] {
        &self.0
    }

    /// Whether a number is meant, by itself.
    pub(super) fn have(&self, number: i8) -> bool {
        self.is_empty() || self.holds(i16::from(number))
    }

    /// Whether the number among so many is meant, from either end.
    pub(super) fn have_of(&self, number: i16, all: i16) -> bool {
        self.is_empty() || self.holds(number) || self.holds(number - all - 1)
    }

    fn holds(&self, number: i16) -> bool {
        self.0.binary_search(&number).is_ok()
    }
}

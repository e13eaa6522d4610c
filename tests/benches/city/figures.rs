//! Samples, and tables of them in Markdown.

use std::time::Duration;

use xtask::console::say;

/// What was measured, in one unit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, sample: f64) {
        let place = self.0.partition_point(|other| *other <= sample);
        self.0.insert(place, sample);
    }

    /// In milliseconds.
    pub(crate) fn push_time(&mut self, sample: Duration) {
        self.push(sample.as_secs_f64() * 1000.0);
    }

    pub(crate) fn from_unsorted(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        Self(samples)
    }

    /// The smallest sample that at least `percent` of all do not exceed (nearest rank).
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// Cells of a table: minimum, median, 99th percentile, maximum.
    fn cells(&self) -> String {
        [0, 50, 99, 100]
            .map(|percent| format!("{:.1}", self.percentile(percent)))
            .join(" | ")
    }
}

/// A table with a line for each series.
#[derive(Debug)]
pub(crate) struct Table {
    lines: Vec<String>,
}

impl Table {
    pub(crate) fn new(what: &str, unit: &str) -> Self {
        Self {
            lines: vec![
                format!("| {what}, {unit} | n | min | p50 | p99 | max |"),
                "| --- | ---: | ---: | ---: | ---: | ---: |".to_owned(),
            ],
        }
    }

    /// A series in which nothing happened has no line.
    pub(crate) fn line(&mut self, name: &str, samples: &Samples) {
        if samples.0.is_empty() {
            return;
        }
        self.lines.push(format!(
            "| {name} | {} | {} |",
            samples.0.len(),
            samples.cells()
        ));
    }

    pub(crate) fn print(self) {
        say("");
        self.lines.iter().for_each(say);
    }
}

//! What a round cost, and how it is told.

use std::{fmt::Write as _, fs, time::Duration};

use anyhow::{Context as _, Result};
use xtask::{console::say, relay::Backend};

use crate::client::Received;

/// Linux counts a process's time in hundredths of a second, whatever the kernel's own clock does.
const TICKS_PER_SECOND: u64 = 100;

/// What a process has used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    /// In kilobytes.
    pub(crate) resident: u64,
}

impl Usage {
    pub(crate) fn of(id: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        Self::read(&stat, &status).context("cannot read the server's usage")
    }

    fn read(stat: &str, status: &str) -> Option<Self> {
        // The program's name, in parentheses, may hold anything; user and system time are 14th and 15th of all.
        let (_, fields) = stat.rsplit_once(')')?;
        let times = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = times.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        Some(Self {
            cpu: Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND),
            resident: line.split_whitespace().nth(1)?.parse().ok()?,
        })
    }
}

/// The result of a round.
#[derive(Debug)]
pub(crate) struct Outcome {
    participants: usize,
    /// p50 and p99, in milliseconds.
    join: [f64; 2],
    packets_per_second: f64,
    megabits_per_second: f64,
    /// Share of one core.
    cpu: f64,
    packets_per_cpu_second: f64,
    /// p50 and p99, in milliseconds.
    latency: [f64; 2],
    /// In kilobytes.
    memory_each: f64,
}

impl Outcome {
    #[expect(clippy::cast_precision_loss, reason = "figures are rounded anyway")]
    pub(crate) fn new(
        participants: usize,
        join: Vec<Duration>,
        received: Received,
        measured: Duration,
        cpu: Duration,
        grown: u64,
    ) -> Self {
        let join = join.into_iter().map(|time| time.as_secs_f64() * 1e3);
        let latency = received
            .travelled
            .into_iter()
            .map(|micros| f64::from(micros) / 1e3);
        let (seconds, cpu) = (measured.as_secs_f64(), cpu.as_secs_f64());
        Self {
            participants,
            join: percentiles(join.collect()),
            packets_per_second: received.packets as f64 / seconds,
            megabits_per_second: received.bytes as f64 * 8.0 / 1e6 / seconds,
            cpu: cpu / seconds,
            packets_per_cpu_second: received.packets as f64 / cpu.max(0.01),
            latency: percentiles(latency.collect()),
            memory_each: grown as f64 / participants as f64,
        }
    }

    fn cells(&self) -> String {
        format!(
            "{} | {:.0} | {:.0} | {:.0} | {:.1} | {:.0} | {:.0} | {:.2} | {:.2} | {:.0}",
            self.participants,
            self.join[0],
            self.join[1],
            self.packets_per_second,
            self.megabits_per_second,
            self.cpu * 100.0,
            self.packets_per_cpu_second,
            self.latency[0],
            self.latency[1],
            self.memory_each,
        )
    }
}

/// p50 and p99 by nearest rank.
fn percentiles(mut samples: Vec<f64>) -> [f64; 2] {
    samples.sort_by(f64::total_cmp);
    [50, 99].map(|percent| {
        let rank = (samples.len() * percent).div_ceil(100).max(1);
        samples.get(rank - 1).copied().unwrap_or(f64::NAN)
    })
}

/// The median of one server's rounds.
fn median_of(outcomes: &[(Backend, Outcome)], of: Backend, figure: fn(&Outcome) -> f64) -> f64 {
    let rounds = outcomes.iter().filter(|(backend, _)| *backend == of);
    let [median, _] = percentiles(rounds.map(|(_, outcome)| figure(outcome)).collect());
    median
}

/// A table in Markdown, with ratios where there are both servers.
pub(crate) fn table(title: &str, outcomes: &[(Backend, Outcome)]) -> String {
    let mut text = format!(
        "\n## {title}\n\n\
         | Server | people | join p50, ms | p99 | packets/s out | Mbit/s out | CPU, % of a core | packets/CPU-s \
         | latency p50, ms | p99 | memory each, kB |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    );
    for (backend, outcome) in outcomes {
        let name = match backend {
            Backend::LiveKit => "LiveKit",
            Backend::Vorzimmer => "Vorzimmer",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {name} | {} |", outcome.cells());
    }
    let ratio = |figure: fn(&Outcome) -> f64| {
        median_of(outcomes, Backend::Vorzimmer, figure)
            / median_of(outcomes, Backend::LiveKit, figure)
    };
    let both = [Backend::LiveKit, Backend::Vorzimmer];
    if both.map(|wanted| outcomes.iter().any(|(backend, _)| *backend == wanted)) == [true; 2] {
        let _ = write!(
            text,
            "\nVorzimmer to LiveKit, medians of the rounds: packets per CPU-second × {:.2}, latency × {:.2} (p50) and \
             × {:.2} (p99), memory × {:.2}, joining × {:.2} (p50).",
            ratio(|outcome| outcome.packets_per_cpu_second),
            ratio(|outcome| outcome.latency[0]),
            ratio(|outcome| outcome.latency[1]),
            ratio(|outcome| outcome.memory_each),
            ratio(|outcome| outcome.join[0]),
        );
    }
    let _ = write!(text, "\nLoad after: {}", load());
    text
}

/// On what it is measured.
pub(crate) fn introduce() -> Result<()> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("?", |(_, model)| model.trim());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    say(format_args!(
        "Machine   {} × {model}, Linux {}",
        std::thread::available_parallelism()?,
        kernel.trim()
    ));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    say(format_args!(
        "Command   cargo xtask bench relay {}",
        arguments.join(" ")
    ));
    say(format_args!("Load      {}", load()));
    Ok(())
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_read_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 900 0 0 0 150 50 0 0 20 0";
        let usage = Usage::read(stat, "Name:\ta\nVmRSS:\t  2048 kB\n").unwrap();
        assert_eq!(usage.cpu, Duration::from_secs(2));
        assert_eq!(usage.resident, 2048);
    }

    #[test]
    fn percentiles_are_samples() {
        let samples = (1..=200).rev().map(f64::from).collect();
        let ranks = percentiles(samples).map(|percentile| format!("{percentile}"));
        assert_eq!(ranks, ["100", "198"]);
    }
}

//! On what it was measured.

use std::{env, fs, process::Command};

use anyhow::{Context as _, Result};
use xtask::{console::say, paths};

/// Opens the report: the machine, the versions, the command.
pub(crate) fn introduce() -> Result<()> {
    let cpu = value_of("/proc/cpuinfo", "model name")?;
    let memory = value_of("/proc/meminfo", "MemTotal")?;
    let cores = std::thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let requirements =
        fs::read_to_string(paths::checkout().join("xtask/synapse-requirements.txt"))?;
    let synapse = requirements
        .lines()
        .find_map(|line| line.strip_prefix("matrix-synapse=="))
        .unwrap_or("?");
    let arguments: Vec<String> = env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    say(format_args!(
        "Machine   {cores} × {cpu}, {memory}, Linux {}",
        kernel.trim()
    ));
    say(format_args!(
        "Versions  {}, vorzimmer {}, Synapse {synapse} (SQLite), {}",
        said_by("rustc", &["--version"]),
        said_by("git", &["describe", "--always", "--dirty"]),
        said_by("chromium", &["--version"]),
    ));
    say(format_args!(
        "Command   cargo xtask bench {}",
        arguments.join(" ")
    ));
    Ok(())
}

/// Opens a figure: whatever else ran on the machine is seen in the load.
pub(crate) fn open(figure: &str) {
    say(format_args!("\n## {figure} (load before: {})", load()));
}

/// Closes it.
pub(crate) fn close() {
    say(format_args!("\nLoad after: {}", load()));
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(paths::checkout())
        .output();
    output.map_or_else(
        |_| format!("no {program}"),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// The first value of a key in a file of `key: value` lines.
fn value_of(file: &str, key: &str) -> Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    let value = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim().to_owned());
    value.with_context(|| format!("no {key} in {file}"))
}

/// What a process has in memory, in kilobytes (`smaps_rollup`).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Resident, shared pages counted whole.
    pub(crate) rss: f64,
    /// Resident, shared pages counted by share.
    pub(crate) pss: f64,
}

impl Memory {
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let file = format!("/proc/{pid}/smaps_rollup");
        let field = |key| {
            let value = value_of(&file, key)?;
            let number = value.trim_end_matches("kB").trim();
            number.parse().with_context(|| format!("{key}: {value}"))
        };
        Ok(Self {
            rss: field("Rss")?,
            pss: field("Pss")?,
        })
    }

    /// Of a process and its children, whose shared pages are counted once.
    pub(crate) fn of_family(pid: u32) -> Result<Self> {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        let mut sum = Self::of(pid)?;
        for child in children.split_whitespace() {
            let memory = Self::of(child.parse()?)?;
            sum.rss += memory.rss;
            sum.pss += memory.pss;
        }
        Ok(sum)
    }
}

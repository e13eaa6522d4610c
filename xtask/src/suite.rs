//! `cargo xtask test`: every test there is, with what they need.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::Stdio,
};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::{
    browsers,
    builds::{self, cargo, npm},
    console::{say, step},
    files::{read_json, remove_dir, remove_file},
    livekit, paths,
    synapse::Venv,
};

/// What ran and how it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Installs, builds, runs all tests, and closes with a count. A filter restricts it to Rust tests of that name.
pub fn run_all(filter: Option<&str>) -> Result<()> {
    browsers::install_chromium()?;
    browsers::install_firefox()?;
    Venv::ensure()?;
    livekit::Sdk::ensure()?;
    livekit::server()?;
    builds::guest_web()?;
    builds::element_call()?;
    let program = builds::server(false)?;
    // Minutes of building belong before the tests, not into the first one that needs the relay.
    let relay = builds::relay()?;

    // Each run leaves its own.
    remove_dir(&paths::checkout().join("artifacts"))?;
    let mut counts = Counts::default();
    let mut failures = Vec::new();
    let (rust, succeeded) = rust_tests(&program, &relay, filter)?;
    counts.add(rust);
    if !succeeded {
        failures.push("Rust tests");
    }
    if filter.is_none() {
        let (page, succeeded) = page_tests()?;
        counts.add(page);
        if !succeeded {
            failures.push("tests of the guest page");
        }
    }

    say("");
    say(format_args!(
        "tests: {} passed, {} failed, {} skipped",
        counts.passed, counts.failed, counts.skipped
    ));
    if !failures.is_empty() {
        bail!("not all passed: {}", failures.join(", "));
    }
    if counts.passed == 0 {
        bail!(
            "no test ran: is {:?} part of a test's name?",
            filter.unwrap_or_default()
        );
    }
    Ok(())
}

fn rust_tests(program: &Path, relay: &Path, filter: Option<&str>) -> Result<(Counts, bool)> {
    step("running the Rust tests");
    let mut command = cargo()?;
    command
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(filter);
    command
        .env(builds::PROGRAM, program)
        .env(builds::RELAY, relay)
        .stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot run `cargo test`")?;
    let output = child.stdout.take().context("`cargo test` has no output")?;
    let mut counts = Counts::default();
    for line in BufReader::new(output).lines() {
        let line = line.context("cannot read what `cargo test` says")?;
        if let Some(result) = closing_line(&line) {
            counts.add(result);
        }
        say(line);
    }
    Ok((counts, child.wait()?.success()))
}

/// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn closing_line(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("test result: ")?;
    let (_, numbers) = rest.split_once(". ")?;
    let mut counts = Counts::default();
    for part in numbers.split("; ") {
        let Some((number, what)) = part.split_once(' ') else {
            continue;
        };
        let Ok(number) = number.parse() else { continue };
        match what {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "ignored" => counts.skipped = number,
            _ => {}
        }
    }
    Some(counts)
}

fn page_tests() -> Result<(Counts, bool)> {
    /// Vitest's JSON report, as far as it is counted.
    #[derive(Deserialize)]
    struct Report {
        #[serde(rename = "numPassedTests")]
        passed: u64,
        #[serde(rename = "numFailedTests")]
        failed: u64,
        #[serde(rename = "numPendingTests")]
        skipped: u64,
    }
    step("running the guest page's tests");
    let dir = paths::checkout().join("guest-web");
    let report = paths::target()?.join("guest-web-tests.json");
    remove_file(&report)?;
    let status = npm(&dir)
        .args(["test", "--", "--reporter=default", "--reporter=json"])
        .arg(format!("--outputFile.json={}", report.display()))
        .env("CI", "true")
        .status()
        .context("cannot run npm")?;
    let report: Report = read_json(&report)?.context("the guest page's tests left no report")?;
    let counts = Counts {
        passed: report.passed,
        failed: report.failed,
        skipped: report.skipped,
    };
    Ok((counts, status.success()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_closing_line_of_cargo_test() {
        let line = "test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(
            closing_line(line),
            Some(Counts {
                passed: 3,
                failed: 2,
                skipped: 1
            })
        );
        assert_eq!(closing_line("test bridge::tests::it_works ... ok"), None);
    }
}

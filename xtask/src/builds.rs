//! Building what is to be run.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::{
    console::step,
    files::{read, write_private},
    paths, secrets,
};

/// The oldest Node.js the guest page's tools work with: major and minor version.
const NODE: (u32, u32) = (20, 19);

/// Runs a command at the terminal; anything but success is an error that names it.
pub fn run(command: &mut Command) -> Result<()> {
    let line = line_of(command);
    let status = command
        .status()
        .with_context(|| format!("cannot run `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// `cargo`, in the checkout, with the shared target directory.
pub fn cargo() -> Result<Command> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(paths::checkout())
        .env("CARGO_TARGET_DIR", paths::target()?);
    Ok(command)
}

/// The environment variable that names a program `vorzimmer` to be used instead of building one.
pub const PROGRAM: &str = "VORZIMMER_PROGRAM";

/// Builds `vorzimmer`, unless [`PROGRAM`] names one, and says where it is.
pub fn server(release: bool) -> Result<PathBuf> {
    if let Some(program) = env::var_os(PROGRAM) {
        return Ok(PathBuf::from(program));
    }
    step("building vorzimmer");
    let mut command = cargo()?;
    command.args(["build", "--quiet", "--package", "server"]);
    if release {
        command.arg("--release");
    }
    run(&mut command)?;
    Ok(paths::target()?
        .join(if release { "release" } else { "debug" })
        .join("vorzimmer"))
}

/// The environment variable that names a program `vorzimmer-relay` to be used instead of building one.
pub const RELAY: &str = "VORZIMMER_RELAY";

/// Builds `vorzimmer-relay`, unless [`RELAY`] names one, and says where it is. With optimizations: a slow relay
/// misleads its clients' estimate of the bandwidth.
pub fn relay() -> Result<PathBuf> {
    if let Some(program) = env::var_os(RELAY) {
        return Ok(PathBuf::from(program));
    }
    step("building vorzimmer-relay");
    run(cargo()?.args(["build", "--quiet", "--release", "--package", "relay"]))?;
    Ok(paths::target()?.join("release/vorzimmer-relay"))
}

/// Builds the guest page and says where it is.
pub fn guest_web() -> Result<PathBuf> {
    let dir = paths::checkout().join("guest-web");
    check_node()?;
    install_node_modules(&dir)?;
    step("building the guest page");
    run(npm(&dir).args(["run", "--silent", "build"]))?;
    Ok(dir.join("dist"))
}

/// Installs the Node.js clerk of the black-box tests, and says where it is.
pub fn node_clerk() -> Result<PathBuf> {
    check_node()?;
    let dir = paths::checkout().join("tests/js");
    install_node_modules(&dir)?;
    Ok(dir)
}

/// Installs Element Call and the tests' widget host, and says where they are.
pub fn element_call() -> Result<PathBuf> {
    check_node()?;
    let dir = paths::checkout().join("tests/element-call");
    install_node_modules(&dir)?;
    Ok(dir)
}

/// `npm`, in `dir`.
#[must_use]
pub fn npm(dir: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(dir);
    command
}

/// `npm ci`, unless `node_modules` was made from the same lock file.
fn install_node_modules(dir: &Path) -> Result<()> {
    let lock_file = dir.join("package-lock.json");
    let lock = read(&lock_file)?.with_context(|| format!("there is no {}", lock_file.display()))?;
    let digest = secrets::hex(&Sha256::digest(lock));
    let stamp = dir.join("node_modules/.made-from");
    if read(&stamp)?.as_deref() == Some(&digest) {
        return Ok(());
    }
    step(format_args!("installing what {} needs", dir.display()));
    run(npm(dir).args(["ci", "--no-audit", "--no-fund"]))?;
    write_private(&stamp, digest)
}

/// Is there a Node.js that is new enough?
pub fn check_node() -> Result<()> {
    let (major, minor) = NODE;
    let cure = format!(
        "install Node.js {major}.{minor} or newer with npm, from https://nodejs.org or your distribution"
    );
    let output = Command::new("node").arg("--version").output();
    let output = output.with_context(|| {
        format!("the guest page is built with Node.js, and there is none: {cure}")
    })?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if node_version(&version).is_none_or(|version| version < NODE) {
        bail!("Node.js {version} is too old for building the guest page: {cure}");
    }
    Ok(())
}

/// Major and minor version in `v22.12.0`.
fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_compare_by_number() {
        assert_eq!(node_version("v20.9.1"), Some((20, 9)));
        assert!(node_version("v20.9.1") < Some(NODE));
        assert!(node_version("v22.0.0") > Some(NODE));
        assert_eq!(node_version("latest"), None);
    }
}

//! The browsers that the tests drive: Debian's Chromium and Firefox, and what drives them.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    builds::{cargo, run},
    console::step,
    paths,
};

const GECKODRIVER: &str = "0.37.1";

/// Chromium and its driver, from the distribution when they are missing.
pub fn install_chromium() -> Result<()> {
    install(
        "Chromium and ChromeDriver",
        &["chromium", "chromedriver"],
        &["chromium", "chromium-driver"],
    )
}

/// Firefox from the distribution, and its driver, which Debian does not have, from its source.
pub fn install_firefox() -> Result<()> {
    install("Firefox", &["firefox-esr"], &["firefox-esr"])?;
    let driver = geckodriver()?;
    if is_current(&driver) {
        return Ok(());
    }
    step("building geckodriver for the tests in Firefox");
    let crate_name = format!("geckodriver@{GECKODRIVER}");
    let mut command = cargo()?;
    command
        .args(["install", "--quiet", "--locked", "--force", "--root"])
        .arg(tools()?)
        .arg(crate_name);
    run(&mut command)
}

/// Where Firefox's driver is once it is installed.
pub fn geckodriver() -> Result<PathBuf> {
    Ok(tools()?.join("bin/geckodriver"))
}

fn tools() -> Result<PathBuf> {
    Ok(paths::cache()?.join("tools"))
}

fn is_current(driver: &Path) -> bool {
    Command::new(driver)
        .arg("--version")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(GECKODRIVER))
}

fn install(what: &str, programs: &[&str], packages: &[&str]) -> Result<()> {
    if programs.iter().all(|program| is_on_path(program)) {
        return Ok(());
    }
    let packages = packages.join(" ");
    let cure = format!("install {what}; on Debian: apt-get install {packages}");
    if !is_on_path("apt-get") {
        bail!("the browser tests need {what}, and there is no apt-get to install it: {cure}");
    }
    step(format_args!("installing {what} for the browser tests"));
    apt_get(&["update"]).with_context(|| cure.clone())?;
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(packages.split(' '));
    apt_get(&arguments).context(cure)
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = if nix::unistd::geteuid().is_root() {
        Command::new("apt-get")
    } else {
        // Never asks for a password: in a script nobody would answer.
        let mut command = Command::new("sudo");
        command.args(["--non-interactive", "apt-get"]);
        command
    };
    command
        .args(["-qq", "-o", "DPkg::Lock::Timeout=300"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run(&mut command)
}

fn is_on_path(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

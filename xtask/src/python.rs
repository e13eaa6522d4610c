//! Python environments with pinned packages, made once per user and set of pins.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::{
    builds::run,
    console::step,
    files::{make_dir, remove_dir},
    lock::Lock,
    paths, secrets,
};

/// Tried in this order. The pins were made with the first.
const PYTHONS: [&str; 5] = [
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.10",
    "python3",
];

/// What an environment is to hold.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Its name in messages.
    pub(crate) what: &'static str,
    /// The module that can be imported once everything is there; names the environment's directory.
    pub(crate) module: &'static str,
    /// The pins, as pip reads them.
    pub(crate) requirements: &'static str,
    /// The minor versions of Python 3 with which the pins work.
    pub(crate) minor: Range<u32>,
}

impl Wanted {
    /// The environment's Python, in the user's cache, made when it is not there. It is built beside its place and
    /// renamed, so that it is whole or absent; parallel callers wait for the one who builds.
    pub(crate) fn ensure(&self) -> Result<PathBuf> {
        let cache = paths::cache()?;
        let digest = secrets::hex(&Sha256::digest(self.requirements));
        let dir = cache.join(format!("{}-{}", self.module, &digest[..16]));
        let python = dir.join("bin/python");
        let _building = Lock::wait(&cache.join(format!("{}.lock", self.module)))?;
        if self.works(&python) {
            return Ok(python);
        }
        let base = self.find_python()?;
        step(format!(
            "making the Python environment of {} in {} (once)",
            self.what,
            dir.display()
        ));
        make_dir(&cache)?;
        let new = dir.with_extension("new");
        remove_dir(&new)?;
        run(Command::new(base).args(["-m", "venv"]).arg(&new)).context(
            "python could not make a virtual environment; on Debian: apt-get install python3-venv",
        )?;
        let requirements = new.join("requirements.txt");
        fs::write(&requirements, self.requirements)
            .with_context(|| format!("cannot write {}", requirements.display()))?;
        run(Command::new(new.join("bin/python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(&requirements))
        .with_context(|| {
            format!(
                "pip could not install {}: is the Python package index reachable?",
                self.what
            )
        })?;
        if !self.works(&new.join("bin/python")) {
            bail!(
                "the new environment in {} cannot import {}",
                new.display(),
                self.module
            );
        }
        remove_dir(&dir)?;
        fs::rename(&new, &dir)
            .with_context(|| format!("cannot move the environment to {}", dir.display()))?;
        Ok(python)
    }

    fn works(&self, python: &Path) -> bool {
        python.exists() && answers(python, &format!("import {}", self.module))
    }

    fn find_python(&self) -> Result<&'static str> {
        let Range { start, end } = self.minor;
        let right_version = format!(
            "import sys, venv, ensurepip; sys.exit(not (3, {start}) <= sys.version_info < (3, {end}))"
        );
        PYTHONS
            .into_iter()
            .find(|python| answers(Path::new(python), &right_version))
            .with_context(|| {
                format!(
                    "{} needs Python 3.{start} to 3.{} with its venv module, and none was found. \
                     On Debian or Ubuntu: apt-get install python3 python3-venv",
                    self.what,
                    end - 1
                )
            })
    }
}

fn answers(python: &Path, script: &str) -> bool {
    Command::new(python)
        .args(["-c", script])
        .output()
        .is_ok_and(|output| output.status.success())
}

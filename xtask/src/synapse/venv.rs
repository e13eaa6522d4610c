//! The Python environment with the pinned Synapse, made once per user and set of pins.

use std::{
    fs,
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

const REQUIREMENTS: &str = include_str!("../../synapse-requirements.txt");
/// Tried in this order. The pins were made with the first.
const PYTHONS: [&str; 5] = [
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.10",
    "python3",
];

/// A Python environment in which `synapse` can be imported.
#[derive(Debug, Clone)]
pub struct Venv {
    python: PathBuf,
}

impl Venv {
    /// The environment in the user's cache, made when it is not there. It is built beside its place and renamed, so
    /// that it is whole or absent; parallel callers wait for the one who builds.
    pub fn ensure() -> Result<Self> {
        let cache = paths::cache()?;
        let dir = cache.join(format!("synapse-{}", &digest(REQUIREMENTS)[..16]));
        let python = dir.join("bin/python");
        let _building = Lock::wait(&cache.join("synapse.lock"))?;
        if works(&python) {
            return Ok(Self { python });
        }
        let base = find_python()?;
        step(format!(
            "making the Python environment of Synapse in {} (once)",
            dir.display()
        ));
        make_dir(&cache)?;
        let new = dir.with_extension("new");
        remove_dir(&new)?;
        run(Command::new(base).args(["-m", "venv"]).arg(&new)).context(
            "python could not make a virtual environment; on Debian: apt-get install python3-venv",
        )?;
        let requirements = new.join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS)
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
        .context("pip could not install Synapse: is the Python package index reachable?")?;
        if !works(&new.join("bin/python")) {
            bail!(
                "the new environment in {} cannot import synapse",
                new.display()
            );
        }
        remove_dir(&dir)?;
        fs::rename(&new, &dir)
            .with_context(|| format!("cannot move the environment to {}", dir.display()))?;
        Ok(Self { python })
    }

    /// `python -m synapse.app.homeserver`, to which the configuration is to be added. (The environment's scripts
    /// name the directory it was built in; its modules do not.)
    #[must_use]
    pub fn synapse(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.args(["-m", "synapse.app.homeserver"]);
        command
    }
}

fn digest(text: &str) -> String {
    secrets::hex(&Sha256::digest(text))
}

fn works(python: &Path) -> bool {
    python.exists() && answers(python, "import synapse")
}

fn answers(python: &Path, script: &str) -> bool {
    Command::new(python)
        .args(["-c", script])
        .output()
        .is_ok_and(|output| output.status.success())
}

fn find_python() -> Result<&'static str> {
    const RIGHT_VERSION: &str =
        "import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info < (3, 14))";
    PYTHONS
        .into_iter()
        .find(|python| answers(Path::new(python), RIGHT_VERSION))
        .context(
            "Synapse needs Python 3.10 to 3.13 with its venv module, and none was found. \
         On Debian or Ubuntu: apt-get install python3 python3-venv",
        )
}

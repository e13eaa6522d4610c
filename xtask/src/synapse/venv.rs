//! The Python environment with the pinned Synapse.

use std::{path::PathBuf, process::Command};

use anyhow::Result;

use crate::python::Wanted;

/// A Python environment in which `synapse` can be imported.
#[derive(Debug, Clone)]
pub struct Venv {
    python: PathBuf,
}

impl Venv {
    /// The environment in the user's cache, made when it is not there.
    pub fn ensure() -> Result<Self> {
        let wanted = Wanted {
            what: "Synapse",
            module: "synapse",
            requirements: include_str!("../../synapse-requirements.txt"),
            minor: 10..14,
        };
        Ok(Self {
            python: wanted.ensure()?,
        })
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

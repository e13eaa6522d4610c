//! The Python environment with readers of calendars that are not ours.

use std::{path::PathBuf, process::Command};

use anyhow::Result;

use crate::python::Wanted;

/// A Python environment in which `icalendar`, `vobject` and `radicale` can be imported.
#[derive(Debug, Clone)]
pub struct Readers {
    python: PathBuf,
}

impl Readers {
    /// The environment in the user's cache, made when it is not there.
    pub fn ensure() -> Result<Self> {
        let wanted = Wanted {
            what: "calendar readers",
            module: "radicale",
            requirements: include_str!("../calendar-requirements.txt"),
            minor: 10..14,
        };
        Ok(Self {
            python: wanted.ensure()?,
        })
    }

    /// The interpreter, to which a script or `-m` and a module are to be added.
    #[must_use]
    pub fn command(&self) -> Command {
        Command::new(&self.python)
    }
}

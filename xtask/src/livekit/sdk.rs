//! The Python environment with LiveKit's SDK: a client with the WebRTC of Chromium, without a browser.

use std::{path::PathBuf, process::Command};

use anyhow::Result;

use crate::{paths, python::Wanted};

/// A Python environment in which `livekit` can be imported.
#[derive(Debug, Clone)]
pub struct Sdk {
    python: PathBuf,
}

impl Sdk {
    /// The environment in the user's cache, made when it is not there.
    pub fn ensure() -> Result<Self> {
        let wanted = Wanted {
            what: "LiveKit's SDK",
            module: "livekit",
            requirements: include_str!("../../../tests/livekit/requirements.txt"),
            minor: 11..14,
        };
        Ok(Self {
            python: wanted.ensure()?,
        })
    }

    /// A participant that is driven by JSON lines: `tests/livekit/participant.py`.
    #[must_use]
    pub fn participant(&self) -> Command {
        let mut command = Command::new(&self.python);
        command
            .arg(paths::checkout().join("tests/livekit/participant.py"))
            // Leaves no compiled modules in the checkout.
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

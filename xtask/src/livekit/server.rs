//! LiveKit's server, built by the machine's Go from `tests/livekit/go.mod`, once per user and `go.sum`.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use crate::{
    builds::run,
    console::{complain, step},
    files::make_dir,
    lock::Lock,
    paths, secrets,
};

/// The module whose version in `go.mod` is the server's.
pub const SERVER_MODULE: &str = "github.com/livekit/livekit-server";

/// The server's program in the user's cache, built when it is not there; `None`, said loudly, where Go is missing.
pub fn server() -> Result<Option<PathBuf>> {
    let module = paths::checkout().join("tests/livekit");
    let mut digest = Sha256::new();
    for name in ["go.mod", "go.sum"] {
        let file = module.join(name);
        digest.update(fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    let digest = secrets::hex(&digest.finalize());
    let cache = paths::cache()?;
    let program = cache.join(format!("livekit-server-{}", &digest[..16]));
    let _building = Lock::wait(&cache.join("livekit-server.lock"))?;
    if program.exists() {
        return Ok(Some(program));
    }
    if Command::new("go").arg("version").output().is_err() {
        complain(
            "SKIPPED: there is no Go to build LiveKit's server with (https://go.dev/dl): \
             calls are NOT tested against it.",
        );
        return Ok(None);
    }
    step("building LiveKit's server from its Go module (once, a few minutes)");
    make_dir(&cache)?;
    let new = program.with_extension("new");
    run(Command::new("go")
        .args(["build", "-mod=readonly", "-trimpath", "-o"])
        .arg(&new)
        .arg(format!("{SERVER_MODULE}/cmd/server"))
        .current_dir(&module)
        .env("GOWORK", "off")
        .env("CGO_ENABLED", "0"))
    .context("Go could not build LiveKit's server: is its module proxy reachable?")?;
    fs::rename(&new, &program)
        .with_context(|| format!("cannot move the server to {}", program.display()))?;
    Ok(Some(program))
}

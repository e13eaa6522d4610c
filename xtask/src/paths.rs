//! Where things lie.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// The checkout's top folder.
#[must_use]
pub fn checkout() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// The user's cache of this project: `$XDG_CACHE_HOME/vorzimmer`, else `~/.cache/vorzimmer`.
pub fn cache() -> Result<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .context("there is no home directory: set XDG_CACHE_HOME to a directory of yours")?;
    Ok(base.join("vorzimmer"))
}

/// Cargo's target directory for everything these commands build: `CARGO_TARGET_DIR`, else one in the user's cache,
/// so that a fresh clone does not start from nothing.
pub fn target() -> Result<PathBuf> {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(path) => Ok(checkout().join(path)),
        None => Ok(cache()?.join("target")),
    }
}

//! What a run leaves for people to look at.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

/// `artifacts/` in the checkout, with `kind` below it (`screenshots`, `logs`), made when it is not there.
pub fn artifacts_dir(kind: &str) -> Result<PathBuf> {
    let dir = xtask::paths::checkout().join("artifacts").join(kind);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(dir)
}

/// A directory that is gone after the test. Its logs are kept as `artifacts/logs/<test>/<directory>/*.log`: a test
/// that fails by returning an error looks, from here, like one that passes.
#[derive(Debug)]
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("vorzimmer-").tempdir();
        Ok(Self(dir.context("cannot make a temporary directory")?))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    fn keep_logs(&self) -> Result<()> {
        let current = thread::current();
        let test = current.name().unwrap_or("unnamed").replace("::", "-");
        let own = self.path().file_name().unwrap_or_default();
        let kept = artifacts_dir("logs")?.join(test).join(own);
        fs::create_dir_all(&kept)?;
        let places = [self.path().to_owned(), self.path().join("homeserver")];
        for entry in places
            .iter()
            .filter_map(|place| fs::read_dir(place).ok())
            .flatten()
        {
            let path = entry?.path();
            if let (Some(name), true) = (
                path.file_name(),
                path.extension().is_some_and(|end| end == "log"),
            ) {
                fs::copy(&path, kept.join(name))?;
            }
        }
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A log that cannot be kept must not change how the test ends.
        let _ = self.keep_logs();
    }
}

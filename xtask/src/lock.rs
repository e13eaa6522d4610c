//! Locks between processes. The kernel releases them when the process ends, so that none is ever left behind.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use anyhow::{Context as _, Result};

use crate::files::make_dir;

/// A held lock; dropping it releases it.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held for its lock alone")] File);

impl Lock {
    /// Waits until nobody else holds it.
    pub fn wait(path: &Path) -> Result<Self> {
        let file = open(path)?;
        file.lock()
            .with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(Self(file))
    }

    /// `None` when somebody else holds it.
    pub fn attempt(path: &Path) -> Result<Option<Self>> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }
}

fn open(path: &Path) -> Result<File> {
    if let Some(dir) = path.parent() {
        make_dir(dir)?;
    }
    File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
}

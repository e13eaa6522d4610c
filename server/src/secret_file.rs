//! Secrets that the program makes for itself and needs again at its next start: files beside the database, and not in
//! it.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use anyhow::{Context as _, Result};

/// 256 bits.
pub(crate) type Secret = [u8; 32];

/// Reads the secret's file; makes it out of `fresh` random bytes when it is missing. `cure`: what to do about a damaged
/// one, and what is lost by it.
pub(crate) fn open(path: &Path, fresh: Secret, cure: &str) -> Result<Secret> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    }
    let made = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(&fresh)?;
            file.sync_all()
        });
    match made {
        Ok(()) => return Ok(fresh),
        Err(fault) if fault.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(fault) => return Err(fault).with_context(|| format!("cannot make {}", path.display())),
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    bytes.try_into().ok().with_context(|| {
        format!(
            "{} is damaged: it must hold 32 bytes. {cure}",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_read_by_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/relay.key");
        assert_eq!(open(&path, [1; 32], "").unwrap(), [1; 32]);
        assert_eq!(open(&path, [2; 32], "").unwrap(), [1; 32]);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_left_alone_and_the_cure_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.key");
        fs::write(&path, "short").unwrap();
        let fault = open(&path, [1; 32], "Do this").unwrap_err().to_string();
        assert!(
            fault.ends_with("is damaged: it must hold 32 bytes. Do this"),
            "{fault}"
        );
        assert_eq!(fs::read(&path).unwrap(), b"short");
    }
}

//! Replays the corpus of the fuzz targets: what was once found stays found.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

use std::{fs, path::Path};

/// What must hold for any bytes.
#[path = "../../fuzz/scheduler/src/lib.rs"]
pub mod replay;

fn all(target: &str, run: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/scheduler/corpus")
        .join(target);
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        run(&bytes);
        // And cut off anywhere, as a lost connection leaves it.
        for part in 1..8 {
            run(&bytes[..bytes.len() * part / 8]);
        }
        files += 1;
    }
    assert!(files >= 5, "{target}: {files} files");
}

#[test]
fn answers() {
    all("response", replay::response);
}

#[test]
fn busy_times() {
    all("busy", replay::busy);
}

#[test]
fn mail() {
    all("mail", replay::mail);
}

//! The city's file and the Markdown beside it: read at start, and again when one of them changes.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, anyhow};
use arc_swap::ArcSwap;
use city::model::City;
use tracing::{error, info};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The city in force; cheap to read, replaced whole when its files change.
#[derive(Clone)]
pub(crate) struct CityInForce {
    file: PathBuf,
    server_name: String,
    city: Arc<ArcSwap<City>>,
}

impl CityInForce {
    /// Reads the city. Every fault of its files is told at once.
    pub(crate) fn read(file: &Path, server_name: &str) -> Result<Self> {
        let city = read(file, server_name)?;
        for gap in &city.untranslated {
            info!("{gap}");
        }
        Ok(Self {
            file: file.to_owned(),
            server_name: server_name.to_owned(),
            city: Arc::new(ArcSwap::from_pointee(city)),
        })
    }

    /// The city as it is at this moment.
    pub(crate) fn get(&self) -> Arc<City> {
        self.city.load_full()
    }

    /// Puts another city in force, whatever the files say.
    #[cfg(test)]
    pub(crate) fn put(&self, city: City) {
        self.city.store(Arc::new(city));
    }

    /// Looks at the files until a good change is in force. A wrong file is told and otherwise left alone: the city
    /// stays as it was. `seen` is what was looked at last.
    pub(crate) async fn changed(&self, seen: &mut Stamp) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let newest = self.stamp();
            if newest == *seen {
                continue;
            }
            *seen = newest;
            match read(&self.file, &self.server_name) {
                Ok(city) => {
                    self.city.store(Arc::new(city));
                    info!("the city's files have changed and are in force");
                    return;
                }
                Err(fault) => {
                    error!("the city's files have changed but stay out of force: {fault:#}");
                }
            }
        }
    }

    /// How the files look from outside at this moment.
    pub(crate) fn stamp(&self) -> Stamp {
        let mut stamp = Stamp::default();
        let mut dirs = vec![self.file.parent().unwrap_or(Path::new(".")).to_owned()];
        while let Some(dir) = dirs.pop() {
            let Ok(entries) = std::fs::read_dir(dir) else {
                continue;
            };
            for entry in entries.flatten() {
                let Ok(meta) = entry.metadata() else { continue };
                if meta.is_dir() {
                    dirs.push(entry.path());
                } else {
                    stamp.files += 1;
                    stamp.bytes += meta.len();
                    stamp.newest = stamp.newest.max(meta.modified().ok());
                }
            }
        }
        stamp
    }
}

/// The files of the city's directory, seen from outside: enough to notice edits, additions and removals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    newest: Option<SystemTime>,
    files: usize,
    bytes: u64,
}

fn read(file: &Path, server_name: &str) -> Result<City> {
    let text = std::fs::read_to_string(file).with_context(|| {
        format!(
            "cannot read the city {}; set `city` in the configuration",
            file.display()
        )
    })?;
    let dir = file.parent().unwrap_or(Path::new("."));
    let beside = |name: &str| std::fs::read_to_string(dir.join(name));
    City::parse(&text, &beside, server_name)
        .map_err(|faults| anyhow!("the city {} is not valid:\n{faults}", file.display()))
}

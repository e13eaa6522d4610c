//! The demo city, changed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use toml::Table;
use xtask::paths;

/// Copies the demo city into `dir`, to be changed. Returns the city's file.
pub fn copy_city(dir: &Path) -> Result<PathBuf> {
    copy_tree(&paths::checkout().join("demo/dormagen"), dir)?;
    Ok(dir.join("city.toml"))
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The same with `new` wherever its file says `old`.
pub fn edit_city(dir: &Path, old: &str, new: &str) -> Result<PathBuf> {
    let file = copy_city(dir)?;
    let city = fs::read_to_string(&file)?;
    ensure!(city.contains(old), "the demo city does not say {old:?}");
    fs::write(&file, city.replace(old, new))?;
    Ok(file)
}

/// Writes into `dir` a demo city whose trade office is open day and night, without holidays, and takes appointments as
/// `booking` says (TOML). Returns the city's file.
pub fn city_open_all_day(dir: &Path, booking: &str) -> Result<PathBuf> {
    let file = copy_city(dir)?;
    let mut city: Table = fs::read_to_string(&file)?.parse()?;
    city.remove("holidays");
    city.remove("exceptions");
    let office = city["offices"]["gewerbe"]
        .as_table_mut()
        .context("the trade office")?;
    let all_day: Table = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]
    .into_iter()
    .map(|day| (day.to_owned(), "00:00-24:00".into()))
    .collect();
    office.insert("hours".to_owned(), all_day.into());
    let booking: Table = booking.parse()?;
    office.insert("booking".to_owned(), booking.into());
    fs::write(&file, toml::to_string(&city)?)?;
    Ok(file)
}

//! The demo city with other hours.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use toml::Table;

/// Writes into `dir` a demo city whose trade office is open day and night, without holidays, and takes appointments as
/// `booking` says (TOML). Returns the city's file.
pub fn city_open_all_day(dir: &Path, booking: &str) -> Result<PathBuf> {
    let demo = xtask::paths::checkout().join("demo/dormagen");
    for folder in ["faq", "pages"] {
        fs::create_dir(dir.join(folder))?;
        for entry in fs::read_dir(demo.join(folder))? {
            let entry = entry?;
            fs::copy(entry.path(), dir.join(folder).join(entry.file_name()))?;
        }
    }
    let mut city: Table = fs::read_to_string(demo.join("city.toml"))?.parse()?;
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
    let file = dir.join("city.toml");
    fs::write(&file, toml::to_string(&city)?)?;
    Ok(file)
}

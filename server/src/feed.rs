//! `vorzimmer feed`: the address at which an office's appointments are for clerks' calendar programs.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use bridge::ids::OfficeSlug;
use gateway::appointments::Token;
use store::{Feed, Store, StoreConfig};

use crate::{city_files::CityInForce, config::Config, shell};

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The configuration.
    #[arg(long, default_value = "vorzimmer.toml", env = "VORZIMMER_CONFIG")]
    config: PathBuf,
    /// The office's name in addresses.
    office: OfficeSlug,
    /// Tell also who comes and who needs an interpreter.
    #[arg(long, conflicts_with = "end")]
    names: bool,
    /// Make none: the address that there was leads nowhere any more.
    #[arg(long)]
    end: bool,
}

/// Makes a new address and prints it; the one before leads nowhere from then on.
#[expect(
    clippy::print_stdout,
    reason = "a command's answer belongs on standard output"
)]
pub(crate) async fn make(options: Options) -> Result<()> {
    let config = Config::read(&options.config)?;
    let city = CityInForce::read(&config.city, &config.homeserver.server_name)?.get();
    ensure!(
        city.office(&options.office)
            .is_some_and(|office| office.booking.is_some()),
        "{} is no office that takes appointments",
        options.office
    );
    let store = Store::open(&StoreConfig {
        url: config.database_url(),
    })
    .await
    .context("cannot open the database")?;
    let mut tx = store.begin().await?;
    if options.end {
        let ended = tx.drop_feed(&options.office).await?;
        tx.commit().await?;
        ensure!(ended, "{} has no calendar", options.office);
        return Ok(());
    }
    let token = Token::from_bytes(shell::random()?);
    let feed = Feed {
        office: options.office,
        names: options.names,
    };
    tx.set_feed(&feed, token.hash().as_str(), shell::now())
        .await?;
    tx.commit().await?;
    println!("{}/kalender/{}.ics", config.public_origin(), token.secret());
    Ok(())
}

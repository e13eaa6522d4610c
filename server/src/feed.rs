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
    if options.end {
        return end(&open(&config).await?, &options.office).await;
    }
    let city = CityInForce::read(&config.city, &config.homeserver.server_name)?.get();
    ensure!(
        city.office(&options.office)
            .is_some_and(|office| office.booking.is_some()),
        "{} is no office that takes appointments",
        options.office
    );
    let store = open(&config).await?;
    let mut tx = store.begin().await?;
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

/// Whatever has become of the office: an address that is known to others can always be ended.
async fn end(store: &Store, office: &OfficeSlug) -> Result<()> {
    let mut tx = store.begin().await?;
    let ended = tx.drop_feed(office).await?;
    tx.commit().await?;
    ensure!(ended, "{office} has no calendar");
    Ok(())
}

async fn open(config: &Config) -> Result<Store> {
    Store::open(&StoreConfig {
        url: config.database_url(),
    })
    .await
    .context("cannot open the database")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The office takes no appointments any more, or the city's file has no such office, or there is no such file.
    #[tokio::test]
    async fn an_address_is_ended_whatever_has_become_of_the_office() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"
            city = "gone.toml"
            data_dir = "."
            guest_web = "."
            [public]
            listen = "127.0.0.1:0"
            url = "https://vorzimmer.example"
            [internal]
            listen = "127.0.0.1:0"
            [homeserver]
            url = "http://127.0.0.1:9"
            server_name = "stadt.example"
            registration = "registration.yaml"
        "#;
        let path = folder.path().join("vorzimmer.toml");
        std::fs::write(&path, text).unwrap();
        let store = open(&Config::read(&path).unwrap()).await.unwrap();
        store.migrate().await.unwrap();
        let office: OfficeSlug = "gewerbe".parse().unwrap();
        let feed = Feed {
            office: office.clone(),
            names: true,
        };
        let mut tx = store.begin().await.unwrap();
        tx.set_feed(&feed, "leaked", shell::now()).await.unwrap();
        tx.commit().await.unwrap();
        let options = |end| Options {
            config: path.clone(),
            office: office.clone(),
            names: false,
            end,
        };
        assert!(make(options(false)).await.is_err());
        make(options(true)).await.unwrap();
        let mut read = store.read().await.unwrap();
        assert_eq!(read.feed_of_token("leaked").await.unwrap(), None);
        drop(read);
        assert!(make(options(true)).await.is_err(), "there is none any more");
    }
}

//! The program `vorzimmer`: a city's virtual front office beside a Matrix homeserver.

mod booking;
mod calls;
mod city_files;
mod config;
mod consultation;
mod contact;
mod deadlines;
mod doctor;
mod door;
mod errands;
mod feed;
mod front_office;
mod gauges;
mod ghosts;
mod house;
mod hub;
mod inbox;
mod mail_in;
mod names;
mod outbox;
mod outward;
mod participants;
mod projection;
mod registration;
mod retention;
mod rooms;
mod secret_file;
mod serve;
mod shell;
mod standing;
mod task;
mod words;

use std::{io::IsTerminal as _, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};
use config::Config;
use store::{Store, StoreConfig};
use tracing_subscriber::EnvFilter;

/// A city's virtual front office beside a Matrix homeserver.
#[derive(Debug, Parser)]
#[command(version)]
struct Program {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Serves citizens and clerks until it is stopped.
    Serve(ConfigFile),
    /// Writes the registration file for the homeserver, with fresh tokens.
    Registration(registration::Options),
    /// Checks the installation and says the cure for what is wrong.
    Doctor(ConfigFile),
    /// Makes the address at which clerks' calendar programs find an office's appointments.
    Feed(feed::Options),
    /// Takes a mail on standard input: the answer of a citizen's calendar, or a bounce. For mail servers to call.
    MailIn(mail_in::Options),
    /// Brings the database up to date.
    Migrate(ConfigFile),
}

#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration.
    #[arg(long, default_value = "vorzimmer.toml", env = "VORZIMMER_CONFIG")]
    config: PathBuf,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let filter =
        EnvFilter::try_from_env("VORZIMMER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match Program::parse().task {
        Task::Serve(ConfigFile { config }) => serve::serve(Config::read(&config)?).await?,
        Task::Doctor(ConfigFile { config }) => return Ok(doctor::examine(&config).await),
        Task::Feed(options) => feed::make(options).await?,
        Task::MailIn(options) => return Ok(mail_in::take(&options).await),
        Task::Registration(options) => registration::write(&options)?,
        Task::Migrate(ConfigFile { config }) => {
            let config = Config::read(&config)?;
            let store = Store::open(&StoreConfig {
                url: config.database_url(),
            })
            .await?;
            store.migrate().await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

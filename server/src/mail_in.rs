//! `vorzimmer mail-in`: a mail server hands over one mail on standard input, as it came.
//!
//! What follows from it is stored in the database, in one transaction, before the mail server is told that all is
//! well; the running program does the rest. Exit codes are those of `sysexits.h`, which Postfix, Exim and others know:
//! a mail that is refused goes back to its sender with the reason, and one that we cannot take at the moment waits.

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, ensure};
use scheduler::{
    ics::NotCounted,
    mail::{LARGEST_MAIL, MailError, Received},
};
use store::{Store, StoreConfig};

use crate::{
    booking::{NotTaken, ReplySecret},
    city_files::CityInForce,
    config::Config,
    serve::mail_room,
    shell,
};

/// `sysexits.h`.
const EX_DATAERR: u8 = 65;
const EX_NOUSER: u8 = 67;
const EX_TEMPFAIL: u8 = 75;
const EX_NOPERM: u8 = 77;

/// How the command is called.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The configuration.
    #[arg(long, default_value = "vorzimmer.toml", env = "VORZIMMER_CONFIG")]
    config: PathBuf,
    /// The address the mail was sent to. Without it, the mail's own header is believed.
    #[arg(long, env = "ORIGINAL_RECIPIENT")]
    recipient: Option<String>,
}

/// Why a mail is not taken.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error(transparent)]
    NotTaken(#[from] NotTaken),
    #[error("the mail cannot be taken at the moment: {0:#}")]
    Later(#[from] anyhow::Error),
}

impl Refusal {
    /// What the mail server does with the mail; `None`: nothing more, it has been dealt with.
    const fn code(&self) -> Option<u8> {
        match self {
            // Nobody reads an answer to a machine, and one that came late has lost its object.
            Self::Mail(MailError::Automatic)
            | Self::NotTaken(
                NotTaken::NotCounted(NotCounted::Outdated | NotCounted::Overtaken)
                | NotTaken::Over
                | NotTaken::TooMany,
            ) => None,
            Self::Mail(
                MailError::TooMuch
                | MailError::NotMail
                | MailError::NoCalendar
                | MailError::Calendar(_),
            ) => Some(EX_DATAERR),
            Self::NotTaken(NotTaken::UnknownAddress) => Some(EX_NOUSER),
            Self::NotTaken(
                NotTaken::OtherSender
                | NotTaken::NotCounted(NotCounted::OtherAppointment | NotCounted::NotInvited),
            ) => Some(EX_NOPERM),
            Self::NotTaken(NotTaken::Store(_)) | Self::Later(_) => Some(EX_TEMPFAIL),
        }
    }
}

/// Takes the mail on standard input.
#[expect(
    clippy::print_stderr,
    reason = "mail servers tell the sender what the command says on standard error"
)]
pub(crate) async fn take(options: &Options) -> ExitCode {
    match taken(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            eprintln!("{refusal}");
            refusal.code().map_or(ExitCode::SUCCESS, ExitCode::from)
        }
    }
}

async fn taken(options: &Options) -> Result<(), Refusal> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST_MAIL).unwrap_or(u64::MAX);
    io::stdin()
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .context("standard input cannot be read")?;
    let (city, bookings) = open(&options.config).await?;
    // Times in a citizen's calendar that name no zone are meant as they are at the office. They decide nothing.
    let zone = city
        .offices
        .first()
        .map_or(jiff::tz::TimeZone::UTC, |office| office.hours.zone.clone());
    let Received { to, mail } = Received::read(&bytes, &zone)?;
    let secrets: Vec<ReplySecret> = options
        .recipient
        .iter()
        .chain(&to)
        .filter_map(|address| ReplySecret::in_address(address))
        .collect();
    let dice = u64::from_be_bytes(shell::random()?);
    bookings
        .take_mail(&city, &secrets, &mail, shell::now(), dice)
        .await?;
    bookings.store.close().await;
    Ok(())
}

/// What the installation is. Any fault of it is ours, and the mail waits until it is put right.
async fn open(
    path: &Path,
) -> anyhow::Result<(std::sync::Arc<city::model::City>, crate::booking::Bookings)> {
    let config = Config::read(path)?;
    let city = CityInForce::read(&config.city, &config.homeserver.server_name)?;
    let mail = config
        .mail
        .as_ref()
        .context("the configuration has no [mail]")?;
    let store = Store::open(&StoreConfig {
        url: config.database_url(),
    })
    .await
    .context("cannot open the database")?;
    ensure!(
        store.is_migrated().await?,
        "the database is not of this version"
    );
    let (_, bookings) = mail_room(&config, mail, &store)?;
    Ok((city.get(), bookings))
}

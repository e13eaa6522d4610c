//! The city's own mail server (SMTP, RFC 5321).

use std::{fs, net::IpAddr, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::header::{Header, HeaderName, HeaderValue},
    transport::smtp::authentication::Credentials,
};
use serde::Deserialize;
use url::Url;

use super::key::ReplySecret;

/// How long the mail server may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Refusals that say nothing of the mail but that our account or our way of speaking is wrong (RFC 4954 §6, RFC 5321
/// §4.2.3): the mail waits until it is put right.
const ABOUT_US: [u16; 7] = [502, 503, 504, 530, 534, 535, 538];

/// `[mail]` in `vorzimmer.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailConfig {
    /// `smtps://mail.stadt.example` (TLS from the first byte), `smtp://mail.stadt.example?tls=required` (STARTTLS),
    /// or `smtp://localhost:25` for a relay on the same machine.
    pub(crate) url: Url,
    /// The address mails come from.
    pub(crate) from: String,
    /// The address to which calendars answer and mail servers report. `vorzimmer mail-in` reads what comes there; its
    /// mailbox takes addresses with `+…` as well (RFC 5233). Without it nothing that comes back is read.
    pub(crate) replies: Option<String>,
    /// The account, if the server asks for one.
    pub(crate) user: Option<String>,
    /// Holds the account's password.
    pub(crate) password_file: Option<PathBuf>,
}

impl MailConfig {
    /// Whether mails, and an account, go to another machine without TLS, or with it only if nobody on the way objects.
    pub(crate) fn is_readable_on_the_way(&self) -> bool {
        let url = &self.url;
        let sealed = url.scheme() == "smtps"
            || url
                .query_pairs()
                .any(|(key, value)| key == "tls" && value == "required");
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        let here =
            host == "localhost" || address.is_ok_and(|address: IpAddr| address.is_loopback());
        !sealed && !here
    }
}

/// Whether a mail has gone.
pub(crate) enum Sent {
    /// The server has taken it.
    Yes,
    /// Not this time; a word for the outbox.
    Later(String),
    /// The server will never take it; a word for the outbox.
    Never(String),
}

/// The way to the mail server.
#[derive(Clone)]
pub(crate) struct Post {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    pub(crate) from: Address,
    replies: Option<Address>,
    /// The sender's domain, for names of mails.
    pub(crate) domain: String,
}

impl Post {
    /// Connects to nothing yet.
    pub(crate) fn new(config: &MailConfig) -> Result<Self> {
        let from: Address = config
            .from
            .parse()
            .with_context(|| format!("mail.from {:?} is not a mail address", config.from))?;
        ensure!(
            config.url.username().is_empty() && config.url.password().is_none(),
            "mail.url holds an account; write it as mail.user and mail.password_file"
        );
        let replies = config.replies.as_deref().map(reply_address).transpose()?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(config.url.as_str())
            .with_context(|| {
                format!(
                    "mail.url {} is of no use; write it like smtps://mail.stadt.example",
                    config.url
                )
            })?
            .timeout(Some(PATIENCE));
        if let Some(user) = &config.user {
            ensure!(
                !config.is_readable_on_the_way(),
                "mail.url {} would carry mail.user and its password readable to everybody on the way; write \
                 smtps://mail.stadt.example, or smtp://mail.stadt.example?tls=required",
                config.url
            );
            let path = config
                .password_file
                .as_ref()
                .context("mail.user needs mail.password_file")?;
            let password = fs::read_to_string(path)
                .with_context(|| format!("cannot read mail.password_file {}", path.display()))?;
            builder =
                builder.credentials(Credentials::new(user.clone(), password.trim().to_owned()));
        }
        Ok(Self {
            transport: builder.build(),
            domain: from.domain().to_owned(),
            from,
            replies,
        })
    }

    /// Where answers about a booking are to come, if they are read.
    pub(crate) fn reply_address(&self, secret: &ReplySecret) -> Option<Address> {
        let replies = self.replies.as_ref()?;
        Address::new(
            format!("{}+{}", replies.user(), secret.as_str()),
            replies.domain(),
        )
        .ok()
    }

    /// Hands a mail to the server. One that was handed over whole and whose connection ended before the server said so
    /// is handed over again: SMTP cannot tell whether it was taken (RFC 1047). Both have the same `Message-ID`, by which
    /// mailboxes know them for one, and calendars know both for one version of the appointment.
    pub(crate) async fn send(&self, message: Message) -> Sent {
        match self.transport.send(message).await {
            Ok(_) => Sent::Yes,
            Err(fault) => {
                // The server's words may repeat the address; its number says enough.
                let code = fault.status().map_or_else(
                    || "smtp_unreachable".to_owned(),
                    |code| format!("smtp_{code}"),
                );
                let about_us = fault
                    .status()
                    .is_some_and(|code| ABOUT_US.contains(&u16::from(code)));
                if fault.is_permanent() && !about_us {
                    Sent::Never(code)
                } else {
                    Sent::Later(code)
                }
            }
        }
    }

    /// Whether the server answers.
    pub(crate) async fn answers(&self) -> bool {
        self.transport.test_connection().await.unwrap_or(false)
    }
}

/// The address that answers come to. Its name has to leave room for a secret (RFC 5321 §4.5.3.1.1).
fn reply_address(text: &str) -> Result<Address> {
    let address: Address = text
        .parse()
        .with_context(|| format!("mail.replies {text:?} is not a mail address"))?;
    ensure!(
        !address.user().contains('+') && address.user().len() + 1 + ReplySecret::LENGTH <= 64,
        "mail.replies {text:?} leaves no room for a secret: write a short name without +, like termine@stadt.example"
    );
    Ok(address)
}

/// Keeps holiday replies from answering (RFC 3834).
#[derive(Clone, Copy)]
pub(crate) struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

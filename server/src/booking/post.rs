//! The city's own mail server (SMTP, RFC 5321).

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::header::{Header, HeaderName, HeaderValue},
    transport::smtp::authentication::Credentials,
};
use serde::Deserialize;
use url::Url;

/// How long the mail server may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// `[mail]` in `vorzimmer.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailConfig {
    /// `smtps://mail.stadt.example` (TLS from the first byte), `smtp://mail.stadt.example?tls=required` (STARTTLS),
    /// or `smtp://localhost:25` for a relay on the same machine.
    pub(crate) url: Url,
    /// The address mails come from.
    pub(crate) from: String,
    /// The account, if the server asks for one.
    pub(crate) user: Option<String>,
    /// Holds the account's password.
    pub(crate) password_file: Option<PathBuf>,
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
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(config.url.as_str())
            .with_context(|| {
                format!(
                    "mail.url {} is of no use; write it like smtps://mail.stadt.example",
                    config.url
                )
            })?
            .timeout(Some(PATIENCE));
        if let Some(user) = &config.user {
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
        })
    }

    /// Hands a mail to the server.
    pub(crate) async fn send(&self, message: Message) -> Sent {
        match self.transport.send(message).await {
            Ok(_) => Sent::Yes,
            Err(fault) => {
                // The server's words may repeat the address; its number says enough.
                let code = fault.status().map_or_else(
                    || "smtp_unreachable".to_owned(),
                    |code| format!("smtp_{code}"),
                );
                if fault.is_permanent() {
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

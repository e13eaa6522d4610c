//! `vorzimmer registration`: the file that tells the homeserver about this service.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use anyhow::{Context as _, Result};
use appservice::{
    ServerName,
    registration::{Registration, Tokens},
};
use url::Url;

use crate::shell;

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Where the homeserver reaches `internal.listen`.
    #[arg(long, default_value = "http://127.0.0.1:9000")]
    url: Url,
    /// The homeserver's name, as in its users' ids.
    #[arg(long)]
    server_name: String,
    /// The service's id on the homeserver.
    #[arg(long, default_value = "vorzimmer")]
    id: String,
    /// Where to write. A file that is there is left alone.
    #[arg(long, default_value = "registration.yaml")]
    output: PathBuf,
}

/// Writes a registration with fresh tokens, readable by its owner only.
pub(crate) fn write(options: &Options) -> Result<()> {
    let server_name = ServerName::parse(&options.server_name).with_context(|| {
        format!(
            "--server-name {:?} is not a server name; write it like example.de",
            options.server_name
        )
    })?;
    let tokens = Tokens {
        as_token: shell::random()?,
        hs_token: shell::random()?,
    };
    let url = options.url.as_str().trim_end_matches('/');
    let text = Registration::generate(&options.id, url, &server_name, &tokens).to_yaml()?;
    let output = &options.output;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(output)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}; if it is there already, the homeserver knows its tokens: remove it only to make new ones", output.display()))
}

//! `homeserver.yaml`, as far as Vorzimmer cares. It is written as JSON, which is YAML.
//!
//! Rate limits stay at Synapse's defaults: what works here must work at a city.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Authority;
use crate::{
    files::{make_dir, read, read_json, write_json, write_private},
    ports::Port,
    secrets,
};

/// State events of a door room that somebody who knocks from elsewhere gets to see.
const PREJOIN_STATE: [&str; 2] = ["org.vorzimmer.office", "org.vorzimmer.occupancy"];

/// What a homeserver is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// People look at it: usual log, presence on.
    Demo,
    /// It lives for seconds: warnings only, cheap password hashes, no presence.
    Test,
}

/// How a homeserver talks to others on loopback.
#[derive(Debug, Clone)]
pub struct Federation {
    /// Where it listens, by TLS. The port is part of the server's name.
    pub port: Arc<Port>,
    /// Who signs the certificates of all that federate with it.
    pub authority: Arc<Authority>,
}

/// A homeserver to be.
#[derive(Debug, Clone)]
pub struct HomeserverConfig {
    /// Everything it keeps lies here; what an earlier start left is used again.
    pub dir: PathBuf,
    /// Where clients reach it, by plain HTTP on loopback.
    pub port: Arc<Port>,
    /// Without it, it knows no other server and its name is `localhost`.
    pub federation: Option<Federation>,
    /// Registration files of application services.
    pub registrations: Vec<PathBuf>,
    /// Where clients get tokens for the relay, if there are calls: `https://…/livekit/jwt`.
    pub call_service: Option<String>,
    /// What it is for.
    pub purpose: Purpose,
}

impl HomeserverConfig {
    /// The part of a Matrix id behind the colon.
    #[must_use]
    pub fn server_name(&self) -> String {
        match &self.federation {
            // A name with a port needs no lookup of `.well-known` or SRV, and `localhost` resolves everywhere.
            Some(federation) => format!("localhost:{}", federation.port.number()),
            None => "localhost".to_owned(),
        }
    }

    /// What clients call it by.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port.number())
    }

    /// Where programs of this machine reach it: an address, since `localhost` may mean another family first.
    #[must_use]
    pub fn local_url(&self) -> String {
        format!("http://{}", self.port.address())
    }

    pub(super) fn secrets(&self) -> Result<Secrets> {
        Secrets::in_dir(&self.dir)
    }

    /// Writes all files the homeserver needs, and says where its configuration is.
    pub(super) fn write(&self) -> Result<PathBuf> {
        make_dir(&self.dir)?;
        let signing_key = self.dir.join("signing.key");
        if !signing_key.exists() {
            write_private(&signing_key, signing_key_line()?)?;
        }
        write_json(&self.dir.join("log.yaml"), &self.log_config())?;
        let path = self.dir.join("homeserver.yaml");
        write_json(&path, &self.file()?)?;
        Ok(path)
    }

    fn file(&self) -> Result<File> {
        let secrets = self.secrets()?;
        let test = self.purpose == Purpose::Test;
        let tls = match &self.federation {
            Some(federation) => Some(Tls::new(federation, &self.dir)?),
            None => None,
        };
        let mut listeners = vec![Listener::new(&self.port, false, &["client", "openid"])];
        if let Some(federation) = &self.federation {
            listeners.push(Listener::new(
                &federation.port,
                true,
                &["federation", "keys", "openid"],
            ));
        }
        Ok(File {
            server_name: self.server_name(),
            public_baseurl: format!("{}/", self.url()),
            pid_file: self.dir.join("synapse.pid"),
            listeners,
            database: json!({ "name": "sqlite3", "args": { "database": self.dir.join("homeserver.db") } }),
            log_config: self.dir.join("log.yaml"),
            media_store_path: self.dir.join("media"),
            signing_key_path: self.dir.join("signing.key"),
            registration_shared_secret: secrets.registration,
            macaroon_secret_key: secrets.macaroon,
            form_secret: secrets.form,
            report_stats: false,
            trusted_key_servers: [],
            enable_registration: false,
            app_service_config_files: self.registrations.clone(),
            bcrypt_rounds: if test { 4 } else { 12 },
            presence: json!({ "enabled": !test }),
            encryption_enabled_by_default_for_room_type: "off",
            auto_accept_invites: AutoAcceptInvites {
                enabled: true,
                only_for_direct_messages: false,
                only_from_local_users: true,
            },
            room_list_publication_rules: self.publication_rules()?,
            allow_public_rooms_over_federation: true,
            room_prejoin_state: json!({
                "additional_event_types": PREJOIN_STATE.map(|event_type| [event_type, ""]),
            }),
            max_event_delay_duration: "24h",
            experimental_features: ExperimentalFeatures::default(),
            matrix_rtc: self.call_service.as_ref().map(
                |url| json!({ "transports": [{ "type": "livekit", "livekit_service_url": url }] }),
            ),
            tls,
        })
    }

    /// Only the bots of the application services may list rooms publicly.
    fn publication_rules(&self) -> Result<Vec<PublicationRule>> {
        let rule = |path: &PathBuf| {
            let text = read(path)?
                .with_context(|| format!("there is no registration {}", path.display()))?;
            let registration: Registration = serde_yaml_ng::from_str(&text).with_context(|| {
                format!(
                    "{} is not an application service's registration",
                    path.display()
                )
            })?;
            Ok(PublicationRule {
                user_id: format!("@{}:{}", registration.sender_localpart, self.server_name()),
                action: "allow",
            })
        };
        self.registrations.iter().map(rule).collect()
    }

    fn log_config(&self) -> Value {
        let level = match self.purpose {
            Purpose::Demo => "INFO",
            Purpose::Test => "WARNING",
        };
        json!({
            "version": 1,
            "disable_existing_loggers": false,
            "formatters": { "line": { "format": "%(asctime)s %(levelname)s %(name)s %(message)s" } },
            "handlers": { "console": { "class": "logging.StreamHandler", "formatter": "line" } },
            "root": { "level": level, "handlers": ["console"] },
        })
    }
}

/// The secrets of one homeserver, kept in its directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Secrets {
    pub(super) registration: String,
    macaroon: String,
    form: String,
}

impl Secrets {
    fn in_dir(dir: &Path) -> Result<Self> {
        let path = dir.join("secrets.json");
        if let Some(secrets) = read_json(&path)? {
            return Ok(secrets);
        }
        make_dir(dir)?;
        let secrets = Self {
            registration: secrets::token()?,
            macaroon: secrets::token()?,
            form: secrets::token()?,
        };
        write_json(&path, &secrets)?;
        Ok(secrets)
    }
}

/// A line of Synapse's key file: algorithm, `a_` and the key's name, seed in unpadded Base64.
fn signing_key_line() -> Result<String> {
    let name = secrets::hex(&secrets::random::<3>()?);
    let seed = STANDARD_NO_PAD.encode(secrets::random::<32>()?);
    Ok(format!("ed25519 a_{name} {seed}\n"))
}

/// As much of an application service's registration as concerns the homeserver's configuration.
#[derive(Deserialize)]
struct Registration {
    sender_localpart: String,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "Synapse's names")]
struct File {
    server_name: String,
    public_baseurl: String,
    pid_file: PathBuf,
    listeners: Vec<Listener>,
    database: Value,
    log_config: PathBuf,
    media_store_path: PathBuf,
    signing_key_path: PathBuf,
    registration_shared_secret: String,
    macaroon_secret_key: String,
    form_secret: String,
    report_stats: bool,
    trusted_key_servers: [Value; 0],
    enable_registration: bool,
    app_service_config_files: Vec<PathBuf>,
    bcrypt_rounds: u8,
    presence: Value,
    encryption_enabled_by_default_for_room_type: &'static str,
    auto_accept_invites: AutoAcceptInvites,
    room_list_publication_rules: Vec<PublicationRule>,
    allow_public_rooms_over_federation: bool,
    room_prejoin_state: Value,
    max_event_delay_duration: &'static str,
    experimental_features: ExperimentalFeatures,
    #[serde(skip_serializing_if = "Option::is_none")]
    matrix_rtc: Option<Value>,
    #[serde(flatten)]
    tls: Option<Tls>,
}

#[derive(Serialize)]
struct Listener {
    port: u16,
    tls: bool,
    r#type: &'static str,
    bind_addresses: [&'static str; 1],
    resources: [Resource; 1],
}

#[derive(Serialize)]
struct Resource {
    names: &'static [&'static str],
    compress: bool,
}

impl Listener {
    fn new(port: &Port, tls: bool, names: &'static [&'static str]) -> Self {
        Self {
            port: port.number(),
            tls,
            r#type: "http",
            bind_addresses: ["127.0.0.1"],
            resources: [Resource {
                names,
                compress: false,
            }],
        }
    }
}

/// Joins clerks to consultation rooms as soon as the bot invites them.
#[derive(Serialize)]
struct AutoAcceptInvites {
    enabled: bool,
    only_for_direct_messages: bool,
    only_from_local_users: bool,
}

#[derive(Serialize)]
struct PublicationRule {
    user_id: String,
    action: &'static str,
}

/// What Element Call and the application service need beyond the stable API. Delayed events (MSC4140) are switched
/// on by `max_event_delay_duration`.
#[derive(Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the form of Synapse's configuration"
)]
struct ExperimentalFeatures {
    /// Room summaries.
    msc3266_enabled: bool,
    /// Where the RTC transports are.
    msc4143_enabled: bool,
    /// State after the timeline in `/sync`.
    msc4222_enabled: bool,
    /// Sticky events.
    msc4354_enabled: bool,
    /// Device lists of ghosts in transactions.
    msc3202_transaction_extensions: bool,
    /// To-device messages in transactions.
    msc2409_to_device_messages_enabled: bool,
}

impl Default for ExperimentalFeatures {
    fn default() -> Self {
        Self {
            msc3266_enabled: true,
            msc4143_enabled: true,
            msc4222_enabled: true,
            msc4354_enabled: true,
            msc3202_transaction_extensions: true,
            msc2409_to_device_messages_enabled: true,
        }
    }
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "Synapse's names")]
struct Tls {
    tls_certificate_path: PathBuf,
    tls_private_key_path: PathBuf,
    federation_custom_ca_list: [PathBuf; 1],
    /// Empty: loopback is on Synapse's own list of addresses it never asks.
    ip_range_blacklist: [String; 0],
}

impl Tls {
    fn new(federation: &Federation, dir: &Path) -> Result<Self> {
        let (tls_certificate_path, tls_private_key_path) = federation.authority.issue(dir)?;
        Ok(Self {
            tls_certificate_path,
            tls_private_key_path,
            federation_custom_ca_list: [federation.authority.certificate().to_owned()],
            ip_range_blacklist: [],
        })
    }
}

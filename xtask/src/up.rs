//! `cargo xtask up`: the demo city on this machine.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    builds,
    console::{say, step},
    files::{make_dir, read_json, remove_dir, remove_file, write_json, write_private},
    lock::Lock,
    mailbox::Mailbox,
    paths,
    ports::{self, Port},
    process::Process,
    secrets,
    synapse::{Admin, Authority, Federation, Homeserver, HomeserverConfig, Purpose, Venv},
    vorzimmer::{self, Vorzimmer},
};

/// The clerks of the demo city: localpart and display name.
const CLERKS: [(&str, &str); 3] = [
    ("anna", "Anna Asmussen"),
    ("bernd", "Bernd Brandt"),
    ("ceyda", "Ceyda Çelik"),
];
/// The administrator whose token erases rooms.
const ERASER: &str = "erasure";

/// What can be chosen.
#[derive(Debug, Args)]
pub struct UpOptions {
    /// Forgets what earlier runs left: users, rooms, queue.
    #[arg(long)]
    pub fresh: bool,
    /// Where the lobby is.
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    pub lobby_port: u16,
    /// Where Matrix clients reach the homeserver.
    #[arg(long, default_value_t = 8008, value_name = "PORT")]
    pub homeserver_port: u16,
    /// Where the homeserver reaches vorzimmer.
    #[arg(long, default_value_t = 9000, value_name = "PORT")]
    pub appservice_port: u16,
    /// Where the mail server is that keeps the demo city's mails.
    #[arg(long, default_value_t = 2525, value_name = "PORT")]
    pub mail_port: u16,
    /// Lets other homeservers on this machine reach this one, which is then called localhost:<PORT>.
    #[arg(long, value_name = "PORT")]
    pub federation_port: Option<u16>,
    /// Where pictures and sound of calls arrive, by UDP and TCP.
    #[arg(long, default_value_t = 7882, value_name = "PORT")]
    pub media_port: u16,
    /// A LiveKit server that carries the calls in place of vorzimmer's own relay: `ws://127.0.0.1:7880`.
    #[arg(long, value_name = "URL", requires_all = ["livekit_key", "livekit_secret_file"])]
    pub livekit: Option<String>,
    /// The name of its API key.
    #[arg(long, value_name = "KEY")]
    pub livekit_key: Option<String>,
    /// The file with the key's secret.
    #[arg(long, value_name = "FILE")]
    pub livekit_secret_file: Option<PathBuf>,
    /// Builds vorzimmer with optimizations.
    #[arg(long)]
    pub release: bool,
    /// Heeds the offices' opening hours; without it the demo city is always open.
    #[arg(long)]
    pub real_hours: bool,
}

/// What a run must not find otherwise than the run before left it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    server_name: String,
}

/// Where the homeserver reaches vorzimmer, as the registration has it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Registered {
    url: String,
    server_name: String,
}

/// Runs the demo city until Ctrl-C or SIGTERM.
pub async fn up(options: &UpOptions) -> Result<()> {
    let mut city = DemoCity::start(options).await?;
    city.introduce();
    let reason = city.wait().await?;
    step("stopping");
    city.vorzimmer.stop().await?;
    city.homeserver.stop().await?;
    match reason {
        End::Wanted => Ok(()),
        End::Died(message) => bail!(message),
    }
}

enum End {
    Wanted,
    Died(String),
}

struct DemoCity {
    homeserver: Homeserver,
    vorzimmer: Vorzimmer,
    mailbox: Mailbox,
    passwords: BTreeMap<String, String>,
    dir: PathBuf,
    _running: Lock,
}

impl DemoCity {
    async fn start(options: &UpOptions) -> Result<Self> {
        let top = paths::checkout().join(".vorzimmer");
        let dir = top.join("up");
        let running = Lock::attempt(&top.join("up.lock"))?.context(
            "the demo city of this checkout runs already: stop the other `cargo xtask up` first",
        )?;
        let ports = Ports::claim(options)?;
        builds::check_node()?;
        if options.fresh {
            remove_dir(&dir)?;
        }
        make_dir(&dir)?;
        let public_url = format!("http://localhost:{}", ports.lobby.number());
        let calls = calls(options)?;

        let mut config = HomeserverConfig {
            dir: dir.join("homeserver"),
            port: Arc::new(ports.homeserver),
            federation: ports
                .federation
                .map(|port| {
                    let authority = Arc::new(Authority::in_dir(&dir.join("authority"))?);
                    anyhow::Ok(Federation {
                        port: Arc::new(port),
                        authority,
                    })
                })
                .transpose()?,
            registrations: Vec::new(),
            call_service: Some(format!("{public_url}/livekit/jwt")),
            purpose: Purpose::Demo,
        };
        check_identity(&dir, &config.server_name())?;

        let program = builds::server(options.release)?;
        let guest_web = builds::guest_web()?;
        let venv = Venv::ensure()?;
        let registration = registration(&program, &dir, &config.server_name(), &ports.appservice)?;
        config.registrations.push(registration.clone());

        step("starting Synapse");
        let homeserver = Homeserver::start(&venv, config).await?;
        let passwords = passwords(&dir)?;
        let deletion_token_file = provision(&homeserver, &dir, &passwords).await?;

        step("starting the mail server");
        let mailbox = Mailbox::start(&dir.join("mail"), &ports.mail).await?;

        step("starting vorzimmer");
        let config = vorzimmer::Config {
            city: paths::checkout().join("demo/dormagen/city.toml"),
            data_dir: dir.join("data"),
            database_url: None,
            guest_web,
            always_open: !options.real_hours,
            public: vorzimmer::Public {
                listen: ports.lobby.address(),
                url: public_url,
                limits: toml::Table::new(),
            },
            internal: vorzimmer::Internal {
                listen: ports.appservice.address(),
            },
            homeserver: vorzimmer::Homeserver {
                url: homeserver.config().local_url(),
                server_name: homeserver.server_name(),
                registration,
                deletion_token_file: Some(deletion_token_file),
            },
            calls: Some(calls),
            mail: Some(vorzimmer::Mail {
                url: mailbox.url(),
                from: "termine@dormagen.example".to_owned(),
                replies: "antwort@dormagen.example".to_owned(),
            }),
        };
        let vorzimmer = Vorzimmer::start(&program, &dir, config).await?;
        Ok(Self {
            homeserver,
            vorzimmer,
            mailbox,
            passwords,
            dir,
            _running: running,
        })
    }

    fn introduce(&self) {
        say("");
        say(format_args!("  Lobby        {}", self.vorzimmer.url()));
        say(format_args!("  Homeserver   {}", self.homeserver.url()));
        for (localpart, _) in CLERKS {
            let password = self.passwords.get(localpart).map_or("", String::as_str);
            let user_id = format!("@{localpart}:{}", self.homeserver.server_name());
            say(format_args!(
                "  Clerk        {user_id:<24} password {password}"
            ));
        }
        say(format_args!(
            "  Mails        {}",
            self.mailbox.dir().display()
        ));
        say(format_args!("  Logs         {}", self.dir.display()));
        say("");
        say(
            "To be a clerk, open Element (the desktop program, or a web version), choose \"Sign in\", edit the",
        );
        say(format_args!(
            "homeserver to {}, and sign in as anna. Switch on \"Enable ask to join\" in",
            self.homeserver.url()
        ));
        say("Settings → Labs, so that Element shows who knocks. In an office's room write !hilfe.");
        say("");
        say(
            "Ctrl-C stops everything; the next start goes on where this one ended, `--fresh` starts over.",
        );
    }

    /// Waits for a wish to stop, or for the death of one of the two programs.
    async fn wait(&mut self) -> Result<End> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut look = tokio::time::interval(Duration::from_millis(250));
        loop {
            tokio::select! {
                _ = interrupt.recv() => return Ok(End::Wanted),
                _ = terminate.recv() => return Ok(End::Wanted),
                _ = look.tick() => {
                    let processes = [self.vorzimmer.process(), self.homeserver.process()];
                    for process in processes.into_iter().flatten().chain([self.mailbox.process()]) {
                        if let Some(message) = obituary(process)? {
                            return Ok(End::Died(message));
                        }
                    }
                }
            }
        }
    }
}

fn obituary(process: &mut Process) -> Result<Option<String>> {
    let ended = process.exited()?;
    Ok(ended.map(|status| {
        let name = process.name();
        format!(
            "{name} has ended by itself ({status}); the end of its log:\n{}",
            process.last_lines(30)
        )
    }))
}

struct Ports {
    lobby: Port,
    homeserver: Port,
    appservice: Port,
    mail: Port,
    federation: Option<Port>,
}

impl Ports {
    fn claim(options: &UpOptions) -> Result<Self> {
        let mut flags = vec![
            (options.lobby_port, "--lobby-port"),
            (options.homeserver_port, "--homeserver-port"),
            (options.appservice_port, "--appservice-port"),
            (options.mail_port, "--mail-port"),
            (options.media_port, "--media-port"),
        ];
        flags.extend(
            options
                .federation_port
                .map(|port| (port, "--federation-port")),
        );
        ports::all_different(&flags)?;
        let federation = options
            .federation_port
            .map(|port| Port::chosen(port, "federation", "--federation-port"));
        Ok(Self {
            lobby: Port::chosen(options.lobby_port, "the lobby", "--lobby-port")?,
            homeserver: Port::chosen(
                options.homeserver_port,
                "the homeserver",
                "--homeserver-port",
            )?,
            appservice: Port::chosen(
                options.appservice_port,
                "the application service",
                "--appservice-port",
            )?,
            mail: Port::chosen(options.mail_port, "mail", "--mail-port")?,
            federation: federation.transpose()?,
        })
    }
}

/// The table `[calls]`.
fn calls(options: &UpOptions) -> Result<toml::Table> {
    let livekit = (
        &options.livekit,
        &options.livekit_key,
        &options.livekit_secret_file,
    );
    let table = if let (Some(url), Some(key), Some(secret_file)) = livekit {
        serde_json::json!({
            "livekit": { "url": url, "key": key, "secret_file": std::path::absolute(secret_file)? },
        })
    } else {
        let media = format!("127.0.0.1:{}", options.media_port);
        serde_json::json!({ "embedded": { "udp": media, "tcp": media } })
    };
    Ok(toml::Table::try_from(table)?)
}

/// A homeserver's name is in every id it has ever made: it cannot change later.
fn check_identity(dir: &Path, server_name: &str) -> Result<()> {
    let path = dir.join("identity.json");
    match read_json::<Identity>(&path)? {
        None => write_json(
            &path,
            &Identity {
                server_name: server_name.to_owned(),
            },
        ),
        Some(earlier) if earlier.server_name == server_name => Ok(()),
        Some(earlier) => bail!(
            "the homeserver was made as {} and would be {server_name}: \
             give --federation-port as before, or start over with --fresh",
            earlier.server_name
        ),
    }
}

/// The registration, written anew when addresses have changed.
fn registration(program: &Path, dir: &Path, server_name: &str, port: &Port) -> Result<PathBuf> {
    let file = dir.join("registration.yaml");
    let note = dir.join("registered.json");
    let wanted = Registered {
        url: format!("http://{}", port.address()),
        server_name: server_name.to_owned(),
    };
    let noted = read_json::<Option<Registered>>(&note)?.flatten();
    if !file.exists() || noted.as_ref() != Some(&wanted) {
        // Forgotten first: a change that was cut short is then made again.
        write_json(&note, &None::<Registered>)?;
        remove_file(&file)?;
        vorzimmer::write_registration(program, &wanted.url, &wanted.server_name, &file)?;
        write_json(&note, &wanted)?;
    }
    Ok(file)
}

/// The passwords of all users of the demo, made once and before they are used.
fn passwords(dir: &Path) -> Result<BTreeMap<String, String>> {
    let path = dir.join("passwords.json");
    let mut passwords: BTreeMap<String, String> = read_json(&path)?.unwrap_or_default();
    for name in CLERKS
        .map(|(localpart, _)| localpart)
        .into_iter()
        .chain([ERASER])
    {
        if !passwords.contains_key(name) {
            passwords.insert(name.to_owned(), secrets::password()?);
        }
    }
    write_json(&path, &passwords)?;
    Ok(passwords)
}

/// Makes the users, lifts the clerks' rate limits, and returns the file with the deletion token.
async fn provision(
    homeserver: &Homeserver,
    dir: &Path,
    passwords: &BTreeMap<String, String>,
) -> Result<PathBuf> {
    let password = |name: &str| {
        passwords
            .get(name)
            .with_context(|| format!("{name} has no password"))
    };
    let admin: Admin = homeserver.admin(ERASER, password(ERASER)?).await?;
    for (localpart, display_name) in CLERKS {
        let user_id = admin
            .put_user(localpart, display_name, password(localpart)?)
            .await?;
        admin.lift_rate_limit(&user_id).await?;
    }
    let file = dir.join("deletion-token");
    write_private(&file, &admin.account().access_token)?;
    Ok(file)
}

//! `vorzimmer doctor`: looks at everything an installation needs, changes nothing, and says the cure for what
//! is wrong. Words are for city IT.

use std::{path::Path, process::ExitCode};

use appservice::{Matrix, MatrixError, rooms::Mode};
use bridge::ids::MatrixUser;
use gateway::pages::Assets;
use jiff::SignedDuration;
use store::Store;

use crate::{
    booking::{Place, Post, orphans},
    calls::RelayError,
    config::Config,
    house::House,
    outward, rooms,
    serve::Foundation,
    shell,
};

/// The clocks of homeserver and service may differ by this much; the `Date` header counts seconds.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(5);

/// What Element Call needs of a homeserver, and how Synapse is told.
const CALL_FEATURES: [(&str, &str); 3] = [
    ("org.matrix.msc4140", "set max_event_delay_duration: 24h"),
    (
        "org.matrix.msc4143",
        "set experimental_features.msc4143_enabled: true",
    ),
    (
        "org.matrix.msc4354",
        "set experimental_features.msc4354_enabled: true",
    ),
];

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Well,
    Warning,
    Fault,
}

/// The findings so far; each is told at once.
#[derive(Default)]
struct Report {
    faults: usize,
    warnings: usize,
}

#[expect(
    clippy::print_stdout,
    reason = "a command's answer belongs on standard output"
)]
impl Report {
    fn tell(&mut self, verdict: Verdict, what: &str) {
        let sign = match verdict {
            Verdict::Well => "ok     ",
            Verdict::Warning => {
                self.warnings += 1;
                "warning"
            }
            Verdict::Fault => {
                self.faults += 1;
                "FAULT  "
            }
        };
        println!("{sign}  {what}");
    }

    fn well(&mut self, what: impl AsRef<str>) {
        self.tell(Verdict::Well, what.as_ref());
    }

    fn warn(&mut self, what: impl AsRef<str>) {
        self.tell(Verdict::Warning, what.as_ref());
    }

    fn fault(&mut self, what: impl AsRef<str>) {
        self.tell(Verdict::Fault, what.as_ref());
    }

    fn close(self) -> ExitCode {
        println!("\n{} faults, {} warnings", self.faults, self.warnings);
        if self.faults == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// Looks at the installation; the exit code says whether there is a fault.
pub(crate) async fn examine(path: &Path) -> ExitCode {
    let mut report = Report::default();
    let config = match Config::read(path) {
        Ok(config) => config,
        Err(fault) => {
            report.fault(format!("{fault:#}"));
            return report.close();
        }
    };
    report.well(format!("configuration {}", path.display()));
    settings(&mut report, &config);
    let foundation = match Foundation::lay(&config).await {
        Ok(foundation) => foundation,
        Err(fault) => {
            report.fault(format!("{fault:#}"));
            return report.close();
        }
    };
    report.well("city, registration and database can be read");
    mail(&mut report, &config).await;
    let outdated = foundation
        .registration
        .outdated_fields(foundation.matrix.server_name());
    if !outdated.is_empty() {
        report.fault(format!(
            "the registration is not what this version needs ({}): write it anew with `vorzimmer registration`, give \
             it to the homeserver and restart both",
            outdated.join(", ")
        ));
    }
    let migrated = database(&mut report, &foundation.store).await;
    let reachable = homeserver(&mut report, &foundation.matrix).await;
    if migrated && reachable {
        match foundation.house(&config).await {
            Ok((house, _)) => {
                deletion(&mut report, &house).await;
                clerks(&mut report, &house).await;
                standing_rooms(&mut report, &house).await;
                calendars(&mut report, &house).await;
                appointments(&mut report, &house).await;
                calls(&mut report, &house).await;
            }
            Err(fault) => report.fault(format!("{fault:#}")),
        }
    }
    report.close()
}

fn settings(report: &mut Report, config: &Config) {
    match Assets::load(&config.guest_web) {
        Ok(_) => report.well("the guest client is built"),
        Err(fault) => report.fault(fault.to_string()),
    }
    if config.always_open {
        report.warn(
            "always_open is on: opening hours are ignored. Leave it out except for a demonstration",
        );
    }
    if config.public.url.scheme() == "http" && config.public.url.host_str() != Some("localhost") {
        report.warn("public.url is http: cookies and conversations are not protected on their way. Put a reverse proxy with TLS before it and write https");
    }
    if config
        .database_url
        .as_ref()
        .is_some_and(|url| !url.contains("sslmode=verify-full") && !url.contains("localhost"))
    {
        report.warn(
            "database_url does not say sslmode=verify-full: the connection may go unencrypted",
        );
    }
}

/// Whether the database is as this program wants it.
async fn database(report: &mut Report, store: &Store) -> bool {
    let health = match store.health().await {
        Ok(health) => health,
        Err(fault) => {
            report.fault(format!("the database does not answer: {fault}"));
            return false;
        }
    };
    for damage in &health.damage {
        report.fault(format!(
            "the database is damaged ({damage}): stop vorzimmer and restore the last backup"
        ));
    }
    if !health.migrated {
        report.fault("the database is not up to date: run `vorzimmer migrate`, or start `vorzimmer serve`, which does it too");
        return false;
    }
    if health.damage.is_empty() {
        report.well(format!(
            "database ({:?}) is sound and up to date",
            health.backend
        ));
    }
    let letters = async { store.read().await?.dead_letters(20).await };
    match letters.await {
        Ok(letters) if letters.is_empty() => report.well("no job was given up"),
        Ok(letters) => {
            for letter in letters {
                report.warn(format!(
                    "job {} in {} was given up: {}; what it was for has to be done by hand",
                    letter.job.id,
                    letter.job.lane.as_str(),
                    letter.last_error.as_deref().unwrap_or("unknown")
                ));
            }
        }
        Err(fault) => report.fault(format!("the outbox cannot be read: {fault}")),
    }
    true
}

/// Whether the homeserver answers us; everything else about it is told as well.
async fn homeserver(report: &mut Report, matrix: &Matrix) -> bool {
    let features = match matrix.features().await {
        Ok(features) => features,
        Err(fault) => {
            report.fault(format!(
                "the homeserver does not answer ({fault}): check homeserver.url and that it runs"
            ));
            return false;
        }
    };
    match matrix.whoami(appservice::As::Bot).await {
        Ok(user) if user == *matrix.bot() => {
            report.well(format!("the homeserver knows us as {user}"));
        }
        Ok(user) => report.fault(format!(
            "the homeserver knows us as {user}, not {}: check homeserver.server_name",
            matrix.bot()
        )),
        Err(MatrixError::Refused { .. }) => {
            report.fault("the homeserver does not know our token: name the registration file in its app_service_config_files and restart it");
            return false;
        }
        Err(fault) => report.fault(format!("the homeserver does not say who we are: {fault}")),
    }
    match matrix.ping("doctor").await {
        Ok(duration) => report.well(format!("the homeserver reaches us ({} ms)", duration.as_millis())),
        Err(fault) => report.fault(format!(
            "the homeserver does not reach us ({}): is `vorzimmer serve` running, and is the registration's url where it listens?",
            fault.code()
        )),
    }
    match matrix
        .knows_room_version(appservice::rooms::ROOM_VERSION)
        .await
    {
        Ok(true) => report.well("the homeserver makes rooms of version 12"),
        Ok(false) => report.fault("the homeserver cannot make rooms of version 12: update it"),
        Err(fault) => report.fault(format!(
            "the homeserver's capabilities cannot be read: {fault}"
        )),
    }
    for (feature, cure) in CALL_FEATURES {
        if features.unstable.get(feature) != Some(&true) {
            report.warn(format!(
                "calls will need {feature} on the homeserver: {cure}"
            ));
        }
    }
    match matrix.clock().await {
        Ok(theirs) if theirs.duration_since(shell::now()).abs() > CLOCK_TOLERANCE => report.fault(
            "the clocks of homeserver and vorzimmer differ by more than five seconds: synchronise both (NTP)",
        ),
        Ok(_) => report.well("the clocks agree"),
        Err(fault) => report.warn(format!("the homeserver's clock cannot be read: {fault}")),
    }
    true
}

/// Whether Element finds our calls, and the relay answers.
async fn calls(report: &mut Report, house: &House) {
    let Some(calls) = &house.calls else {
        report.well("calls are switched off");
        return;
    };
    // The program's own relay knows no key but that of the running process.
    let probe = async {
        match calls.embedded {
            Some(_) => Ok(()),
            None => calls.relay.probe().await,
        }
    };
    match probe.await {
        Ok(()) => match &calls.embedded {
            Some(relay) => {
                report.well("calls are carried by the program's own relay");
                addresses(report, relay).await;
            }
            None => report.well("the relay answers and knows our key"),
        },
        Err(RelayError::Refused(401 | 403)) => report.fault(
            "the relay refuses our key: check calls.livekit.key and the secret in calls.livekit.secret_file",
        ),
        Err(fault) => report.fault(format!(
            "calls cannot begin ({fault}): check calls.livekit.url and that the relay runs"
        )),
    }
    match house.matrix.rtc_transports().await {
        Ok(transports)
            if transports
                .iter()
                .any(|transport| transport["livekit_service_url"] == calls.service_url.as_str()) =>
        {
            report.well("the homeserver tells its users where our calls are");
        }
        Ok(_) => report.fault(format!(
            "the homeserver does not tell its users where our calls are: set matrix_rtc.transports to [{{type: livekit, \
             livekit_service_url: \"{}\"}}] and experimental_features.msc4143_enabled: true",
            calls.service_url
        )),
        Err(fault) => report.warn(format!(
            "where the homeserver's calls are cannot be read ({})",
            fault.code()
        )),
    }
    // A token of nobody: the answer tells whether anybody's would be checked.
    match house.matrix.openid_subject("doctor").await {
        Ok(_) => report.well("the homeserver checks who asks for a call"),
        Err(fault) => report.fault(format!(
            "the homeserver does not check who asks for a call ({}): add openid to the resources of the listener at \
             homeserver.url",
            fault.code()
        )),
    }
}

/// Whether browsers everywhere can reach the relay where they are told that it is.
async fn addresses(report: &mut Report, relay: &relay::Config) {
    let bound = relay.udp.ip();
    let told = if !relay.public_ips.is_empty() {
        relay.public_ips.clone()
    } else if let Some(server) = &relay.stun_server {
        match relay::discovery::ask(server).await {
            Ok(told) => told,
            Err(fault) => {
                report.fault(format!(
                    "{fault}: check calls.embedded.stun_server, or write this machine's public addresses into \
                     calls.embedded.public_ips"
                ));
                return;
            }
        }
    } else if bound.is_unspecified() {
        relay::discovery::own_addresses(bound.is_ipv6())
    } else {
        vec![bound]
    };
    let list: Vec<String> = told.iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    if told.is_empty() {
        report.fault(
            "this machine has no address to which browsers could send pictures and sound: write its public addresses into \
             calls.embedded.public_ips",
        );
    } else if told
        .iter()
        .any(|ip| !outward::is_of_the_internet(*ip).unwrap_or(true))
    {
        report.warn(format!(
            "browsers are told to send pictures and sound to {list}, which nobody outside reaches: write this machine's \
             public addresses into calls.embedded.public_ips, or name a calls.embedded.stun_server that tells them"
        ));
    } else {
        report.well(format!(
            "browsers are told to send pictures and sound to {list}"
        ));
    }
}

async fn mail(report: &mut Report, config: &Config) {
    let Some(mail) = &config.mail else {
        report.well("no mail server is configured: there are no appointments");
        return;
    };
    match Post::new(mail) {
        Ok(post) if post.answers().await => report.well("the mail server answers"),
        Ok(_) => report.fault(
            "the mail server does not answer: check mail.url, and mail.user and mail.password_file if it asks for an account",
        ),
        Err(fault) => report.fault(format!("{fault:#}")),
    }
    if mail.is_readable_on_the_way() {
        report.warn(
            "mails go to the mail server unencrypted, and everybody on the way can read links and names: write mail.url \
             like smtps://mail.stadt.example, or with ?tls=required",
        );
    }
}

/// Whether desks' calendars can be read.
async fn calendars(report: &mut Report, house: &House) {
    let Some(calendars) = &house.calendars else {
        return;
    };
    let city = house.city.get();
    for office in &city.offices {
        let Ok(place) = Place::new(office, shell::now()) else {
            continue;
        };
        for calendar in &place.terms.calendars {
            let zone = office.hours.zone.clone();
            let read = calendars
                .read(calendar, place.calendar_window(), zone)
                .await;
            let name = format!("the calendar {} of {}", calendar.name, office.slug);
            match read {
                Ok(times) if times.not_understood == 0 => report.well(format!("{name} can be read")),
                Ok(times) => report.warn(format!(
                    "{name} has {} entries with times or rules that are not understood: they do not count as busy",
                    times.not_understood
                )),
                Err(fault) => report.fault(format!(
                    "{name} cannot be read ({fault}): check its address in the city's file, and calendars.allowed_networks \
                     if its server is in a network of your own"
                )),
            }
        }
    }
}

/// Whether somebody looks after all appointments to come.
async fn appointments(report: &mut Report, house: &House) {
    let (city, has_mail) = (house.city.get(), house.bookings.is_some());
    match orphans(&house.store, &city, has_mail, shell::now()).await {
        Ok(orphans) if orphans.is_empty() => {
            report.well("all appointments to come are at offices that take some");
        }
        Ok(orphans) => orphans.iter().for_each(|it| report.warn(it.to_string())),
        Err(fault) => report.fault(format!("appointments cannot be read: {fault}")),
    }
}

async fn deletion(report: &mut Report, house: &House) {
    if !house.matrix.can_purge() {
        report.warn(
            "homeserver.deletion_token_file is not set: ended consultation rooms are left by everybody but stay in the homeserver's database",
        );
        return;
    }
    match house.matrix.is_unlimited(house.matrix.bot()).await {
        Ok(_) => report.well("the deletion credential is accepted"),
        Err(fault) => report.fault(format!(
            "the deletion credential is refused ({}): put a server admin's access token into homeserver.deletion_token_file",
            fault.code()
        )),
    }
}

/// Whether each local clerk has an account and is exempt from rate limits.
async fn clerks(report: &mut Report, house: &House) {
    let city = house.city.get();
    let mut clerks: Vec<&MatrixUser> = city
        .offices
        .iter()
        .flat_map(|office| &office.clerks)
        .collect();
    clerks.sort_unstable();
    clerks.dedup();
    for clerk in clerks {
        if !house.matrix.is_local(clerk) || !house.matrix.can_purge() {
            continue;
        }
        match house.matrix.is_unlimited(clerk).await {
            Ok(true) => report.well(format!("{clerk} is exempt from rate limits")),
            Ok(false) => report.fault(format!(
                "{clerk} is not exempt from rate limits, so that approving stops after ten knocks: POST \
                 /_synapse/admin/v1/users/{clerk}/override_ratelimit {{\"messages_per_second\":0,\"burst_count\":0}}"
            )),
            Err(fault) if fault.is("M_NOT_FOUND") => {
                report.fault(format!("{clerk} has no account: make one, or correct the city's file"));
            }
            Err(fault) => report.warn(format!("{clerk}: rate limits cannot be read ({})", fault.code())),
        }
    }
}

async fn standing_rooms(report: &mut Report, house: &House) {
    match rooms::look_after(house, Mode::Look).await {
        Ok(rooms) => {
            for finding in &rooms.findings {
                report.warn(finding.to_string());
            }
            for (room, fault) in &rooms.failed {
                report.fault(format!("#{room} cannot be looked at: {}", fault.code()));
            }
            if rooms.findings.is_empty() && rooms.failed.is_empty() {
                report.well("all rooms are what they must be");
            }
        }
        Err(fault) => report.fault(format!("the rooms cannot be looked at: {fault}")),
    }
}

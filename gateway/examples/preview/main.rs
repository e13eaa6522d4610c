//! Shows the pages with the demo city, every kind of office state and a clerk played by the program, without a
//! homeserver, for designers and translators: `cargo run -p gateway --example preview` after `npm run build`
//! in guest-web, then <http://127.0.0.1:8099>.

mod house;

use std::{io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use bridge::office::{Occupancy, Status, WaitRange};
use city::model::City;
use gateway::{
    pages::Assets,
    port::{Lobby, NextAppointment, OfficeLive},
    state::{Gateway, GatewayConfig, Shell},
};
use jiff::{SignedDuration, Timestamp};
use texts::Catalogue;
use tokio::sync::watch;

use crate::house::ShowHouse;

/// A Tuesday morning.
const NOW: &str = "2026-11-24T09:12:00Z";
const ADDRESS: &str = "127.0.0.1:8099";

#[tokio::main]
async fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let guest_web = root.join("guest-web/dist");
    let city = read_city(&root.join("demo/dormagen"))?;
    let closing = watch::Sender::new(false);
    let gateway = Gateway {
        house: Arc::new(ShowHouse::new(lobby(city)?)),
        media_tokens: None,
        participants: None,
        appointments: None,
        texts: Arc::new(Catalogue::load()),
        assets: Arc::new(Assets::load(&guest_web)?),
        config: Arc::new(GatewayConfig::new(format!("http://{ADDRESS}"), guest_web)),
        shell: Shell {
            clock: Arc::new(|| Duration::ZERO),
            now: Arc::new(|| jiff::Timestamp::UNIX_EPOCH),
            random: Arc::new(|bytes| bytes.fill(7)),
            closing: closing.subscribe(),
        },
    };
    let listener = tokio::net::TcpListener::bind(ADDRESS).await?;
    let service = gateway::router(gateway).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await?;
    Ok(())
}

fn read_city(directory: &Path) -> Result<City> {
    let text = std::fs::read_to_string(directory.join(city::FILE_NAME))?;
    let files =
        |name: &str| -> io::Result<String> { std::fs::read_to_string(directory.join(name)) };
    City::parse(&text, &files, "dormagen.example").map_err(|faults| anyhow!("{faults}"))
}

/// Every office in another state.
fn lobby(city: City) -> Result<Lobby> {
    let now: Timestamp = NOW.parse()?;
    let states = [
        (
            Status::Busy,
            3,
            Some(WaitRange {
                low: 310,
                high: 850,
            }),
            None,
        ),
        (Status::Free, 0, Some(WaitRange { low: 0, high: 0 }), None),
        (
            Status::Paused,
            1,
            None,
            Some("Feueralarm im Rathaus, wir sind um 10:30 Uhr <b>wieder da</b>."),
        ),
        (Status::Closed, 0, None, None),
        (Status::Busy, 12, None, None),
    ];
    let offices = city
        .offices
        .iter()
        .zip(states)
        .map(|(office, (status, waiting, estimated_wait_s, notice))| {
            let mut opening = office.hours.at(now);
            opening.open = status != Status::Closed;
            if !opening.open {
                opening.closes_at = None;
                opening.next_opening = Some("2026-11-25T07:00:00Z".parse()?);
            }
            Ok(OfficeLive {
                slug: office.slug.clone(),
                occupancy: Occupancy {
                    status,
                    waiting,
                    in_conversation: 1,
                    desks_on_duty: 1,
                    estimated_wait_s,
                    next_opening: opening.next_opening,
                    as_of: now,
                },
                accepting: matches!(status, Status::Free | Status::Busy),
                opening,
                notice: notice.map(str::to_owned),
                appointment: match office.booking {
                    None => NextAppointment::NotOffered,
                    Some(_) if status == Status::Paused => NextAppointment::FullyBooked,
                    Some(_) => NextAppointment::At(now + SignedDuration::from_hours(20)),
                },
            })
        })
        .collect::<Result<_>>()
        .context("the preview's offices")?;
    Ok(Lobby {
        city: Arc::new(city),
        offices,
        always_open: false,
    })
}

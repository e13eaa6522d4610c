//! Citizens, by plain requests, each from an address of its own as in life: the limits that hold in life hold here.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use blackbox::World;
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// A citizen's browser with a page open.
#[derive(Debug)]
pub(crate) struct Guest {
    http: Client,
    api: String,
    origin: String,
}

/// A knock that was accepted.
#[derive(Debug)]
pub(crate) struct Knocked {
    /// When the request was sent.
    pub(crate) sent: Instant,
    /// When the answer had come.
    pub(crate) answered: Instant,
    /// `G-017`.
    pub(crate) ticket: String,
    visit: String,
    cookie: String,
}

impl Guest {
    /// The `number`th citizen, with an open connection.
    pub(crate) async fn open(world: &mut World, number: usize) -> Result<Self> {
        let public = &world.vorzimmer.config().public;
        let guest = Self {
            http: Client::builder()
                .local_address(IpAddr::from(address(2, number)?))
                .no_proxy()
                .timeout(Duration::from_mins(1))
                .build()?,
            api: format!("http://{}/api/v1", public.listen),
            origin: public.url.clone(),
        };
        guest
            .get("offices")
            .send()
            .await?
            .error_for_status()?
            .bytes()
            .await?;
        Ok(guest)
    }

    /// Knocks at an office. Where the city's limit says to wait, waits.
    pub(crate) async fn knock(&self, office: &str) -> Result<Knocked> {
        let form = json!({ "concern": "Ich möchte ein Café anmelden.", "language": "de", "privacy_accepted": true });
        loop {
            let request = self.post(&format!("offices/{office}/visits")).json(&form);
            let sent = Instant::now();
            let response = request.send().await?;
            let answered = Instant::now();
            if response.status() == StatusCode::TOO_MANY_REQUESTS {
                let seconds = text_of(&response, &header::RETRY_AFTER)?.parse()?;
                sleep(Duration::from_secs(seconds)).await;
                continue;
            }
            if response.status() != StatusCode::CREATED {
                bail!(
                    "the knock: {} {}",
                    response.status(),
                    response.text().await?
                );
            }
            let cookie = text_of(&response, &header::SET_COOKIE)?;
            let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
            let visit: Value = response.json().await?;
            let field = |name: &str| {
                let value = visit[name].as_str().map(str::to_owned);
                value.with_context(|| format!("a visit without {name}: {visit}"))
            };
            return Ok(Knocked {
                sent,
                answered,
                ticket: field("ticket")?,
                visit: field("id")?,
                cookie,
            });
        }
    }

    /// A question to the API.
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}/{path}", self.api))
    }

    /// Something for the API, as the city's own page sends it.
    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.http
            .post(format!("{}/{path}", self.api))
            .header(header::ORIGIN, &self.origin)
    }

    /// Goes away.
    pub(crate) async fn leave(&self, knocked: &Knocked) -> Result<()> {
        let request = self
            .post(&format!("visits/{}/leave", knocked.visit))
            .header(header::COOKIE, &knocked.cookie);
        request.send().await?.error_for_status()?;
        Ok(())
    }
}

/// An address of this machine for the `number`th of a kind: all of 127.0.0.0/8 is ours.
pub(crate) fn address(kind: u8, number: usize) -> Result<Ipv4Addr> {
    let [.., high, low] = u32::try_from(number + 1)?.to_be_bytes();
    Ok(Ipv4Addr::new(127, kind, high, low))
}

fn text_of(response: &Response, name: &header::HeaderName) -> Result<String> {
    let value = response.headers().get(name);
    let value = value.with_context(|| format!("an answer without {name}"))?;
    Ok(value.to_str()?.to_owned())
}

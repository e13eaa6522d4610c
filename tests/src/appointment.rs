//! An appointment, as its booker's link opens it.

use anyhow::{Context as _, Result};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    guest::{Answer, Guest},
    json::text,
};

/// A time that begins sooner may have begun before a test comes to book it.
const AHEAD: SignedDuration = SignedDuration::from_mins(2);

/// A booking, by its own secret, in the browser that it was booked in. The office asks for no confirmation by mail.
#[derive(Debug)]
pub struct Appointment {
    /// That browser.
    pub guest: Guest,
    /// The secret.
    pub token: String,
    /// What clerks call it.
    pub code: String,
}

impl Appointment {
    /// Books a time of the trade office: one of its free slots.
    pub async fn book(guest: Guest, slot: &Value, name: &str) -> Result<Self> {
        let hold = json!({ "services": ["anmelden"], "start": slot["start"] });
        let hold = guest
            .call(Method::POST, "offices/gewerbe/holds", Some(&hold))
            .await?
            .success("holding")?;
        let contact = json!({
            "name": name,
            "mail": format!("{name}@example.org"),
            "language": "de",
            "privacy_accepted": true,
        });
        let request = guest
            .request(Method::POST, "/api/v1/bookings")
            .bearer_auth(text(&hold, "token")?)
            .json(&contact);
        let booked = guest.send(request).await?.success("booking")?;
        Ok(Self {
            token: text(&booked, "token")?,
            code: text(&booked["booking"], "code")?,
            guest,
        })
    }

    /// Does something with it in the browser that it was booked in; it has to succeed.
    pub async fn call(&self, method: Method, what: &str, body: Option<&Value>) -> Result<Value> {
        let answer = self.ask(&self.guest, method, what, body).await?;
        answer.success(what)
    }

    /// Does something with it in any browser that has the secret.
    pub async fn ask(
        &self,
        guest: &Guest,
        method: Method,
        what: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let request = guest
            .request(method, &format!("/api/v1/booking{what}"))
            .bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        guest.send(request).await
    }

    /// The booking.
    pub async fn show(&self) -> Result<Value> {
        self.call(Method::GET, "", None).await
    }

    /// Checks in in a browser; the visit.
    pub async fn check_in(&self, guest: &Guest) -> Result<String> {
        let answer = self.ask(guest, Method::POST, "/check-in", None).await?;
        text(&answer.success("checking in")?, "visit")
    }
}

/// The free times of the trade office in the next days, but those that begin within minutes.
pub async fn free_slots(guest: &Guest) -> Result<Vec<Value>> {
    let path = "offices/gewerbe/slots?services=anmelden&days=4";
    let told = guest.call(Method::GET, path, None).await?;
    let mut told = told.success("asking for times")?;
    let slots = told["slots"].as_array_mut().context("no slots")?;
    let mut reachable = Vec::new();
    for slot in slots.drain(..) {
        let start: Timestamp = text(&slot, "start")?.parse()?;
        if start > now() + AHEAD {
            reachable.push(slot);
        }
    }
    Ok(reachable)
}

#[expect(
    clippy::disallowed_methods,
    reason = "free times are those of the program's own clock"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

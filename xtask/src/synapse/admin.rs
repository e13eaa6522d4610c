//! What only an administrator of the homeserver may do.
//!
//! Source: Synapse's Admin API (`/_synapse/admin`), documented at
//! <https://element-hq.github.io/synapse/latest/usage/administration/admin_api/>.

use anyhow::{Context as _, Result, bail};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sha1::Sha1;

use crate::secrets::hex;

/// A user who can act.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// `@anna:localhost`.
    pub user_id: String,
    /// Lets its holder act as the user.
    pub access_token: String,
    /// The device of the token.
    pub device_id: String,
}

/// An administrator's credential.
#[derive(Debug, Clone)]
pub struct Admin {
    http: reqwest::Client,
    url: String,
    server_name: String,
    registration_secret: String,
    account: Account,
}

impl Admin {
    pub(super) async fn sign_in(
        http: reqwest::Client,
        url: &str,
        server_name: &str,
        registration_secret: &str,
        localpart: &str,
        password: &str,
    ) -> Result<Self> {
        let registered =
            register(&http, url, registration_secret, localpart, password, true).await?;
        let account = match registered {
            Some(account) => account,
            None => log_in(&http, url, localpart, password).await?,
        };
        Ok(Self {
            http,
            url: url.to_owned(),
            server_name: server_name.to_owned(),
            registration_secret: registration_secret.to_owned(),
            account,
        })
    }

    /// The administrator's own account.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Makes a new user, who is signed in at once. Logging in is strictly limited by address, this is not.
    pub async fn register(&self, localpart: &str, password: &str) -> Result<Account> {
        register(
            &self.http,
            &self.url,
            &self.registration_secret,
            localpart,
            password,
            false,
        )
        .await?
        .with_context(|| format!("there is a user {localpart} already"))
    }

    /// Makes the user if there is none, and sets display name and password either way; existing sessions stay.
    /// Returns the full user id.
    pub async fn put_user(
        &self,
        localpart: &str,
        display_name: &str,
        password: &str,
    ) -> Result<String> {
        let user_id = format!("@{localpart}:{}", self.server_name);
        let body =
            json!({ "password": password, "displayname": display_name, "logout_devices": false });
        self.request(
            Method::PUT,
            &format!("v2/users/{}", encode(&user_id)),
            &body,
        )
        .await?;
        Ok(user_id)
    }

    /// Lifts all rate limits from a user: a clerk who works a queue off meets them after ten admissions.
    pub async fn lift_rate_limit(&self, user_id: &str) -> Result<()> {
        let body = json!({ "messages_per_second": 0, "burst_count": 0 });
        self.request(
            Method::POST,
            &format!("v1/users/{}/override_ratelimit", encode(user_id)),
            &body,
        )
        .await?;
        Ok(())
    }

    /// Any request below `/_synapse/admin/`, for what has no method of its own.
    pub async fn request(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let mut request = self
            .http
            .request(
                method.clone(),
                format!("{}/_synapse/admin/{path}", self.url),
            )
            .bearer_auth(&self.account.access_token);
        if method != Method::GET {
            request = request.json(body);
        }
        answer(request, &format!("admin request {method} {path}")).await
    }
}

/// `None` when the name is taken.
async fn register(
    http: &reqwest::Client,
    url: &str,
    secret: &str,
    localpart: &str,
    password: &str,
    admin: bool,
) -> Result<Option<Account>> {
    #[derive(Deserialize)]
    struct Nonce {
        nonce: String,
    }
    let endpoint = format!("{url}/_synapse/admin/v1/register");
    let Nonce { nonce } =
        serde_json::from_value(answer(http.get(&endpoint), "asking for a nonce").await?)?;
    let role = if admin { "admin" } else { "notadmin" };
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes())?;
    mac.update(
        [nonce.as_str(), localpart, password, role]
            .join("\0")
            .as_bytes(),
    );
    let body = json!({
        "nonce": nonce,
        "username": localpart,
        "password": password,
        "admin": admin,
        "mac": hex(&mac.finalize().into_bytes()),
    });
    let response = http
        .post(&endpoint)
        .json(&body)
        .send()
        .await
        .context("the homeserver does not answer")?;
    let status = response.status();
    let body: Value = response.json().await?;
    if status == StatusCode::BAD_REQUEST && body["errcode"] == "M_USER_IN_USE" {
        return Ok(None);
    }
    if !status.is_success() {
        bail!("the homeserver does not register {localpart}: {status} {body}");
    }
    Ok(Some(serde_json::from_value(body)?))
}

async fn log_in(
    http: &reqwest::Client,
    url: &str,
    localpart: &str,
    password: &str,
) -> Result<Account> {
    let body = json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": localpart },
        "password": password,
    });
    let request = http
        .post(format!("{url}/_matrix/client/v3/login"))
        .json(&body);
    let body = answer(request, &format!("logging in {localpart}")).await?;
    Ok(serde_json::from_value(body)?)
}

async fn answer(request: reqwest::RequestBuilder, what: &str) -> Result<Value> {
    let response = request
        .send()
        .await
        .with_context(|| format!("{what}: the homeserver does not answer"))?;
    let status = response.status();
    let body = response.text().await?;
    if !status.is_success() {
        bail!("{what}: the homeserver says {status} {body}");
    }
    serde_json::from_str(&body)
        .with_context(|| format!("{what}: the homeserver's answer is not JSON"))
}

fn encode(segment: &str) -> String {
    utf8_percent_encode(segment, NON_ALPHANUMERIC).to_string()
}

//! The unmodified Element Call in a real browser, hosted as Element hosts it: in a frame, over the widget API, with
//! a homeserver behind it.

use std::{process::Command, time::Duration};

use anyhow::Result;
use url::form_urlencoded;
use xtask::{
    builds,
    http::{answers, http_client},
    ports::Port,
    process::Process,
};

use crate::{
    Client,
    artifacts::Scratch,
    browser::{Browser, BrowserOptions, Devices},
};

const PATIENCE: Duration = Duration::from_mins(1);

/// A clerk in a call. Dropping it closes the browser, as a crash would.
#[derive(Debug)]
pub struct ElementCall {
    /// Its browser; the call is in the page's only frame.
    pub browser: Browser,
    _host: Process,
    _port: Port,
    _scratch: Scratch,
}

impl ElementCall {
    /// Opens the call of `room` for `clerk`, who is joined there, with a camera and a microphone, and enters it.
    pub async fn join(clerk: &Client, room: &str) -> Result<Self> {
        Self::join_as(clerk, room, None).await
    }

    /// The same by sticky events (MSC4354) alone.
    pub async fn join_by_sticky_events(clerk: &Client, room: &str) -> Result<Self> {
        Self::join_as(clerk, room, Some("matrix_2_0")).await
    }

    async fn join_as(clerk: &Client, room: &str, mode: Option<&str>) -> Result<Self> {
        let port = Port::lease()?;
        let scratch = Scratch::new()?;
        let mut command = Command::new("node");
        command
            .arg(builds::element_call()?.join("serve.mjs"))
            .args(["127.0.0.1", &port.number().to_string()])
            .args(mode);
        let log = scratch.path().join("element-call.log");
        let mut host = Process::spawn("the widget host", &command, &log)?;
        let origin = format!("http://{}", port.address());
        let http = http_client()?;
        host.wait_until(PATIENCE, || answers(&http, &origin))
            .await?;

        let browser = Browser::start_with(BrowserOptions {
            devices: Devices::Allowed,
            ..BrowserOptions::default()
        })
        .await?;
        let fragment = form_urlencoded::Serializer::new(String::new())
            .append_pair("homeserver", clerk.homeserver_url().trim_end_matches('/'))
            .append_pair("token", clerk.access_token())
            .append_pair("user", clerk.user_id())
            .append_pair("device", clerk.device_id())
            .append_pair("room", room)
            .finish();
        browser.goto(&format!("{origin}/#{fragment}")).await?;
        let call = Self {
            browser,
            _host: host,
            _port: port,
            _scratch: scratch,
        };
        call.browser
            .wait_until(
                "the call to be joined",
                "return window.host?.joined === true",
                vec![],
            )
            .await?;
        Ok(call)
    }

    /// Waits until Element Call shows a picture under this name.
    pub async fn shows(&self, name: &str) -> Result<()> {
        let script = "const [name] = arguments;
            const tiles = document.querySelector('iframe').contentDocument.querySelectorAll('[data-testid=videoTile]');
            return [...tiles].some(tile => tile.innerText.includes(name) && tile.querySelector('video')?.videoWidth > 0);";
        let what = format!("a picture of {name}");
        let shown = self
            .browser
            .wait_until(&what, script, vec![name.into()])
            .await;
        let Err(fault) = shown else { return Ok(()) };
        let script = "const call = document.querySelector('iframe').contentDocument;
            const tiles = [...call.querySelectorAll('[data-testid=videoTile]')];
            const of = tile => [tile.innerText, tile.querySelector('video')?.videoWidth ?? null];
            return JSON.stringify([tiles.map(of), call.body.innerText]);";
        let there = self.browser.page().execute(script, vec![]).await?;
        Err(fault.context(format!("Element Call shows {there}")))
    }

    /// Presses a button of Element Call, by the name that its own tests have for it: `incall_screenshare`.
    pub async fn press(&self, button: &str) -> Result<()> {
        let page = self.browser.page();
        page.enter_frame(0).await?;
        let button = self
            .browser
            .find(&format!("[data-testid='{button}']"))
            .await?;
        button.click().await?;
        page.enter_parent_frame().await?;
        Ok(())
    }
}

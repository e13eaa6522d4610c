//! A real browser, driven by WebDriver.

mod options;

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fantoccini::{
    ClientBuilder, Locator,
    actions::{InputSource as _, KeyAction, KeyActions},
    elements::Element,
    key::Key,
    wd::WebDriverCompatibleCommand,
};
use hyper_util::client::legacy::connect::HttpConnector;
pub use options::{BrowserOptions, Devices, Engine};
use serde_json::{Value, json};
use xtask::{
    http::{answers, http_client},
    paths,
    ports::Port,
    process::Process,
};

use crate::{
    artifacts::{Scratch, artifacts_dir},
    wait::PATIENCE,
};

/// The size of the page, in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewport {
    /// How wide.
    pub width: u32,
    /// How high.
    pub height: u32,
}

impl Viewport {
    /// The narrowest that has to work (WCAG 2.2, 1.4.10 Reflow).
    pub const NARROW: Self = Self {
        width: 320,
        height: 640,
    };
    /// A telephone.
    pub const PHONE: Self = Self {
        width: 390,
        height: 844,
    };
    /// A computer.
    pub const DESKTOP: Self = Self {
        width: 1280,
        height: 800,
    };
}

/// One browser with a fresh profile: one citizen. Dropping it ends it.
#[derive(Debug)]
pub struct Browser {
    page: fantoccini::Client,
    _driver: Process,
    _port: Port,
    // Last: the profile goes when nothing runs in it any more.
    _scratch: Scratch,
}

impl Browser {
    /// Starts a browser that speaks German, with a desktop's viewport.
    pub async fn start() -> Result<Self> {
        Self::start_in("de-DE").await
    }

    /// Starts a browser that prefers `language`: `en-GB`.
    pub async fn start_in(language: &str) -> Result<Self> {
        Self::start_with(BrowserOptions {
            language: language.to_owned(),
            ..BrowserOptions::default()
        })
        .await
    }

    /// Starts a browser as `options` want it.
    pub async fn start_with(options: BrowserOptions) -> Result<Self> {
        let scratch = Scratch::new()?;
        let port = Port::lease()?;
        let command = options.engine.driver(&port, &scratch)?;
        let log = scratch.path().join("webdriver.log");
        let mut driver = Process::spawn("WebDriver", &command, &log)
            .context("the browser tests need what `cargo xtask test` installs")?;
        let url = format!("http://{}", port.address());
        let (http, status) = (http_client()?, format!("{url}/status"));
        driver
            .wait_until(PATIENCE, || answers(&http, &status))
            .await?;
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(options.capabilities(&scratch))
            .connect(&url)
            .await
            .with_context(|| format!("the browser does not start:\n{}", driver.last_lines(20)))?;
        let browser = Self {
            page,
            _driver: driver,
            _port: port,
            _scratch: scratch,
        };
        if options.engine == Engine::Chromium {
            browser.set_viewport(Viewport::DESKTOP).await?;
            if options.devices != Devices::Missing {
                browser.watch_all_calls().await?;
            }
        }
        Ok(browser)
    }

    /// The page, for everything WebDriver can do.
    #[must_use]
    pub fn page(&self) -> &fantoccini::Client {
        &self.page
    }

    /// Opens an address and waits until it is loaded.
    pub async fn goto(&self, url: &str) -> Result<()> {
        self.page
            .goto(url)
            .await
            .with_context(|| format!("cannot open {url}"))
    }

    /// The first element of a CSS selector, as soon as there is one.
    pub async fn find(&self, css: &str) -> Result<Element> {
        let found = self
            .page
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await;
        found.with_context(|| format!("no {css} on the page"))
    }

    /// Waits until the text of the first `css` contains `text`.
    pub async fn wait_for_text(&self, css: &str, text: &str) -> Result<()> {
        self.wait_until(
            &format!("{text:?} in {css}"),
            "const [css, text] = arguments; return (document.querySelector(css)?.innerText ?? '').includes(text);",
            vec![css.into(), text.into()],
        )
        .await
    }

    /// Waits until a script returns true. `what` names it in the error of the one who waits in vain.
    pub async fn wait_until(&self, what: &str, script: &str, arguments: Vec<Value>) -> Result<()> {
        let look = async {
            loop {
                if self.page.execute(script, arguments.clone()).await? == Value::Bool(true) {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if let Ok(result) = tokio::time::timeout(PATIENCE, look).await {
            return result;
        }
        let text = self
            .page
            .execute("return document.body?.innerText ?? ''", vec![])
            .await?;
        let text = text.as_str().unwrap_or_default();
        bail!(
            "waited {} s for {what}; the page says:\n{text}",
            PATIENCE.as_secs()
        )
    }

    /// Presses and releases keys, one after the other. Those that write nothing are
    /// [`fantoccini::key::Key`].
    pub async fn press(&self, keys: impl IntoIterator<Item = char>) -> Result<()> {
        let mut strokes = KeyActions::new("keyboard".to_owned());
        for value in keys {
            strokes = strokes
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value });
        }
        Ok(self.page.perform_actions(strokes).await?)
    }

    /// Presses a key while another is held down.
    pub async fn press_with(&self, held: Key, value: char) -> Result<()> {
        let held = char::from(held);
        let chord = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: held })
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value })
            .then(KeyAction::Up { value: held });
        Ok(self.page.perform_actions(chord).await?)
    }

    /// Gives the page another size. (A window cannot be as narrow as a telephone.)
    pub async fn set_viewport(&self, viewport: Viewport) -> Result<()> {
        let parameters = json!({
            "width": viewport.width,
            "height": viewport.height,
            "deviceScaleFactor": 1,
            "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", parameters)
            .await
            .map(drop)
    }

    /// Lets the person prefer dark pages, or light ones.
    pub async fn prefer_dark(&self, dark: bool) -> Result<()> {
        let value = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", features)
            .await
            .map(drop)
    }

    /// Cuts the page's network, calls with it, or gives it back.
    pub async fn set_offline(&self, offline: bool) -> Result<()> {
        self.devtools("Network.enable", json!({})).await?;
        let parameters = json!({
            "offline": offline,
            "latency": 0,
            "downloadThroughput": -1,
            "uploadThroughput": -1,
            // In percent, of WebRTC, which does not care whether the page is offline.
            "packetLoss": if offline { 100 } else { 0 },
        });
        self.devtools("Network.emulateNetworkConditions", parameters)
            .await
            .map(drop)
    }

    /// Keeps a picture of the whole page as `artifacts/screenshots/<name>.png`, and says where.
    pub async fn screenshot(&self, name: &str) -> Result<PathBuf> {
        let parameters = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.devtools("Page.captureScreenshot", parameters).await?;
        let picture = STANDARD.decode(
            picture["data"]
                .as_str()
                .context("a screenshot without data")?,
        )?;
        let path = artifacts_dir("screenshots")?.join(format!("{name}.png"));
        fs::write(&path, picture).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Errors the browser's console has got since the last call: exceptions, refused and failed requests.
    pub async fn console_errors(&self) -> Result<Vec<String>> {
        let log = self
            .page
            .issue_cmd(Vendor::new("se/log", json!({ "type": "browser" })))
            .await?;
        let severe = log
            .as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["level"] == "SEVERE");
        Ok(severe
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect())
    }

    /// Lets axe look at the page as it is; whatever it finds is an error that names rule, place and cure.
    pub async fn check_accessibility(&self) -> Result<()> {
        let file = paths::checkout().join("guest-web/node_modules/axe-core/axe.min.js");
        let axe = fs::read_to_string(&file).with_context(|| {
            format!(
                "no {}: run `npm ci` in guest-web, or `cargo xtask test`",
                file.display()
            )
        })?;
        self.page
            .execute(&axe, vec![])
            .await
            .context("axe does not load")?;
        let script = "const done = arguments[arguments.length - 1]; \
                      axe.run({ resultTypes: ['violations'] }).then(r => done(r.violations), e => done(String(e)));";
        let result = self
            .page
            .execute_async(script, vec![])
            .await
            .context("axe does not run")?;
        let Some(violations) = result.as_array() else {
            bail!("axe has failed: {result}");
        };
        if violations.is_empty() {
            return Ok(());
        }
        let url = self.page.current_url().await?;
        let report: Vec<String> = violations.iter().map(describe_violation).collect();
        bail!(
            "axe finds {} faults on {url}:\n{}",
            violations.len(),
            report.join("\n")
        )
    }

    /// A command of the Chrome DevTools Protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        let body = json!({ "cmd": command, "params": parameters });
        let answer = self
            .page
            .issue_cmd(Vendor::new("goog/cdp/execute", body))
            .await;
        answer.with_context(|| format!("the browser refuses {command}"))
    }
}

fn describe_violation(violation: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let mut lines = vec![format!(
        "- {} ({}): {} {}",
        text(&violation["id"]),
        text(&violation["impact"]),
        text(&violation["help"]),
        text(&violation["helpUrl"])
    )];
    for node in violation["nodes"].as_array().into_iter().flatten() {
        lines.push(format!(
            "    at {}: {}",
            node["target"],
            text(&node["html"])
        ));
        lines.push(format!(
            "      {}",
            text(&node["failureSummary"]).replace('\n', "\n      ")
        ));
    }
    lines.join("\n")
}

/// A command of ChromeDriver's own: `POST /session/{id}/{path}`.
#[derive(Debug)]
struct Vendor {
    path: &'static str,
    body: Value,
}

impl Vendor {
    fn new(path: &'static str, body: Value) -> Self {
        Self { path, body }
    }
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(
        &self,
        base_url: &url::Url,
        session_id: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base_url.join(&format!(
            "session/{}/{}",
            session_id.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

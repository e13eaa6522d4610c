//! A citizen in front of the pages: what people do there and what they see.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fantoccini::Locator;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, BrowserOptions, Devices, Engine, Viewport},
    world::World,
};

/// What Chromium says of a picture that nobody has closed.
const UNCLOSED_PICTURE: &str = "A VideoFrame was garbage collected without being closed.";

/// What a citizen says when she knocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Knock<'k> {
    /// What it is about.
    pub concern: &'k str,
    /// The name she gives, or nothing.
    pub name: &'k str,
    /// The service's id she chooses, or nothing.
    pub service: &'k str,
}

/// A message as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Who wrote it.
    pub author: String,
    /// What.
    pub text: String,
}

/// A citizen with a browser of her own.
#[derive(Debug)]
pub struct Citizen {
    /// Her browser.
    pub browser: Browser,
    origin: String,
}

impl Citizen {
    /// One who speaks German.
    pub async fn of(world: &World) -> Result<Self> {
        Self::speaking(world, "de-DE").await
    }

    /// One whose browser prefers `language`: `en-GB`.
    pub async fn speaking(world: &World, language: &str) -> Result<Self> {
        Ok(Self {
            browser: Browser::start_in(language).await?,
            origin: world.url(""),
        })
    }

    /// One with a camera and a microphone, in a browser of this kind.
    pub async fn equipped(world: &World, engine: Engine) -> Result<Self> {
        let options = BrowserOptions {
            engine,
            devices: Devices::Allowed,
            trusting: world.own_certificates,
            ..BrowserOptions::default()
        };
        Self::with(world, options).await
    }

    /// One with any browser.
    pub async fn with(world: &World, options: BrowserOptions) -> Result<Self> {
        Ok(Self {
            browser: Browser::start_with(options).await?,
            origin: world.url(""),
        })
    }

    /// Opens a page of the city: `/buero/gewerbe`.
    pub async fn opens(&self, path: &str) -> Result<()> {
        self.browser.goto(&format!("{}{path}", self.origin)).await
    }

    /// Opens an office's page, fills the form in, knocks, and waits for the number she gets.
    pub async fn knocks(&self, office: &str, knock: Knock<'_>) -> Result<String> {
        self.opens(&format!("/buero/{office}")).await?;
        self.fills_in_and_knocks(knock).await
    }

    /// Fills the form in on the page she is on, knocks, and waits for the number she gets.
    pub async fn fills_in_and_knocks(&self, knock: Knock<'_>) -> Result<String> {
        self.fills_in(knock).await?;
        self.clicks("[data-knock-form] [type=submit]").await?;
        self.sees_heading("Sie sind in der Warteschlange").await?;
        self.ticket().await
    }

    /// Fills the form in on the page she is on.
    pub async fn fills_in(&self, knock: Knock<'_>) -> Result<()> {
        self.browser
            .find("[data-knock-form] [type=submit]:not(:disabled)")
            .await?;
        self.browser
            .find("#concern")
            .await?
            .send_keys(knock.concern)
            .await?;
        if !knock.service.is_empty() {
            let service = self.browser.find("#service").await?;
            service.select_by_value(knock.service).await?;
        }
        if !knock.name.is_empty() {
            self.browser
                .find("#name")
                .await?
                .send_keys(knock.name)
                .await?;
        }
        self.clicks("#privacy").await
    }

    /// Opens an office's page, and there the test of camera and microphone, which switches them on.
    pub async fn tests_devices(&self, office: &str) -> Result<()> {
        self.opens(&format!("/buero/{office}")).await?;
        self.clicks("[data-device-check] summary").await?;
        self.chooses("Kamera und Mikrofon einschalten").await
    }

    /// Clicks the first element of a CSS selector.
    pub async fn clicks(&self, css: &str) -> Result<()> {
        let element = self.browser.find(css).await?;
        element
            .click()
            .await
            .with_context(|| format!("cannot click {css}"))
    }

    /// Clicks the button or link that says `label`.
    pub async fn chooses(&self, label: &str) -> Result<()> {
        let path = format!(
            "//*[self::button or self::a][not(ancestor::dialog[not(@open)])][normalize-space(.) = \"{label}\"]"
        );
        let waiting = self.browser.page().wait();
        let found = waiting.for_element(Locator::XPath(&path)).await;
        let button = found.with_context(|| format!("nothing says {label:?}"))?;
        button.click().await?;
        Ok(())
    }

    /// Waits until the page's heading is `text`.
    pub async fn sees_heading(&self, text: &str) -> Result<()> {
        self.browser.wait_for_text("h1", text).await
    }

    /// Waits until the page's heading is `text` and has the focus, so that a screen reader says it.
    pub async fn is_told(&self, text: &str) -> Result<()> {
        self.sees_heading(text).await?;
        self.browser
            .wait_until(
                &format!("the focus on {text:?}"),
                "return document.activeElement?.tagName === 'H1'",
                vec![],
            )
            .await
    }

    /// Waits until the page says `text` somewhere.
    pub async fn reads(&self, text: &str) -> Result<()> {
        self.browser.wait_for_text("main", text).await
    }

    /// Waits until a screen reader would say `text`: it stands in a live region, seen or not.
    pub async fn is_read_out(&self, text: &str) -> Result<()> {
        let script =
            "return [...document.querySelectorAll('[role=status], [role=alert], [aria-live]')]
            .some(it => it.textContent.includes(arguments[0]))";
        let what = format!("{text:?} to be read out");
        self.browser
            .wait_until(&what, script, vec![text.into()])
            .await
    }

    /// The number on the page.
    pub async fn ticket(&self) -> Result<String> {
        let number = self.browser.find(".vz-ticket__number").await?;
        Ok(number.text().await?)
    }

    /// The id of the visit on the page.
    pub async fn visit_id(&self) -> Result<String> {
        let id = self
            .browser
            .find("#besuch")
            .await?
            .attr("data-visit")
            .await?;
        id.context("a visit's page without its id")
    }

    /// Enters when she is called, and waits until the conversation is there.
    pub async fn enters(&self) -> Result<()> {
        self.chooses("Jetzt eintreten").await?;
        self.sees_heading("Ihr Gespräch").await
    }

    /// Writes a message and waits until it has been delivered.
    pub async fn says(&self, text: &str) -> Result<()> {
        self.writes(text).await?;
        self.sees_delivered(text).await
    }

    /// Writes a message.
    pub async fn writes(&self, text: &str) -> Result<()> {
        let line = self.browser.find("#message").await?;
        line.send_keys(text).await?;
        self.clicks(".vz-composer [type=submit]").await
    }

    /// Waits until a message of hers, or a file by its name, is marked as delivered.
    pub async fn sees_delivered(&self, text: &str) -> Result<()> {
        self.browser
            .wait_until(
                &format!("{text:?} to be delivered"),
                "return [...document.querySelectorAll('.vz-message--guest')]
                   .some(m => m.innerText.includes(arguments[0]) && m.innerText.includes('Zugestellt'))",
                vec![text.into()],
            )
            .await
    }

    /// Sends a file and waits until it has been delivered.
    pub async fn sends_file(&self, path: &Path) -> Result<()> {
        let input = self.browser.find(".vz-composer input[type=file]").await?;
        input
            .send_keys(path.to_str().context("an odd path")?)
            .await?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.sees_delivered(&name).await
    }

    /// All messages on the page, in order.
    pub async fn log(&self) -> Result<Vec<Shown>> {
        let script = "return [...document.querySelectorAll('.vz-message')].map(m => [
            m.querySelector('.vz-message__author').innerText,
            (m.querySelector('.vz-words') ?? m.querySelector('.vz-message__file'))?.innerText ?? '']);";
        let shown = self.browser.page().execute(script, vec![]).await?;
        let pairs: Vec<(String, String)> = serde_json::from_value(shown)?;
        Ok(pairs
            .into_iter()
            .map(|(author, text)| Shown { author, text })
            .collect())
    }

    /// Loads the page again.
    pub async fn reloads(&self) -> Result<()> {
        Ok(self.browser.page().refresh().await?)
    }

    /// Closes the tab and opens another one at the same address.
    pub async fn comes_back_in_a_new_tab(&self) -> Result<()> {
        let page = self.browser.page();
        let address = page.current_url().await?;
        let fresh = page.new_window(true).await?;
        page.close_window().await?;
        page.switch_to_window(fresh.handle).await?;
        self.browser.set_viewport(Viewport::DESKTOP).await?;
        self.browser.goto(address.as_str()).await
    }

    /// A request of the page's own, with its cookie: status and body.
    pub async fn requests(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<(u64, Value)> {
        let script = "const [method, path, body, done] = arguments;
            fetch(path, { method, ...(body && { body: JSON.stringify(body),
                headers: { 'content-type': 'application/json' } }) })
              .then(async r => done([r.status, await r.json().catch(() => null)]), e => done([0, String(e)]));";
        let arguments = vec![method.into(), path.into(), body.unwrap_or(Value::Null)];
        let page = self.browser.page();
        let mut answer = page.execute_async(script, arguments).await?;
        let status = answer[0].as_u64().unwrap_or_default();
        Ok((status, answer[1].take()))
    }

    /// What the page gets at the address behind its link or picture.
    pub async fn downloads(&self, href: &str) -> Result<Vec<u8>> {
        let script = "const [href, done] = arguments;
            fetch(href).then(async r => {
              if (!r.ok) return done({ status: r.status });
              const bytes = new Uint8Array(await r.arrayBuffer());
              let text = '';
              for (const byte of bytes) text += String.fromCharCode(byte);
              done(btoa(text));
            }, e => done(String(e)));";
        let page = self.browser.page();
        let answer = page.execute_async(script, vec![href.into()]).await?;
        let text = answer
            .as_str()
            .with_context(|| format!("no download of {href}: {answer}"))?;
        STANDARD
            .decode(text)
            .with_context(|| format!("no download of {href}: {text}"))
    }

    /// Keeps pictures of the page, wide and narrow, and lets axe look at it. Nothing may stick out on the narrow
    /// one.
    pub async fn portrays(&self, name: &str) -> Result<()> {
        for (size, viewport) in [("1280", Viewport::DESKTOP), ("320", Viewport::NARROW)] {
            self.browser.set_viewport(viewport).await?;
            self.browser.screenshot(&format!("{name}-{size}")).await?;
            let wide =
                "const root = document.documentElement; return root.scrollWidth - root.clientWidth";
            let wide = self.browser.page().execute(wide, vec![]).await?;
            ensure!(
                wide == json!(0),
                "{name} is {wide} pixels too wide for {size}"
            );
            let checked = self.browser.check_accessibility().await;
            checked.with_context(|| format!("{name} at {size} pixels"))?;
        }
        self.browser.set_viewport(Viewport::DESKTOP).await
    }

    /// Nothing has gone wrong in the page, and it has asked nobody but the city.
    pub async fn has_seen_no_fault(&self) -> Result<()> {
        self.has_seen_no_fault_but(|_| false).await
    }

    /// The same of a page whose background is out of focus. Now and then a picture is collected that nobody has closed;
    /// where it is let go of was not found, but the page itself holds none: only what blurs them does. It is memory that
    /// comes back late, and nothing else.
    pub async fn has_seen_no_fault_while_blurred(&self) -> Result<()> {
        self.has_seen_no_fault_but(|fault| fault.contains(UNCLOSED_PICTURE))
            .await
    }

    async fn has_seen_no_fault_but(&self, harmless: impl Fn(&str) -> bool) -> Result<()> {
        let mut faults = self.browser.console_errors().await?;
        faults.retain(|fault| !harmless(fault));
        if !faults.is_empty() {
            bail!("the browser's console says: {faults:#?}");
        }
        let script = "return performance.getEntriesByType('resource').map(entry => entry.name)
            .filter(name => !name.startsWith(arguments[0]) && !name.startsWith('data:') && !name.startsWith('blob:'))";
        let page = self.browser.page();
        let foreign = page
            .execute(script, vec![self.origin.clone().into()])
            .await?;
        ensure!(foreign == json!([]), "the page asked others: {foreign}");
        Ok(())
    }
}

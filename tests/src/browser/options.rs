//! Which browser, and what it has.

use std::process::Command;

use anyhow::Result;
use serde_json::{Map, Value, json};
use xtask::{browsers, ports::Port};

use crate::artifacts::Scratch;

/// What a browser is like.
#[derive(Debug, Clone)]
pub struct BrowserOptions {
    /// Whose browser it is.
    pub engine: Engine,
    /// The language it prefers.
    pub language: String,
    /// Whether pages have cameras with moving pictures and microphones with a beep.
    pub devices: Devices,
    /// Takes every certificate. Chromium only.
    pub trusting: bool,
}

/// Camera and microphone, and what the person in front of the browser says when a page wants them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Devices {
    /// There are none.
    Missing,
    /// The person allows both.
    Allowed,
    /// The person refuses both. Chromium only.
    Refused,
}

/// Whose browser it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Debian's Chromium; all of [`Browser`](super::Browser) works.
    Chromium,
    /// Debian's Firefox ESR; what needs the Chrome DevTools Protocol fails.
    Firefox,
}

const CHROMIUM_DEVICES: [&str; 3] = [
    // The second of three cameras has sixteen bits of grey, which WebRTC does not send. Of microphones and speakers
    // there are always two, and one that stands for the default.
    "--use-fake-device-for-media-stream=device-count=3",
    "--auto-select-desktop-capture-source=Entire screen",
    "--autoplay-policy=no-user-gesture-required",
];

impl Default for BrowserOptions {
    fn default() -> Self {
        Self {
            engine: Engine::Chromium,
            language: "de-DE".to_owned(),
            devices: Devices::Missing,
            trusting: false,
        }
    }
}

impl Engine {
    pub(super) fn driver(self, port: &Port, scratch: &Scratch) -> Result<Command> {
        let mut command = match self {
            Self::Chromium => Command::new("chromedriver"),
            Self::Firefox => {
                let mut command = Command::new(browsers::geckodriver()?);
                // Its second port is one that nobody asks for.
                command.args(["--websocket-port=0", "--profile-root"]);
                command.arg(scratch.path());
                command
            }
        };
        command.arg(format!("--port={}", port.number()));
        // Crash reports and caches go with the profile, wherever the user's own are.
        command
            .env("HOME", scratch.path())
            .env("XDG_CONFIG_HOME", scratch.path())
            .env("XDG_CACHE_HOME", scratch.path());
        Ok(command)
    }
}

impl BrowserOptions {
    pub(super) fn capabilities(&self, scratch: &Scratch) -> Map<String, Value> {
        let capabilities = match self.engine {
            Engine::Chromium => self.chromium(scratch),
            Engine::Firefox => self.firefox(),
        };
        match capabilities {
            Value::Object(capabilities) => capabilities,
            _ => Map::new(),
        }
    }

    fn chromium(&self, scratch: &Scratch) -> Value {
        let language = &self.language;
        let profile = scratch.path().join("profile");
        let mut arguments = vec![
            "--headless=new".to_owned(),
            // Tests run as root in containers, where Chromium's sandbox cannot work.
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--no-first-run".to_owned(),
            // A scroll bar takes room that a picture of the whole page does not show.
            "--hide-scrollbars".to_owned(),
            // What still moves cannot be clicked.
            "--force-prefers-reduced-motion".to_owned(),
            "--no-default-browser-check".to_owned(),
            // By a pipe instead of a socket: when the driver ends, however it ends, Chromium ends with it.
            "--remote-debugging-pipe".to_owned(),
            format!("--user-data-dir={}", profile.display()),
            format!("--lang={language}"),
        ];
        if self.trusting {
            arguments.push("--ignore-certificate-errors".to_owned());
        }
        let answer = match self.devices {
            Devices::Missing => None,
            Devices::Allowed => Some("--use-fake-ui-for-media-stream"),
            Devices::Refused => Some("--use-fake-ui-for-media-stream=deny"),
        };
        if let Some(answer) = answer {
            arguments.extend(CHROMIUM_DEVICES.map(str::to_owned));
            arguments.push(answer.to_owned());
        }
        json!({
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": arguments, "prefs": { "intl.accept_languages": language } },
        })
    }

    fn firefox(&self) -> Value {
        let mut preferences = json!({
            "intl.accept_languages": self.language,
            "media.autoplay.default": 0,
        });
        if self.devices == Devices::Allowed {
            preferences["media.navigator.streams.fake"] = json!(true);
            preferences["media.navigator.permission.disabled"] = json!(true);
        }
        json!({
            "browserName": "firefox",
            "moz:firefoxOptions": {
                "binary": "/usr/bin/firefox-esr",
                "args": ["-headless"],
                "prefs": preferences,
            },
        })
    }
}

//! What the lobby page weighs, and when a telephone on a slow line shows it.

use anyhow::{Context as _, Result};
use blackbox::{Browser, Viewport, World};
use reqwest::header;
use serde_json::{Value, json};
use xtask::{console::say, http::http_client};

use crate::{
    figures::{Samples, Table},
    machine,
};

/// A line, as the browser's own throttling makes it.
struct Line {
    name: &'static str,
    /// Added to each request, in milliseconds.
    latency: f64,
    /// Kilobits per second.
    down: f64,
    up: f64,
    /// How much slower than this machine the telephone computes.
    cpu: u32,
}

/// Slow 4G has 150 ms, 1.6 Mbit/s down, 750 kbit/s up. The browser's preset of that name instead adds 3.75 times the
/// latency to each request, for connections that have to be opened first, and takes a tenth off the rates.
const LINES: [Line; 3] = [
    Line {
        name: "150 ms, 1.6 Mbit/s",
        latency: 150.0,
        down: 1_600.0,
        up: 750.0,
        cpu: 1,
    },
    Line {
        name: "150 ms, 1.6 Mbit/s, CPU ÷ 4",
        latency: 150.0,
        down: 1_600.0,
        up: 750.0,
        cpu: 4,
    },
    Line {
        name: "DevTools' slow 4G (562.5 ms a request, 1.44 Mbit/s), CPU ÷ 4",
        latency: 562.5,
        down: 1_440.0,
        up: 675.0,
        cpu: 4,
    },
];

/// Waits until the page has come to rest: the largest paint may be followed by a larger one.
const PAINTS: &str = "
    const done = arguments[arguments.length - 1];
    let largest;
    new PerformanceObserver(list => { largest = list.getEntries().at(-1); })
        .observe({ type: 'largest-contentful-paint', buffered: true });
    setTimeout(() => done({
        largest: largest?.startTime,
        first: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
        element: largest?.element?.outerHTML.slice(0, 100),
    }), 3000);
";

const LOADED: &str = "
    const done = arguments[arguments.length - 1];
    setTimeout(() => done(performance.getEntriesByType('resource').map(entry => entry.name)), 1000);
";

pub(crate) async fn measure(runs: usize) -> Result<()> {
    machine::open("page");
    let world = World::start().await?;
    let lobby = world.url("/");
    weigh(&lobby).await?;
    let mut table = Table::new("Lobby on a telephone, nothing cached", "ms");
    let mut elements = Vec::new();
    for line in &LINES {
        let (mut first, mut largest) = (Samples::default(), Samples::default());
        for _ in 0..runs {
            let paints = load(&lobby, line).await?;
            let number = |name: &str| {
                paints[name]
                    .as_f64()
                    .with_context(|| format!("no {name} paint"))
            };
            first.push(number("first")?);
            largest.push(number("largest")?);
            elements.push(paints["element"].as_str().unwrap_or_default().to_owned());
        }
        table.line(&format!("{}: first contentful paint", line.name), &first);
        table.line(
            &format!("{}: largest contentful paint", line.name),
            &largest,
        );
    }
    table.print();
    elements.sort();
    elements.dedup();
    say(format_args!(
        "\nThe largest element: {}",
        elements.join(", ")
    ));
    machine::close();
    Ok(())
}

/// One load by a browser that has never been there.
async fn load(url: &str, line: &Line) -> Result<Value> {
    let browser = Browser::start().await?;
    browser.set_viewport(Viewport::PHONE).await?;
    browser.devtools("Network.enable", json!({})).await?;
    let bytes_per_s = |kilobits: f64| kilobits * 1000.0 / 8.0;
    let conditions = json!({
        "offline": false,
        "latency": line.latency,
        "downloadThroughput": bytes_per_s(line.down),
        "uploadThroughput": bytes_per_s(line.up),
    });
    browser
        .devtools("Network.emulateNetworkConditions", conditions)
        .await?;
    browser
        .devtools(
            "Emulation.setCPUThrottlingRate",
            json!({ "rate": line.cpu }),
        )
        .await?;
    browser.goto(url).await?;
    Ok(browser.page().execute_async(PAINTS, vec![]).await?)
}

/// Asks for the page, and for everything that a browser loads with it, compressed.
async fn weigh(url: &str) -> Result<()> {
    let browser = Browser::start().await?;
    browser.goto(url).await?;
    let loaded = browser.page().execute_async(LOADED, vec![]).await?;
    let loaded = loaded.as_array().context("no list of what was loaded")?;
    let mut addresses = vec![url.to_owned()];
    addresses.extend(
        loaded
            .iter()
            .filter_map(Value::as_str)
            .filter(|address| !address.contains("/api/"))
            .map(str::to_owned),
    );
    let http = http_client()?;
    let (mut sum, mut fonts) = (0, 0);
    say("\n| Part of the lobby page | encoding | bytes |\n| --- | --- | ---: |");
    for address in addresses {
        let request = http.get(&address).header(header::ACCEPT_ENCODING, "br");
        let response = request.send().await?.error_for_status()?;
        let encoding = response.headers().get(header::CONTENT_ENCODING);
        let encoding = encoding
            .map_or(Ok("none"), |value| value.to_str())?
            .to_owned();
        let bytes = response.bytes().await?.len();
        let path = address.replacen(url.trim_end_matches('/'), "", 1);
        if path.contains(".woff2") {
            fonts += bytes;
        } else {
            sum += bytes;
        }
        say(format_args!("| `{path}` | {encoding} | {bytes} |"));
    }
    say(format_args!("| all without fonts | | {sum} |"));
    say(format_args!("| fonts | | {fonts} |"));
    Ok(())
}

//! How long a citizen waits for the clerk's picture after pressing the button.

use anyhow::{Context as _, Result};
use blackbox::{Engine, Picture, Talk};

use crate::{
    figures::{Samples, Table},
    machine,
};

/// Presses the button; tells after how many milliseconds the page said that it is connected, and showed the clerk.
const JOIN: &str = "
    const done = arguments[arguments.length - 1];
    const button = [...document.querySelectorAll('.vz-offer button')]
        .find(it => it.innerText.includes('Mit Bild und Ton sprechen'));
    const begin = performance.now();
    const since = () => performance.now() - begin;
    let connected;
    const look = () => {
        const said = document.querySelector('.vz-call__status')?.innerText ?? '';
        if (connected === undefined && said.includes('Sie sind verbunden')) connected = since();
        const picture = document.querySelector('.vz-tile--clerk video');
        if (connected !== undefined && picture?.videoWidth > 0 && picture.readyState >= 2)
            done([connected, since()]);
        else setTimeout(look, 5);
    };
    button.click();
    look();
";

pub(crate) async fn measure(joins: usize) -> Result<()> {
    machine::open("join");
    let talk = Talk::begin(Engine::Chromium).await?;
    let citizen = &talk.citizen;
    let page = citizen.browser.page();
    let anna = talk.anna_joins().await?;
    anna.show("cam", Picture::SMALL).await?;
    let [mut first, mut connected, mut seen] = [(); 3].map(|()| Samples::default());
    for join in 0..=joins {
        citizen
            .reads("Möchten Sie sich auch sehen und hören?")
            .await?;
        let times = page.execute_async(JOIN, vec![]).await?;
        let (said, shown): (f64, f64) =
            serde_json::from_value(times).context("two times of a join")?;
        if join == 0 {
            first.push(shown);
        } else {
            connected.push(said);
            seen.push(shown);
        }
        citizen.clicks(".vz-control--end").await?;
    }
    let mut table = Table::new("From the button to the clerk's picture", "ms");
    table.line("First join, code not loaded: picture", &first);
    table.line("Code loaded: connected", &connected);
    table.line("Code loaded: picture", &seen);
    table.print();
    machine::close();
    Ok(())
}

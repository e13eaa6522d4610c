//! A PDF that the guest shows in the call: judged by who receives its pages as pictures.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use blackbox::{Caller, Citizen, Engine, Talk, eventually};
use serde_json::Value;

type TestResult = Result<()>;

const FILE: &str = "#call-show input[type=file]";

/// A4 upright and across, in points, with a line of Helvetica, which every viewer has to have.
const UPRIGHT: (u32, u32) = (595, 842);
const ACROSS: (u32, u32) = (842, 595);

#[tokio::test]
async fn a_guest_shows_the_pages_of_a_pdf() -> TestResult {
    let talk = Talk::begin(Engine::Chromium).await?;
    let citizen = &talk.citizen;
    citizen.chooses("Nur mit Ton sprechen").await?;
    let anna = talk.anna_joins().await?;
    citizen.reads("Sie sind verbunden mit").await?;
    citizen.clicks(".vz-control:nth-child(3)").await?;
    gives(citizen, &talk, "antrag.pdf", &pdf(&[UPRIGHT, ACROSS], "")).await?;
    citizen.reads("Sie zeigen ein PDF").await?;
    citizen.is_read_out("Seite 1 von 2").await?;
    sees(&talk, &anna, "an upright page", |width, height| {
        width < height
    })
    .await?;
    citizen.portrays("call-pdf").await?;

    citizen.chooses("Nächste Seite").await?;
    citizen.is_read_out("Seite 2 von 2").await?;
    sees(&talk, &anna, "a page across", |width, height| {
        width > height
    })
    .await?;
    citizen.chooses("Vorige Seite").await?;
    citizen.is_read_out("Seite 1 von 2").await?;
    sees(&talk, &anna, "the first page", |width, height| {
        width < height
    })
    .await?;

    citizen.chooses("Nicht mehr zeigen").await?;
    eventually("the PDF to be gone", async || {
        let track = talk.track(&anna, "screen_share").await?;
        Ok((track == Value::Null).then_some(()))
    })
    .await?;
    citizen.has_seen_no_fault().await
}

#[tokio::test]
async fn what_cannot_be_shown_is_said_and_takes_nothing_away() -> TestResult {
    let talk = Talk::begin(Engine::Chromium).await?;
    let citizen = &talk.citizen;
    citizen.chooses("Nur mit Ton sprechen").await?;
    citizen.reads("Aus dem Büro ist noch niemand").await?;
    citizen.clicks(".vz-control:nth-child(3)").await?;
    gives(citizen, &talk, "antrag.pdf", &pdf(&[UPRIGHT], "")).await?;
    citizen.reads("Sie zeigen ein PDF").await?;
    let closed = "return !document.querySelector('#call-show')";
    let browser = &citizen.browser;
    browser
        .wait_until("the menu to close", closed, vec![])
        .await?;

    citizen.clicks(".vz-control:nth-child(3)").await?;
    let key = "00".repeat(32);
    let locked = format!("/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{key}> /U <{key}> >>");
    let locked = pdf(&[UPRIGHT], &format!("{locked} /ID [<00> <00>]"));
    gives(citizen, &talk, "geheim.pdf", &locked).await?;
    citizen
        .is_read_out("Dieses PDF lässt sich nur mit einem Passwort öffnen.")
        .await?;
    for (name, content) in [
        ("kaputt.pdf", "%PDF-1.7 and then nothing"),
        ("brief.docx", "PK"),
    ] {
        gives(citizen, &talk, name, content).await?;
        citizen
            .is_read_out("Diese Datei lässt sich nicht zeigen.")
            .await?;
    }
    citizen.portrays("call-file-failed").await?;
    citizen.reads("Sie zeigen ein PDF").await
}

/// Chooses a file to show, in the menu that is open.
async fn gives(citizen: &Citizen, talk: &Talk, name: &str, content: &str) -> TestResult {
    let path = talk.world.dir().join(name);
    std::fs::write(&path, content)?;
    let input = citizen.browser.find(FILE).await?;
    input
        .send_keys(path.to_str().context("an odd path")?)
        .await?;
    Ok(())
}

/// Waits until Anna decodes a picture of such a size, large enough to read, with something on it.
async fn sees(
    talk: &Talk,
    anna: &Caller,
    what: &str,
    shape: impl Fn(u64, u64) -> bool,
) -> TestResult {
    let mut last = Value::Null;
    let found = eventually(what, async || {
        last = talk.track(anna, "screen_share").await?;
        let size = (last["width"].as_u64(), last["height"].as_u64());
        let (Some(width), Some(height)) = size else {
            return Ok(None);
        };
        let written = last["sharpness"][width.to_string()].as_f64();
        let legible = width.max(height) == 1920 && written.is_some_and(|edges| edges > 1.0);
        Ok((shape(width, height) && legible).then_some(()))
    })
    .await;
    found.with_context(|| format!("at last {last}"))
}

/// A PDF with pages of these sizes (ISO 32000-1, 7.5), and more entries of its trailer.
fn pdf(pages: &[(u32, u32)], trailer: &str) -> String {
    let count = pages.len();
    let text = "BT /F 60 Tf 40 200 Td (Antrag auf ein Gewerbe) Tj ET";
    let kids: String = (0..count).fold(String::new(), |mut kids, page| {
        let _ = write!(kids, "{} 0 R ", 5 + page);
        kids
    });
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Count {count} /Kids [{kids}] >>"),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
    ];
    objects.extend(pages.iter().map(|(width, height)| {
        format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents 4 0 R \
             /Resources << /Font << /F 3 0 R >> >> >>"
        )
    }));
    let mut file = "%PDF-1.7\n".to_owned();
    let mut table = "0000000000 65535 f \n".to_owned();
    for (number, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        let _ = writeln!(file, "{} 0 obj\n{object}\nendobj", number + 1);
    }
    let (start, size) = (file.len(), objects.len() + 1);
    let _ = write!(
        file,
        "xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n"
    );
    file
}

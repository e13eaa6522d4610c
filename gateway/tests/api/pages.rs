//! Pages as a browser without script reads them.

use std::{collections::BTreeMap, sync::Arc};

use bridge::{ids::Language, office::Status};
use city::model::{City, FaqEntry, Localized, Page, Place, Service};
use gateway::{
    pages::{Assets, AssetsError},
    port::{Lobby, OfficeLive},
};
use jiff::civil::{date, time};
use scheduler::Period;

use crate::support::{
    Stage,
    browser::{Answer, form},
};

fn localized(german: &str, english: &str) -> Localized {
    Localized::new(german, BTreeMap::from([(Language::En, english.to_owned())]))
}

/// The page as text, with runs of white space made one.
#[track_caller]
fn html(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status.as_u16(), status);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let text = std::str::from_utf8(&answer.body).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn has(html: &str, parts: &[&str]) {
    for part in parts {
        assert!(html.contains(part), "{part:?} is not in {html}");
    }
}

#[track_caller]
fn lacks(html: &str, parts: &[&str]) {
    for part in parts {
        assert!(!html.contains(part), "{part:?} is in {html}");
    }
}

impl Stage {
    fn office(&self, change: impl FnOnce(&mut OfficeLive)) {
        self.house
            .change_lobby(|lobby| change(&mut lobby.offices[0]));
    }

    fn city(&self, change: impl FnOnce(&mut City)) {
        self.house
            .change_lobby(|lobby: &mut Lobby| change(Arc::make_mut(&mut lobby.city)));
    }

    async fn page(&self, path: &str) -> String {
        html(&self.browser().get(path).await, 200)
    }
}

#[tokio::test]
async fn the_lobby_says_without_script_who_is_open_and_how_long_one_waits() {
    let stage = Stage::new();
    has(
        &stage.page("/").await,
        &[
            "<html lang=\"de\">",
            "<title>Virtuelles Bürgerbüro · Dormagen</title>",
            "Gewerbemeldestelle</a>",
            "Fundbüro</a>",
            "Geöffnet, mit Wartezeit",
            "2 Personen warten. Wartezeit etwa 5 bis 15 Minuten.",
            "Geöffnet bis 16:00 Uhr",
            "href=\"/buero/gewerbe#anklopfen\" aria-label=\"Anklopfen: Gewerbemeldestelle\"",
            "hreflang=\"en\"",
        ],
    );
    has(
        &stage.page("/en").await,
        &[
            "<html lang=\"en\">",
            "Trade office</a>",
            "Open, with a wait",
            "2 people are waiting. Waiting time about 5 to 15 minutes.",
            "href=\"/en/buero/gewerbe#anklopfen\"",
        ],
    );
}

#[tokio::test]
async fn every_status_is_a_word_and_a_sign() {
    let stage = Stage::new();
    let signs = [
        (Status::Free, "Frei", "kern-icon--success"),
        (Status::Busy, "Geöffnet, mit Wartezeit", "kern-icon--clock"),
        (Status::Paused, "Kurze Pause", "kern-icon--pause"),
        (Status::Closed, "Geschlossen", "kern-icon--door"),
    ];
    for (status, word, sign) in signs {
        stage.office(|office| office.occupancy.status = status);
        let page = stage.page("/einbetten?buero=gewerbe").await;
        has(&page, &[word, sign]);
    }
}

#[tokio::test]
async fn a_closed_office_says_when_it_opens_and_offers_no_form() {
    let stage = Stage::new();
    stage.office(|office| {
        office.accepting = false;
        office.occupancy.status = Status::Closed;
        office.opening.open = false;
        office.opening.closes_at = None;
        office.opening.next_opening = Some("2026-11-24T07:00:00Z".parse().unwrap());
    });
    let page = stage.page("/buero/gewerbe").await;
    has(
        &page,
        &[
            "Gerade geschlossen",
            "Das Büro öffnet morgen um 8:00 Uhr.",
            "<div data-knock-area hidden>",
            "</span> geschlossen",
        ],
    );
    lacks(&page, &["Personen warten", "Geöffnet bis"]);
    has(
        &stage.page("/en/buero/gewerbe").await,
        &["The office opens tomorrow at 8:00."],
    );
}

#[tokio::test]
async fn what_a_clerk_writes_is_text_and_nothing_else() {
    let stage = Stage::new();
    stage.office(|office| {
        office.notice = Some("<script>alert(1)</script> & \"bis gleich\"".to_owned());
    });
    for path in ["/", "/buero/gewerbe", "/einbetten"] {
        let page = stage.page(path).await;
        lacks(&page, &["<script>alert"]);
        has(&page, &["&#60;script&#62;alert(1)&#60;/script&#62; &#38; "]);
    }
}

#[tokio::test]
async fn an_office_shows_services_hours_and_questions() {
    let stage = Stage::new();
    stage.city(|city| {
        let office = &mut city.offices[0];
        office.services = vec![
            Service {
                id: "anmelden".parse().unwrap(),
                name: localized("Gewerbe anmelden", "Register a business"),
                minutes: 20,
                documents: vec![localized("Personalausweis", "Identity card")],
                place: Place::Remote,
            },
            Service {
                id: "karte".parse().unwrap(),
                name: localized("Reisegewerbekarte", "Itinerant trade card"),
                minutes: 1,
                documents: Vec::new(),
                place: Place::InPerson {
                    address: localized("Paul-Wierich-Platz 2", "Paul-Wierich-Platz 2"),
                },
            },
        ];
        office.hours.weekly[0] = vec![Period {
            start: time(8, 0, 0, 0),
            end: time(12, 30, 0, 0),
        }];
        office.notices = BTreeMap::from([
            (date(2026, 11, 22), localized("vorbei", "over")),
            (
                date(2026, 12, 24),
                localized("Heiligabend", "Christmas Eve"),
            ),
        ]);
        office.faq = vec![FaqEntry {
            anchor: "kosten".to_owned(),
            question: localized("Was <kostet> das?", "What does it cost?"),
            answer_html: localized("<p><strong>26 Euro</strong></p>", "<p>26 euros</p>"),
        }];
    });
    let page = stage.page("/buero/gewerbe").await;
    has(
        &page,
        &[
            "Gewerbe anmelden",
            "Geht hier online",
            "Dauert etwa 20 Minuten.",
            "<li>Personalausweis</li>",
            "Nur vor Ort",
            "Paul-Wierich-Platz 2",
            "Dauert etwa eine Minute.",
            "Sie brauchen keine Unterlagen.",
            "Montag <span class=\"vz-week__mark\">(heute)</span></th> <td>8:00 bis 12:30 Uhr</td>",
            "<th scope=\"row\">Dienstag</th> <td>geschlossen</td>",
            "Donnerstag, 24. Dezember:</span> Heiligabend",
            "id=\"frage-gewerbe-kosten\"",
            "Was &#60;kostet&#62; das?",
            "<p><strong>26 Euro</strong></p>",
            "<option value=\"anmelden\">Gewerbe anmelden</option>",
        ],
    );
    lacks(&page, &["vorbei"]);
    has(
        &stage.page("/").await,
        &[
            "Gewerbe anmelden, Reisegewerbekarte",
            "Was &#60;kostet&#62; das?",
        ],
    );
}

#[tokio::test]
async fn a_form_without_its_script_cannot_put_words_into_an_address() {
    let page = Stage::new().page("/buero/gewerbe").await;
    has(
        &page,
        &[
            "<form class=\"vz-form\" method=\"post\"",
            "<button type=\"submit\" class=\"kern-btn kern-btn--primary vz-fit\" disabled>",
            "<noscript>",
        ],
    );
}

#[tokio::test]
async fn the_shell_of_a_visit_is_the_same_for_everybody_and_kept_nowhere() {
    let stage = Stage::new();
    let mut guest = stage.browser();
    let location = guest.knock().await;
    let id = location.rsplit('/').next().unwrap().to_owned();
    let path = format!("/besuch/{id}");
    let own = guest.get(&path).await;
    assert_eq!(own.header("cache-control"), "no-store");
    let page = html(&own, 200);
    has(&page, &[&format!("data-visit=\"{id}\""), "<noscript>"]);
    lacks(&page, &["Gewerbe", "G-0"]);
    assert_eq!(stage.page(&path).await, page);
    for wrong in ["/besuch/zu-kurz", "/besuch/aaaaaaaaaaaaaaaaaaaaaaaaa%22"] {
        html(&guest.get(wrong).await, 404);
    }
}

#[tokio::test]
async fn the_citys_own_pages_stand_in_the_footer_of_all() {
    let stage = Stage::new();
    stage.city(|city| {
        city.pages = vec![Page {
            slug: "datenschutz".to_owned(),
            title: localized("Datenschutz", "Privacy"),
            html: localized("<h2>Zweck</h2>", "<h2>Purpose</h2>"),
        }];
    });
    has(
        &stage.page("/seite/datenschutz").await,
        &["<title>Datenschutz · Dormagen</title>", "<h2>Zweck</h2>"],
    );
    has(
        &stage.page("/en/seite/datenschutz").await,
        &["Privacy</h1>", "<h2>Purpose</h2>"],
    );
    has(
        &stage.page("/en").await,
        &["href=\"/en/seite/datenschutz\">Privacy</a>"],
    );
    has(
        &stage.page("/buero/gewerbe").await,
        &["href=\"/seite/datenschutz\" target=\"_blank\" rel=\"noopener\">Hinweis zum Datenschutz"],
    );
}

#[tokio::test]
async fn an_address_without_a_page_says_so_in_its_language() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    for path in ["/nix", "/buero/nix", "/seite/nix", "/einbetten?buero=nix"] {
        let page = html(&browser.get(path).await, 404);
        has(&page, &["Seite nicht gefunden", "href=\"/\""]);
        let page = html(&browser.get(&format!("/en{path}")).await, 404);
        has(&page, &["Page not found", "href=\"/en\""]);
    }
}

#[tokio::test]
async fn a_city_without_english_has_no_english_pages() {
    let stage = Stage::new();
    stage.city(|city| city.languages = vec![Language::De]);
    let mut browser = stage.browser();
    for path in ["/en", "/en/buero/gewerbe", "/en/einbetten"] {
        html(&browser.get(path).await, 404);
    }
    lacks(&stage.page("/").await, &["hreflang"]);
    let door = stage.page("/buero/gewerbe").await;
    has(&door, &["type=\"hidden\" name=\"language\" value=\"de\""]);
    lacks(&door, &["type=\"radio\""]);
}

/// A link in a mail outlasts the language it was written in.
#[tokio::test]
async fn pages_of_bookings_lead_to_a_language_that_the_city_offers() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    for (offered, from, to) in [(Language::De, "/en", ""), (Language::En, "", "/en")] {
        stage.city(|city| city.languages = vec![offered]);
        for path in ["/termin", "/warteliste", "/buero/gewerbe/termin"] {
            let answer = browser.get(&format!("{from}{path}")).await;
            assert_eq!(answer.status.as_u16(), 307, "{path}");
            assert_eq!(answer.header("location"), format!("{to}{path}"));
        }
    }
}

#[tokio::test]
async fn nobody_books_or_knocks_in_a_language_that_the_city_does_not_offer() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    let mut knock = form();
    knock["language"] = "en".into();
    browser.extra = vec![("authorization", format!("Bearer {}", "A".repeat(43)))];
    let booking = serde_json::json!({
        "name": "Erika", "mail": "erika@example.org", "language": "en", "privacy_accepted": true,
    });
    let answer = browser.post("/api/v1/bookings", booking.clone()).await;
    answer.problem(409, "no-appointments");
    stage.city(|city| city.languages = vec![Language::De]);
    let answer = browser.post("/api/v1/bookings", booking).await;
    assert_eq!(answer.faulty_fields(), ["language"]);
    let door = "/api/v1/offices/gewerbe/visits";
    let answer = browser.post(door, knock.clone()).await;
    assert_eq!(answer.faulty_fields(), ["language"]);
    knock["language"] = "de".into();
    browser.post(door, knock).await.expect(201);
}

#[tokio::test]
async fn another_language_is_offered_and_never_forced() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    browser.language = "en-GB,en;q=0.9,de;q=0.5";
    let page = html(&browser.get("/").await, 200);
    has(&page, &["<html lang=\"de\">", "also available in English"]);
    browser.language = "de-AT";
    lacks(
        &html(&browser.get("/").await, 200),
        &["also available in English"],
    );
}

#[tokio::test]
async fn only_the_embedded_state_may_stand_in_a_frame() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    let embedded = browser.get("/einbetten?buero=fundbuero").await;
    assert!(
        embedded
            .header("content-security-policy")
            .ends_with("frame-ancestors *")
    );
    let page = html(&embedded, 200);
    has(&page, &["Fundbüro"]);
    lacks(&page, &["Gewerbemeldestelle", "<form"]);
    let lobby = browser.get("/").await;
    let policy = lobby.header("content-security-policy");
    assert!(policy.ends_with("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe"));
    lacks(&html(&lobby, 200), &["style=", "onclick=", "<style"]);
}

#[tokio::test]
async fn the_event_stream_sends_the_fragment_that_the_page_shows() {
    let stage = Stage::new();
    let answer = stage.browser().get("/").await;
    let page = String::from_utf8(answer.body.to_vec()).unwrap();
    let mut events = stage.browser().listen("/api/v1/lobby/events?lang=de").await;
    let (_, data) = events.next().await;
    let fragment = data["html"].as_str().unwrap();
    assert!(fragment.starts_with("<div class=\"vz-live\" data-office-live=\"gewerbe\""));
    assert!(page.contains(fragment));
}

#[tokio::test]
async fn hashed_files_are_kept_for_a_year_and_missing_ones_are_not() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    let style = browser.get("/assets/site-1.css").await;
    assert_eq!(style.status, 200);
    assert_eq!(
        style.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    browser.extra = vec![("accept-encoding", "gzip".to_owned())];
    let packed = browser.get("/assets/site-1.css").await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let missing = browser.get("/assets/site-0.css").await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.header("cache-control"), "no-cache");
    assert_eq!(browser.get("/favicon.svg").await.status, 200);
    for hidden in [
        "/assets/../.vite/manifest.json",
        "/assets/%2e%2e/.vite/manifest.json",
        "/.vite/manifest.json",
    ] {
        assert_eq!(browser.get(hidden).await.status, 404, "{hidden}");
    }
}

#[tokio::test]
async fn a_script_is_announced_with_all_it_needs() {
    has(
        &Stage::new().page("/").await,
        &[
            "href=\"/assets/site-1.css\"",
            "<link rel=\"modulepreload\" href=\"/assets/live-2.js\"",
            "<link rel=\"modulepreload\" href=\"/assets/shared-3.js\"",
            "<script type=\"module\" src=\"/assets/lobby-1.js\"",
        ],
    );
}

#[test]
fn an_unbuilt_guest_client_is_refused_with_the_cure() {
    let empty = tempfile::tempdir().unwrap();
    let error = Assets::load(empty.path()).unwrap_err();
    assert!(matches!(error, AssetsError::NotBuilt { .. }));
    assert!(error.to_string().contains("npm run build"), "{error}");

    std::fs::create_dir(empty.path().join(".vite")).unwrap();
    let manifest = empty.path().join(".vite/manifest.json");
    std::fs::write(&manifest, "<html>").unwrap();
    let error = Assets::load(empty.path()).unwrap_err();
    assert!(matches!(error, AssetsError::Manifest { .. }));

    std::fs::write(&manifest, "{}").unwrap();
    let error = Assets::load(empty.path()).unwrap_err();
    assert!(matches!(
        error,
        AssetsError::MissingEntry {
            entry: "src/styles/site.scss"
        }
    ));
}

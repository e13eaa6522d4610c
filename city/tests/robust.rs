//! Whatever stands in the files: a city or faults, never a panic, and nothing dangerous in the HTML.

use std::io;

use bridge::ids::Language;
use city::model::City;
use proptest::prelude::*;

const DEMO: &str = include_str!("../../demo/dormagen/city.toml");
const PAGE: &str = "# Title\n\nText.";

/// A city whose imprint is `page`.
fn with_page(page: &str) -> Option<String> {
    let text = r#"
        name = "Kleinstadt"
        time_zone = "Europe/Berlin"
        languages = ["de"]
        retention_hours = 1
        pages = { impressum = "hostile.md", datenschutz = "page.md", barrierefreiheit = "page.md" }
        [offices.a]
        letter = "A"
        name = "A"
        description = "A"
        clerks = ["anna"]
        hours = "always"
        services.a = { name = "A", minutes = 1, place = "remote" }
    "#;
    let files = |name: &str| -> io::Result<String> {
        Ok(if name == "hostile.md" { page } else { PAGE }.to_owned())
    };
    let city = City::parse(text, &files, "klein.example").ok()?;
    Some(city.page("impressum")?.html.get(Language::De).to_owned())
}

#[test]
fn html_in_markdown_is_shown_and_not_obeyed() {
    let html = with_page(concat!(
        "# Title\n\n<script>alert(1)</script>\n\n",
        "a <b onclick=\"x()\">b</b> & [c](/seite/d \"e\\\"><script>\")\n\n",
        "## Heading {#ok .class onclick=x()}\n\n",
        "| a |\n| -: |\n| b |\n\n<mail@example.org> <https://example.org/?a=b&c>\n",
    ))
    .unwrap();
    assert_eq!(
        html,
        concat!(
            "<p>&lt;script&gt;alert(1)&lt;/script&gt;\n</p>\n",
            "<p>a &lt;b onclick=\"x()\"&gt;b&lt;/b&gt; &amp; ",
            "<a href=\"/seite/d\" title=\"e&quot;&gt;&lt;script&gt;\">c</a></p>\n",
            "<h2 id=\"ok\">Heading</h2>\n",
            "<table><thead><tr><th>a</th></tr></thead><tbody>\n<tr><td>b</td></tr>\n</tbody></table>\n",
            "<p><a href=\"mailto:mail@example.org\">mail@example.org</a> ",
            "<a href=\"https://example.org/?a=b&amp;c\">https://example.org/?a=b&amp;c</a></p>\n",
        )
    );
}

#[test]
fn only_safe_links_are_taken() {
    for target in [
        "https://a.example/",
        "HTTP://a.example/",
        "mailto:a@b.example",
        "tel:+49",
        "/seite/a",
        "a/b?c:d",
        "#e",
    ] {
        assert!(
            with_page(&format!("# T\n\n[a]({target})")).is_some(),
            "{target}"
        );
    }
    for target in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example/",
        "/\\\\evil.example",
        "\\\\\\\\evil.example",
        "&#106;avascript:alert(1)",
        "java&#10;script:alert(1)",
        "&Tab;javascript:x",
        "file:///etc/passwd",
        "",
    ] {
        assert_eq!(
            with_page(&format!("# T\n\n[a]({target})")),
            None,
            "{target}"
        );
    }
}

#[test]
fn deep_nesting_is_no_trouble() {
    let files = |_: &str| -> io::Result<String> { Ok(PAGE.to_owned()) };
    for text in [
        "a = ".to_owned() + &"[".repeat(100_000),
        "[a".to_owned() + &".a".repeat(100_000) + "]",
    ] {
        assert!(City::parse(&text, &files, "klein.example").is_err());
    }
    let quotes = format!("# T\n\n{}", "> ".repeat(10_000));
    assert!(with_page(&quotes).is_some());
}

/// The elements that Markdown may make.
const TAGS: &[&str] = &[
    "p",
    "a",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "code",
    "em",
    "strong",
    "del",
    "br",
    "hr",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
];

/// A change to a text: bytes taken out, something else put in.
fn mutations() -> impl Strategy<Value = Vec<(usize, usize, String)>> {
    let bits = prop::sample::select(vec![
        "",
        "\"",
        "[",
        "]",
        "{",
        "}",
        "=",
        "\n",
        ".",
        "'''",
        "\\u0000",
        "0",
        "-1",
        "1e9",
        "true",
        "[[offices]]\n",
        "[offices.gewerbe]\n",
        "date = 9999-12-31\n",
        "from = -9999-01-01\n",
        "24:00",
        "\u{0}",
        "ü",
        "\u{202e}",
    ]);
    let change = (
        0..DEMO.len(),
        0..40_usize,
        prop_oneof![bits.prop_map(str::to_owned), ".{0,8}"],
    );
    prop::collection::vec(change, 1..6)
}

fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_city_never_panics(changes in mutations()) {
        let mut text = DEMO.to_owned();
        for (at, length, insert) in changes {
            let from = boundary(&text, at);
            let to = boundary(&text, at + length).max(from);
            text.replace_range(from..to, &insert);
        }
        let files = |name: &str| -> io::Result<String> {
            Ok(if name.starts_with("faq") { "## Q {#q}\n\nA" } else { PAGE }.to_owned())
        };
        if let Err(errors) = City::parse(&text, &files, "klein.example") {
            prop_assert!(!errors.0.is_empty());
            let lines = text.split('\n').count();
            for fault in &errors.0 {
                prop_assert!(fault.line >= 1 && fault.line <= lines, "{}", fault);
                prop_assert!(!fault.problem.is_empty() && !fault.cure.is_empty());
            }
        }
    }

    #[test]
    fn any_text_never_panics(text in any::<String>(), server_name in any::<String>()) {
        let files = |_: &str| -> io::Result<String> { Ok(text.clone()) };
        let _ = City::parse(&text, &files, &server_name);
        let _ = City::parse(DEMO, &files, &server_name);
    }

    #[test]
    fn no_markdown_makes_a_foreign_tag(
        parts in prop::collection::vec(prop::sample::select(vec![
            "<script>", "</p>", "<!--", "-->", "[a](", ")", "![", "](x)", "`", "```", "\n", "\n\n", "> ", "- ", "1. ",
            "## ", "{#a ", ".b o=c}", "|", "| - |\n", "\"", "'", "&lt;", "javascript:", "https://a.example", "<a href=",
            "**", "~~", "\\", "<http://a.example/\" onload=\"x>", "[x]: ", "    ",
        ]), 0..30),
    ) {
        let Some(html) = with_page(&format!("# T\n\n{}", parts.concat())) else { return Ok(()) };
        for tag in html.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').unwrap();
            let mut words = tag.trim_start_matches('/').splitn(2, ' ');
            let name = words.next().unwrap();
            prop_assert!(TAGS.contains(&name), "<{}>", tag);
            let rest = words.next().unwrap_or_default();
            let attributes: Vec<_> = rest.split('"').step_by(2).map(str::trim).filter(|name| !name.is_empty()).collect();
            for attribute in attributes {
                prop_assert!(["href=", "title=", "id=", "class=", "start=", "/"].contains(&attribute), "<{}>", tag);
            }
            prop_assert!(!rest.contains("javascript:") || !rest.contains("href=\"javascript"), "<{}>", tag);
        }
    }
}

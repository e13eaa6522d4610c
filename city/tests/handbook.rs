//! The handbook's page about the city says what is true.

use scheduler::{Feast, State};

const PAGE: &str = include_str!("../../docs/handbook/city.md");

#[test]
fn every_example_is_toml() {
    let examples: Vec<_> = PAGE
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(examples.len() >= 8);
    for example in examples {
        // The example of the two ways to write a text names the same key twice.
        for part in example.split("\nname = {") {
            let part = if example.starts_with(part) {
                part.to_owned()
            } else {
                format!("name = {{{part}")
            };
            assert!(part.parse::<toml::Table>().is_ok(), "{part}");
        }
    }
}

#[test]
fn every_holiday_and_state_is_named() {
    for feast in Feast::ALL {
        assert!(
            PAGE.contains(&format!("`{}`", feast.name())),
            "{}",
            feast.name()
        );
    }
    let states = State::ALL.iter().map(|state| state.name());
    let listed = PAGE
        .split_once("public holidays hold: `")
        .and_then(|(_, rest)| rest.split('`').next())
        .map(|codes| codes.split(' ').collect::<Vec<_>>());
    let mut listed = listed.unwrap_or_default();
    let mut known: Vec<_> = states.collect();
    listed.sort_unstable();
    known.sort_unstable();
    assert_eq!(listed, known);
}

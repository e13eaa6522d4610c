//! Who may know whom. The table is the one of `docs/ARCHITECTURE.md`; a crate that is not in it fails the test.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// What decides. These get time, randomness and the world as arguments.
const PURE: [&str; 4] = ["bridge", "scheduler", "city", "texts"];

/// What gives a crate a world of its own.
const WORLDLY: [&str; 9] = [
    "tokio",
    "async-std",
    "reqwest",
    "hyper",
    "axum",
    "sqlx",
    "rand",
    "getrandom",
    "fastrand",
];

/// Each crate and those it may depend on.
const MAY_KNOW: [(&str, &[&str]); 12] = [
    ("bridge", &[]),
    ("scheduler", &[]),
    ("city", &["bridge", "scheduler"]),
    ("texts", &["bridge"]),
    ("store", &["bridge", "scheduler", "city"]),
    ("appservice", &["bridge", "texts", "city"]),
    ("gateway", &["bridge", "city", "scheduler", "texts"]),
    ("relay", &[]),
    (
        "server",
        &[
            "bridge",
            "scheduler",
            "city",
            "texts",
            "store",
            "appservice",
            "gateway",
            "relay",
        ],
    ),
    // The tools. Nobody but they themselves may know them.
    (
        "xtask",
        &[
            "bridge",
            "scheduler",
            "city",
            "texts",
            "store",
            "appservice",
            "gateway",
            "relay",
            "server",
        ],
    ),
    (
        "blackbox",
        &[
            "bridge",
            "scheduler",
            "city",
            "texts",
            "store",
            "appservice",
            "gateway",
            "relay",
            "server",
            "xtask",
        ],
    ),
    ("load", &["xtask"]),
];

fn workspace() -> anyhow::Result<Vec<Package>> {
    let mut command = MetadataCommand::new();
    command
        .manifest_path(xtask::paths::checkout().join("Cargo.toml"))
        .no_deps();
    Ok(command.exec()?.packages)
}

#[test]
fn nobody_knows_whom_they_must_not_know() -> anyhow::Result<()> {
    let table: BTreeMap<&str, &[&str]> = MAY_KNOW.into_iter().collect();
    let packages = workspace()?;
    let members: BTreeSet<&str> = packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(
        members,
        table.keys().copied().collect(),
        "the table names exactly the workspace's crates"
    );
    let mut forbidden = Vec::new();
    for package in &packages {
        for dependency in &package.dependencies {
            let (from, to) = (package.name.as_str(), dependency.name.as_str());
            if members.contains(to) && from != to && !table[from].contains(&to) {
                forbidden.push(format!("{from} → {to}"));
            }
        }
    }
    assert!(
        forbidden.is_empty(),
        "forbidden dependencies: {}",
        forbidden.join(", ")
    );
    Ok(())
}

#[test]
fn what_decides_has_no_world_of_its_own() -> anyhow::Result<()> {
    let mut forbidden = Vec::new();
    for package in workspace()?
        .iter()
        .filter(|package| PURE.contains(&package.name.as_str()))
    {
        let used = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development);
        for dependency in used.filter(|dependency| WORLDLY.contains(&dependency.name.as_str())) {
            forbidden.push(format!("{} → {}", package.name, dependency.name));
        }
    }
    assert!(
        forbidden.is_empty(),
        "pure crates with a world: {}",
        forbidden.join(", ")
    );
    Ok(())
}

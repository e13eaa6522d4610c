use std::{collections::BTreeSet, env, fs, path::Path};

use crate::support::Stage;

/// `gateway/openapi.json`, from which clients are generated, says what the code does. To write it anew:
/// `UPDATE_OPENAPI=1 cargo test -p gateway openapi`.
#[test]
fn the_committed_description_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let mut fresh = gateway::openapi().to_pretty_json().unwrap();
    fresh.push('\n');
    if env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == fresh,
        "gateway/openapi.json is stale: run UPDATE_OPENAPI=1 cargo test -p gateway openapi"
    );
}

#[test]
fn operations_have_names_of_their_own() {
    let described = serde_json::to_value(gateway::openapi()).unwrap();
    let paths = described["paths"].as_object().unwrap();
    let names: Vec<&str> = paths
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
}

#[tokio::test]
async fn the_description_is_served() {
    let answer = Stage::new().browser().get("/api/v1/openapi.json").await;
    let served = answer.expect(200);
    assert_eq!(answer.header("content-type"), "application/json");
    let paths = served["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 31, "{:?}", paths.keys());
    assert!(paths.contains_key("/api/v1/visits/{id}/events"));
}

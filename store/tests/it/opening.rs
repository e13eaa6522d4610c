//! Opening and migrating.

use std::os::unix::fs::PermissionsExt;

use store::{Backend, Store, StoreConfig, StoreError};

use crate::{
    database::Database,
    sample::{handle, knock, office, rules},
};

pub(crate) async fn migrating_again_changes_nothing(database: Database) {
    let slug = office("gewerbe");
    handle(&database.store, &slug, &knock(1), 0).await;
    let again = Store::open(&database.config).await.unwrap();
    assert!(again.is_migrated().await.unwrap());
    again.migrate().await.unwrap();
    let office = again
        .read()
        .await
        .unwrap()
        .load_office(&slug, rules())
        .await
        .unwrap();
    assert_eq!(office.visits.len(), 1);
    again.close().await;
}

pub(crate) async fn a_newer_database_is_refused(database: Database) {
    database
        .meddle(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             SELECT 9999, 'from the future', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
    assert!(!database.store.is_migrated().await.unwrap());
    let refused = database.store.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::Newer { version: 9999 })),
        "{refused:?}"
    );
    database
        .meddle("DELETE FROM _sqlx_migrations WHERE version = 9999")
        .await;
    database
        .store
        .migrate()
        .await
        .expect("a refusal leaves no lock behind");
}

pub(crate) async fn an_edited_migration_is_refused(database: Database) {
    let other = match database.store.backend() {
        Backend::Sqlite => "UPDATE _sqlx_migrations SET checksum = x'00'",
        Backend::Postgres => r"UPDATE _sqlx_migrations SET checksum = '\x00'::bytea",
    };
    database.meddle(other).await;
    let refused = database.store.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::Migration(_))),
        "{refused:?}"
    );
}

pub(crate) async fn the_database_is_well(database: Database) {
    handle(&database.store, &office("gewerbe"), &knock(1), 0).await;
    database.store.ping().await.unwrap();
    let health = database.store.health().await.unwrap();
    assert_eq!(
        (health.migrated, health.damage.len()),
        (true, 0),
        "{health:?}"
    );
    let counts = database.store.read().await.unwrap().counts().await.unwrap();
    assert_eq!(
        (
            counts.waiting,
            counts.called,
            counts.jobs,
            counts.dead_letters
        ),
        (1, 0, 2, 0)
    );
}

#[tokio::test]
async fn an_address_of_no_use_is_refused_with_the_cure() {
    for url in [
        "",
        "vorzimmer.db",
        "mysql://root@localhost/x",
        "sqlite:",
        "sqlite::memory:",
        "sqlite:/tmp/x.db?mode=ro",
        "sqlite:/no/such/folder/vorzimmer.db",
        "postgres://user:pass/word@host:port/x",
    ] {
        let refused = Store::open(&StoreConfig {
            url: url.to_owned(),
        })
        .await;
        let Err(StoreError::Configuration(cure)) = refused else {
            panic!("{url:?} is refused as an address, not {refused:?}");
        };
        assert!(!cure.contains("pass/word"), "{cure}");
    }
}

#[tokio::test]
async fn an_unmigrated_file_is_private_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a ü #%3F.db");
    let store = Store::open(&StoreConfig::sqlite(&file)).await.unwrap();
    assert!(!store.is_migrated().await.unwrap());
    store.migrate().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.installation_id("x").await.unwrap();
    tx.commit().await.unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["a ü #%3F.db", "a ü #%3F.db-shm", "a ü #%3F.db-wal"]);
}

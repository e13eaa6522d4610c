//! The house's rooms and its own id.

use serde_json::json;
use store::HouseRoom;

use crate::{database::Database, sample::office};

pub(crate) async fn rooms_and_what_was_published_are_kept(database: Database) {
    let store = &database.store;
    let door = HouseRoom::Door(office("gewerbe"));
    let content = json!({"status": "free", "waiting": 0});
    let mut tx = store.begin().await.unwrap();
    tx.set_room(&door, "!old").await.unwrap();
    tx.set_room(&door, "!door").await.unwrap();
    tx.set_room(&HouseRoom::Space, "!space").await.unwrap();
    tx.set_published("!door", "org.vorzimmer.occupancy", &json!({}))
        .await
        .unwrap();
    tx.set_published("!door", "org.vorzimmer.occupancy", &content)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut read = store.read().await.unwrap();
    assert_eq!(read.room(&door).await.unwrap().as_deref(), Some("!door"));
    assert_eq!(
        read.room(&HouseRoom::Door(office("x"))).await.unwrap(),
        None
    );
    assert_eq!(read.room_by_id("!door").await.unwrap(), Some(door.clone()));
    assert_eq!(read.room_by_id("!old").await.unwrap(), None);
    assert_eq!(
        read.rooms().await.unwrap(),
        [
            (door, "!door".to_owned()),
            (HouseRoom::Space, "!space".to_owned())
        ]
    );
    let published = read
        .published("!door", "org.vorzimmer.occupancy")
        .await
        .unwrap();
    assert_eq!(published, Some(content));
    assert_eq!(read.published("!door", "m.room.topic").await.unwrap(), None);
    drop(read);
    let mut tx = store.begin().await.unwrap();
    tx.forget_published("!door").await.unwrap();
    assert_eq!(
        tx.published("!door", "org.vorzimmer.occupancy")
            .await
            .unwrap(),
        None
    );
}

pub(crate) async fn the_installation_keeps_its_id(database: Database) {
    for fresh in ["first", "second"] {
        let mut tx = database.store.begin().await.unwrap();
        assert_eq!(tx.installation_id(fresh).await.unwrap(), "first");
        tx.commit().await.unwrap();
    }
}

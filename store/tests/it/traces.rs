//! What a booking leaves elsewhere: the secret in its citizen's calendar, and messages in the door room.

use store::{BookingNote, BookingState};

use crate::{
    bookings::{booking, hold},
    database::Database,
    sample::{at, office},
};

pub(crate) async fn the_link_in_a_calendar_leads_to_its_booking(database: Database) {
    let store = &database.store;
    let (one, two) = (booking(1, 24), booking(2, 25));
    assert!(hold(store, &one, 1, 0).await && hold(store, &two, 1, 0).await);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.arrival_hash(&one.id).await.unwrap(), None);
    tx.set_arrival_hash(&one.id, "calendar").await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let taken = tx.set_arrival_hash(&two.id, "calendar").await;
    assert!(taken.is_err(), "one secret leads to one booking");
    drop(tx);
    let mut read = store.read().await.unwrap();
    let found = read.booking_of_arrival("calendar").await.unwrap().unwrap();
    assert_eq!(found.id, one.id);
    assert_eq!(read.booking_of_arrival("other").await.unwrap(), None);
    assert_eq!(read.booking_of_token("calendar").await.unwrap(), None);
    drop(read);
    let mut tx = store.begin().await.unwrap();
    tx.erase_booking(&one.id, at(60)).await.unwrap();
    assert_eq!(tx.booking_of_arrival("calendar").await.unwrap(), None);
}

pub(crate) async fn messages_about_a_person_are_taken_back_once(database: Database) {
    let store = &database.store;
    let mut one = booking(1, 24);
    assert!(hold(store, &one, 1, 0).await);
    one.state = BookingState::Confirmed;
    let mut tx = store.begin().await.unwrap();
    tx.save_booking(&one).await.unwrap();
    for _ in 0..2 {
        tx.add_booking_note(&one.id, "$number").await.unwrap();
    }
    assert_eq!(tx.booking_notes(&one.id).await.unwrap(), 1);
    assert_eq!(tx.take_booking_notes(at(600)).await.unwrap(), []);
    one.ended_at = Some(at(600));
    tx.save_booking(&one).await.unwrap();
    assert_eq!(tx.take_booking_notes(at(599)).await.unwrap(), []);
    let note = BookingNote {
        event: "$number".to_owned(),
        office: office("gewerbe"),
    };
    assert_eq!(tx.take_booking_notes(at(600)).await.unwrap(), [note]);
    assert_eq!(tx.booking_notes(&one.id).await.unwrap(), 0);
    tx.commit().await.unwrap();
}

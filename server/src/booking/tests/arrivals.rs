//! What clerks read of somebody who comes to an appointment.

use super::*;
use crate::front_office::Counter;

/// The visit, its line and its room name the first service.
#[tokio::test]
async fn the_clerk_reads_what_else_was_booked() {
    let stage = Stage::new().await;
    let counter = Counter(Arc::new(stage.house()));
    let concern = async |number: i64, services: &[&str]| {
        let services: Vec<_> = services.iter().map(|id| id.parse().unwrap()).collect();
        let place = stage.place(NOW);
        let start = at("2026-11-25T08:00:00Z") + jiff::SignedDuration::from_hours(24 * number);
        let dice = dice(number.unsigned_abs());
        let hold = stage.bookings.hold(&place, &services, start, &dice).await;
        let token = hold.unwrap().token.hash();
        let contact = Contact {
            accessibility: Some("Rollstuhl".to_owned()),
            ..contact("erika@example.org")
        };
        let booked = stage.bookings.book(&place, &token, contact).await;
        assert!(booked.is_ok());
        let id = bridge::ids::BookingId::from_random(dice.id);
        let mut read = stage.bookings.store.read().await.unwrap();
        let booking = read.booking(&id).await.unwrap().unwrap();
        let private = read.booking_private(&id).await.unwrap().unwrap();
        let concern = counter.words_of(&booking, private).concern.unwrap();
        concern.replace(&booking.code, "K7QM")
    };
    assert_eq!(concern(0, &["anmelden"]).await, "Termin K7QM. Rollstuhl");
    assert_eq!(
        concern(1, &["anmelden", "ummelden", "abmelden"]).await,
        "Termin K7QM. Auch gebucht: Gewerbe ummelden, Gewerbe abmelden. Rollstuhl"
    );
}

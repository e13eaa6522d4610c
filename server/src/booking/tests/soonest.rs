//! What the lobby says of appointments.

use gateway::port::NextAppointment;

use super::{NOW, Stage, WEDNESDAY, at};

#[tokio::test]
async fn the_next_free_appointment_is_told_until_there_is_none() {
    let mut stage = Stage::new().await;
    let terms = stage.office.booking.as_mut().unwrap();
    terms.rules.horizon_days = 40;
    let soonest = async |stage: &Stage| stage.bookings.soonest(&stage.place(NOW)).await.unwrap();
    let NextAppointment::At(first) = soonest(&stage).await else {
        panic!("nothing is booked yet");
    };
    assert!(first < at(WEDNESDAY), "{first}");
    // As many as there are desks.
    let mut number = 0;
    while stage.hold(number, &first.to_string(), NOW).await.is_ok() {
        number += 1;
    }
    assert!(number > 0);
    let NextAppointment::At(second) = soonest(&stage).await else {
        panic!("there are more");
    };
    assert!(second > first, "{second} after {first}");

    // Closed for four weeks: it is looked for far away as well.
    let open = stage.office.hours.weekly.clone();
    let mut day: jiff::civil::Date = "2026-11-23".parse().unwrap();
    let reopened: jiff::civil::Date = "2026-12-23".parse().unwrap();
    while day < reopened {
        stage.office.hours.exceptions.insert(day, Vec::new());
        day = day.tomorrow().unwrap();
    }
    let NextAppointment::At(far) = soonest(&stage).await else {
        panic!("the office opens again");
    };
    assert!(far >= at("2026-12-23T00:00:00Z"), "{far}");
    for periods in &mut stage.office.hours.weekly {
        periods.clear();
    }
    assert_eq!(soonest(&stage).await, NextAppointment::FullyBooked);
    stage.office.hours.weekly = open;
    stage.office.booking.as_mut().unwrap().services.clear();
    assert_eq!(soonest(&stage).await, NextAppointment::NotOffered);
}

//! What leads to a person, and that it goes.

use bridge::{
    ids::{ParticipantId, VisitId},
    input::Input,
    visit::Visitor,
};
use jiff::civil::date;
use store::{
    Author, Backend, Delivery, LinkRole, NewMessage, Participant, Store, StoreError, VisitMatrix,
    VisitPrivate,
};

use crate::{
    database::Database,
    sample::{at, guest, handle, knock, knocked, office, user},
};

const CONCERN: &str = "Meine Nachbarin Kasimira verkauft Lakritz";

async fn leave(store: &Store, visit: &VisitId) {
    handle(
        store,
        &office("gewerbe"),
        &Input::Leave {
            visit: visit.clone(),
        },
        10,
    )
    .await;
}

pub(crate) async fn words_are_erased_and_statistics_stay(database: Database) {
    let store = &database.store;
    let visit = knocked(store, 1).await;
    let private = VisitPrivate {
        concern: Some(CONCERN.to_owned()),
        name: Some("Kasimira Nachbar".to_owned()),
        interpreter: Some("Sorbisch".to_owned()),
        decline_text: None,
    };
    let mut tx = store.begin().await.unwrap();
    tx.put_private(&visit, &private).await.unwrap();
    tx.set_decline_text(&visit, Some("Dafür ist Kasimira zuständig"))
        .await
        .unwrap();
    tx.set_ghost(&visit, &user("_vorzimmer_1")).await.unwrap();
    tx.set_consultation_room(&visit, Some("!room:dormagen.example"))
        .await
        .unwrap();
    let message = NewMessage {
        visit: visit.clone(),
        client_id: None,
        author: Author::Guest,
        author_name: None,
        sent_at: at(1),
        body: CONCERN.to_owned(),
        file: None,
        delivery: Delivery::Sending,
        event_id: None,
    };
    let id = tx.insert_message(message).await.unwrap().message.id;
    tx.put_blob(id, CONCERN.as_bytes()).await.unwrap();
    assert!(
        !tx.erase_visit(&visit, at(5)).await.unwrap(),
        "not while it lives"
    );
    tx.commit().await.unwrap();
    let stored = store.read().await.unwrap().private(&visit).await.unwrap();
    assert_eq!(
        stored.decline_text.as_deref(),
        Some("Dafür ist Kasimira zuständig")
    );
    assert_eq!(
        VisitPrivate {
            decline_text: None,
            ..stored
        },
        private
    );
    assert!(!format!("{private:?}").contains("Kasimira"));

    leave(store, &visit).await;
    let mut read = store.read().await.unwrap();
    assert_eq!(
        read.due_for_erasure(at(10), 9).await.unwrap(),
        [],
        "ended at 10, not before"
    );
    let due = read.due_for_erasure(at(11), 9).await.unwrap();
    assert_eq!((due.len(), &due[0].visit), (1, &visit));
    assert_eq!(
        due[0].consultation_room.as_deref(),
        Some("!room:dormagen.example")
    );
    assert_eq!(due[0].ghost, Some(user("_vorzimmer_1")));
    drop(read);

    let mut tx = store.begin().await.unwrap();
    assert!(tx.erase_visit(&visit, at(20)).await.unwrap());
    assert!(!tx.erase_visit(&visit, at(21)).await.unwrap());
    tx.commit().await.unwrap();
    let mut read = store.read().await.unwrap();
    assert_eq!(read.private(&visit).await.unwrap(), VisitPrivate::default());
    assert_eq!(
        read.visit_matrix(&visit).await.unwrap(),
        VisitMatrix::default()
    );
    assert_eq!(read.messages(&visit, 0).await.unwrap(), []);
    assert_eq!(read.blob(id).await.unwrap(), None);
    assert_eq!(read.visit(&visit).await.unwrap(), None);
    assert_eq!(read.visits_of_guest(&guest(1), at(0)).await.unwrap(), []);
    assert_eq!(read.due_for_erasure(at(99), 9).await.unwrap(), []);
    drop(read);
    if store.backend() == Backend::Sqlite {
        assert!(store.scrub().await.unwrap());
        for file in std::fs::read_dir(database.folder()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(
                !bytes.windows(8).any(|window| window == b"Kasimira"),
                "erased is overwritten"
            );
            assert!(
                !bytes
                    .windows(26)
                    .any(|window| window == guest(1).as_str().as_bytes())
            );
        }
    }
}

pub(crate) async fn visits_are_found_by_ghost_and_room(database: Database) {
    let store = &database.store;
    let visit = knocked(store, 1).await;
    let mut tx = store.begin().await.unwrap();
    tx.set_ghost(&visit, &user("_vorzimmer_1")).await.unwrap();
    tx.set_knock_event(&visit, Some("$knock")).await.unwrap();
    tx.set_line_event(&visit, Some("$line")).await.unwrap();
    tx.set_concern_event(&visit, Some("$concern"))
        .await
        .unwrap();
    tx.set_consultation_room(&visit, Some("!room"))
        .await
        .unwrap();
    tx.set_concern_event(&visit, None).await.unwrap();
    tx.commit().await.unwrap();
    let mut read = store.read().await.unwrap();
    assert_eq!(
        read.visit_matrix(&visit).await.unwrap(),
        VisitMatrix {
            ghost: Some(user("_vorzimmer_1")),
            knock_event: Some("$knock".to_owned()),
            line_event: Some("$line".to_owned()),
            concern_event: None,
            consultation_room: Some("!room".to_owned()),
        }
    );
    let record = read.visit(&visit).await.unwrap();
    assert!(record.is_some());
    assert_eq!(
        read.visit_of_ghost("@_vorzimmer_1:dormagen.example")
            .await
            .unwrap(),
        record
    );
    assert_eq!(
        read.visit_of_ghost("@_vorzimmer_2:dormagen.example")
            .await
            .unwrap(),
        None
    );
    assert_eq!(read.visit_of_room("!room").await.unwrap(), record);
    assert_eq!(read.visit_of_room("").await.unwrap(), None);
    let gewerbe = office("gewerbe");
    assert_eq!(
        read.live_visit(&gewerbe, &Visitor::Guest(guest(1)))
            .await
            .unwrap(),
        record
    );
    let native = Visitor::Matrix(user("_vorzimmer_1"));
    assert_eq!(read.live_visit(&gewerbe, &native).await.unwrap(), None);
    assert_eq!(read.offices_with_visits().await.unwrap(), [gewerbe]);
}

pub(crate) async fn a_ghost_stands_for_one_visit(database: Database) {
    let store = &database.store;
    let (one, two) = (knocked(store, 1).await, knocked(store, 2).await);
    let mut tx = store.begin().await.unwrap();
    tx.set_ghost(&one, &user("_vorzimmer_1")).await.unwrap();
    let refused = tx.set_ghost(&two, &user("_vorzimmer_1")).await;
    assert!(
        matches!(refused, Err(StoreError::Constraint(_))),
        "{refused:?}"
    );
    drop(tx);

    // What belongs to a visit that is never saved is refused at the commit.
    let mut tx = store.begin().await.unwrap();
    tx.put_private(&crate::sample::visit(9), &VisitPrivate::default())
        .await
        .unwrap();
    let refused = tx.commit().await;
    assert!(
        matches!(refused, Err(StoreError::Constraint(_))),
        "{refused:?}"
    );
    handle(store, &office("gewerbe"), &knock(9), 1).await;
}

pub(crate) async fn a_visit_is_rated_once_after_its_end(database: Database) {
    let store = &database.store;
    let visit = knocked(store, 1).await;
    let day = date(2027, 1, 15);
    let mut tx = store.begin().await.unwrap();
    assert!(
        !tx.rate(&visit, day, 5).await.unwrap(),
        "not before its end"
    );
    tx.commit().await.unwrap();
    leave(store, &visit).await;
    let mut tx = store.begin().await.unwrap();
    let refused = tx.rate(&visit, day, 6).await;
    assert!(
        matches!(refused, Err(StoreError::Constraint(_))),
        "{refused:?}"
    );
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    assert!(tx.rate(&visit, day, 5).await.unwrap());
    assert!(!tx.rate(&visit, day, 1).await.unwrap());
    tx.commit().await.unwrap();
    let mut read = store.read().await.unwrap();
    let ratings = read.ratings(day, day).await.unwrap();
    assert_eq!(ratings.len(), 1);
    assert_eq!((ratings[0].stars, ratings[0].count), (5, 1));
    assert!(read.visit(&visit).await.unwrap().unwrap().rated);
    assert_eq!(
        read.ratings(date(2027, 1, 16), date(2028, 1, 1))
            .await
            .unwrap(),
        []
    );
}

pub(crate) async fn whom_a_visit_has_turned_out_comes_along_to_the_next(database: Database) {
    let store = &database.store;
    let (first, second) = (knocked(store, 1).await, knocked(store, 2).await);
    let participant = Participant {
        id: ParticipantId::from_random([9; 16]),
        visit: first.clone(),
        role: LinkRole::Companion,
        ghost: user("_vorzimmer_9"),
        guest: None,
        turned_out: false,
    };
    let mut tx = store.begin().await.unwrap();
    tx.add_participant(&participant, "hash", at(1))
        .await
        .unwrap();
    tx.turn_out_participant(&participant.id, true)
        .await
        .unwrap();
    let beside = tx.participants(&first).await.unwrap();
    let turned_out = Participant {
        turned_out: true,
        ..participant.clone()
    };
    assert_eq!(beside, [turned_out]);
    let out = tx.turned_out().await.unwrap();
    assert_eq!(out, [(first.clone(), participant.ghost.clone())]);
    tx.move_participant(&participant.id, &second).await.unwrap();
    let moved = tx.participant(&participant.id).await.unwrap().unwrap();
    assert_eq!((moved.visit, moved.turned_out), (second, false));
    tx.commit().await.unwrap();
}

pub(crate) async fn who_may_be_in_a_call_is_known_until_it_ends(database: Database) {
    let store = &database.store;
    let (first, second) = (knocked(store, 1).await, knocked(store, 2).await);
    let (anna, bernd) = (user("anna"), user("bernd"));
    let mut tx = store.begin().await.unwrap();
    for (visit, member, name) in [
        (&first, &anna, "2"),
        (&first, &anna, "1"),
        (&first, &bernd, "3"),
        (&second, &anna, "4"),
    ] {
        assert!(tx.add_call_name(visit, member, name, 2).await.unwrap());
    }
    let one_more = tx.add_call_name(&first, &anna, "one more", 2).await;
    assert!(!one_more.unwrap());
    let known = tx.add_call_name(&first, &anna, "1", 2).await;
    assert!(known.unwrap());
    tx.commit().await.unwrap();

    let mut read = store.read().await.unwrap();
    assert_eq!(read.call_names(&first, &anna).await.unwrap(), ["1", "2"]);
    assert!(read.call_names(&second, &bernd).await.unwrap().is_empty());
    let mut members = read.call_members().await.unwrap();
    members.sort();
    let mut expected = [
        (first.clone(), anna.clone()),
        (first.clone(), bernd),
        (second.clone(), anna.clone()),
    ];
    expected.sort();
    assert_eq!(members, expected);
    drop(read);

    let mut tx = store.begin().await.unwrap();
    tx.forget_call_names(&first).await.unwrap();
    assert_eq!(tx.call_members().await.unwrap(), [(second, anna)]);
    tx.commit().await.unwrap();
}

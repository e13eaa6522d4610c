//! Offices and visits: loading, deciding, saving.

use std::time::Duration;

use bridge::{
    ids::{Language, VisitId},
    input::{ClerkAction, Input, Knock},
    visit::{Ending, VisitKind, VisitState, Visitor},
};
use proptest::{
    collection,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use store::{Store, StoreError, Way};
use tokio::{runtime::Handle, task::block_in_place};

use crate::{
    database::Database,
    sample::{at, guest, handle, knock, now, office, rules, user, visit},
};

fn clerk(action: ClerkAction) -> Input {
    Input::Clerk {
        clerk: user("eva"),
        action,
    }
}

pub(crate) async fn a_visit_goes_through_the_store(database: Database) {
    let store = &database.store;
    let slug = office("gewerbe");
    let steps = [
        clerk(ClerkAction::OnDuty),
        knock(1),
        clerk(ClerkAction::CallNext),
        Input::Enter { visit: visit(1) },
        clerk(ClerkAction::End { visit: None }),
    ];
    for (second, input) in (0..).zip(&steps) {
        let (mut decided, _, saved) = handle(store, &slug, input, second * 60).await;
        assert!(saved.publish, "{input:?} changes what the public sees");
        decided.visits.retain(|_, visit| visit.is_live());
        let loaded = store
            .read()
            .await
            .unwrap()
            .load_office(&slug, rules())
            .await
            .unwrap();
        assert_eq!(loaded, decided, "after {input:?}");
    }
    let mut read = store.read().await.unwrap();
    let ended = read.visit(&visit(1)).await.unwrap().expect("is kept");
    assert_eq!(ended.office, slug);
    assert!(matches!(
        ended.visit.state,
        VisitState::Ended {
            ending: Ending::Served,
            ..
        }
    ));
    assert_eq!(
        read.visits_of_guest(&guest(1), at(0)).await.unwrap(),
        [ended]
    );
    assert_eq!(read.visits_of_guest(&guest(1), at(9999)).await.unwrap(), []);
    let office = read.load_office(&slug, rules()).await.unwrap();
    assert_eq!(office.recent_durations.len(), 1);
}

pub(crate) async fn what_is_not_committed_leaves_nothing(database: Database) {
    let store = &database.store;
    let slug = office("fundbuero");
    let mut tx = store.begin().await.unwrap();
    let mut changed = tx.load_office(&slug, rules()).await.unwrap();
    let outcome = changed.handle(knock(1), &now(0)).unwrap();
    tx.save_office(&changed, &outcome, at(0)).await.unwrap();
    assert!(
        tx.visit(&visit(1)).await.unwrap().is_some(),
        "it sees its own change"
    );
    drop(tx);

    let mut read = store.read().await.unwrap();
    assert_eq!(read.visit(&visit(1)).await.unwrap(), None);
    assert_eq!(read.due(Way::Matrix, at(100), 10).await.unwrap(), []);
    let loaded = read.load_office(&slug, rules()).await.unwrap();
    assert_eq!(loaded.last_ticket, None);
}

pub(crate) async fn fifty_tasks_on_one_office_lose_no_update(database: Database) {
    let slug = office("wahlamt");
    let mut tasks = tokio::task::JoinSet::new();
    for number in 1..=50 {
        let (store, slug) = (database.store.clone(), slug.clone());
        tasks.spawn(async move { handle(&store, &slug, &knock(number), 1).await });
    }
    tasks.join_all().await;
    let office = database
        .store
        .read()
        .await
        .unwrap()
        .load_office(&slug, rules())
        .await
        .unwrap();
    assert_eq!(office.visits.len(), 50);
    assert_eq!(office.last_ticket.map(|(_, number)| number), Some(50));
    let mut tickets: Vec<u32> = office
        .visits
        .values()
        .map(|visit| visit.ticket.number)
        .collect();
    tickets.sort_unstable();
    assert_eq!(tickets, (1..=50).collect::<Vec<u32>>());
}

/// An input about one of a few visits and clerks, so that they meet.
fn any_input() -> impl Strategy<Value = Input> {
    let action = prop_oneof![
        1 => Just(ClerkAction::OnDuty),
        1 => Just(ClerkAction::OffDuty),
        4 => Just(ClerkAction::CallNext),
        1 => any_visit().prop_map(|visit| ClerkAction::Call { visit }),
        1 => any_visit().prop_map(|visit| ClerkAction::Approve { visit }),
        1 => any_visit().prop_map(|visit| ClerkAction::Decline { visit }),
        2 => proptest::option::of(any_visit()).prop_map(|visit| ClerkAction::End { visit }),
        1 => Just(ClerkAction::Pause),
        2 => Just(ClerkAction::Resume),
    ];
    prop_oneof![
        5 => (1..12_u128, any::<bool>(), any::<bool>()).prop_map(|(number, native, booked)| {
            Input::Knock(Knock {
                visit: visit(number),
                visitor: if native {
                    Visitor::Matrix(user(&format!("citizen{number}")))
                } else {
                    Visitor::Guest(guest(number))
                },
                kind: if booked {
                    VisitKind::Appointment { at: at(900) }
                } else {
                    VisitKind::WalkIn
                },
                language: if native { Language::En } else { Language::De },
                service: booked.then(|| "anmelden".parse().unwrap()),
            })
        }),
        1 => any_visit().prop_map(|visit| Input::Leave { visit }),
        3 => any_visit().prop_map(|visit| Input::Enter { visit }),
        1 => (any_visit(), any::<bool>()).prop_map(|(visit, here)| Input::Presence { visit, here }),
        8 => (0..3_u8, action).prop_map(|(clerk, action)| Input::Clerk {
            clerk: user(&format!("clerk{clerk}")),
            action,
        }),
        1 => Just(Input::Tick),
    ]
}

fn any_visit() -> impl Strategy<Value = VisitId> {
    (1..12_u128).prop_map(visit)
}

/// Gives each run visits of its own: ids are unique in the installation.
fn renumber(input: Input, run: u128) -> Input {
    let own = |id: &VisitId| {
        let number = (1..12).find(|&number| visit(number) == *id).unwrap();
        visit(run * 1000 + number)
    };
    match input {
        Input::Knock(knock) => Input::Knock(Knock {
            visit: own(&knock.visit),
            ..knock
        }),
        Input::Leave { visit } => Input::Leave { visit: own(&visit) },
        Input::Enter { visit } => Input::Enter { visit: own(&visit) },
        Input::Presence { visit, here } => Input::Presence {
            visit: own(&visit),
            here,
        },
        Input::Clerk { clerk, action } => Input::Clerk {
            clerk,
            action: match action {
                ClerkAction::Call { visit } => ClerkAction::Call { visit: own(&visit) },
                ClerkAction::Approve { visit } => ClerkAction::Approve { visit: own(&visit) },
                ClerkAction::Decline { visit } => ClerkAction::Decline { visit: own(&visit) },
                ClerkAction::End { visit } => ClerkAction::End {
                    visit: visit.as_ref().map(own),
                },
                other => other,
            },
        },
        Input::Tick => Input::Tick,
    }
}

/// After each input, what is loaded is what was decided; and each ended visit reads back as it ended.
async fn survives(store: &Store, run: u128, script: Vec<(Input, i64)>) {
    let slug = office(&format!("office-{run}"));
    let mut seconds = 0;
    for (input, pause) in script {
        seconds += pause;
        let input = renumber(input, run);
        let mut tx = store.begin().await.unwrap();
        // A visit's id is minted once; the script may draw it twice.
        if let Input::Knock(knock) = &input
            && tx.visit(&knock.visit).await.unwrap().is_some()
        {
            continue;
        }
        let mut decided = tx.load_office(&slug, rules()).await.unwrap();
        let Ok(outcome) = decided.handle(input.clone(), &now(seconds)) else {
            continue;
        };
        tx.save_office(&decided, &outcome, at(seconds))
            .await
            .unwrap();
        tx.commit().await.unwrap();

        let mut read = store.read().await.unwrap();
        for (id, visit) in &decided.visits {
            let stored = read.visit(id).await.unwrap().expect("is stored");
            assert_eq!(
                (&stored.office, &stored.visit),
                (&slug, visit),
                "after {input:?}"
            );
        }
        decided.visits.retain(|_, visit| visit.is_live());
        let loaded = read.load_office(&slug, rules()).await.unwrap();
        assert_eq!(loaded, decided, "after {input:?}");
    }
}

pub(crate) async fn any_sequence_of_inputs_survives_the_store(database: Database) {
    let handle = Handle::current();
    let run = std::cell::Cell::new(0);
    let config = Config {
        cases: 16,
        failure_persistence: None,
        ..Config::default()
    };
    let scripts = collection::vec((any_input(), 0..200_i64), 1..30);
    block_in_place(|| {
        TestRunner::new(config).run(&scripts, |script| {
            run.set(run.get() + 1);
            handle.block_on(survives(&database.store, run.get(), script));
            Ok(())
        })
    })
    .unwrap();
}

pub(crate) async fn two_programs_on_one_database_take_turns(database: Database) {
    let slug = office("buergeramt");
    let other = Store::open(&database.config).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 1..=24 {
        let store = if number % 2 == 0 {
            other.clone()
        } else {
            database.store.clone()
        };
        let slug = slug.clone();
        tasks.spawn(async move { handle(&store, &slug, &knock(number), 1).await });
    }
    tasks.join_all().await;
    let loaded = other
        .read()
        .await
        .unwrap()
        .load_office(&slug, rules())
        .await
        .unwrap();
    assert_eq!(loaded.visits.len(), 24);
    assert_eq!(loaded.last_ticket.map(|(_, number)| number), Some(24));
    let jobs = other.read().await.unwrap().counts().await.unwrap().jobs;
    assert_eq!(jobs, 2 * 24, "each knock is placed and announced");
}

pub(crate) async fn a_second_writer_waits_and_readers_do_not(database: Database) {
    let store = &database.store;
    let slug = office("gewerbe");
    let other = Store::open(&database.config).await.unwrap();
    let mut first = store.begin().await.unwrap();
    let mut office = first.load_office(&slug, rules()).await.unwrap();
    let outcome = office.handle(knock(1), &now(0)).unwrap();
    first.save_office(&office, &outcome, at(0)).await.unwrap();

    // Writers who give up waiting, here and in another program, leave no transaction behind.
    for impatient in [store, &other] {
        let begun = tokio::time::timeout(Duration::from_millis(200), impatient.begin()).await;
        assert!(begun.is_err(), "waits for the first writer");
    }
    let mut read = other.read().await.unwrap();
    assert_eq!(read.visit(&visit(1)).await.unwrap(), None);
    first.commit().await.unwrap();
    assert_eq!(read.visit(&visit(1)).await.unwrap(), None, "a snapshot");
    assert!(
        store
            .read()
            .await
            .unwrap()
            .visit(&visit(1))
            .await
            .unwrap()
            .is_some()
    );

    handle(&other, &slug, &knock(2), 1).await;
    handle(store, &slug, &knock(3), 2).await;
    let loaded = other
        .read()
        .await
        .unwrap()
        .load_office(&slug, rules())
        .await
        .unwrap();
    assert_eq!(loaded.last_ticket.map(|(_, number)| number), Some(3));
}

pub(crate) async fn a_notice_lasts_as_long_as_the_pause(database: Database) {
    let store = &database.store;
    let slug = office("gewerbe");
    let notice = async || store.read().await.unwrap().notice(&slug).await.unwrap();
    assert_eq!(notice().await, None);
    let mut tx = store.begin().await.unwrap();
    let mut office = tx.load_office(&slug, rules()).await.unwrap();
    let outcome = office.handle(clerk(ClerkAction::Pause), &now(0)).unwrap();
    tx.set_notice(&slug, Some("Fortbildung bis 14\u{a0}Uhr \0"))
        .await
        .unwrap();
    tx.save_office(&office, &outcome, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        notice().await.as_deref(),
        Some("Fortbildung bis 14\u{a0}Uhr \u{FFFD}")
    );
    handle(store, &slug, &Input::Tick, 1).await;
    assert!(notice().await.is_some());
    handle(store, &slug, &clerk(ClerkAction::Resume), 2).await;
    assert_eq!(notice().await, None);
}

pub(crate) async fn a_damaged_row_is_named(database: Database) {
    let store = &database.store;
    let slug = office("gewerbe");
    handle(store, &slug, &knock(1), 0).await;
    handle(store, &office("fundbuero"), &knock(2), 0).await;
    let load = async || {
        store
            .read()
            .await
            .unwrap()
            .load_office(&slug, rules())
            .await
    };
    for (damage, column, repair) in [
        (
            "UPDATE visits SET ticket = '<script>' WHERE office = 'gewerbe'",
            "ticket",
            "UPDATE visits SET ticket = 'G-001' WHERE office = 'gewerbe'",
        ),
        (
            "UPDATE visits SET knocked_at = 9223372036854775807 WHERE office = 'gewerbe'",
            "knocked_at",
            "UPDATE visits SET knocked_at = 0 WHERE office = 'gewerbe'",
        ),
        (
            "UPDATE visits SET guest = 'eva' WHERE office = 'gewerbe'",
            "guest",
            "UPDATE visits SET guest = 'aaaaaaaaaaaaaaaaaaaaaaaaaa' WHERE office = 'gewerbe'",
        ),
    ] {
        database.meddle(damage).await;
        let Err(StoreError::Corrupt {
            table,
            row,
            column: named,
        }) = load().await
        else {
            panic!("{damage} is noticed");
        };
        assert_eq!(
            (table, row.as_str(), named),
            ("visits", visit(1).as_str(), column)
        );
        let mut read = store.read().await.unwrap();
        assert!(
            read.load_office(&office("fundbuero"), rules())
                .await
                .is_ok()
        );
        drop(read);
        database.meddle(repair).await;
        assert!(load().await.is_ok(), "{repair}");
    }
    database
        .meddle("UPDATE offices SET durations = '[1,' WHERE slug = 'gewerbe'")
        .await;
    let error = load().await.expect_err("is noticed").to_string();
    assert!(
        error.contains("offices") && error.contains("gewerbe"),
        "{error}"
    );
}

pub(crate) async fn one_live_visit_per_guest_also_by_schema(database: Database) {
    let store = &database.store;
    let slug = office("gewerbe");
    handle(store, &slug, &knock(1), 0).await;
    let mut tx = store.begin().await.unwrap();
    let mut office = tx.load_office(&slug, rules()).await.unwrap();
    let mut double = office.visits.remove(&visit(1)).unwrap();
    double.id = visit(2);
    double.ticket.number = 2;
    office.visits.insert(visit(2), double);
    let outcome = bridge::input::Outcome {
        changed: vec![visit(2)],
        commands: Vec::new(),
    };
    let refused = tx.save_office(&office, &outcome, at(1)).await;
    assert!(
        matches!(refused, Err(StoreError::Constraint(_))),
        "{refused:?}"
    );
}

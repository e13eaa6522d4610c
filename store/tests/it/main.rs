//! Every case runs on SQLite, and on PostgreSQL where its programs are at hand.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a helper as in a test, the unexpected fails the test"
)]

mod bookings;
mod database;
mod ghosts;
mod inbox;
mod messages;
mod offices;
mod opening;
mod outbox;
mod personal;
mod rooms;
mod sample;
mod traces;

use database::{Database, Postgres};

/// Each case as a test on SQLite, and one test that runs all of them on one PostgreSQL server.
macro_rules! cases {
    ($($module:ident :: $case:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    crate::$module::$case(crate::Database::sqlite().await).await;
                }
            )+
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn postgres() {
            let Some(postgres) = Postgres::start() else { return };
            $(
                println!("on PostgreSQL: {}", stringify!($module::$case));
                $module::$case(postgres.database().await).await;
            )+
        }
    };
}

cases! {
    ghosts::the_oldest_ready_ghost_is_taken_once,
    ghosts::no_ghost_is_given_twice,
    bookings::a_booking_goes_through_the_store,
    bookings::a_thousand_want_one_place_and_one_gets_it,
    bookings::the_schema_keeps_capacity_as_well,
    bookings::a_hold_lapses_and_its_place_is_free,
    bookings::what_somebody_else_has_by_now_is_not_kept,
    bookings::a_move_takes_the_new_place_before_it_gives_up_the_old,
    bookings::a_cancelled_place_comes_back_later,
    bookings::where_an_office_had_places_is_kept_while_somebody_waits,
    bookings::who_came_and_was_lost_is_found,
    bookings::appointments_are_counted_by_mail_address,
    bookings::what_is_over_keeps_neither_code_nor_places,
    bookings::the_person_is_erased_and_the_booking_stays,
    bookings::links_lead_to_their_booking_alone,
    bookings::what_came_back_about_a_booking_is_kept,
    bookings::a_calendar_is_at_one_address_alone,
    bookings::busy_times_are_kept_by_calendar,
    traces::the_link_in_a_calendar_leads_to_its_booking,
    traces::messages_about_a_person_are_taken_back_once,
    inbox::an_event_counts_once,
    inbox::events_come_in_order_until_processed,
    inbox::hostile_ids_are_taken,
    inbox::old_ids_are_forgotten,
    messages::the_same_client_id_gives_the_same_message,
    messages::the_same_event_gives_the_same_message,
    messages::pages_follow_the_cursor,
    messages::delivery_and_files_are_kept,
    messages::ids_are_never_used_twice,
    offices::a_visit_goes_through_the_store,
    offices::any_sequence_of_inputs_survives_the_store,
    offices::what_is_not_committed_leaves_nothing,
    offices::fifty_tasks_on_one_office_lose_no_update,
    offices::two_programs_on_one_database_take_turns,
    offices::a_second_writer_waits_and_readers_do_not,
    offices::a_notice_lasts_as_long_as_the_pause,
    offices::a_damaged_row_is_named,
    offices::one_live_visit_per_guest_also_by_schema,
    opening::migrating_again_changes_nothing,
    opening::a_newer_database_is_refused,
    opening::an_edited_migration_is_refused,
    opening::the_database_is_well,
    outbox::a_lane_keeps_its_order,
    outbox::a_job_put_off_holds_up_its_lane_only,
    outbox::mails_are_asked_for_apart,
    outbox::a_dead_letter_lets_its_lane_go_on,
    outbox::an_error_keeps_only_its_code,
    outbox::commands_go_into_their_lanes,
    personal::words_are_erased_and_statistics_stay,
    personal::visits_are_found_by_ghost_and_room,
    personal::a_ghost_stands_for_one_visit,
    personal::a_visit_is_rated_once_after_its_end,
    personal::whom_a_visit_has_turned_out_comes_along_to_the_next,
    personal::who_may_be_in_a_call_is_known_until_it_ends,
    rooms::rooms_and_what_was_published_are_kept,
    rooms::the_installation_keeps_its_id,
}

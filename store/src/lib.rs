//! `store` remembers: offices, visits, messages, the outbox and the inbox, on SQLite or PostgreSQL.
//!
//! **How to drive it.** [`Store::open`], [`Store::migrate`], then:
//! - [`Store::begin`] gives a [`Tx`], the only way to write. There is *one writer at a time*, on both
//!   databases and across processes: what a `Tx` reads nobody changes before its commit, there are no
//!   lost updates, no deadlocks and nothing to retry. So keep it short: no network inside.
//! - [`Store::read`] gives a [`Read`], a snapshot for any number of queries. A [`Tx`] can do all of them too.
//!
//! A [`Tx`] or [`Read`] that is dropped without [`Tx::commit`] leaves nothing behind.
//!
//! **What holds.** Instants are kept to the millisecond. Numbers of messages, jobs and inbox events rise in
//! the order of the commits and are never used twice. What is read back is checked like any other input: a
//! row that makes no sense is [`StoreError::Corrupt`] with its table and key, never a panic. No error holds
//! anything a person wrote. U+0000, which PostgreSQL cannot store, becomes U+FFFD.

mod bookings;
mod calls;
mod erasure;
mod error;
mod ghosts;
mod inbox;
mod matrix;
mod messages;
mod meta;
mod offices;
mod open;
mod outbox;
mod participants;
mod private;
mod ratings;
mod record;
mod rooms;
mod unit;
mod upkeep;
mod visits;

pub use bookings::{
    Booking, BookingErasure, BookingNote, BookingOffer, BookingPrivate, BookingState, BusyCalendar,
    Feed, FeedEntry, LinkRole, Reply, ReturnMail,
};
pub use erasure::Erasure;
pub use error::{Fault, StoreError};
pub use inbox::{InboxEvent, NewEvent};
pub use matrix::VisitMatrix;
pub use messages::{Author, Delivery, FileMeta, Inserted, Message, NewMessage};
pub use offices::Saved;
pub use open::{Backend, Store, StoreConfig};
pub use outbox::{DeadLetter, Job, JobId, Lane, Way, lane_of};
pub use participants::Participant;
pub use private::VisitPrivate;
pub use ratings::Rating;
pub use rooms::HouseRoom;
pub use unit::{Read, Tx};
pub use upkeep::{Counts, Health};
pub use visits::VisitRecord;

/// What every function here returns.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

//! The black-box harness: a real homeserver, the real program, real browsers, and clients that send exactly what
//! Element sends.
//!
//! Every [`World`] has a homeserver, a database and ports of its own: an application service owns a part of a
//! homeserver's names, so two of them cannot share one, and a test may stop or kill whatever it has. Starting one
//! takes about four seconds; tests are therefore whole scenarios, and run in parallel.

mod appointment;
mod artifacts;
mod browser;
mod call;
mod citizen;
mod city;
mod client;
mod database;
mod desk;
mod element_call;
mod gate;
mod guest;
mod json;
mod line;
mod media;
mod postgres;
mod relay;
mod site;
mod sync;
mod talk;
mod wait;
mod world;

pub use appointment::{Appointment, free_slots};
pub use artifacts::artifacts_dir;
pub use browser::{Browser, BrowserOptions, Devices, Engine, Viewport};
pub use call::{
    Backend, CallServer, Caller, Grant, Joining, Network, Picture, RECOVERY, Reach, Rooms, Signals,
    Tap, Way, Weather,
};
pub use citizen::{Citizen, Knock, Shown};
pub use city::{city_open_all_day, copy_city, edit_city};
pub use client::{Client, Reply};
pub use database::{Database, Held};
pub use desk::{Desk, Happening, membership};
pub use element_call::ElementCall;
pub use gate::Gate;
pub use guest::{Answer, Events, Guest};
pub use json::text;
pub use line::Line;
pub use media::Received;
pub use postgres::Postgres;
pub use relay::{RelayAccess, Service, Turn};
pub use site::Site;
pub use sync::{Sync, Syncing};
pub use talk::{MEMBER, Talk};
pub use wait::{eventually, within};
pub use world::{Mail, World, WorldOptions, program};

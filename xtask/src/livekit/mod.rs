//! What the tests of calls take from LiveKit: its server, built from its Go module, and its SDK for Python.

mod sdk;
mod server;

pub use sdk::Sdk;
pub use server::{SERVER_MODULE, server};

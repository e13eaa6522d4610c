//! Relays on this machine, LiveKit's server and ours, behind one interface, for tests and benchmarks.

mod grant;
mod server;
mod webhook;

pub use grant::Grant;
pub use server::{Backend, Reach, RelayServer};
pub use webhook::webhook;

//! Relays on this machine, LiveKit's server and ours, behind one interface, for tests and benchmarks.

mod grant;
mod server;

pub use grant::Grant;
pub use server::{Backend, Reach, RelayServer};

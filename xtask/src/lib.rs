//! What the README's commands call, and what the black-box tests start the same way: a Python environment with
//! Synapse, homeservers (alone or federating on loopback), the program `vorzimmer`, and ports for all of them.
//!
//! Everything started here ends with the process that started it, however that process ends
//! ([`process::Process`]).

pub mod bench;
pub mod browsers;
pub mod builds;
pub mod calendars;
pub mod console;
pub mod files;
pub mod http;
pub mod livekit;
pub mod lock;
pub mod mailbox;
pub mod paths;
pub mod ports;
pub mod process;
mod python;
pub mod relay;
pub mod secrets;
pub mod suite;
pub mod synapse;
pub mod up;
pub mod vorzimmer;

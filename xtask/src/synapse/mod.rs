//! A real Synapse on this machine: its Python environment, its configuration, its life, and what only its
//! administrator may do.

mod admin;
mod authority;
mod config;
mod homeserver;
mod venv;

pub use admin::{Account, Admin};
pub use authority::Authority;
pub use config::{Federation, HomeserverConfig, Purpose};
pub use homeserver::Homeserver;
pub use venv::Venv;

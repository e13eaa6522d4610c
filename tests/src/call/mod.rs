//! Calls without a browser: a relay (LiveKit's server, or ours by the same interface) and participants that are
//! LiveKit's SDK with the WebRTC of Chromium.
//!
//! Every participant publishes a picture and a tone from which whoever receives them can tell whose they are
//! (`tests/livekit/picture.py`), so that a test asserts what was decoded and heard instead of what was announced.

mod caller;
mod network;
mod rooms;
mod server;
mod signals;
mod tap;

pub use caller::{Caller, Joining, Picture, Way};
pub use network::{Network, RECOVERY, Weather};
pub use rooms::Rooms;
pub use server::CallServer;
pub use signals::Signals;
pub use tap::Tap;
pub use xtask::relay::{Backend, Grant, Reach};

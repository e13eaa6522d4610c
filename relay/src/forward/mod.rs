//! The forwarding core: what happens to one media packet between the publisher's socket and a subscriber's.
//!
//! Everything here is sans-IO: bytes, values and `now` come in, bytes and values go out. Nothing asks a clock or
//! draws randomness, nothing waits, and nothing allocates for a packet that is forwarded.
//!
//! **Driving contract.** For each inbound packet, once: [`rtp::Rtp::parse`], then [`payload::inspect`]. For each
//! subscriber of the track: [`downtrack::Downtrack::forward`], which answers with the header fields and the patch
//! of the packet to send, or with the reason why it is dropped. After that, [`downtrack::Downtrack::wants_keyframe`]
//! says whether the publisher has to be asked for one, and [`keyframe::Throttle`] how often that may happen.

pub mod allocate;
pub mod arrivals;
pub mod av1;
pub mod bitrate;
pub mod bucket;
pub mod bwe;
pub mod downtrack;
pub mod dynacast;
pub mod h264;
pub mod keyframe;
pub mod munge;
pub mod nack;
pub mod pace;
pub mod payload;
pub mod pictures;
pub mod quality;
mod renumber;
pub mod reports;
pub mod rtp;
pub mod rtx;
pub mod speakers;
pub(crate) mod temporal;
pub mod vp8;
pub mod vp9;
pub mod wanted;

/// How many simulcast layers a track can have (LiveKit: low, medium, high).
pub const MAX_LAYERS: usize = 3;

/// How many temporal layers are told apart; those above count as the last.
pub const MAX_TEMPORAL: usize = 4;

#[cfg(test)]
pub(crate) mod testing {
    use std::time::{Duration, Instant};

    /// Some instant; tests only ever look at differences.
    #[expect(
        clippy::disallowed_methods,
        reason = "an origin for virtual time, never compared with another reading"
    )]
    pub(crate) fn origin() -> Instant {
        static ORIGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        *ORIGIN.get_or_init(Instant::now)
    }

    /// `ms` milliseconds after [`origin`].
    pub(crate) fn at(ms: u64) -> Instant {
        origin() + Duration::from_millis(ms)
    }
}

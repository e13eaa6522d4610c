//! A selective forwarding unit that speaks the LiveKit protocol. It knows rooms and participants by opaque ids
//! and nothing of offices.

pub mod forward;
pub mod turn;

//! The thin shell around the rooms: threads, sockets, HTTP. Decides nothing.

pub(crate) mod api;
pub(crate) mod clock;
pub(crate) mod egress;
pub(crate) mod gauges;
pub(crate) mod http;
pub(crate) mod listener;
pub(crate) mod net;
pub(crate) mod rates;
pub(crate) mod routes;
pub(crate) mod shard;
pub(crate) mod shards;
pub(crate) mod signalling;
pub(crate) mod tcp;
pub(crate) mod webhooks;

//! What one client with credentials has done for it.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use tokio::{sync::Mutex, time::Instant};
use turn::{
    allocation::allocation_manager::{Manager, ManagerConfig},
    auth::AuthHandler,
    proto::lifetime::DEFAULT_LIFETIME,
    server::request::Request,
};
use util::Conn;

use super::exit::{Exits, Peer};

/// What came from a client.
pub(super) struct Packet {
    pub(super) bytes: Bytes,
    /// The nonce that it showed, if it is a request.
    pub(super) nonce: Option<String>,
}

/// One client, with the memory of its own that goes with it.
pub(super) struct Session {
    conn: Arc<dyn Conn + Send + Sync>,
    remote: SocketAddr,
    manager: Arc<Manager>,
    credentials: Arc<dyn AuthHandler + Send + Sync>,
    realm: String,
}

impl Session {
    pub(super) fn new(
        conn: Arc<dyn Conn + Send + Sync>,
        remote: SocketAddr,
        peers: Arc<[Peer]>,
        credentials: Arc<dyn AuthHandler + Send + Sync>,
        realm: String,
    ) -> Self {
        let manager = Manager::new(ManagerConfig {
            relay_addr_generator: Box::new(Exits { peers }),
            alloc_close_notify: None,
        });
        Self {
            conn,
            remote,
            manager: Arc::new(manager),
            credentials,
            realm,
        }
    }

    /// Carries a packet out; whether the client has an allocation after that.
    pub(super) async fn carry_out(&self, packet: Packet) -> bool {
        let is_data = packet.nonce.is_none();
        // The gate has looked at the nonce; the crate is to know this one and to remember none.
        let nonces = packet.nonce.map(|nonce| (nonce, Instant::now()));
        let mut request = Request {
            conn: Arc::clone(&self.conn),
            src_addr: self.remote,
            buff: packet.bytes.to_vec(),
            allocation_manager: Arc::clone(&self.manager),
            nonces: Arc::new(Mutex::new(nonces.into_iter().collect())),
            auth_handler: Arc::clone(&self.credentials),
            realm: self.realm.clone(),
            channel_bind_timeout: DEFAULT_LIFETIME,
        };
        let done = request.handle_request().await;
        if let Err(error) = &done {
            tracing::debug!(%error, "a TURN client's packet was not carried out");
        }
        // Data that was sent on came by an allocation.
        (is_data && done.is_ok()) || !self.manager.get_allocations_info(None).await.is_empty()
    }

    /// Ends the client's allocation.
    pub(super) async fn close(&self) {
        // It may have ended by itself.
        let _ = self.manager.close().await;
        let _ = self.conn.close().await;
    }
}

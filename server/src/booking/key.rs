//! The key from which the secrets in manage links are made.
//!
//! Every mail about a booking carries its link, also those written weeks later, but the database must hold nothing
//! that lets anybody in. So a link's secret is not stored: it is made anew each time, from the booking's id and this
//! key, which lies in a file beside the database and not in it. The database holds the secret's hash, to find the
//! booking by.

use std::{fmt::Write as _, path::Path, sync::Arc};

use anyhow::Result;
use bridge::ids::{BookingId, VisitId};
use gateway::appointments::Token;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::secret_file;

/// 256 bits.
#[derive(Clone)]
pub(crate) struct Key(Arc<[u8; 32]>);

impl Key {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(Arc::new(bytes))
    }

    /// Reads the key's file; makes it out of `fresh` random bytes when it is missing.
    pub(crate) fn open(path: &Path, fresh: [u8; 32]) -> Result<Self> {
        let cure =
            "Restore it from a backup; without it the links in mails that were sent lead nowhere";
        Ok(Self::new(secret_file::open(path, fresh, cure)?))
    }

    /// The secret in the booker's link.
    pub(crate) fn manage(&self, booking: &BookingId) -> Token {
        self.token("manage", booking)
    }

    /// The secret in the booker's calendar: others see what stands there.
    pub(crate) fn arrival(&self, booking: &BookingId) -> Token {
        self.token("arrival", booking)
    }

    /// The secret in the link of the companion who was named when booking.
    pub(crate) fn companion(&self, booking: &BookingId) -> Token {
        self.token("companion", booking)
    }

    /// The secret in the address to which answers about the booking come.
    pub(crate) fn reply(&self, booking: &BookingId) -> ReplySecret {
        let mac = self.mac("reply", booking);
        let mut text = String::with_capacity(ReplySecret::LENGTH);
        for byte in mac.iter().take(ReplySecret::LENGTH / 2) {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        ReplySecret(text)
    }

    /// The visit that a booking becomes: its room is made before its citizen comes.
    pub(crate) fn visit(&self, booking: &BookingId) -> VisitId {
        let bytes = self.mac("visit", booking);
        let (random, _) = bytes.split_first_chunk().unwrap_or((&[0; 16], &[]));
        VisitId::from_random(*random)
    }

    /// The visit that a booking becomes when the one before ended and its citizen comes again.
    pub(crate) fn visit_after(&self, before: &VisitId) -> VisitId {
        let bytes = self.mac_of("visit-after", before.as_str());
        let (random, _) = bytes.split_first_chunk().unwrap_or((&[0; 16], &[]));
        VisitId::from_random(*random)
    }

    /// A number for the booking that nobody can foresee.
    pub(crate) fn chance(&self, booking: &BookingId) -> u64 {
        let bytes = self.mac("chance", booking);
        let (first, _) = bytes.split_first_chunk().unwrap_or((&[0; 8], &[]));
        u64::from_be_bytes(*first)
    }

    fn token(&self, purpose: &str, booking: &BookingId) -> Token {
        Token::from_bytes(self.mac(purpose, booking))
    }

    fn mac(&self, purpose: &str, booking: &BookingId) -> [u8; 32] {
        self.mac_of(purpose, booking.as_str())
    }

    fn mac_of(&self, purpose: &str, id: &str) -> [u8; 32] {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_slice()) else {
            unreachable!("HMAC takes a key of any length")
        };
        mac.update(purpose.as_bytes());
        mac.update(b":");
        mac.update(id.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// The secret in an address: 128 bits as hexadecimal digits, because mail servers and calendars write addresses in
/// letters of either case.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ReplySecret(String);

impl ReplySecret {
    /// In characters.
    pub(super) const LENGTH: usize = 32;

    /// The secret in an address `name+secret@domain`, if there is one.
    pub(crate) fn in_address(address: &str) -> Option<Self> {
        let (local, _) = address.rsplit_once('@')?;
        let (_, secret) = local.rsplit_once('+')?;
        let sound = secret.len() == Self::LENGTH && secret.bytes().all(|b| b.is_ascii_hexdigit());
        sound.then(|| Self(secret.to_ascii_lowercase()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// What is stored of it: its SHA-256 in hexadecimal.
    pub(crate) fn hash(&self) -> String {
        let digest = Sha256::digest(self.0.as_bytes());
        digest.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

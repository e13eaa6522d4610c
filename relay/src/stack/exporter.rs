//! The secret of a connection's media, heard while the stack derives it.
//!
//! `rtc` keeps what its DTLS exporter yields (RFC 5705) to itself, but lets one pass the cryptography that it works
//! with. This one does what it is asked through the usual one, and notices the exporter of DTLS-SRTP (RFC 5764 §4.2)
//! by its label, which no other message of the handshake begins with.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rtc::{
    crypto::{
        ActiveKeyExchange, AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CbcAlgorithm,
        CbcCipher, CryptoAlgorithm, CryptoError, HashAlgorithm, HmacAlgorithm,
        KeyExchangeAlgorithm, Mac, PublicKey, RTCCrypto, RTCCryptoProvider, RTCRandom, SecretVec,
        SignatureScheme, SigningKey, StreamCipher, StreamCipherAlgorithm, default_provider,
    },
    srtp::config::LABEL_EXTRACTOR_DTLS_SRTP,
};

/// Keys and salts of both directions under the profile that takes most, AES-256 (RFC 7714 §12).
const MOST: usize = 2 * (32 + 12);

type Heard = Arc<Mutex<Option<SecretVec>>>;

/// The cryptography of one connection.
#[derive(Clone)]
pub(super) struct Exporter {
    provider: Arc<dyn RTCCryptoProvider>,
    heard: Heard,
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").finish_non_exhaustive()
    }
}

impl Exporter {
    pub(super) fn new() -> Result<Self, CryptoError> {
        Ok(Self {
            provider: default_provider()?,
            heard: Heard::default(),
        })
    }

    /// The keying material of a handshake that was completed since this was last asked; its first octets are those
    /// of every profile.
    pub(super) fn take(&self) -> Option<SecretVec> {
        lock(&self.heard).take()
    }
}

fn lock(heard: &Heard) -> std::sync::MutexGuard<'_, Option<SecretVec>> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A keyed HMAC that notices the exporter's seed.
struct Listener {
    mac: Box<dyn Mac>,
    heard: Heard,
}

impl Listener {
    /// `P_hash` (RFC 5246 §5) of the seed, under the key of this HMAC.
    fn expand(&mut self, seed: &[u8]) -> Result<SecretVec, CryptoError> {
        let length = self.mac.output_len();
        let mut block = vec![0; length];
        let (mut round, mut last) = (vec![0; length], seed.to_vec());
        let mut material = Vec::with_capacity(MOST + length);
        while material.len() < MOST {
            self.mac.sign(&[&last], &mut round)?;
            self.mac.sign(&[&round, seed], &mut block)?;
            material.extend_from_slice(&block);
            last.clone_from(&round);
        }
        Ok(SecretVec::new(material))
    }
}

impl Mac for Listener {
    fn output_len(&self) -> usize {
        self.mac.output_len()
    }

    fn sign(&mut self, input: &[&[u8]], output: &mut [u8]) -> Result<(), CryptoError> {
        if let [seed] = input
            && seed.starts_with(LABEL_EXTRACTOR_DTLS_SRTP.as_bytes())
        {
            let material = self.expand(seed)?;
            *lock(&self.heard) = Some(material);
        }
        self.mac.sign(input, output)
    }

    fn verify(&mut self, input: &[&[u8]], expected: &[u8]) -> Result<(), CryptoError> {
        self.mac.verify(input, expected)
    }
}

impl RTCCryptoProvider for Exporter {
    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self
    }

    fn random(&self) -> &dyn RTCRandom {
        self.provider.random()
    }
}

impl RTCCrypto for Exporter {
    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        let mac = self.provider.crypto().new_hmac(algorithm, key)?;
        // The pseudorandom function of DTLS 1.2; the others belong to STUN and SRTP.
        if algorithm != HmacAlgorithm::Sha256 {
            return Ok(mac);
        }
        let heard = Arc::clone(&self.heard);
        Ok(Box::new(Listener { mac, heard }))
    }

    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        self.provider.crypto().supports(algorithm)
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.provider.crypto().hash(algorithm, data)
    }

    fn block_encrypt(
        &self,
        algorithm: BlockCipherAlgorithm,
        key: &[u8],
        block: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.provider.crypto().block_encrypt(algorithm, key, block)
    }

    fn new_stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, CryptoError> {
        self.provider.crypto().new_stream_cipher(algorithm, key)
    }

    fn new_aead(
        &self,
        algorithm: AeadAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn AeadCipher>, CryptoError> {
        self.provider.crypto().new_aead(algorithm, key)
    }

    fn new_cbc(
        &self,
        algorithm: CbcAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn CbcCipher>, CryptoError> {
        self.provider.crypto().new_cbc(algorithm, key)
    }

    fn start_key_exchange(
        &self,
        algorithm: KeyExchangeAlgorithm,
    ) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        self.provider.crypto().start_key_exchange(algorithm)
    }

    fn generate_signing_key(
        &self,
        scheme: SignatureScheme,
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.provider.crypto().generate_signing_key(scheme)
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8_der: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        let crypto = self.provider.crypto();
        crypto.import_signing_key(scheme, pkcs8_der)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        let crypto = self.provider.crypto();
        crypto.verify_signature(scheme, public_key, message, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exporter_is_heard_and_once() {
        let exporter = Exporter::new().unwrap();
        let mut mac = exporter.new_hmac(HmacAlgorithm::Sha256, &[7; 48]).unwrap();
        let mut tag = [0; 32];
        mac.sign(&[b"key expansion", b"randoms"], &mut tag).unwrap();
        assert!(exporter.take().is_none());
        let seed = b"EXTRACTOR-dtls_srtp and both randoms";
        mac.sign(&[seed], &mut tag).unwrap();
        let material = exporter.take().unwrap();
        assert!(material.len() >= MOST);
        assert!(exporter.take().is_none());
        // The first block of P_hash is HMAC(key, A(1) + seed), and A(1) = HMAC(key, seed) is what was asked for.
        let first = tag;
        mac.sign(&[&first, seed], &mut tag).unwrap();
        assert_eq!(material.as_ref()[..32], tag);
    }
}

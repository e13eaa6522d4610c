//! A certificate authority for homeservers that federate on loopback.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use crate::files::{make_dir, read, write_private};

/// Signs the certificates of `localhost`, and is trusted by nobody but the homeservers told so.
#[derive(Debug)]
pub struct Authority {
    certificate: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// The authority kept in `dir`, made when there is none.
    pub fn in_dir(dir: &Path) -> Result<Self> {
        make_dir(dir)?;
        let certificate = dir.join("ca.pem");
        let key_file = dir.join("ca.key");
        let mut params = CertificateParams::new([])?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Vorzimmer demo authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = match read(&key_file)? {
            Some(pem) if certificate.exists() => KeyPair::from_pem(&pem)
                .with_context(|| format!("{} holds no key", key_file.display()))?,
            _ => {
                let key = KeyPair::generate()?;
                let pem = params.self_signed(&key)?.pem();
                fs::write(&certificate, pem)
                    .with_context(|| format!("cannot write {}", certificate.display()))?;
                write_private(&key_file, key.serialize_pem())?;
                key
            }
        };
        Ok(Self {
            certificate,
            issuer: Issuer::new(params, key),
        })
    }

    /// The authority's own certificate (PEM), which a homeserver lists in `federation_custom_ca_list`.
    #[must_use]
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// Writes a new certificate and key (PEM) for `localhost` into `dir`.
    pub fn issue(&self, dir: &Path) -> Result<(PathBuf, PathBuf)> {
        let key = KeyPair::generate()?;
        let certificate =
            CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, &self.issuer)?;
        let (certificate_file, key_file) = (dir.join("tls.pem"), dir.join("tls.key"));
        fs::write(&certificate_file, certificate.pem())
            .with_context(|| format!("cannot write {}", certificate_file.display()))?;
        write_private(&key_file, key.serialize_pem())?;
        Ok((certificate_file, key_file))
    }
}

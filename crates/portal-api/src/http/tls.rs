//! TLS of its own, for a portal without a proxy in front.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Between two looks at whether the certificate was renewed.
const RENEWAL: Duration = Duration::from_secs(60);

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The chain, the own certificate first, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
}

/// The certificate of the moment.
#[derive(Clone)]
pub struct Tls {
    config: TlsConfig,
    current: Arc<ArcSwap<TlsAcceptor>>,
}

impl Tls {
    /// # Errors
    /// The files cannot be read, or do not fit each other.
    pub fn open(config: &TlsConfig) -> Result<Self> {
        let acceptor = config.acceptor()?;
        Ok(Self { config: config.clone(), current: Arc::new(ArcSwap::from_pointee(acceptor)) })
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::clone(&self.current.load())
    }

    /// Takes a renewed certificate, until `stop`. One that cannot be used leaves the old
    /// one where it is.
    pub async fn follow(self, stop: CancellationToken) {
        let mut known = self.config.changed_at();
        while stop.run_until_cancelled(tokio::time::sleep(RENEWAL)).await.is_some() {
            let now = self.config.changed_at();
            if now == known {
                continue;
            }
            match self.config.acceptor() {
                Ok(acceptor) => {
                    self.current.store(Arc::new(acceptor));
                    known = now;
                    tracing::info!("the certificate was renewed");
                }
                Err(error) => tracing::error!(error = %error, "the renewed certificate cannot be used: {error:#}"),
            }
        }
    }
}

impl TlsConfig {
    fn acceptor(&self) -> Result<TlsAcceptor> {
        let Self { certificate, key } = self;
        let place = || format!("[tls]: `{}`", certificate.display());
        let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate).with_context(place)?.collect();
        let secret = PrivateKeyDer::from_pem_file(key).with_context(|| format!("[tls]: `{}`", key.display()))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain.with_context(place)?, secret)
            .with_context(place)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// When each file was written last.
    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key].map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok())
    }
}

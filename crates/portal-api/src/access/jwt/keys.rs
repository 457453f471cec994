//! The keys that sign: made when needed, changed after a month, shared by all
//! processes that have the key to seal them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};
use sha2::Digest as _;
use tokio::sync::Mutex;

use super::claims::{self, Claims};
use super::store::{self, StoredKey};
use crate::access::seal::Sealer;
use crate::db::{DbError, Priority};
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// After which another key signs.
const SIGNS: TimeDelta = TimeDelta::days(30);
/// After which nothing that it signed can hold, and it is forgotten.
const KEPT: TimeDelta = TimeDelta::days(31);
/// Between two readings because of keys that are unknown.
const PATIENCE: TimeDelta = TimeDelta::seconds(5);
/// For which the public keys are believed to be all.
const FRESH: TimeDelta = TimeDelta::seconds(60);

/// The keys of all processes, as this one knows them.
pub struct Keys {
    sealer: Arc<Sealer>,
    known: RwLock<Known>,
    /// One at a time makes a key.
    making: Mutex<()>,
}

#[derive(Default, Clone)]
struct Known {
    verifying: Arc<HashMap<String, DecodingKey>>,
    /// As other systems read them.
    public: Arc<Vec<Value>>,
    signing: Option<Arc<Signing>>,
    read_at: Option<DateTime<Utc>>,
}

struct Signing {
    kid: String,
    key: EncodingKey,
    created_at: DateTime<Utc>,
}

impl Keys {
    pub fn new(sealer: Arc<Sealer>) -> Self {
        Self { sealer, known: RwLock::default(), making: Mutex::default() }
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Signs with the current key.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn sign(&self, app: &App, claims: &Claims) -> ApiResult<String> {
        let signing = self.signing(app).await?;
        claims::sign(claims, &signing.kid, &signing.key).map_err(internal)
    }

    /// The key of this name, if it is one of this portal's.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn verifying(&self, app: &App, kid: &str) -> ApiResult<Option<DecodingKey>> {
        let known = self.known();
        let now = app.clock.now();
        if let Some(key) = known.verifying.get(kid).filter(|_| known.is_newer(now, FRESH)) {
            return Ok(Some(key.clone()));
        }
        // Whoever makes up names costs one reading in a while.
        let known = if known.is_newer(now, PATIENCE) { known } else { self.read(app, now).await? };
        Ok(known.verifying.get(kid).cloned())
    }

    /// The public keys, as JWKs.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn public(&self, app: &App) -> ApiResult<Arc<Vec<Value>>> {
        let (known, now) = (self.known(), app.clock.now());
        let known = if known.is_newer(now, PATIENCE) { known } else { self.read(app, now).await? };
        Ok(known.public)
    }

    async fn signing(&self, app: &App) -> ApiResult<Arc<Signing>> {
        let now = app.clock.now();
        let usable = |known: &Known| known.signing.clone().filter(|key| now - key.created_at < SIGNS);
        if let Some(signing) = usable(&self.known()) {
            return Ok(signing);
        }
        let _turn = self.making.lock().await;
        if let Some(signing) = usable(&self.read(app, now).await?) {
            return Ok(signing);
        }
        let made = self.make(now)?;
        let work = app.db.write(Priority::Interactive, move |txn| {
            Box::pin(async move {
                store::forget_before(txn, now - KEPT).await?;
                store::add(txn, made).await?;
                Ok::<_, DbError>(())
            })
        });
        work.await?;
        let known = self.read(app, now).await?;
        usable(&known).ok_or_else(|| internal("a new key cannot be read back"))
    }

    fn make(&self, now: DateTime<Utc>) -> ApiResult<StoredKey> {
        let pair = Ed25519KeyPair::generate().map_err(internal)?;
        let secret = pair.to_pkcs8().map_err(internal)?;
        let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let kid = thumbprint(&public);
        let sealed = self.sealer.seal(&place(&kid), secret.as_ref()).map_err(internal)?;
        Ok(StoredKey { kid, public, sealed, created_at: now })
    }

    async fn read(&self, app: &App, now: DateTime<Utc>) -> ApiResult<Known> {
        let stored = store::all(app.db.reader()).await?;
        let mut known = Known { read_at: Some(now), ..Known::default() };
        let (mut verifying, mut public) = (HashMap::new(), Vec::new());
        for StoredKey { kid, public: x, sealed, created_at } in stored {
            if now - created_at >= KEPT {
                continue;
            }
            verifying.insert(kid.clone(), DecodingKey::from_ed_components(&x).map_err(internal)?);
            public.push(json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x}));
            // Sealed with the key of another process, it only verifies.
            if let Ok(secret) = self.sealer.unseal(&place(&kid), &sealed) {
                known.signing = Some(Arc::new(Signing { kid, key: EncodingKey::from_ed_der(&secret), created_at }));
            }
        }
        known.verifying = Arc::new(verifying);
        known.public = Arc::new(public);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known.clone();
        Ok(known)
    }
}

impl Known {
    fn is_newer(&self, now: DateTime<Utc>, than: TimeDelta) -> bool {
        self.read_at.is_some_and(|at| now >= at && now - at < than)
    }
}

/// Where a key stands, for its seal.
pub(super) fn place(kid: &str) -> String {
    format!("signing_key/{kid}")
}

/// The name of a public key: its thumbprint (RFC 7638).
fn thumbprint(x: &str) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(canonical.as_bytes()))
}

fn internal(error: impl std::fmt::Display) -> ApiError {
    ApiError::Internal(format!("signing keys: {error}"))
}

#[cfg(test)]
mod tests {
    /// The example of RFC 8037, appendix A.3.
    #[test]
    fn names_are_thumbprints() {
        assert_eq!(
            super::thumbprint("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }
}

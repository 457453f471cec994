//! `Idempotency-Key`: a request that is sent again has no second effect.

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use portal_core::access::Principal;
use sha2::Digest as _;

use crate::db::idempotency;
use crate::db::{DatabaseTransaction, Db, DbError};
use crate::error::{ApiError, ApiResult};

/// A key and what it was first used for.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    actor: String,
    key: String,
    request_hash: String,
}

/// What a request with a key should do.
#[derive(Debug, Clone)]
pub enum Idempotent {
    /// No key was given.
    Plain,
    /// Do it, and record the answer in the same transaction.
    First(IdempotencyKey),
    /// It was done; answer the same.
    Replay(StatusCode, String),
}

impl Idempotent {
    /// Looks the key of a request up. `request` is what the answer depends on:
    /// route and body.
    ///
    /// # Errors
    /// 400 for a malformed key, 422 for a key that was used for something else.
    pub async fn check(db: &Db, principal: &Principal, headers: &HeaderMap, request: &[&[u8]]) -> ApiResult<Self> {
        let Some(value) = headers.get("idempotency-key") else { return Ok(Self::Plain) };
        let is_visible = |key: &&str| key.bytes().all(|sign| sign.is_ascii_graphic());
        let key = value.to_str().ok().filter(|key| !key.is_empty() && key.len() <= 255).filter(is_visible);
        let Some(key) = key else {
            return Err(ApiError::bad(
                "invalid_idempotency_key",
                "`Idempotency-Key` holds 1 to 255 visible characters",
            ));
        };
        let mut hasher = sha2::Sha256::new();
        for part in request {
            hasher.update(part.len().to_le_bytes());
            hasher.update(part);
        }
        let request_hash = hex::encode(hasher.finalize());
        let actor = principal.actor.0.clone();
        match idempotency::find(db.reader(), &actor, key).await? {
            None => Ok(Self::First(IdempotencyKey { actor, key: key.to_owned(), request_hash })),
            Some(used) if used.request_hash == request_hash => {
                let status = u16::try_from(used.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
                Ok(Self::Replay(status.unwrap_or(StatusCode::OK), used.body))
            }
            Some(_) => Err(ApiError::invalid(
                "idempotency_key_reused",
                format!("the key `{key}` was used for another request; use a new one"),
                Vec::new(),
            )),
        }
    }

    /// Records the answer, inside the transaction that does the work.
    ///
    /// # Errors
    /// The same key is being used by another request at this moment.
    pub async fn record(
        &self,
        txn: &DatabaseTransaction,
        now: DateTime<Utc>,
        status: StatusCode,
        body: &str,
    ) -> ApiResult<()> {
        let Self::First(IdempotencyKey { actor, key, request_hash }) = self else { return Ok(()) };
        let kept = idempotency::insert(txn, actor, key, request_hash, status.as_u16().into(), body, now).await;
        kept.map_err(|error| match error {
            DbError::Unique(_) => {
                let why = "the same request was taken in the same moment; send it again for its answer".to_owned();
                ApiError::conflict("request_under_way", why)
            }
            other => other.into(),
        })
    }
}

/// The answer of the first time, once more.
pub fn replayed(status: StatusCode, body: String) -> Response {
    let json = (header::CONTENT_TYPE, "application/json");
    (status, [json, (HeaderName::from_static("idempotent-replayed"), "true")], body).into_response()
}

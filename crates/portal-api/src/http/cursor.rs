//! Cursors of `/api/v1`: opaque to clients, JSON in URL-safe base64 inside.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, ApiResult};

pub fn encode<T: Serialize>(position: &T) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).unwrap_or_default())
}

/// A page of a list of which one more was asked for, and the cursor of the next, if there
/// is one.
pub fn page<T, P: Serialize>(
    mut items: Vec<T>,
    limit: u64,
    position: impl FnOnce(&T) -> P,
) -> (Vec<T>, Option<String>) {
    let more = items.len() as u64 > limit;
    items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = items.last().filter(|_| more).map(|last| encode(&position(last)));
    (items, next)
}

/// Reads a cursor that this API gave out.
///
/// # Errors
/// 400 for anything else.
pub fn decode<T: DeserializeOwned>(cursor: &str) -> ApiResult<T> {
    let malformed = || ApiError::parameter("cursor", "not a cursor of this list; start again without it");
    if cursor.len() > 4096 {
        return Err(malformed());
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| malformed())?;
    serde_json::from_slice(&bytes).map_err(|_| malformed())
}

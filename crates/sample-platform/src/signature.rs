//! Whether a request is signed: <https://www.standardwebhooks.com>, as its receiver sees it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// # Errors
/// What is wrong with it.
pub(super) fn check(
    (secret, tolerance): (&str, Duration),
    id: &str,
    time: &str,
    signatures: &str,
    body: &[u8],
) -> Result<(), &'static str> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let sent: u64 = time.parse().map_err(|_| "the request has no time")?;
    if now.abs_diff(sent) > tolerance.as_secs() {
        return Err("the request is of another time");
    }
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).map_err(|_| "the platform has no secret")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| "the platform has no secret")?;
    for part in [id.as_bytes(), b".", time.as_bytes(), b".", body] {
        mac.update(part);
    }
    let fits = |signature: &str| {
        let claimed = signature.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok());
        claimed.is_some_and(|claimed| mac.clone().verify_slice(&claimed).is_ok())
    };
    signatures.split(' ').any(fits).then_some(()).ok_or("the signature does not fit")
}

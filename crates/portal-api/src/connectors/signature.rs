//! Signatures of what is sent to a platform: <https://www.standardwebhooks.com>, version 1.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::sources::credential::Secret;

/// Why a secret signs nothing.
pub const UNFIT: &str = "the signing secret is `whsec_` and 16 to 64 bytes as Base64";

/// The headers of a delivery: its id, its time, and the signature over both and the body.
///
/// # Errors
/// The secret is none.
pub fn headers(id: &str, at: DateTime<Utc>, body: &[u8], secret: &Secret) -> Result<HeaderMap, &'static str> {
    let text = secret.expose();
    let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).map_err(|_| UNFIT)?;
    if !(16..=64).contains(&key.len()) {
        return Err(UNFIT);
    }
    let time = at.timestamp().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| UNFIT)?;
    for part in [id.as_bytes(), b".", time.as_bytes(), b".", body] {
        mac.update(part);
    }
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let pairs = [("webhook-id", id), ("webhook-timestamp", time.as_str()), ("webhook-signature", signature.as_str())];
    let header = |(name, value): (&'static str, &str)| {
        Ok((HeaderName::from_static(name), HeaderValue::from_str(value).map_err(|_| "the id cannot be sent")?))
    };
    pairs.into_iter().map(header).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_signed_as_there() {
        let secret = Secret::new("whsec_plJ3nmyCDGBKInavdOK15jsl".to_owned());
        let at = DateTime::from_timestamp(1_731_705_121, 0).unwrap();
        let body = br#"{"event_type":"ping","data":{"success":true}}"#;
        let headers = headers("msg_loFOjxBNrRLzqYUf", at, body, &secret).unwrap();
        assert_eq!(headers["webhook-signature"], "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
    }

    #[test]
    fn what_is_no_secret_signs_nothing() {
        for text in ["", "whsec_", "whsec_!", "whsec_c2hvcnQ=", "password"] {
            assert_eq!(headers("m", Utc::now(), b"", &Secret::new(text.to_owned())).unwrap_err(), UNFIT, "{text}");
        }
    }
}

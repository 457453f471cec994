//! Signatures of what is sent to a platform, and of what is sent to the portal:
//! <https://www.standardwebhooks.com>, version 1.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::sources::credential::Secret;

/// How far the clock of a sender may be off.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// Bytes of the id of a delivery.
const ID: usize = 256;

/// Why a secret signs nothing.
pub const UNFIT: &str = "the signing secret is `whsec_` and 16 to 64 bytes as Base64";

/// The headers of a delivery: its id, its time, and the signature over both and the body.
///
/// # Errors
/// The secret is none.
pub fn headers(id: &str, at: DateTime<Utc>, body: &[u8], secret: &Secret) -> Result<HeaderMap, &'static str> {
    let time = at.timestamp().to_string();
    let signature = format!("v1,{}", STANDARD.encode(mac(id, &time, body, secret)?.finalize().into_bytes()));
    let pairs = [("webhook-id", id), ("webhook-timestamp", time.as_str()), ("webhook-signature", signature.as_str())];
    let header = |(name, value): (&'static str, &str)| {
        Ok((HeaderName::from_static(name), HeaderValue::from_str(value).map_err(|_| "the id cannot be sent")?))
    };
    pairs.into_iter().map(header).collect()
}

fn mac(id: &str, time: &str, body: &[u8], secret: &Secret) -> Result<Hmac<Sha256>, &'static str> {
    let text = secret.expose();
    let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).map_err(|_| UNFIT)?;
    if !(16..=64).contains(&key.len()) {
        return Err(UNFIT);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| UNFIT)?;
    for part in [id.as_bytes(), b".", time.as_bytes(), b".", body] {
        mac.update(part);
    }
    Ok(mac)
}

/// The id of a delivery that is signed with the secret, and of now. Signatures are compared
/// in constant time; one of several is enough, so that a sender can change its secret.
///
/// # Errors
/// It is not, in words.
pub fn verified(headers: &HeaderMap, now: DateTime<Utc>, body: &[u8], secret: &Secret) -> Result<String, &'static str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
    let parts = (text("webhook-id"), text("webhook-timestamp"), text("webhook-signature"));
    let (Some(id), Some(time), Some(signatures)) = parts else {
        return Err("it is not signed: `webhook-id`, `webhook-timestamp` and `webhook-signature` are needed");
    };
    let mac = mac(id, time, body, secret)?;
    let mut given = signatures.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    if id.len() > ID || !given.any(|signature| mac.clone().verify_slice(&signature).is_ok()) {
        return Err("the signature does not match");
    }
    let at = time.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    match at.is_some_and(|at| (now - at).abs() <= TOLERANCE) {
        true => Ok(id.to_owned()),
        false => Err("it was signed more than five minutes ago, or will be"),
    }
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
    fn what_is_signed_is_told_from_what_is_not() {
        let secret = Secret::new("whsec_plJ3nmyCDGBKInavdOK15jsl".to_owned());
        let other = Secret::new("whsec_c29tZXRoaW5nIGVsc2UgaGVyZQ==".to_owned());
        let at = DateTime::from_timestamp(1_731_705_121, 0).unwrap();
        let signed = headers("msg_1", at, b"{}", &secret).unwrap();
        let late = at + TimeDelta::seconds(301);
        assert_eq!(verified(&signed, at, b"{}", &secret).as_deref(), Ok("msg_1"));
        assert_eq!(verified(&signed, at + TimeDelta::seconds(300), b"{}", &secret).as_deref(), Ok("msg_1"));
        for (headers, now, body, secret, told) in [
            (&signed, at, &b"{ }"[..], &secret, "does not match"),
            (&signed, at, b"{}", &other, "does not match"),
            (&signed, late, b"{}", &secret, "five minutes"),
            (&signed, at - TimeDelta::seconds(301), b"{}", &secret, "five minutes"),
            (&HeaderMap::new(), at, b"{}", &secret, "not signed"),
        ] {
            assert!(verified(headers, now, body, secret).unwrap_err().contains(told), "{told}");
        }
        for (name, value) in
            [("webhook-id", "msg_2"), ("webhook-timestamp", "1731705122"), ("webhook-signature", "v1,")]
        {
            let mut forged = signed.clone();
            forged.insert(name, HeaderValue::from_static(value));
            assert_eq!(verified(&forged, at, b"{}", &secret), Err("the signature does not match"), "{name}");
        }
        let mut both = signed.clone();
        let two = format!("v1,AAAA {}", signed["webhook-signature"].to_str().unwrap());
        both.insert("webhook-signature", HeaderValue::from_str(&two).unwrap());
        assert!(verified(&both, at, b"{}", &secret).is_ok());
    }

    #[test]
    fn what_is_no_secret_signs_nothing() {
        for text in ["", "whsec_", "whsec_!", "whsec_c2hvcnQ=", "password"] {
            assert_eq!(headers("m", Utc::now(), b"", &Secret::new(text.to_owned())).unwrap_err(), UNFIT, "{text}");
        }
    }
}

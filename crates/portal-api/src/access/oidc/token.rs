//! Checking an id token: whose it is, and that it was made for this sign-in.
//!
//! Source of the rules: OpenID Connect Core 1.0, section 3.1.3.7, and RFC 8725.

use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};

/// Seconds by which the clocks of provider and portal may differ.
const LEEWAY: i64 = 5;
/// Seconds after which a token that still holds was made too long ago for a sign-in.
pub const AGE: i64 = 10 * 60;
/// Bytes of a token.
const LIMIT: usize = 64 << 10;
/// With public keys only: what is signed with a shared secret could be signed by anybody
/// who knows it, and `none` by everybody.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    /// Of the sign-in that the browser began, where there is one.
    pub nonce: Option<&'a str>,
    /// Seconds after which it was made too long ago.
    pub age: i64,
    pub now: DateTime<Utc>,
}

/// Why a token is refused; the log shows it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("the id token is malformed: {0}")]
    Malformed(String),
    #[error("the id token is signed with `{0}`, which is not accepted")]
    Algorithm(String),
    /// The provider may have a new key: its keys are worth reading again.
    #[error("no key of the provider has signed the id token")]
    UnknownKey,
    #[error("the signature of the id token is wrong, or it is not for this client and from this issuer: {0}")]
    Refused(String),
    #[error("the claim `{0}` of the id token is missing or wrong")]
    Claim(&'static str),
    #[error("the id token has expired")]
    Expired,
}

/// The claims of a token that is right.
///
/// # Errors
/// The first rule that it breaks.
pub fn check(token: &str, keys: &JwkSet, expected: Expected<'_>) -> Result<Map<String, Value>, Unfit> {
    if token.len() > LIMIT {
        return Err(Unfit::Malformed("it is too long".to_owned()));
    }
    let header = decode_header(token).map_err(|error| Unfit::Malformed(error.to_string()))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Unfit::Algorithm(format!("{:?}", header.alg)));
    }
    let key = key(keys, header.kid.as_deref(), header.alg).ok_or(Unfit::UnknownKey)?;
    let key = DecodingKey::from_jwk(key).map_err(|error| Unfit::Malformed(error.to_string()))?;
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client_id]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // Times are checked below, by the portal's clock.
    validation.validate_exp = false;
    let token = decode::<Map<String, Value>>(token, &key, &validation);
    let claims = token.map_err(|error| Unfit::Refused(error.to_string()))?.claims;
    times(&claims, expected.age, expected.now.timestamp())?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("sub").is_none_or(|subject| subject.is_empty() || subject.len() > 255) {
        return Err(Unfit::Claim("sub"));
    }
    let Some(nonce) = expected.nonce else { return Ok(claims) };
    if text("nonce") != Some(nonce) {
        return Err(Unfit::Claim("nonce"));
    }
    let audiences = claims.get("aud").and_then(Value::as_array).map_or(1, Vec::len);
    let party = text("azp");
    if (audiences > 1 || claims.contains_key("azp")) && party != Some(expected.client_id) {
        return Err(Unfit::Claim("azp"));
    }
    Ok(claims)
}

fn times(claims: &Map<String, Value>, age: i64, now: i64) -> Result<(), Unfit> {
    // Fractions are allowed, and rounded.
    let time = |name: &str| claims.get(name).and_then(Value::as_f64).map(|seconds| seconds as i64);
    let expiry = time("exp").ok_or(Unfit::Claim("exp"))?;
    if expiry.saturating_add(LEEWAY) <= now {
        return Err(Unfit::Expired);
    }
    let issued = time("iat").ok_or(Unfit::Claim("iat"))?;
    if issued.saturating_sub(LEEWAY) > now || issued.saturating_add(age) < now {
        return Err(Unfit::Claim("iat"));
    }
    if claims.contains_key("nbf") && time("nbf").is_none_or(|begin| begin.saturating_sub(LEEWAY) > now) {
        return Err(Unfit::Claim("nbf"));
    }
    Ok(())
}

/// The key with this id; without an id the only key of this kind.
fn key<'a>(keys: &'a JwkSet, id: Option<&str>, algorithm: Algorithm) -> Option<&'a Jwk> {
    let fits = |key: &&Jwk| {
        let Jwk { common, .. } = key;
        let signs = common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
        let of_its_kind = common.key_algorithm.is_none_or(|own| own.to_string() == format!("{algorithm:?}"));
        signs && of_its_kind && (id.is_none() || common.key_id.as_deref() == id)
    };
    let mut found = keys.keys.iter().filter(fits);
    found.next().filter(|_| found.next().is_none())
}

//! What a short-lived token says, and checking it.
//!
//! Source of the rules: RFC 8725 (algorithm, type and key are the verifier's to
//! choose; issuer, audience and times are required) and RFC 9068 (`at+jwt`).

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use portal_core::access::{Role, Verb};
use serde::{Deserialize, Serialize};

/// Its own type, so that a token that was made for something else is none of these.
pub const TYPE: &str = "at+jwt";
/// Seconds by which the clocks of replicas may differ.
pub const LEEWAY: i64 = 5;
/// Longest life in seconds.
pub const LONGEST: i64 = 600;
/// Bytes of a token.
const LIMIT: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    pub iss: String,
    /// Id of the account.
    pub sub: String,
    pub aud: String,
    pub exp: i64,
    pub nbf: i64,
    pub iat: i64,
    pub jti: String,
    /// The name that the account signs in with.
    pub name: String,
    pub role: Role,
    /// Verbs, with spaces between (RFC 8693, section 4.2); all that the role may when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What it was made from; it ends with it.
    pub parent: Parent,
}

/// What a token was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parent {
    /// By its id, as it is listed.
    Session(String),
    Token(String),
    /// The token of a CI job, by the name of the issuer in the configuration.
    Ci(String),
}

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("it is malformed")]
    Malformed,
    #[error("it is not signed with EdDSA, of the type `{TYPE}`, by a key that is named")]
    Header,
    #[error("this portal has no such key")]
    UnknownKey,
    #[error("its signature is wrong, or it is not from this portal and for it")]
    Refused,
    #[error("it has expired")]
    Expired,
    #[error("its times make no sense")]
    Times,
    #[error("it names a scope that there is not")]
    Scope,
}

impl Claims {
    /// What it is limited to.
    ///
    /// # Errors
    /// A scope that there is not.
    pub fn verbs(&self) -> Result<Option<Vec<Verb>>, Unfit> {
        let verbs = |scope: &str| -> Option<Vec<Verb>> {
            scope.split(' ').filter(|word| !word.is_empty()).map(Verb::parse).collect()
        };
        match &self.scope {
            None => Ok(None),
            Some(scope) => verbs(scope).map(Some).ok_or(Unfit::Scope),
        }
    }
}

/// Signs.
///
/// # Errors
/// The key is none.
pub fn sign(claims: &Claims, kid: &str, key: &EncodingKey) -> jsonwebtoken::errors::Result<String> {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(kid.to_owned());
    encode(&header, claims, key)
}

/// The key that a token names, when its head is as it must be. Nothing in it says
/// where a key is to be found.
///
/// # Errors
/// See [`Unfit`].
pub fn key_id(token: &str) -> Result<String, Unfit> {
    if token.len() > LIMIT {
        return Err(Unfit::Malformed);
    }
    let header = decode_header(token).map_err(|_| Unfit::Malformed)?;
    let typed = header.typ.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(TYPE));
    // Nothing else is understood, and what is critical must be.
    let more = header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some()
        || header.crit.is_some();
    let kid = header.kid.filter(|_| header.alg == Algorithm::EdDSA && typed && !more);
    kid.filter(|kid| !kid.is_empty() && kid.len() <= 64).ok_or(Unfit::Header)
}

/// The claims of a token that this portal has made for itself and that holds now.
///
/// # Errors
/// The first rule that it breaks.
pub fn check(token: &str, key: &DecodingKey, issuer: &str, now: DateTime<Utc>) -> Result<Claims, Unfit> {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[issuer]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    // Times are checked below, by the portal's clock.
    validation.validate_exp = false;
    let claims = decode::<Claims>(token, key, &validation).map_err(|_| Unfit::Refused)?.claims;
    let now = now.timestamp();
    if claims.exp.saturating_add(LEEWAY) <= now {
        return Err(Unfit::Expired);
    }
    let begun = claims.nbf.max(claims.iat).saturating_sub(LEEWAY) <= now;
    let life = claims.exp.checked_sub(claims.iat).is_some_and(|life| (1..=LONGEST).contains(&life));
    if !begun || !life {
        return Err(Unfit::Times);
    }
    claims.verbs()?;
    Ok(claims)
}

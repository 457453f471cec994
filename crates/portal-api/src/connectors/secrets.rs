//! The secrets of connectors: read at the moment of use, from where a reference leads or
//! from under their seal.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::Engine as _;
use chrono::DateTime;
use portal_core::connectors::{ConnectorKind, SecretText};

use super::{Connector, signature};
use crate::access::seal::Unsealable;
use crate::sources::credential::{CredentialError, CredentialRef, Secret};
use crate::state::App;

/// Bytes of a secret, at most.
const LIMIT: usize = 64 << 10;

/// Why a secret is not to be had. Quotes none.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("{0}")]
    Reference(#[from] CredentialError),
    #[error("it cannot be opened: {0}; set it again")]
    Sealed(#[from] Unsealable),
    #[error("it cannot be opened: it is no text; set it again")]
    NoText,
}

/// Which of the secrets of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Credential,
    SigningSecret,
}

impl Which {
    pub const ALL: [Self; 2] = [Self::Credential, Self::SigningSecret];

    pub fn field(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::SigningSecret => "signing_secret",
        }
    }

    /// Where it stands, for its seal.
    pub fn place(self, connector: &str) -> String {
        format!("connector/{connector}/{}", self.field())
    }
}

impl Connector {
    /// What it is sent to prove who asks.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn credential(&self, app: &App) -> Result<Option<Secret>, SecretError> {
        self.secret(app, Which::Credential).await
    }

    /// What signs that which is sent.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn signing_secret(&self, app: &App) -> Result<Option<Secret>, SecretError> {
        self.secret(app, Which::SigningSecret).await
    }

    async fn secret(&self, app: &App, which: Which) -> Result<Option<Secret>, SecretError> {
        if let Some(stored) = &self.stored {
            let Some(kept) = stored.kept(which) else { return Ok(None) };
            let plain = app.sealer.unseal(&which.place(&self.name), &kept.sealed)?;
            return String::from_utf8(plain).map(|text| Some(Secret::new(text))).map_err(|_| SecretError::NoText);
        }
        let reference = match which {
            Which::Credential => self.config.credential.as_deref(),
            Which::SigningSecret => self.config.signing_secret.as_deref(),
        };
        let Some(reference) = reference else { return Ok(None) };
        Ok(Some(reference.parse::<CredentialRef>()?.resolve(app.sources.variable).await?))
    }
}

/// The header that carries a credential to a platform of this kind.
///
/// # Errors
/// It cannot stand in a header.
pub fn headers(kind: ConnectorKind, credential: Option<&Secret>) -> Result<HeaderMap, &'static str> {
    let mut headers = HeaderMap::new();
    let Some(secret) = credential else { return Ok(headers) };
    let text = secret.expose();
    let (name, value) = match kind {
        ConnectorKind::Gitlab => (HeaderName::from_static("private-token"), text.to_owned()),
        ConnectorKind::Jenkins => {
            (header::AUTHORIZATION, format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text)))
        }
        _ => (header::AUTHORIZATION, format!("Bearer {text}")),
    };
    let mut value = HeaderValue::from_str(&value).map_err(|_| "the credential cannot be sent over HTTP")?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(headers)
}

/// A secret that somebody gives, for a connector of this kind.
///
/// # Errors
/// What it is not, without a word of it.
pub fn given(which: Which, kind: ConnectorKind, SecretText(text): SecretText) -> Result<Secret, &'static str> {
    if text.trim().is_empty() {
        return Err("is empty; leave it out to keep what is there, or send `null` to remove it");
    }
    if text.parse::<CredentialRef>().is_ok() {
        return Err("references such as `env:NAME` are for `portal.toml`; give the secret itself, which is sealed");
    }
    if text.len() > LIMIT || text.chars().any(char::is_control) {
        return Err("a secret has at most 64 KiB, on one line and without control characters");
    }
    let secret = Secret::new(text);
    match which {
        Which::SigningSecret => {
            signature::headers("test", DateTime::UNIX_EPOCH, b"", &secret)?;
        }
        Which::Credential if kind == ConnectorKind::Jenkins && !secret.expose().contains(':') => {
            return Err("of Jenkins it is `user:token`");
        }
        Which::Credential => {
            headers(kind, Some(&secret))?;
        }
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_judged_by_their_use() {
        use ConnectorKind::{Jenkins, Webhook};
        let judged = |which, kind, text: &str| given(which, kind, SecretText(text.to_owned())).err();
        for (which, kind, text, told) in [
            (Which::Credential, Webhook, "hunter2", None),
            (Which::Credential, Webhook, " ", Some("is empty")),
            (Which::Credential, Webhook, "env:CI_TOKEN", Some("give the secret itself")),
            (Which::Credential, Webhook, "file:/etc/passwd", Some("give the secret itself")),
            (Which::Credential, Webhook, "two\nlines", Some("one line")),
            (Which::Credential, Webhook, "schlüssel", None),
            (Which::Credential, Jenkins, "ann", Some("user:token")),
            (Which::Credential, Jenkins, "ann:11ee", None),
            (Which::SigningSecret, Webhook, "hunter2", Some("whsec_")),
            (Which::SigningSecret, Webhook, "whsec_cG9ydGFsIHNpZ25zIHdoYXQgaXQgc2VuZHM=", None),
        ] {
            let found = judged(which, kind, text);
            assert_eq!(found.is_some(), told.is_some(), "{text}: {found:?}");
            assert!(found.unwrap_or_default().contains(told.unwrap_or_default()), "{text}: {found:?}");
        }
    }
}

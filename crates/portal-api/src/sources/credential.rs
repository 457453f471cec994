//! Credentials by reference: the database holds where a secret is, never the
//! secret, and it is read at the moment of use.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of a secret, at most.
const LIMIT: u64 = 64 << 10;

/// `env:NAME` or `file:PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialRef {
    Env(String),
    File(PathBuf),
}

/// Why a reference does not lead to a secret. Names the reference only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error("a credential is given by reference, as `env:NAME` or `file:PATH`")]
    Malformed,
    #[error("`env:{0}` is a setting of the portal itself, not a credential")]
    OwnSetting(String),
    #[error("the environment variable `{0}` is not set")]
    Unset(String),
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("`{0}` leads to an empty or malformed secret")]
    Empty(String),
}

/// A secret in memory. It has no text form, so that it cannot slip into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself, for the connector that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// As an `Authorization` header: `user:password` is basic, anything else a
    /// bearer token.
    pub fn authorization(&self) -> Option<HeaderValue> {
        let text = match self.0.contains(':') {
            true => format!("Basic {}", STANDARD.encode(&self.0)),
            false => format!("Bearer {}", self.0),
        };
        sensitive(&text)
    }

    /// As git hosts expect it: basic always, tokens under a user name that
    /// every host ignores.
    pub fn git_authorization(&self) -> Option<HeaderValue> {
        let pair = if self.0.contains(':') { self.0.clone() } else { format!("x-access-token:{}", self.0) };
        sensitive(&format!("Basic {}", STANDARD.encode(pair)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl FromStr for CredentialRef {
    type Err = CredentialError;

    fn from_str(text: &str) -> Result<Self, CredentialError> {
        let malformed = text.len() > 512 || text.chars().any(char::is_control);
        match text.split_once(':') {
            Some(("env", name)) if !malformed && is_variable(name) => {
                if name.starts_with("PORTAL_") && !name.starts_with("PORTAL_SECRET_") {
                    return Err(CredentialError::OwnSetting(name.to_owned()));
                }
                Ok(Self::Env(name.to_owned()))
            }
            Some(("file", path)) if !malformed && path.starts_with('/') => Ok(Self::File(PathBuf::from(path))),
            _ => Err(CredentialError::Malformed),
        }
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

impl fmt::Display for CredentialRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl CredentialRef {
    /// Reads the secret; `variable` looks up the environment.
    ///
    /// # Errors
    /// It is not there, unreadable or empty.
    pub async fn resolve(&self, variable: fn(&str) -> Option<String>) -> Result<Secret, CredentialError> {
        let text = match self {
            Self::Env(name) => variable(name).ok_or_else(|| CredentialError::Unset(name.clone()))?,
            Self::File(path) => read(path).await.map_err(|error| CredentialError::Unreadable {
                path: path.display().to_string(),
                reason: error.to_string(),
            })?,
        };
        self.checked(&text)
    }

    /// The same while the portal starts, when nothing else waits.
    ///
    /// # Errors
    /// It is not there, unreadable or empty.
    pub fn resolve_now(&self, variable: fn(&str) -> Option<String>) -> Result<Secret, CredentialError> {
        let text = match self {
            Self::Env(name) => variable(name).ok_or_else(|| CredentialError::Unset(name.clone()))?,
            Self::File(path) => std::fs::read_to_string(path).map_err(|error| CredentialError::Unreadable {
                path: path.display().to_string(),
                reason: error.to_string(),
            })?,
        };
        self.checked(&text)
    }

    fn checked(&self, text: &str) -> Result<Secret, CredentialError> {
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(CredentialError::Empty(self.to_string()));
        }
        Ok(Secret(text.to_owned()))
    }
}

async fn read(path: &std::path::Path) -> std::io::Result<String> {
    use tokio::io::AsyncReadExt;
    let mut text = String::new();
    tokio::fs::File::open(path).await?.take(LIMIT).read_to_string(&mut text).await?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_two_forms() {
        assert!(matches!("env:GIT_TOKEN".parse(), Ok(CredentialRef::Env(_))));
        assert!(matches!("file:/run/secrets/git".parse(), Ok(CredentialRef::File(_))));
        for bad in ["", "ghp_secret", "env:", "env:A B", "file:relative", "https://x", "env:A\n", "file:/a\0b"] {
            assert_eq!(bad.parse::<CredentialRef>(), Err(CredentialError::Malformed), "{bad}");
        }
        assert!("env:PORTAL_DATABASE_URL".parse::<CredentialRef>().is_err());
        assert!("env:PORTAL_SECRET_GIT".parse::<CredentialRef>().is_ok());
    }

    #[test]
    fn secrets_have_no_text_form() {
        let secret = Secret::new("hunter2".to_owned());
        assert!(!format!("{secret:?} {:?}", secret.authorization()).contains("hunter2"));
        assert_eq!(secret.authorization().unwrap(), "Bearer hunter2");
        assert_eq!(Secret::new("a:b".to_owned()).authorization().unwrap(), "Basic YTpi");
    }
}

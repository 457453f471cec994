//! Random texts that open something, and their hashes, which are all that is
//! stored of them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::Digest as _;

use crate::error::{ApiError, ApiResult};

/// How API tokens begin, so that scanners of repositories find them.
pub const TOKEN_PREFIX: &str = "portal_";

/// A text of 256 random bits. It is shown where [`Secret::expose`] is called and
/// nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// # Errors
    /// The system has no randomness to give.
    pub fn random(prefix: &str) -> ApiResult<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| ApiError::Internal(error.to_string()))?;
        Ok(Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// What a caller sent.
    pub fn sent(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256 in hexadecimal. There is nothing to guess in 256 random bits, so
    /// that a slow hash would only cost time.
    pub fn hash(&self) -> String {
        hex::encode(sha2::Sha256::digest(self.0.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_different_and_not_printed() {
        let (one, other) = (Secret::random(TOKEN_PREFIX).unwrap(), Secret::random(TOKEN_PREFIX).unwrap());
        assert_ne!(one, other);
        assert_ne!(one.hash(), other.hash());
        assert_eq!(one.expose().len(), TOKEN_PREFIX.len() + 43);
        assert_eq!(format!("{one:?}"), "Secret(…)");
    }
}

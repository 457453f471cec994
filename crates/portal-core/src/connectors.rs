//! What crosses HTTP about connectors: platforms that actions work with.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::double_option;

/// How a platform is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ConnectorKind {
    /// Signed requests, answered at once or by a callback.
    Webhook,
    /// The REST API of GitHub.
    Github,
    /// The REST API of GitLab.
    Gitlab,
    /// The remote access API of Jenkins.
    Jenkins,
    /// The API server of a Kubernetes cluster.
    Kubernetes,
    /// A platform orchestrator over HTTP.
    Orchestrator,
}

impl ConnectorKind {
    pub const ALL: [Self; 6] =
        [Self::Webhook, Self::Github, Self::Gitlab, Self::Jenkins, Self::Kubernetes, Self::Orchestrator];

    pub fn as_str(self) -> &'static str {
        match self {
            ConnectorKind::Webhook => "webhook",
            ConnectorKind::Github => "github",
            ConnectorKind::Gitlab => "gitlab",
            ConnectorKind::Jenkins => "jenkins",
            ConnectorKind::Kubernetes => "kubernetes",
            ConnectorKind::Orchestrator => "orchestrator",
        }
    }
}

/// How a connector is, as the process sees it that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ConnectorState {
    /// Nothing speaks against asking it.
    Ready,
    /// It did not answer several times in a row, and is left alone for a while.
    Resting,
    /// It has rested; the next call tells whether it answers again.
    Trying,
}

/// Where a connector is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ConnectorOrigin {
    /// In `portal.toml`, and can only be changed there.
    Config,
    /// In the database.
    Api,
}

/// A connector, without its secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectorView {
    pub name: String,
    pub kind: ConnectorKind,
    pub url: String,
    /// Of an orchestrator: how it is talked to, by name.
    pub preset: Option<String>,
    /// The same where it has no name.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub contract: Option<Value>,
    pub has_credential: bool,
    /// When it was set; known of what is kept in the database.
    #[serde(default, deserialize_with = "crate::moment::utc_if_any")]
    pub credential_set_at: Option<DateTime<Utc>>,
    /// What is sent carries a signature.
    pub is_signed: bool,
    /// When the secret was set that signs.
    #[serde(default, deserialize_with = "crate::moment::utc_if_any")]
    pub signing_secret_set_at: Option<DateTime<Utc>>,
    /// Calls that are under way at a time, of each process.
    pub limit: u64,
    /// Seconds for which it is left alone after five failures in a row.
    pub rest_seconds: u64,
    pub state: ConnectorState,
    /// The last test by the process that answers, since it was changed.
    pub tested: Option<ConnectorTest>,
    pub origin: ConnectorOrigin,
    /// It is in `portal.toml`, and one of its name in the database, which is not used.
    pub hides_stored: bool,
    /// Actions and templates of trusted sources that name it, as far as the caller sees them.
    pub used_by: Vec<String>,
    /// How many more there are.
    pub used_by_hidden: u64,
    /// For `If-Match`; of what is kept in the database, as is all that follows.
    pub etag: Option<String>,
    #[serde(default, deserialize_with = "crate::moment::utc_if_any")]
    pub created_at: Option<DateTime<Utc>>,
    pub created_by: Option<String>,
    #[serde(default, deserialize_with = "crate::moment::utc_if_any")]
    pub updated_at: Option<DateTime<Utc>>,
    pub updated_by: Option<String>,
}

/// A connector to be kept in the database.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectorCreate {
    /// As steps name it; it stays.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 60, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$"))]
    pub name: String,
    pub kind: ConnectorKind,
    /// What paths of steps are put behind.
    pub url: String,
    /// Of an orchestrator: how it is talked to, by name; `portal` when absent.
    #[serde(default)]
    pub preset: Option<String>,
    /// The same where it has no name, as under `[connector.contract]` in `portal.toml`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub contract: Option<Value>,
    /// Calls that are under way at a time, of each process; 8 when absent.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000))]
    pub limit: Option<u64>,
    /// Seconds for which it is left alone after five failures in a row; 30 when absent.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 86400))]
    pub rest_seconds: Option<u64>,
    /// The secret itself, sent as `Authorization: Bearer`, to GitLab as `PRIVATE-TOKEN`; for
    /// Jenkins it is `user:token`. It is sealed, and never answered.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, write_only))]
    pub credential: Option<SecretText>,
    /// `whsec_…`, which signs what is sent. It is sealed, and never answered.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, write_only))]
    pub signing_secret: Option<SecretText>,
}

/// Changes of a connector: what is absent stays, `null` clears.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectorUpdate {
    #[serde(default)]
    pub kind: Option<ConnectorKind>,
    #[serde(default)]
    pub url: Option<String>,
    #[serde(default, with = "double_option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub preset: Option<Option<String>>,
    #[serde(default, with = "double_option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub contract: Option<Option<Value>>,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000))]
    pub limit: Option<u64>,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 86400))]
    pub rest_seconds: Option<u64>,
    /// Another secret; absent, the one that is there stays.
    #[serde(default, with = "double_option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, write_only))]
    pub credential: Option<Option<SecretText>>,
    /// Another secret; absent, the one that is there stays.
    #[serde(default, with = "double_option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, write_only))]
    pub signing_secret: Option<Option<SecretText>>,
}

/// A secret on its way in. It has no text form, and no error quotes it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(pub String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            _ => Err(D::Error::custom("a secret is a string")),
        }
    }
}

/// All connectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectorList {
    pub items: Vec<ConnectorView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// What came of asking a connector for its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectorTest {
    pub is_well: bool,
    /// Status of its answer, where there was one.
    pub status: Option<u16>,
    pub milliseconds: u64,
    /// What is wrong.
    pub fault: Option<String>,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_quoted() {
        let create = r#"{"name": "x", "kind": "webhook", "url": "http://x", "credential": "hunter2"}"#;
        let create: ConnectorCreate = serde_json::from_str(create).unwrap();
        assert!(!format!("{create:?}").contains("hunter2"));
        let error = serde_json::from_str::<ConnectorUpdate>(r#"{"credential": 424242}"#).unwrap_err().to_string();
        assert!(error.contains("a secret is a string") && !error.contains("424242"), "{error}");
    }

    #[test]
    fn what_is_absent_stays_and_null_clears() {
        let update: ConnectorUpdate = serde_json::from_str(r#"{"credential": null}"#).unwrap();
        assert_eq!((update.credential, update.signing_secret), (Some(None), None));
    }
}

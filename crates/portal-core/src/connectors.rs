//! What crosses HTTP about connectors: platforms that actions work with.

use serde::{Deserialize, Serialize};

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

/// A connector, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectorView {
    pub name: String,
    pub kind: ConnectorKind,
    pub url: String,
    pub has_credential: bool,
    /// What is sent carries a signature.
    pub is_signed: bool,
    /// Calls that are under way at a time, of each process.
    pub limit: u64,
    pub state: ConnectorState,
}

/// All connectors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}

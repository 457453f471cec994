//! Platforms that actions work with: where they are, and how the portal proves that it is
//! the portal. Steps name them; only definitions of trusted sources may.

pub mod gate;
pub mod handlers;
pub mod signature;

use portal_core::connectors::ConnectorKind;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::platforms::Contract;
use crate::sources::credential::{CredentialError, CredentialRef, Secret};
use crate::state::App;

/// A connector, as `portal.toml` says it under `[[connector]]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorConfig {
    /// As steps name it.
    pub name: String,
    pub kind: ConnectorKind,
    /// What paths of steps are put behind.
    pub url: String,
    /// `env:NAME` or `file:PATH`: sent as `Authorization: Bearer`, to GitLab as `PRIVATE-TOKEN`;
    /// for Jenkins it is `user:token`.
    #[serde(default)]
    pub credential: Option<String>,
    /// `env:NAME` or `file:PATH`: `whsec_…`, which signs what is sent.
    #[serde(default)]
    pub signing_secret: Option<String>,
    /// Of an orchestrator: how it is talked to, by name; `portal` when absent.
    #[serde(default)]
    pub preset: Option<String>,
    /// The same where it has no name.
    #[serde(default)]
    pub contract: Option<Contract>,
    /// Calls that are under way at a time, of each process.
    #[serde(default = "limit")]
    pub limit: usize,
    /// Seconds for which it is left alone after five failures in a row.
    #[serde(default = "rest_seconds")]
    pub rest_seconds: u32,
}

/// Calls at a time where nothing is said.
pub fn limit() -> usize {
    8
}

/// Seconds of rest where nothing is said.
pub fn rest_seconds() -> u32 {
    30
}

impl ConnectorConfig {
    /// The secret that a reference leads to.
    ///
    /// # Errors
    /// It leads nowhere.
    pub async fn secret(&self, app: &App, reference: Option<&str>) -> Result<Option<Secret>, CredentialError> {
        let Some(reference) = reference else { return Ok(None) };
        reference.parse::<CredentialRef>()?.resolve(app.sources.variable).await.map(Some)
    }
}

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(handlers::list_connectors)).routes(routes!(handlers::test_connector))
}

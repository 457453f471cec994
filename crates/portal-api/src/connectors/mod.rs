//! Platforms that actions work with: where they are, and how the portal proves that it is
//! the portal. Steps name them; only definitions of trusted sources may.
//!
//! A connector is written in `portal.toml`, or kept in the database (`service.rs`), where it
//! is read whenever it is used, so that a change holds at once for every process. Both go
//! through the same rules (`check.rs`); what differs is that whoever writes `portal.toml` may
//! name private addresses, and that its secrets are references.

pub mod check;
pub mod gate;
mod handlers;
pub mod secrets;
mod service;
pub mod signature;
mod store;
mod testing;
mod usage;
mod views;

use std::ops::Deref;

use portal_core::connectors::ConnectorKind;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use service::reseal;
use store::Stored;

use crate::db::DbResult;
use crate::platforms::Contract;
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

/// A connector in use.
#[derive(Debug, Clone)]
pub struct Connector {
    config: ConnectorConfig,
    /// What the database says of it beside that; nothing of one from `portal.toml`.
    stored: Option<Stored>,
}

/// A connector that the database keeps.
#[derive(Debug, Clone, PartialEq)]
struct StoredConnector {
    config: ConnectorConfig,
    stored: Stored,
}

impl Deref for Connector {
    type Target = ConnectorConfig;

    fn deref(&self) -> &ConnectorConfig {
        &self.config
    }
}

impl From<ConnectorConfig> for Connector {
    fn from(config: ConnectorConfig) -> Self {
        Self { config, stored: None }
    }
}

impl Connector {
    /// Another one after each change; one from `portal.toml` has none.
    fn version(&self) -> &str {
        self.stored.as_ref().map_or("", |stored| stored.etag.as_str())
    }
}

impl From<StoredConnector> for Connector {
    fn from(StoredConnector { config, stored }: StoredConnector) -> Self {
        Self { config, stored: Some(stored) }
    }
}

/// The connector of this name. One from `portal.toml` goes first.
///
/// # Errors
/// The database.
pub async fn find(app: &App, name: &str) -> DbResult<Option<Connector>> {
    match configured(app, name) {
        Some(config) => Ok(Some(config.clone().into())),
        None => Ok(store::find(app.db.reader(), name).await?.map(Connector::from)),
    }
}

/// All connectors: those from `portal.toml`, then the others by name.
///
/// # Errors
/// The database.
pub async fn all(app: &App) -> DbResult<Vec<Connector>> {
    let mut all: Vec<Connector> = app.config.connectors.iter().cloned().map(Connector::from).collect();
    let stored = store::all(app.db.reader()).await?;
    let is_used = |kept: &StoredConnector| configured(app, &kept.config.name).is_none();
    all.extend(stored.into_iter().filter(is_used).map(Connector::from));
    Ok(all)
}

/// The address of a path at a platform. Paths may be made of what people answer, and do not
/// lead up from where they begin, in whatever way that is written.
///
/// # Errors
/// What is wrong with the path, for whoever wrote it.
pub fn below(base: &str, path: &str) -> Result<String, String> {
    let (base, path) = (base.trim_end_matches('/'), path.trim_start_matches('/'));
    let mut own = path.split(['?', '#']).next().unwrap_or_default().to_owned();
    // Written twice over, it may be read twice over.
    for _ in 0..3 {
        own = percent_encoding::percent_decode_str(&own).decode_utf8_lossy().into_owned();
    }
    if own.split(['/', '\\']).any(|segment| matches!(segment.trim(), "." | "..")) {
        return Err(format!("the path `/{path}` leads up from the address of the connector; leave out `.` and `..`"));
    }
    Ok(if path.is_empty() { base.to_owned() } else { format!("{base}/{path}") })
}

fn configured<'a>(app: &'a App, name: &str) -> Option<&'a ConnectorConfig> {
    app.config.connectors.iter().find(|connector| connector.name == name)
}

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(handlers::list_connectors, handlers::create_connector))
        .routes(routes!(handlers::find_connector, handlers::update_connector, handlers::delete_connector))
        .routes(routes!(testing::test_connector))
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn paths_do_not_lead_up() {
        for (path, address) in [
            ("", "https://x.example/a"),
            ("/", "https://x.example/a"),
            ("deploy?at=../b", "https://x.example/a/deploy?at=../b"),
            ("/v1/..hidden/a.b", "https://x.example/a/v1/..hidden/a.b"),
        ] {
            assert_eq!(below("https://x.example/a/", path).as_deref(), Ok(address), "{path}");
        }
        for path in ["..", "a/../b", "a/./b", "a\\..\\b", "a/%2e%2E/b", "%2e./b", "a%2f..%2fb", "a/%252e%252e/b"] {
            assert!(below("https://x.example/a", path).is_err(), "{path}");
        }
    }
}

//! Connectors as they are shown: without their secrets.

use std::collections::HashSet;

use portal_core::catalog::index::Visibility;
use portal_core::connectors::{ConnectorOrigin, ConnectorView};

use super::secrets::Which;
use super::usage::Usage;
use super::{Connector, ConnectorConfig, configured, store};
use crate::catalog::view::Snapshot;
use crate::db::DbResult;
use crate::state::App;

/// What views are made with.
pub struct Showing<'a> {
    app: &'a App,
    usage: Usage,
    snapshot: &'a Snapshot,
    visibility: Visibility,
    stored: HashSet<String>,
}

impl<'a> Showing<'a> {
    /// # Errors
    /// The database.
    pub async fn new(app: &'a App, snapshot: &'a Snapshot, visibility: Visibility) -> DbResult<Self> {
        let db = app.db.reader();
        let stored: HashSet<String> = store::all(db).await?.into_iter().map(|kept| kept.config.name).collect();
        app.gates.keep(|name| stored.contains(name) || configured(app, name).is_some());
        Ok(Self { app, usage: Usage::read(db).await?, snapshot, visibility, stored })
    }

    pub fn view(&self, connector: &Connector) -> ConnectorView {
        let gate = self.app.gates.of(connector);
        let (used_by, used_by_hidden) = self.usage.of(&connector.name, self.snapshot, &self.visibility);
        let Connector { config, stored } = connector;
        let ConnectorConfig { name, kind, url, credential, signing_secret, preset, contract, limit, rest_seconds } =
            config;
        let set_at = |which| stored.as_ref().and_then(|stored| stored.kept(which)).map(|kept| kept.set_at);
        let (credential_set_at, signing_secret_set_at) = (set_at(Which::Credential), set_at(Which::SigningSecret));
        ConnectorView {
            name: name.clone(),
            kind: *kind,
            url: url.clone(),
            preset: preset.clone(),
            contract: contract.as_ref().and_then(|contract| serde_json::to_value(contract).ok()),
            has_credential: credential.is_some() || credential_set_at.is_some(),
            credential_set_at,
            is_signed: signing_secret.is_some() || signing_secret_set_at.is_some(),
            signing_secret_set_at,
            limit: *limit as u64,
            rest_seconds: u64::from(*rest_seconds),
            state: gate.state(self.app.clock.now()),
            tested: gate.tested(),
            origin: if stored.is_some() { ConnectorOrigin::Api } else { ConnectorOrigin::Config },
            hides_stored: stored.is_none() && self.stored.contains(name),
            used_by,
            used_by_hidden,
            etag: stored.as_ref().map(|stored| stored.etag.clone()),
            created_at: stored.as_ref().map(|stored| stored.created_at),
            created_by: stored.as_ref().map(|stored| stored.created_by.clone()),
            updated_at: stored.as_ref().map(|stored| stored.updated_at),
            updated_by: stored.as_ref().map(|stored| stored.updated_by.clone()),
        }
    }
}

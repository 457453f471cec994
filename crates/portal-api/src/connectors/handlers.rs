//! Connectors over HTTP.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method};
use portal_core::connectors::{ConnectorList, ConnectorState, ConnectorTest, ConnectorView};

use super::{ConnectorConfig, signature};
use crate::egress::Call;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadOperations, WriteSources};
use crate::http::params::Params;
use crate::sources::credential::Secret;
use crate::state::App;

/// All connectors, without their secrets.
#[utoipa::path(
    get, path = "/connectors", tag = "connectors", operation_id = "list_connectors",
    responses((status = 200, description = "All connectors", body = ConnectorList)),
)]
pub async fn list_connectors(
    _auth: Authorized<ReadOperations>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<ConnectorList>> {
    params.finish()?;
    let now = app.clock.now();
    let state = |name: &str| app.gates.of(name).map_or(ConnectorState::Ready, |gate| gate.state(now));
    let view = |connector: &ConnectorConfig| ConnectorView {
        name: connector.name.clone(),
        kind: connector.kind,
        url: connector.url.clone(),
        has_credential: connector.credential.is_some(),
        is_signed: connector.signing_secret.is_some(),
        limit: connector.limit as u64,
        state: state(&connector.name),
    };
    let items: Vec<ConnectorView> = app.config.connectors.iter().map(view).collect();
    let total = items.len() as u64;
    Ok(Json(ConnectorList { items, next_cursor: None, total }))
}

/// Asks a connector for its address, with its credential: whether it answers, and whether
/// its secrets can be read.
#[utoipa::path(
    post, path = "/connectors/{name}/test", tag = "connectors", operation_id = "test_connector",
    params(("name" = String, Path, example = "platform")),
    responses((status = 200, description = "What came of it", body = ConnectorTest)),
)]
pub async fn test_connector(
    _auth: Authorized<WriteSources>,
    State(app): State<App>,
    Path(name): Path<String>,
    params: Params,
) -> ApiResult<Json<ConnectorTest>> {
    params.finish()?;
    let found = app.config.connectors.iter().find(|connector| connector.name == name);
    let absent = || ApiError::not_found("connector_not_found", format!("there is no connector `{name}`"));
    let connector = found.ok_or_else(absent)?.clone();
    let began = std::time::Instant::now();
    let answer = asked(&app, &connector).await;
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (status, fault) = match answer {
        Ok(status) => {
            (Some(status), (status == 401 || status == 403).then(|| "it does not accept the credential".to_owned()))
        }
        Err(fault) => (None, Some(fault)),
    };
    Ok(Json(ConnectorTest { is_well: fault.is_none(), status, milliseconds, fault }))
}

async fn asked(app: &App, connector: &ConnectorConfig) -> Result<u16, String> {
    let told = |error: crate::sources::credential::CredentialError| error.to_string();
    let credential = connector.secret(app, connector.credential.as_deref()).await.map_err(told)?;
    if let Some(secret) = connector.secret(app, connector.signing_secret.as_deref()).await.map_err(told)? {
        signature::headers("test", app.clock.now(), b"", &secret).map_err(str::to_owned)?;
    }
    let headers = bearer(credential.as_ref()).map_err(str::to_owned)?;
    let call = Call { method: Method::GET, url: connector.url.clone(), headers, body: None, limit: 64 << 10 };
    app.sources.egress.call(call).await.map(|answer| answer.status.as_u16()).map_err(|error| error.to_string())
}

/// # Errors
/// It cannot stand in a header.
pub fn bearer(credential: Option<&Secret>) -> Result<HeaderMap, &'static str> {
    let mut headers = HeaderMap::new();
    if let Some(secret) = credential {
        let value = axum::http::HeaderValue::from_str(&format!("Bearer {}", secret.expose()));
        let mut value = value.map_err(|_| "the credential cannot be sent over HTTP")?;
        value.set_sensitive(true);
        headers.insert(axum::http::header::AUTHORIZATION, value);
    }
    Ok(headers)
}

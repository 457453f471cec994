//! Whether a connector answers.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Method;
use portal_core::connectors::ConnectorTest;

use super::handlers::absent;
use super::secrets::{self, SecretError};
use super::{Connector, signature};
use crate::egress::Call;
use crate::error::ApiResult;
use crate::http::authorized::{Authorized, WriteSources};
use crate::http::params::Params;
use crate::state::App;

/// Bytes of an answer that are read.
const ANSWER: usize = 64 << 10;

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
    let connector = super::find(&app, &name).await?.ok_or_else(|| absent(&name))?;
    let began = std::time::Instant::now();
    let answer = asked(&app, &connector).await;
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (status, fault) = match answer {
        Ok(status) => {
            (Some(status), (status == 401 || status == 403).then(|| "it does not accept the credential".to_owned()))
        }
        Err(fault) => (None, Some(fault)),
    };
    let test = ConnectorTest { is_well: fault.is_none(), status, milliseconds, fault, at: app.clock.now() };
    app.gates.of(&connector).note(test.clone());
    Ok(Json(test))
}

async fn asked(app: &App, connector: &Connector) -> Result<u16, String> {
    let told = |what: &'static str| move |error: SecretError| format!("{what}: {error}");
    let credential = connector.credential(app).await.map_err(told("the credential"))?;
    if let Some(secret) = connector.signing_secret(app).await.map_err(told("the signing secret"))? {
        signature::headers("test", app.clock.now(), b"", &secret).map_err(str::to_owned)?;
    }
    let headers = secrets::headers(connector.kind, credential.as_ref()).map_err(str::to_owned)?;
    let call = Call { method: Method::GET, url: connector.url.clone(), headers, body: None, limit: ANSWER };
    app.platforms.call(call).await.map(|answer| answer.status.as_u16()).map_err(|error| error.to_string())
}

//! Keeping things longer, over HTTP.

use axum::Json;
use axum::extract::{Path, State};
use portal_core::actions::definition::{LONGEST, seconds};
use portal_core::actions::wire::{Expiry, ExpiryExtend};
use portal_core::catalog::{Entity, EntityRef};
use serde_json::Value;

use super::store;
use crate::actions::resources::EXPIRES;
use crate::catalog::handlers::{RefPath, document, reference};
use crate::catalog::lists;
use crate::catalog::permission::check_write;
use crate::catalog::service::{self, EntityDraft, Upserted};
use crate::clock::later;
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, WriteCatalog};
use crate::http::body::JsonBody;
use crate::http::context::RequestId;
use crate::http::params::Params;
use crate::state::App;

/// Puts the end of something off that a run made: from now on it has this long.
#[utoipa::path(
    post, path = "/entities/{kind}/{namespace}/{name}/extend", tag = "actions", operation_id = "extend_entity",
    params(("kind" = String, Path, example = "resource"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "ledger-db")),
    request_body(content = ExpiryExtend, example = json!({"ttl": "7d"})),
    responses((status = 200, description = "Put off", body = Expiry)),
)]
pub async fn extend_entity(
    auth: Authorized<WriteCatalog>,
    State(app): State<App>,
    params: Params,
    Path(parts): RefPath,
    request_id: RequestId,
    JsonBody(ExpiryExtend { ttl }): JsonBody<ExpiryExtend>,
) -> ApiResult<Json<Expiry>> {
    params.finish()?;
    let reference: EntityRef = reference(parts)?;
    let days = LONGEST / 86_400;
    let wanted = || ApiError::field("/ttl", format!("write `90s`, `15m`, `24h` or `7d`, at most {days} days"));
    let has_unit = ttl.trim().ends_with(char::is_alphabetic);
    let life = seconds(&ttl).filter(|seconds| *seconds > 0 && has_unit).ok_or_else(wanted)?;
    let snapshot = app.catalog.snapshot();
    check_write(&app, &auth, &snapshot, &reference, None).await?;
    let (_, found) = document(&app, &snapshot, &reference, &auth.visibility(&snapshot)).await?;
    let name = reference.to_string();
    let absent = || ApiError::conflict("does_not_expire", format!("`{name}` has no end that could be put off"));
    if store::find(app.db.reader(), &name).await?.is_none() || found.source_id.is_some() {
        return Err(absent());
    }
    let writing = auth.writing(&app, &request_id);
    let until = later(writing.at, life);
    let mut entity: Value =
        serde_json::from_slice(&found.json).map_err(|error| ApiError::Internal(error.to_string()))?;
    if let Some(fields) = entity.as_object_mut() {
        fields.remove("relations");
    }
    for made in ["uid", "etag"] {
        if let Some(metadata) = entity["metadata"].as_object_mut() {
            metadata.remove(made);
        }
    }
    entity["metadata"]["annotations"][EXPIRES] = until.to_rfc3339().into();
    let location = found.location.clone();
    let draft = EntityDraft { entity: Entity(entity), source_id: None, location, document_index: 0, line: 1 };
    let told = name.clone();
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let row = store::find(txn, &told).await?.filter(|row| row.clean_up.is_none());
            let row =
                row.ok_or_else(|| ApiError::conflict("does_not_expire", "it is being cleaned up already".to_owned()))?;
            if until < row.expires_at {
                let end = row.expires_at.format("%Y-%m-%d %H:%M UTC");
                let message = format!("it is kept until {end} already, and an end is only put off, counted from now");
                return Err(ApiError::field("/ttl", message));
            }
            let extensions = row.extensions + 1;
            super::extend(txn, row, until, writing.at).await?;
            let done = service::upsert(txn, &writing, vec![draft]).await?;
            Ok::<_, ApiError>((extensions, done))
        })
    });
    let (extensions, mut done) = work.await?;
    if let Some(Upserted::Created { seq } | Upserted::Updated { seq }) = done.pop() {
        lists::wait(&app, seq).await?;
    }
    Ok(Json(Expiry { entity_ref: name, expires_at: until, extensions }))
}

//! Looking at a source before it is added.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use portal_core::catalog::Entity;
use portal_core::catalog::wire::{EntityLink, Fault};
use portal_core::problem::FieldError;
use portal_core::sources::wire::{PreviewDocument, PreviewFault, SourceCreate, SourcePreview};

use super::fetch::FetchError;
use super::ingest;
use super::ingest::preview::{self, Preview, Previewed};
use super::permission::check_reach;
use super::reading::{Judged, RecordedFault, Status};
use super::{service, store};
use crate::catalog::store as catalog_store;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{AddSources, Authorized};
use crate::http::body::JsonBody;
use crate::http::params::Params;
use crate::state::App;

/// Documents in one answer.
const DOCUMENTS: usize = 500;

/// Reads a source as its first pass would, and stores nothing.
///
/// Where it declares nothing, a descriptor is proposed from what lies in it.
#[utoipa::path(
    post, path = "/sources/preview", tag = "sources", operation_id = "preview_source",
    request_body(content = SourceCreate, example = json!({"type": "git", "target": "https://github.com/kestrel-freight/booking"})),
    responses((status = 200, description = "What it would declare", body = SourcePreview)),
)]
pub async fn preview_source(
    auth: Authorized<AddSources>,
    State(app): State<App>,
    params: Params,
    JsonBody(create): JsonBody<SourceCreate>,
) -> ApiResult<Json<SourcePreview>> {
    params.finish()?;
    check_reach(&auth, &create)?;
    let interval = app.config.catalog.interval_seconds;
    let draft = service::draft(&app.sources, create, interval, app.clock.now()).await?;
    let request = ingest::request(&draft).map_err(|error| unreadable(&error))?;
    let Preview { revision, files, proposal } =
        preview::read(&app, &request).await.map_err(|error| unreadable(&error))?;
    let holders = holders(&app, &auth, &files).await?;
    let mut documents: Vec<PreviewDocument> = files
        .into_iter()
        .flat_map(|Previewed { file, documents }| documents.into_iter().map(move |document| (file.clone(), document)))
        .map(|(file, document)| shown(file, document, &holders))
        .collect();
    let total = documents.len() as u64;
    let faulty = documents.iter().filter(|document| document.outcome != "new").count() as u64;
    documents.sort_by_key(|document| document.outcome == "new");
    documents.truncate(DOCUMENTS);
    Ok(Json(SourcePreview { revision, documents, total, faulty, proposal }))
}

fn unreadable(error: &FetchError) -> ApiError {
    let message = error.to_string();
    let errors = vec![FieldError { pointer: "/target".to_owned(), message: message.clone() }];
    ApiError::invalid("unreadable_source", format!("the source cannot be read: {message}"), errors)
}

/// Who declares the references of these files already, in words.
async fn holders(app: &App, auth: &Authorized<AddSources>, files: &[Previewed]) -> ApiResult<HashMap<String, String>> {
    let documents = files.iter().flat_map(|file| &file.documents);
    let refs: Vec<String> = documents.filter_map(|document| document.entity_ref.clone()).collect();
    let held = store::holders(app.db.reader(), &refs).await?;
    let ids: Vec<i64> = held.values().filter_map(|holder| holder.source_id).collect();
    let names = catalog_store::source_names(app.db.reader(), &ids).await?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let words = |(entity_ref, holder): (String, store::Holder)| {
        let hidden = snapshot.index.row_of(&entity_ref).is_some_and(|row| !visibility.admits(row));
        let text = match holder.source_id {
            _ if hidden => format!("`{entity_ref}` is taken"),
            None => format!("`{entity_ref}` was written by the API and stays so"),
            Some(id) => {
                let name = names.get(&id).map_or("which was removed", |source| source.name.as_str());
                format!("`{entity_ref}` is declared already by source {id}, `{name}`, at `{}`", holder.location)
            }
        };
        (entity_ref, text)
    };
    Ok(held.into_iter().map(words).collect())
}

fn shown(file: String, document: Judged, holders: &HashMap<String, String>) -> PreviewDocument {
    let Judged { index, name_at, entity_ref, status, faults, entity, line: _, draft: _, targets: _ } = document;
    let mut faults: Vec<PreviewFault> =
        faults.into_iter().map(|RecordedFault { fault, excerpt }| PreviewFault { fault, excerpt }).collect();
    let held = entity_ref.as_ref().and_then(|entity_ref| holders.get(entity_ref)).filter(|_| status == Status::Ok);
    let outcome = match (status, held) {
        (Status::Ok, None) => "new",
        (Status::Ok, Some(message)) => {
            let (pointer, rule, (line, column)) = ("/metadata/name".to_owned(), "conflict".to_owned(), name_at);
            let hint = Some("the first keeps it; remove one of the two, or rename it".to_owned());
            let fault = Fault { line, column, pointer, rule, message: message.clone(), hint };
            faults.push(PreviewFault { fault, excerpt: Vec::new() });
            "known"
        }
        (other, _) => other.as_str(),
    };
    let link = |entity_ref: String| EntityLink {
        title: entity.as_ref().map_or_else(|| entity_ref.clone(), |entity: &Entity| entity.display_title().to_owned()),
        subtype: entity.as_ref().and_then(|entity| entity.spec_str("type")).map(str::to_owned),
        exists: held.is_some(),
        entity_ref,
    };
    PreviewDocument { file, document: index, entity: entity_ref.map(link), outcome: outcome.to_owned(), faults }
}

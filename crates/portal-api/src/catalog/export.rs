//! A whole list as a file: CSV for spreadsheets, NDJSON for scripts.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;
use portal_core::catalog::index::Visibility;
use portal_core::catalog::query::{Missing, Position, Query};
use portal_core::catalog::wire::EntityView;
use serde_json::Value;

use super::lists::{self, Wanted};
use super::prune::Fields;
use super::view::Snapshot;
use crate::error::{ApiError, ApiResult};
use crate::events::Event;
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::params::Params;
use crate::state::App;

/// Entities that are read, and sent, at once.
const CHUNK: usize = 250;
/// Fields that a row of CSV shows.
const CSV_FIELDS: [&str; 8] = [
    "kind",
    "metadata.name",
    "metadata.namespace",
    "metadata.title",
    "metadata.description",
    "metadata.tags",
    "spec.type",
    "spec.lifecycle",
];
const CSV_HEAD: [&str; 14] = [
    "reference",
    "kind",
    "namespace",
    "name",
    "title",
    "type",
    "lifecycle",
    "owner",
    "system",
    "tags",
    "description",
    "source",
    "location",
    "changed_at",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Ndjson,
}

/// Every entity of a list, as a file: the catalog of one moment, in the order asked for.
///
/// CSV (RFC 4180, UTF-8) has a row for each entity; a cell that a spreadsheet
/// would take for a formula begins with `'`. NDJSON has what the list shows of
/// each entity, a line each.
#[utoipa::path(
    get, path = "/entities/export", tag = "entities", operation_id = "export_entities",
    params(
        ("format" = Option<String>, Query, pattern = "^(csv|ndjson)$", description = "`csv` (when absent) or `ndjson`"),
        ("filter" = Option<Vec<String>>, Query, description = "As for the list"),
        ("q" = Option<String>, Query, description = "As for the list"),
        ("sort" = Option<String>, Query, description = "As for the list"),
        ("fields" = Option<String>, Query, description = "NDJSON only: comma list of paths to keep of each descriptor"),
    ),
    responses((status = 200, description = "The file", content((String = "text/csv"), (String = "application/x-ndjson")))),
)]
pub async fn export_entities(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    mut params: Params,
) -> ApiResult<Response> {
    let Wanted { selection, order, .. } = Wanted::read(&mut params)?;
    let format = match params.one("format")?.as_deref() {
        None | Some("csv") => Format::Csv,
        Some("ndjson") => Format::Ndjson,
        Some(other) => return Err(ApiError::parameter("format", format!("`{other}` is neither `csv` nor `ndjson`"))),
    };
    let asked = lists::fields(&mut params)?;
    if format == Format::Csv && asked != Fields::default() {
        return Err(ApiError::parameter("fields", "the columns of CSV are fixed; ask for `format=ndjson`"));
    }
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let query =
        Query { selection, order, missing: Missing::Last, position: Position::default(), limit: snapshot.index.len() };
    let rows = snapshot.index.page(&query, &visibility).rows;
    app.events.record(Event {
        at: app.clock.now(),
        actor: auth.principal.actor,
        surface: "api",
        verb: "export",
        object: "entities".to_owned(),
        outcome: "ok",
        duration_ms: 0,
        rank: None,
        result_count: i32::try_from(rows.len()).ok(),
    });
    let (name, content_type, fields) = match format {
        Format::Csv => ("catalog.csv", "text/csv; charset=utf-8", Fields::new(&CSV_FIELDS.map(str::to_owned))),
        Format::Ndjson => ("catalog.ndjson", "application/x-ndjson", asked),
    };
    let export = Export { app, snapshot, visibility, fields, format, rows: rows.into(), begun: false };
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    let body = Body::from_stream(stream::try_unfold(export, Export::next));
    Ok((headers, body).into_response())
}

/// What is still to be sent.
struct Export {
    app: App,
    snapshot: Arc<Snapshot>,
    visibility: Visibility,
    fields: Fields,
    format: Format,
    rows: VecDeque<u32>,
    begun: bool,
}

impl Export {
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let head = !self.begun && self.format == Format::Csv;
        self.begun = true;
        if self.rows.is_empty() && !head {
            return Ok(None);
        }
        let rows: Vec<u32> = self.rows.drain(..CHUNK.min(self.rows.len())).collect();
        let views = self.views(&rows).await.map_err(|error| {
            tracing::warn!(error = %error, "an export broke off");
            io::Error::other("the catalog could not be read")
        })?;
        let text = match self.format {
            Format::Csv => csv_rows(head, &views)?,
            Format::Ndjson => lines(&views)?,
        };
        Ok(Some((Bytes::from(text), self)))
    }

    async fn views(&self, rows: &[u32]) -> ApiResult<Vec<EntityView>> {
        let Self { app, snapshot, visibility, fields, .. } = self;
        let found = app.catalog.documents.get(&app.db, &snapshot.index, visibility, rows).await?;
        let views = lists::shown(app, &snapshot.index, visibility, &found, fields).await?;
        Ok(views.into_iter().flatten().collect())
    }
}

fn lines(views: &[EntityView]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for view in views {
        serde_json::to_writer(&mut text, view)?;
        text.push(b'\n');
    }
    Ok(text)
}

fn csv_rows(head: bool, views: &[EntityView]) -> io::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if head {
        writer.write_record(CSV_HEAD)?;
    }
    for view in views {
        writer.write_record(cells(view).iter().map(|cell| harmless(cell)))?;
    }
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

fn cells(view: &EntityView) -> [String; 14] {
    let EntityView { entity_ref, entity, owner, system, provenance, changed_at, .. } = view;
    let text = |pointer: &str| entity.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let tags = entity.pointer("/metadata/tags").and_then(Value::as_array);
    let tags: Vec<&str> = tags.into_iter().flatten().filter_map(Value::as_str).collect();
    [
        entity_ref.clone(),
        text("/kind"),
        text("/metadata/namespace"),
        text("/metadata/name"),
        text("/metadata/title"),
        text("/spec/type"),
        text("/spec/lifecycle"),
        owner.as_ref().map(|link| link.entity_ref.clone()).unwrap_or_default(),
        system.as_ref().map(|link| link.entity_ref.clone()).unwrap_or_default(),
        tags.join(" "),
        text("/metadata/description"),
        provenance.source.clone(),
        provenance.location.clone(),
        changed_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
    ]
}

/// A cell that no spreadsheet runs as a formula (OWASP, "CSV Injection").
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

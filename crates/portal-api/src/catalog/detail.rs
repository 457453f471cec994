//! Entities as `/api/v1` shows them: the document with where it comes from.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;
use portal_core::catalog::EntityRef;
use portal_core::catalog::index::{CatalogIndex, Visibility};
use portal_core::catalog::wire::{EntityView, Provenance, RelationView};

use super::documents::Document;
use super::prune::Fields;
use super::store::{self, SourceName};
use crate::db::DbResult;
use crate::state::App;

/// What provenance says beyond the document.
#[derive(Default)]
pub struct Sources {
    /// How the sources of a page's entities are named and when they were read.
    names: HashMap<i64, SourceName>,
    /// How long an orphan is kept.
    grace: TimeDelta,
}

/// The sources of these documents.
pub async fn sources<'a>(app: &App, documents: impl Iterator<Item = &'a Arc<Document>>) -> DbResult<Sources> {
    let grace = app.sources.settings.orphan_grace();
    let mut ids: Vec<i64> = documents.filter_map(|document| document.source_id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Sources { grace, ..Sources::default() });
    }
    let names = store::source_names(app.db.reader(), &ids).await?;
    Ok(Sources { names, grace })
}

/// One entity with its links and its provenance, of the descriptor these fields.
pub fn view(
    document: &Document,
    index: &CatalogIndex,
    visibility: &Visibility,
    sources: &Sources,
    fields: &Fields,
) -> EntityView {
    let entity = fields.read(&document.json);
    let summary =
        document.entity_ref.parse::<EntityRef>().ok().and_then(|entity_ref| index.summary(index.row(&entity_ref)?));
    let link = |target: &Option<EntityRef>| target.as_ref().map(|target| index.link(target, visibility));
    EntityView {
        entity_ref: document.entity_ref.clone(),
        uid: document.uid.clone(),
        etag: document.etag.clone(),
        changed_seq: document.changed_seq,
        changed_at: document.changed_at,
        entity,
        owner: summary.as_ref().and_then(|summary| link(&summary.owner)),
        system: summary.as_ref().and_then(|summary| link(&summary.system)),
        provenance: provenance(document, sources),
    }
}

fn provenance(document: &Document, sources: &Sources) -> Provenance {
    let source = document.source_id.and_then(|id| sources.names.get(&id));
    let (name, read_at) = match (document.source_id, source) {
        (None, _) => ("the API".to_owned(), None),
        (Some(_), Some(source)) => (source.name.clone(), source.read_at),
        (Some(id), None) => (format!("source {id}, which was removed"), None),
    };
    Provenance {
        source_id: document.source_id,
        source: name,
        location: document.location.clone(),
        document: u32::try_from(document.document_index).unwrap_or_default(),
        line: u32::try_from(document.line).unwrap_or_default(),
        read_at: read_at.unwrap_or(document.changed_at),
        stale: document.stale,
        orphan_since: document.orphan_since,
        orphan_until: document.orphan_since.map(|since| since + sources.grace),
    }
}

/// Relations in both directions, as links.
pub fn relations(index: &CatalogIndex, row: u32, visibility: &Visibility) -> Vec<RelationView> {
    let relations = index.relations(row, visibility).into_iter();
    relations.map(|(relation, target)| RelationView { relation, target: index.link(&target, visibility) }).collect()
}

//! Entities as `/api/v1` shows them: the document with where it comes from.

use std::collections::HashMap;
use std::sync::Arc;

use portal_core::catalog::EntityRef;
use portal_core::catalog::index::{CatalogIndex, Visibility};
use portal_core::catalog::wire::{EntityView, Provenance, RelationView};
use serde_json::{Map, Value};

use super::documents::Document;
use super::store::{self, SourceName};
use crate::db::{Db, DbResult};

/// How the sources of a page's entities are named and when they were read.
pub type SourceNames = HashMap<i64, SourceName>;

/// The names of the sources of these documents.
pub async fn source_names<'a>(db: &Db, documents: impl Iterator<Item = &'a Arc<Document>>) -> DbResult<SourceNames> {
    let mut ids: Vec<i64> = documents.filter_map(|document| document.source_id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(SourceNames::new());
    }
    store::source_names(db.reader(), &ids).await
}

/// One entity with its links and its provenance.
pub fn view(document: &Document, index: &CatalogIndex, visibility: &Visibility, sources: &SourceNames) -> EntityView {
    let entity: Value = serde_json::from_slice(&document.json).unwrap_or_default();
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

fn provenance(document: &Document, sources: &SourceNames) -> Provenance {
    let source = document.source_id.and_then(|id| sources.get(&id));
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
    }
}

/// Relations in both directions, as links.
pub fn relations(index: &CatalogIndex, row: u32, visibility: &Visibility) -> Vec<RelationView> {
    let relations = index.relations(row).into_iter();
    relations.map(|(relation, target)| RelationView { relation, target: index.link(&target, visibility) }).collect()
}

/// Whether a caller may see a row.
pub fn is_visible(visibility: &Visibility, row: u32) -> bool {
    match visibility {
        Visibility::All => true,
        Visibility::Rows(rows) => rows.contains(row),
    }
}

/// Keeps only the named fields: dotted paths, where a key may itself hold dots,
/// as in `metadata.annotations.backstage.io/techdocs-ref`.
pub fn prune(entity: &Value, fields: &[String]) -> Value {
    let mut kept = Value::Object(Map::new());
    for field in fields {
        let parts: Vec<&str> = field.split('.').collect();
        copy(entity, &parts, &mut kept);
    }
    kept
}

/// Copies what a path leads to; a path that leads nowhere leaves no trace.
fn copy(from: &Value, parts: &[&str], to: &mut Value) {
    let (Some(source), Some(target)) = (from.as_object(), to.as_object_mut()) else { return };
    // The shortest key that exists wins, so that `metadata.name` is not looked
    // for as one key before `metadata`.
    for taken in 1..=parts.len() {
        let key = parts[..taken].join(".");
        let Some(value) = source.get(&key) else { continue };
        if taken == parts.len() {
            target.insert(key, value.clone());
        } else if value.is_object() {
            let known = target.get(&key).cloned();
            let mut kept = known.clone().unwrap_or_else(|| Value::Object(Map::new()));
            copy(value, &parts[taken..], &mut kept);
            if known.is_some() || kept.as_object().is_some_and(|kept| !kept.is_empty()) {
                target.insert(key, kept);
            }
        }
        return;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_keep_values_subtrees_and_dotted_keys() {
        let entity = json!({"kind": "API", "metadata": {"name": "a", "annotations": {"backstage.io/x": "1", "y": "2"}}, "spec": {"type": "t"}, "status": {"x": 1}});
        let fields = ["kind", "status.nothing", "metadata.annotations.backstage.io/x", "spec", "nothing.here"]
            .map(str::to_owned);
        assert_eq!(
            prune(&entity, &fields),
            json!({"kind": "API", "metadata": {"annotations": {"backstage.io/x": "1"}}, "spec": {"type": "t"}})
        );
    }
}

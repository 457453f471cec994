//! Sources as the API shows them.

use std::collections::{HashMap, HashSet};

use portal_core::access::{Decision, Principal, Resource, Verb, decide};
use portal_core::catalog::Entity;
use portal_core::catalog::index::{CatalogIndex, Visibility};
use portal_core::catalog::relations::emitted;
use portal_core::sources::wire::{PassView, SourceErrorView, SourceView};
use serde_json::{Value, json};

use super::reading::{RecordedFault, Status};
use super::store::{self, Counts, DocumentRow, Holder, Pass, Source};
use crate::catalog::view::Snapshot;
use crate::db::{ConnectionTrait, DbResult};

/// Errors on one page.
const ERRORS: u64 = 500;

/// All sources with their health.
pub async fn list<C: ConnectionTrait>(db: &C) -> DbResult<Vec<SourceView>> {
    let sources = store::list(db).await?;
    let counts = store::counts(db).await?;
    let mut passes = store::last_passes(db).await?;
    let views = sources.into_iter().map(|source| {
        let counts = counts.get(&source.id).copied().unwrap_or_default();
        let pass = passes.remove(&source.id);
        view(source, counts, pass)
    });
    Ok(views.collect())
}

/// One source with its health.
pub async fn find<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<Option<SourceView>> {
    let Some(source) = store::find(db, id).await? else { return Ok(None) };
    let counts = store::counts_of(db, id).await?;
    let pass = store::passes(db, id, None, 1).await?.pop();
    Ok(Some(view(source, counts, pass)))
}

fn view(source: Source, counts: Counts, last_pass: Option<Pass>) -> SourceView {
    let Source {
        id,
        uid: _,
        source_type,
        target,
        branch,
        globs,
        origin,
        trusted,
        interval_seconds,
        credential,
        webhook_secret,
        state,
        failure,
        revision: _,
        read_at: _,
        next_pass_at,
        etag,
        created_at,
    } = source;
    SourceView {
        id,
        source_type,
        target,
        branch,
        globs,
        origin,
        trusted,
        interval_seconds,
        credential,
        webhook_secret,
        webhook_path: format!("/api/v1/sources/{id}/webhook"),
        state,
        entity_count: counts.entities,
        error_count: counts.errors,
        failure,
        last_pass: last_pass.map(pass),
        next_pass_at,
        etag,
        created_at,
    }
}

/// One entry of the log of passes.
pub fn pass(row: Pass) -> PassView {
    let Pass {
        id,
        source_id: _,
        started_at,
        finished_at,
        trigger,
        outcome,
        revision,
        documents,
        created,
        updated,
        unchanged,
        removed,
        errors,
        failure,
    } = row;
    let duration_ms = finished_at.map(|finished_at| (finished_at - started_at).num_milliseconds());
    PassView {
        id,
        started_at,
        finished_at,
        duration_ms,
        trigger,
        outcome,
        revision,
        documents,
        created,
        updated,
        unchanged,
        removed,
        errors,
        failure,
    }
}

/// A page of what is wrong with the documents of a source.
pub struct ErrorPage {
    pub items: Vec<SourceErrorView>,
    /// Path and index of the document after which the next page begins.
    pub next: Option<(String, u32)>,
    /// Documents with errors, on all pages, and claims on what the source holds.
    pub total: u64,
}

/// What of a source a caller may not know: entities that are hidden from them, the files
/// where those stand, and documents that would be hidden if they were good.
#[derive(Default)]
pub struct Concealed<'a> {
    /// The files of entities that are hidden from the caller.
    files: HashSet<String>,
    /// The files of entities that the caller may see.
    open_files: HashSet<String>,
    /// None where nothing is hidden from the caller.
    judge: Option<Judge<'a>>,
}

/// By what is judged who asks.
struct Judge<'a> {
    snapshot: &'a Snapshot,
    principal: &'a Principal,
    visibility: Visibility,
}

impl Judge<'_> {
    /// Whether the caller may see an entity of the catalog; `None` of others.
    fn sees(&self, entity_ref: &str) -> Option<bool> {
        self.snapshot.index.row_of(entity_ref).map(|row| self.visibility.admits(row))
    }

    /// Whether a document would be the caller's to read if it were good. One that nobody can
    /// read is for those who look after sources.
    fn admits(&self, row: &DocumentRow) -> bool {
        let Some(draft) = &row.draft else {
            return decide(self.principal, Verb::WriteSources, Resource::Any) == Decision::Allow;
        };
        let entity = named(draft);
        let relations = emitted(&entity, &self.snapshot.kinds);
        let alone = CatalogIndex::alone(entity, relations);
        self.snapshot.policies.rules.visibility(self.principal, &alone).admits(0)
    }
}

/// A draft that the index takes: what is missing must not hide what is there.
fn named(draft: &Value) -> Entity {
    let mut entity = draft.as_object().cloned().unwrap_or_default();
    if !entity.get("kind").is_some_and(Value::is_string) {
        entity.insert("kind".to_owned(), json!("Component"));
    }
    let mut metadata = entity.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    if !metadata.get("name").is_some_and(Value::is_string) {
        metadata.insert("name".to_owned(), json!("unnamed"));
    }
    entity.insert("metadata".to_owned(), Value::Object(metadata));
    Entity(Value::Object(entity))
}

impl<'a> Concealed<'a> {
    /// # Errors
    /// The database does not answer.
    pub async fn of<C: ConnectionTrait>(
        db: &C,
        id: i64,
        snapshot: &'a Snapshot,
        principal: &'a Principal,
    ) -> DbResult<Self> {
        let visibility = snapshot.visibility(principal);
        if visibility == Visibility::All {
            return Ok(Self::default());
        }
        let judge = Judge { snapshot, principal, visibility };
        let (mut files, mut open_files) = (HashSet::new(), HashSet::new());
        for (entity_ref, location) in store::held_by(db, id).await? {
            match judge.sees(&entity_ref) {
                Some(false) => files.insert(location),
                _ => open_files.insert(location),
            };
        }
        Ok(Self { files, open_files, judge: Some(judge) })
    }

    /// Whether a document is not the caller's to know. One that says of no entity may
    /// be the broken version of a hidden one in the same file.
    fn conceals(&self, row: &DocumentRow) -> bool {
        let Some(judge) = &self.judge else { return false };
        let sees = match &row.entity_ref {
            Some(entity_ref) => judge.sees(entity_ref),
            None if self.files.contains(&row.path) => Some(false),
            None => self.open_files.contains(&row.path).then_some(true),
        };
        !sees.unwrap_or_else(|| judge.admits(row))
    }
}

/// What is wrong with up to `limit` documents of a source, in the order of
/// their files. The first page also says who claims what the source holds.
pub async fn errors<C: ConnectionTrait>(
    db: &C,
    id: i64,
    after: Option<(String, i32)>,
    limit: u64,
    concealed: &Concealed<'_>,
) -> DbResult<ErrorPage> {
    let mut rivals = store::rivals(db, id, limit).await?;
    rivals.retain(|(_, row, _)| !concealed.conceals(row));
    let faulty = match concealed.judge {
        None => store::count_faulty(db, id).await?,
        Some(_) => {
            let documents = store::all_faulty_documents(db, id).await?;
            documents.iter().filter(|row| !concealed.conceals(row)).count() as u64
        }
    };
    let total = faulty + rivals.len() as u64;
    let first = after.is_none();
    let mut documents = store::faulty_documents(db, id, after, limit + 1).await?;
    let more = documents.len() as u64 > limit;
    documents.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = documents.last().filter(|_| more).map(|row| (row.path.clone(), row.document_index));
    documents.retain(|row| !concealed.conceals(row));
    let refs: Vec<String> = documents.iter().filter_map(|row| row.entity_ref.clone()).collect();
    let holders = store::holders(db, &refs).await?;
    let rivals = rivals.into_iter().filter(|_| first);
    let mut items: Vec<SourceErrorView> =
        rivals.map(|(claimant, row, holder)| rival(id, claimant, row, holder)).collect();
    items.extend(documents.into_iter().flat_map(|row| faults(id, row, &holders)));
    Ok(ErrorPage { items, next, total })
}

/// What is wrong with the documents that declare an entity, in any source.
pub async fn errors_of<C: ConnectionTrait>(db: &C, entity_ref: &str) -> DbResult<Vec<SourceErrorView>> {
    let documents = store::faulty_documents_of(db, entity_ref).await?;
    let holders = store::holders(db, &[entity_ref.to_owned()]).await?;
    let mut items: Vec<SourceErrorView> =
        documents.into_iter().flat_map(|(source_id, row)| faults(source_id, row, &holders)).collect();
    // A file that cannot be read at all says nothing of its entities.
    if let Some(Holder { source_id: Some(source_id), location, stale: true, .. }) = holders.get(entity_ref)
        && items.is_empty()
    {
        let documents = store::faulty_documents(db, *source_id, None, ERRORS).await?;
        let same_file = documents.into_iter().filter(|row| row.path == *location && row.entity_ref.is_none());
        items.extend(same_file.flat_map(|row| faults(*source_id, row, &holders)).take(20));
    }
    Ok(items)
}

/// What is wrong with documents whose entity or file contains a text, in any source: up
/// to `limit` documents, as far as the caller may know of them.
pub async fn errors_like<C: ConnectionTrait>(
    db: &C,
    text: &str,
    limit: u64,
    snapshot: &Snapshot,
    principal: &Principal,
) -> DbResult<Vec<SourceErrorView>> {
    let documents = store::faulty_documents_like(db, text, limit).await?;
    let mut concealed: HashMap<i64, Concealed<'_>> = HashMap::new();
    for (source_id, _) in &documents {
        if !concealed.contains_key(source_id) {
            concealed.insert(*source_id, Concealed::of(db, *source_id, snapshot, principal).await?);
        }
    }
    let refs: Vec<String> = documents.iter().filter_map(|(_, row)| row.entity_ref.clone()).collect();
    let holders = store::holders(db, &refs).await?;
    let open = documents
        .into_iter()
        .filter(|(source_id, row)| !concealed.get(source_id).is_some_and(|concealed| concealed.conceals(row)));
    Ok(open.flat_map(|(source_id, row)| faults(source_id, row, &holders)).collect())
}

fn faults(source_id: i64, row: DocumentRow, holders: &HashMap<String, Holder>) -> Vec<SourceErrorView> {
    let DocumentRow { path, document_index, entity_ref, status, faults, .. } = row;
    let holder = entity_ref.as_ref().and_then(|entity_ref| holders.get(entity_ref));
    let stale = status == Status::Invalid && holder.is_some_and(|holder| holder.source_id == Some(source_id));
    let shown = faults.into_iter().map(|RecordedFault { fault, excerpt }| SourceErrorView {
        source_id,
        file: path.clone(),
        document: document_index,
        entity_ref: entity_ref.clone(),
        stale,
        fault,
        excerpt,
    });
    shown.collect()
}

/// Tells the holder of a reference that somebody else claims it.
fn rival(source_id: i64, claimant: i64, row: DocumentRow, holder: Holder) -> SourceErrorView {
    let entity_ref = row.entity_ref.unwrap_or_default();
    let message = format!(
        "`{entity_ref}` is also declared by source {claimant}, at `{}` line {}; this source keeps it",
        row.path, row.line
    );
    let fault = portal_core::catalog::wire::Fault {
        line: holder.line.unsigned_abs(),
        column: 1,
        pointer: "/metadata/name".to_owned(),
        rule: "conflict".to_owned(),
        message,
        hint: Some("agree on one place; the other declaration has no effect".to_owned()),
    };
    SourceErrorView {
        source_id,
        file: holder.location,
        document: holder.document_index.unsigned_abs(),
        entity_ref: Some(entity_ref),
        stale: false,
        fault,
        excerpt: Vec::new(),
    }
}

//! Writing what changed: entities, verdicts and hashes of whole files together,
//! a few hundred rows at a time.

use std::collections::{HashMap, HashSet};

use axum::body::Bytes;
use portal_core::catalog::wire::Fault;

use super::super::links::Links;
use super::super::origin;
use super::super::reading::{self, Judged, RecordedFault, Status};
use super::super::store::{self, DocumentRow, KnownFile};
use super::walk::Sink;
use super::{Pass, PassError};
use crate::catalog::service::{self, EntityDraft, Upserted};
use crate::catalog::store as catalog_store;
use crate::db::{DatabaseTransaction, DbResult};

/// Documents of one write. Each is an entity, a change and a verdict.
const DOCUMENTS: usize = 250;

/// A file that differs from the last pass.
pub(super) struct FileResult {
    pub(super) file: String,
    pub(super) hash: String,
    pub(super) etag: Option<String>,
    pub(super) links: Links,
    pub(super) documents: Vec<Judged>,
    pub(super) bytes: Bytes,
}

impl FileResult {
    /// A file of which only a fault is known.
    pub(super) fn failed(
        file: String,
        hash: String,
        links: Links,
        status: Status,
        rule: &str,
        message: String,
    ) -> Self {
        let (pointer, rule) = (String::new(), rule.to_owned());
        let fault = Fault { line: 1, column: 1, pointer, rule, message, hint: None };
        let document = Judged {
            index: 0,
            line: 1,
            name_at: (1, 1),
            entity_ref: None,
            status,
            faults: vec![RecordedFault { fault, excerpt: Vec::new() }],
            entity: None,
            draft: None,
            targets: Vec::new(),
        };
        Self { file, hash, etag: None, links, documents: vec![document], bytes: Bytes::new() }
    }
}

/// Collects files until they are worth a write.
pub(super) struct Writer<'w, 'p> {
    pass: &'w mut Pass<'p>,
    known: &'w HashMap<String, KnownFile>,
    /// Where the last pass found each reference; loaded with the first change.
    before: Option<HashMap<String, (String, i32)>>,
    /// The references of `before` by file, of files not visited yet.
    waiting: HashMap<String, Vec<(String, i32)>>,
    /// Unchanged files that were visited before anything had changed.
    passed: Vec<String>,
    /// Where this pass found each reference.
    declared: HashMap<String, (String, i32)>,
    /// Files with a reference that a file not visited yet may still hold.
    deferred: Vec<FileResult>,
    batch: Batch,
}

#[derive(Default)]
struct Batch {
    drafts: Vec<EntityDraft>,
    /// Place of each draft's verdict among `rows`, and where its excerpt comes from.
    places: Vec<(usize, Bytes, (u32, u32))>,
    rows: Vec<DocumentRow>,
    cleared: Vec<String>,
    files: Vec<(String, KnownFile)>,
}

impl Sink for Writer<'_, '_> {
    /// Its entities and verdicts are to be written.
    async fn add(&mut self, file: FileResult) -> Result<(), PassError> {
        if self.before.is_none() {
            self.begin().await?;
        }
        self.pass.tally.files += 1;
        if file.documents.iter().any(|document| self.is_held_elsewhere(&file.file, document)) {
            // What it declared itself is free for the file it may have moved to.
            self.waiting.remove(&file.file);
            self.deferred.push(file);
            return Ok(());
        }
        self.put(file).await
    }

    /// It keeps what it declares.
    fn pass_by(&mut self, file: &str) {
        match self.before {
            Some(_) => self.keep(file),
            None => self.passed.push(file.to_owned()),
        }
    }
}

impl<'w, 'p> Writer<'w, 'p> {
    pub(super) fn new(pass: &'w mut Pass<'p>, known: &'w HashMap<String, KnownFile>) -> Self {
        Self {
            pass,
            known,
            before: None,
            waiting: HashMap::new(),
            passed: Vec::new(),
            declared: HashMap::new(),
            deferred: Vec::new(),
            batch: Batch::default(),
        }
    }

    fn keep(&mut self, file: &str) {
        for (entity_ref, index) in self.waiting.remove(file).unwrap_or_default() {
            self.declared.entry(entity_ref).or_insert_with(|| (file.to_owned(), index));
        }
    }

    /// Whether a file that was not visited yet declared the reference last time.
    fn is_held_elsewhere(&self, file: &str, document: &Judged) -> bool {
        let Some(entity_ref) = document.entity_ref.as_ref().filter(|_| document.status == Status::Ok) else {
            return false;
        };
        let before = self.before.as_ref().and_then(|before| before.get(entity_ref));
        before.is_some_and(|(holder, _)| holder != file && self.waiting.contains_key(holder))
    }

    async fn begin(&mut self) -> Result<(), PassError> {
        self.pass.open().await?;
        let mut before = HashMap::new();
        if !self.known.is_empty() {
            let rows = store::declared(self.pass.app.db.reader(), self.pass.source.id).await?;
            before.extend(rows.into_iter().map(|(entity_ref, path, index)| (entity_ref, (path, index))));
        }
        for (entity_ref, (file, index)) in &before {
            self.waiting.entry(file.clone()).or_default().push((entity_ref.clone(), *index));
        }
        self.before = Some(before);
        for file in std::mem::take(&mut self.passed) {
            self.keep(&file);
        }
        Ok(())
    }

    async fn put(&mut self, file: FileResult) -> Result<(), PassError> {
        let FileResult { file, hash, etag, links, documents, bytes } = file;
        self.waiting.remove(&file);
        let Pass { app, source, .. } = &*self.pass;
        let limit = app.sources.settings.entity_limit * if source.trusted { 10 } else { 1 };
        self.batch.cleared.push(file.clone());
        for document in documents {
            if self.batch.rows.len() >= DOCUMENTS {
                self.flush().await?;
            }
            self.document(limit, &file, &bytes, document);
        }
        self.batch.files.push((file, KnownFile { hash, etag, links }));
        if self.batch.rows.len() >= DOCUMENTS || self.batch.files.len() >= DOCUMENTS {
            self.flush().await?;
        }
        Ok(())
    }

    fn document(&mut self, limit: usize, file: &str, bytes: &Bytes, document: Judged) {
        let Judged { index, line, name_at, entity_ref, mut status, mut faults, entity, mut draft, targets: _ } =
            document;
        let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        if let (Some(mut entity), Some(entity_ref)) = (entity, &entity_ref) {
            if let Some((other, place)) = self.declared.get(entity_ref) {
                let message =
                    format!("`{entity_ref}` is declared twice in this source: first by document {place} of `{other}`");
                faults.push(recorded(bytes, name_at, "duplicate", message, "remove one of the two, or rename it"));
                status = Status::Conflict;
                draft = Some(entity.0);
            } else if self.declared.len() >= limit {
                let message = format!("the source declares more than {limit} entities; the rest is left out");
                faults.push(recorded(
                    bytes,
                    name_at,
                    "quota",
                    message,
                    "split the source, or have it marked as trusted",
                ));
                status = Status::Refused;
                draft = Some(entity.0);
            } else {
                self.declared.insert(entity_ref.clone(), (file.to_owned(), number(index)));
                self.batch.places.push((self.batch.rows.len(), bytes.clone(), name_at));
                origin::annotate(&mut entity, &self.pass.source, file);
                self.batch.drafts.push(EntityDraft {
                    entity,
                    source_id: Some(self.pass.source.id),
                    location: file.to_owned(),
                    document_index: number(index),
                    line: number(line),
                });
            }
        }
        let path = file.to_owned();
        self.batch.rows.push(DocumentRow { path, document_index: index, line, entity_ref, status, faults, draft });
    }

    async fn flush(&mut self) -> Result<(), PassError> {
        let batch = std::mem::take(&mut self.batch);
        if batch.rows.is_empty() && batch.files.is_empty() {
            return Ok(());
        }
        let pass = &mut *self.pass;
        let (id, writing) = (pass.source.id, pass.writing.clone());
        let work = pass.write(move |txn| {
            Box::pin(async move {
                let Batch { drafts, places, mut rows, cleared, files } = batch;
                let outcomes = service::upsert(txn, &writing, drafts).await?;
                conflicts(txn, &outcomes, &places, &mut rows).await?;
                if !cleared.is_empty() {
                    store::delete_documents(txn, id, &cleared).await?;
                }
                store::insert_documents(txn, id, &rows).await?;
                for (path, file) in &files {
                    store::put_file(txn, id, path, file).await?;
                }
                Ok(outcomes)
            })
        });
        for outcome in work.await? {
            match outcome {
                Upserted::Created { .. } => pass.tally.created += 1,
                Upserted::Updated { .. } => pass.tally.updated += 1,
                _ => pass.tally.unchanged += 1,
            }
        }
        Ok(())
    }

    /// Writes what is left, the deferred files last: by now every file that
    /// still holds a reference was visited.
    pub(super) async fn end(mut self) -> Result<(), PassError> {
        self.waiting.clear();
        for file in std::mem::take(&mut self.deferred) {
            self.put(file).await?;
        }
        self.flush().await
    }
}

/// Turns the verdicts on documents whose reference another source holds.
async fn conflicts(
    txn: &DatabaseTransaction,
    outcomes: &[Upserted],
    places: &[(usize, Bytes, (u32, u32))],
    rows: &mut [DocumentRow],
) -> DbResult<()> {
    let ids: HashSet<i64> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Upserted::Conflict { source_id, .. } => *source_id,
            _ => None,
        })
        .collect();
    let names = match ids.is_empty() {
        true => HashMap::new(),
        false => catalog_store::source_names(txn, &ids.into_iter().collect::<Vec<_>>()).await?,
    };
    for (outcome, (row, bytes, name_at)) in outcomes.iter().zip(places) {
        let Upserted::Conflict { source_id, location } = outcome else { continue };
        let Some(row) = rows.get_mut(*row) else { continue };
        let entity_ref = row.entity_ref.as_deref().unwrap_or_default();
        let message = match source_id {
            None => format!("`{entity_ref}` was written by the API and stays so"),
            Some(id) => {
                let name = names.get(id).map_or("another source", |source| source.name.as_str());
                format!("`{entity_ref}` is declared already by source {id}, `{name}`, at `{location}`")
            }
        };
        row.status = Status::Conflict;
        row.faults.push(recorded(
            bytes,
            *name_at,
            "conflict",
            message,
            "the first keeps it; remove one of the two, or rename it",
        ));
    }
    Ok(())
}

fn recorded(bytes: &Bytes, at: (u32, u32), rule: &str, message: String, hint: &str) -> RecordedFault {
    let (line, column) = at;
    let (pointer, rule) = ("/metadata/name".to_owned(), rule.to_owned());
    let fault = Fault { line, column, pointer, rule, message, hint: Some(hint.to_owned()) };
    RecordedFault { fault, excerpt: reading::excerpt(bytes, line) }
}

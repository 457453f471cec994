//! The one thread that writes the index.
//!
//! It takes batches of changes, commits when none is waiting (or, under a
//! stream of them, every so often), and then shows readers the new state. The
//! index is a view: what a failed commit lost is written again, since changes
//! are kept until they are committed and each replaces the whole document.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::query::AllQuery;
use tantivy::{Index, IndexWriter, Searcher, Term};
use tokio::sync::mpsc;

use super::Published;
use super::document::SearchChange;
use super::schema::{self, Fields, ROW, VERSION};

/// Bytes that the writer collects before it writes a segment.
const MEMORY: usize = 32 << 20;
/// Time after which waiting changes are committed although more arrive.
const PATIENCE: Duration = Duration::from_millis(150);
/// Changes that are passed over until a commit notes them all the same.
const IDLE: i64 = 1000;
/// Wait after a failure.
const RETRY: Duration = Duration::from_secs(1);

/// Changes and the sequence after them.
pub type Batch = (Vec<SearchChange>, i64);

/// What the thread is told.
pub enum Message {
    Apply(Batch),
    /// Commit what came before, and free the directory.
    Close,
}

/// What a commit remembers beside the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    pub version: u32,
    pub seq: i64,
}

impl Payload {
    /// The payload of the last commit, when it is one of this version.
    pub fn of(index: &Index) -> Option<Self> {
        let payload: Self = serde_json::from_str(&index.load_metas().ok()?.payload?).ok()?;
        (payload.version == VERSION).then_some(payload)
    }
}

/// Makes a writer; there is one per directory.
///
/// # Errors
/// Another process has it, or the directory cannot be written.
pub fn open(index: &Index) -> tantivy::Result<IndexWriter> {
    let options = IndexWriterOptions::builder()
        .num_worker_threads(1)
        .num_merge_threads(1)
        .memory_budget_per_thread(MEMORY)
        .build();
    let writer = index.writer_with_options(options)?;
    // Single changes make tiny segments, which are to be merged with each
    // other and not each time with the large ones.
    let mut policy = LogMergePolicy::default();
    policy.set_min_layer_size(200);
    policy.set_del_docs_ratio_before_merge(0.3);
    writer.set_merge_policy(Box::new(policy));
    Ok(writer)
}

/// The references that the index may have, as hashes: what is not among them
/// needs no deletion, which is most of a first load.
#[derive(Debug, Default)]
pub struct Known(HashSet<u64>);

impl Known {
    /// # Errors
    /// The index cannot be read.
    pub fn read(searcher: &Searcher, fields: &Fields) -> tantivy::Result<Self> {
        let mut known = Self::default();
        for segment in searcher.segment_readers() {
            // A damaged segment shows here rather than in a search.
            segment.fast_fields().column_first_or_default::<u64>(ROW)?;
            let index = segment.inverted_index(fields.entity_ref)?;
            let mut terms = index.terms().stream()?;
            while terms.advance() {
                known.0.insert(hash(terms.key()));
            }
        }
        Ok(known)
    }
}

fn hash(entity_ref: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    entity_ref.hash(&mut hasher);
    hasher.finish()
}

/// The thread's state.
pub struct WriterThread {
    writer: IndexWriter,
    fields: Fields,
    known: Known,
    published: Published,
    /// Not committed yet.
    pending: Vec<Batch>,
    /// The sequence of the last commit.
    committed: i64,
    last_commit: Duration,
}

impl WriterThread {
    pub fn new(writer: IndexWriter, fields: Fields, known: Known, published: Published) -> Self {
        let committed = published.seq();
        Self { writer, fields, known, published, pending: Vec::new(), committed, last_commit: Duration::ZERO }
    }

    /// Serves until it is closed or every sender is gone.
    pub fn serve(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut open = true;
        while open {
            let Some(message) = messages.blocking_recv() else { return };
            let started = Instant::now();
            open = self.take(message);
            // A slow disk is asked less often.
            while open && started.elapsed() < PATIENCE.max(3 * self.last_commit) {
                let Ok(message) = messages.try_recv() else { break };
                open = self.take(message);
            }
            while let Err(error) = self.settle(open) {
                tracing::error!(error = %error, "could not commit the search index; trying again");
                std::thread::sleep(RETRY);
                if messages.is_closed() || !open {
                    return;
                }
                self.redo();
            }
        }
        // The last merges are left for the next start.
    }

    /// Answers whether there is more to come.
    fn take(&mut self, message: Message) -> bool {
        let Message::Apply(batch) = message else { return false };
        self.index(&batch);
        self.pending.push(batch);
        true
    }

    fn index(&mut self, (changes, _): &Batch) {
        for change in changes {
            let result = match change {
                SearchChange::Upsert(document) => {
                    self.forget(&document.hit.entity_ref);
                    self.known.0.insert(hash(document.hit.entity_ref.as_bytes()));
                    self.writer.add_document(schema::document(&self.fields, document)).map(drop)
                }
                SearchChange::Remove(entity_ref) => {
                    self.forget(entity_ref);
                    Ok(())
                }
                SearchChange::Clear => {
                    self.known.0.clear();
                    self.writer.delete_query(Box::new(AllQuery)).map(drop)
                }
            };
            if let Err(error) = result {
                // The commit will fail too, and what is pending is done again.
                tracing::warn!(error = %error, "could not index a change");
            }
        }
    }

    fn forget(&mut self, entity_ref: &str) {
        if self.known.0.remove(&hash(entity_ref.as_bytes())) {
            self.writer.delete_term(Term::from_field_text(self.fields.entity_ref, entity_ref));
        }
    }

    /// Shows readers what came. Most changes are about something else than the index has: they
    /// are passed over, and the next commit says how far.
    fn settle(&mut self, goes_on: bool) -> tantivy::Result<()> {
        let seq = self.pending.last().map_or_else(|| self.published.seq(), |(_, seq)| *seq);
        let is_same = self.pending.iter().all(|(changes, _)| changes.is_empty());
        let is_near = self.committed != 0 && seq - self.committed < IDLE;
        if is_same && (seq == self.committed || is_near && goes_on) {
            self.pending.clear();
            self.published.advance(seq);
            return Ok(());
        }
        self.commit(seq)
    }

    fn commit(&mut self, seq: i64) -> tantivy::Result<()> {
        let started = Instant::now();
        let payload = serde_json::to_string(&Payload { version: VERSION, seq }).unwrap_or_default();
        let mut commit = self.writer.prepare_commit()?;
        commit.set_payload(&payload);
        commit.commit()?;
        self.last_commit = started.elapsed();
        self.committed = seq;
        self.pending.clear();
        self.published.publish(seq)
    }

    /// Goes back to the last commit and indexes again what came after it.
    fn redo(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if let Err(error) = self.writer.rollback() {
            tracing::error!(error = %error, "could not roll the search index back");
        }
        match Known::read(&self.published.searcher(), &self.fields) {
            Ok(known) => self.known = known,
            Err(error) => tracing::error!(error = %error, "could not read the search index"),
        }
        for batch in &pending {
            self.index(batch);
        }
        self.pending = pending;
    }
}

//! The handle on the index.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use roaring::RoaringBitmap;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, SegmentReader, TantivyError};
use tokio::sync::{mpsc, watch};

use super::document::SearchChange;
use super::evaluate::{self, Scope};
use super::matches::Matches;
use super::query::Query;
use super::schema::{self, Fields, ROW};
use super::writer::{self, Message, Payload, WriterThread};

/// Batches that wait for the writer, at most; whoever feeds it waits then.
const QUEUE: usize = 16;
/// Blocks of stored hits that a segment keeps decompressed, of 16 kB each.
const CACHED_BLOCKS: usize = 200;
/// Time for another writer of the directory to end.
const HAND_OVER: Duration = Duration::from_secs(1);

/// Full text, cheap to clone.
#[derive(Clone)]
pub struct SearchIndex {
    messages: mpsc::Sender<Message>,
    published: Published,
    fields: Fields,
}

/// The index cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    #[error("the search index failed")]
    Tantivy(#[from] TantivyError),
    #[error("the search index cannot be stored")]
    Directory(#[from] std::io::Error),
    /// The writer thread is gone, which only a bug or the end of the program
    /// causes.
    #[error("the search index is no longer written")]
    Stopped,
}

impl SearchError {
    fn is_locked(&self) -> bool {
        matches!(self, Self::Tantivy(TantivyError::LockFailure(..)))
    }
}

impl SearchIndex {
    /// Opens the index in a directory. One of another version or one that
    /// cannot be read is replaced by an empty one; one that another process
    /// writes is left alone, and this process keeps its own in memory.
    ///
    /// # Errors
    /// The directory cannot be created, or memory and threads are exhausted.
    pub fn open(directory: &Path) -> Result<Self, SearchError> {
        std::fs::create_dir_all(directory)?;
        let opened = Self::existing(directory).transpose();
        let result = opened.unwrap_or_else(|| {
            std::fs::remove_dir_all(directory)?;
            std::fs::create_dir_all(directory)?;
            let (schema, _) = schema::schema();
            Self::start(Index::create_in_dir(directory, schema)?)
        });
        match result {
            Err(error) if error.is_locked() => {
                tracing::warn!(directory = %directory.display(), "another process writes the search index; keeping one in memory");
                Self::in_memory()
            }
            other => other,
        }
    }

    /// An empty index that ends with the process.
    ///
    /// # Errors
    /// Memory or threads are exhausted.
    pub fn in_memory() -> Result<Self, SearchError> {
        let (schema, _) = schema::schema();
        Self::start(Index::create_in_ram(schema))
    }

    /// The index of a directory; `None` when it has none that is of use.
    fn existing(directory: &Path) -> Result<Option<Self>, SearchError> {
        if !directory.join("meta.json").exists() {
            return Ok(None);
        }
        let (schema, _) = schema::schema();
        let usable =
            Index::open_in_dir(directory).ok().filter(|index| index.schema() == schema && Payload::of(index).is_some());
        let Some(index) = usable else {
            tracing::info!(directory = %directory.display(), "rebuilding the search index: it is of another version or damaged");
            return Ok(None);
        };
        match Self::start(index) {
            Err(error @ SearchError::Tantivy(_)) if !error.is_locked() => {
                tracing::warn!(directory = %directory.display(), error = ?error, "rebuilding the search index: it cannot be read");
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    fn start(index: Index) -> Result<Self, SearchError> {
        schema::register(&index);
        let (_, fields) = schema::schema();
        let writer = locked(&index)?;
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(CACHED_BLOCKS)
            .try_into()?;
        let known = writer::Known::read(&reader.searcher(), &fields)?;
        let seq = Payload::of(&index).map_or(0, |payload| payload.seq);
        let view = View::new(reader.searcher(), seq, None)?;
        let published = Published { reader, view: Arc::new(ArcSwap::from_pointee(view)), seq: watch::Sender::new(seq) };
        let (sender, receiver) = mpsc::channel(QUEUE);
        let thread = WriterThread::new(writer, fields, known, published.clone());
        std::thread::Builder::new().name("search-writer".to_owned()).spawn(move || thread.serve(receiver))?;
        Ok(Self { messages: sender, published, fields })
    }

    /// Hands changes to the writer, in the order of the feed, and returns
    /// before they are visible; `seq` is the feed's sequence after them. Waits
    /// while the writer is far behind.
    ///
    /// # Errors
    /// The writer is gone.
    pub async fn apply(&self, changes: Vec<SearchChange>, seq: i64) -> Result<(), SearchError> {
        self.messages.send(Message::Apply((changes, seq))).await.map_err(|_| SearchError::Stopped)
    }

    /// Ends the writer once it has committed what it was given; another
    /// process may then write the directory. Reading goes on.
    pub async fn close(&self) {
        // An error says that it has ended already.
        let _ = self.messages.send(Message::Close).await;
        self.messages.closed().await;
    }

    /// The sequence up to which changes are visible; 0 for a new index.
    pub fn seq(&self) -> i64 {
        self.published.seq()
    }

    /// How many entities are visible.
    pub fn len(&self) -> u64 {
        self.published.searcher().num_docs()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until changes up to `seq` are visible; false when that takes
    /// longer than `patience`.
    pub async fn wait_for(&self, seq: i64, patience: Duration) -> bool {
        let mut visible = self.published.seq.subscribe();
        let reached = visible.wait_for(|visible| *visible >= seq);
        matches!(tokio::time::timeout(patience, reached).await, Ok(Ok(_)))
    }

    /// The rows among `visible` that match a text, ranked. `None` is everything.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn find(&self, text: &str, scope: Scope, visible: Option<&RoaringBitmap>) -> Result<Matches, SearchError> {
        let view = self.published.view.load_full();
        let query = Query::read(text);
        let evaluation = evaluate::evaluate(&view, &self.fields, &query, scope, visible)?;
        Ok(Matches::new(view, self.fields, query, evaluation))
    }
}

/// Makes the writer; gives a predecessor that is just ending the time for it.
fn locked(index: &Index) -> Result<IndexWriter, SearchError> {
    let started = Instant::now();
    loop {
        match writer::open(index) {
            Err(TantivyError::LockFailure(..)) if started.elapsed() < HAND_OVER => {
                std::thread::sleep(Duration::from_millis(20));
            }
            result => return Ok(result?),
        }
    }
}

/// A state of the index that readers see.
pub struct View {
    pub searcher: Searcher,
    pub seq: i64,
    /// The row of each document, by segment: read one by one from a column,
    /// they are the most of a search that matches much.
    pub rows: Vec<Arc<[u32]>>,
}

impl View {
    /// # Errors
    /// The index cannot be read.
    fn new(searcher: Searcher, seq: i64, before: Option<&Self>) -> tantivy::Result<Self> {
        // A segment never changes, and most are in the state before.
        let known = |segment: &SegmentReader| {
            let before = before?;
            let mut segments = before.searcher.segment_readers().iter();
            let at = segments.position(|known| known.segment_id() == segment.segment_id())?;
            before.rows.get(at).cloned()
        };
        let rows = searcher.segment_readers().iter().map(|segment| match known(segment) {
            Some(rows) => Ok(rows),
            None => rows_of(segment),
        });
        let rows = rows.collect::<tantivy::Result<_>>()?;
        Ok(Self { searcher, seq, rows })
    }
}

fn rows_of(segment: &SegmentReader) -> tantivy::Result<Arc<[u32]>> {
    let column = segment.fast_fields().column_first_or_default::<u64>(ROW)?;
    let mut rows = vec![0; segment.max_doc() as usize];
    column.get_range(0, &mut rows);
    // Rows are numbered in 32 bits.
    Ok(rows.into_iter().map(|row| row as u32).collect())
}

/// How the writer shows readers a new state.
#[derive(Clone)]
pub struct Published {
    reader: IndexReader,
    view: Arc<ArcSwap<View>>,
    seq: watch::Sender<i64>,
}

impl Published {
    /// # Errors
    /// The new state cannot be read.
    pub fn publish(&self, seq: i64) -> tantivy::Result<()> {
        self.reader.reload()?;
        let view = View::new(self.reader.searcher(), seq, Some(&self.view.load()))?;
        self.view.store(Arc::new(view));
        self.seq.send_replace(seq);
        Ok(())
    }

    pub fn seq(&self) -> i64 {
        self.view.load().seq
    }

    /// Shows that changes up to `seq` have left the index as it is.
    pub fn advance(&self, seq: i64) {
        let View { searcher, rows, .. } = &**self.view.load();
        self.view.store(Arc::new(View { searcher: searcher.clone(), seq, rows: rows.clone() }));
        self.seq.send_replace(seq);
    }

    pub fn searcher(&self) -> Searcher {
        self.view.load().searcher.clone()
    }
}

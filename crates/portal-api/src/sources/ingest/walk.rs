//! From the files that a source names to everything they lead to.
//!
//! Each file is visited once, whoever names it; a `Location` that leads back to
//! a file above it is a fault on that `Location`, and depth is bounded.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use axum::body::Bytes;
use futures::StreamExt;
use portal_core::catalog::kinds::KindRegistry;
use portal_core::catalog::wire::Fault;
use portal_core::documentation::TECHDOCS_REF;
use portal_core::sources::wire::SourceType;
use sha2::{Digest, Sha256};

use super::super::fetch::{Context, FetchError, Fetched, Note, Request, Tree};
use super::super::includes::{self, Files};
use super::super::links::{Documented, Include, Links};
use super::super::places::{self, Ground, is_url};
use super::super::reading::{self, Contents, Judged, LocationTarget, RecordedFault, Status};
use super::super::store::KnownFile;
use super::PassError;
use super::batch::FileResult;
use super::load::{self, Loaded, Loader};
use portal_core::glob::is_glob;

/// Grows when the rules of reading change, so that everything is judged again.
const RULES: u8 = 3;
/// `Location`s below each other, at most.
const DEPTH: usize = 5;
/// Files read, parsed and judged at the same time.
const AT_ONCE: usize = 8;
/// Files of one source, at most.
const FILES: usize = 100_000;

/// What was visited.
pub(super) struct Visited {
    pub(super) files: HashSet<String>,
    /// The source as a whole cannot be read.
    pub(super) failure: Option<FetchError>,
}

/// A file to read, and how one came to it.
#[derive(Clone)]
struct Visit {
    file: String,
    optional: bool,
    chain: Arc<Chain>,
}

/// The files above a file.
struct Chain {
    file: String,
    above: Option<Arc<Chain>>,
    depth: usize,
}

impl Chain {
    fn contains(&self, file: &str) -> bool {
        self.file == file || self.above.as_ref().is_some_and(|above| above.contains(file))
    }
}

/// Names the rules that judge files: this program's, the kinds, and trust.
pub(super) fn mark(kinds: &KindRegistry, trusted: bool) -> String {
    let mut hasher = Sha256::new();
    hasher.update([RULES, u8::from(trusted)]);
    for kind in kinds.iter() {
        hasher.update(serde_json::to_vec(kind).unwrap_or_default());
    }
    format!("{}:", hex::encode(&hasher.finalize()[..4]))
}

/// Takes the files of a walk, in its order.
pub(super) trait Sink {
    /// A file that differs from what is known of it.
    fn add(&mut self, file: FileResult) -> impl Future<Output = Result<(), PassError>> + Send;

    /// An unchanged file.
    fn pass_by(&mut self, file: &str);
}

/// Reads everything that a source leads to.
pub(super) async fn walk(
    context: &Context,
    request: &Request,
    fetched: &Fetched,
    known: &HashMap<String, KnownFile>,
    kinds: KindRegistry,
    mark: &str,
    sink: &mut (impl Sink + Send),
) -> Result<Visited, PassError> {
    let Fetched { tree, entries, notes, secret, revision: _ } = fetched;
    let loader = Loader::new(context, request, tree, secret.as_ref());
    let ground = Ground::of(request.source_type, &request.target, request.trusted);
    let judge = Judge { loader: &loader, ground: &ground, kinds, trusted: request.trusted, mark };
    let mut visited = HashSet::new();
    let mut open: VecDeque<Visit> = VecDeque::new();
    for file in entries {
        if visited.insert(file.clone()) {
            let chain = Arc::new(Chain { file: file.clone(), above: None, depth: 0 });
            open.push_back(Visit { file: file.clone(), optional: false, chain });
        }
    }
    for note in notes {
        let Note { path, rule, message } = note.clone();
        let hash = load::failure_hash(mark, rule, &message);
        visited.insert(path.clone());
        if known.get(&path).is_none_or(|file| file.hash != hash) {
            let result = FileResult::failed(path, hash, Links::default(), Status::Refused, rule, message);
            sink.add(result).await?;
        } else {
            sink.pass_by(&path);
        }
    }
    while !open.is_empty() {
        let wave: Vec<Visit> = open.drain(..open.len().min(256)).collect();
        let mut results = futures::stream::iter(wave)
            .map(|visit| {
                let known = known.get(&visit.file);
                let judge = &judge;
                async move {
                    let seen = judge.visit(&visit, known).await;
                    (visit, seen)
                }
            })
            .buffered(AT_ONCE);
        while let Some((visit, seen)) = results.next().await {
            let root_failure = visit.chain.above.is_none() && request.source_type == SourceType::Http;
            match seen {
                Seen::Absent => {
                    visited.remove(&visit.file);
                }
                Seen::Failed(error) if root_failure => return Ok(Visited { files: visited, failure: Some(error) }),
                Seen::Failed(error) => {
                    let message = error.to_string();
                    let hash = load::failure_hash(mark, error.code(), &message);
                    // What it led to is kept, so that a hiccup removes nothing.
                    let links = known.get(&visit.file).map(|file| file.links.clone()).unwrap_or_default();
                    follow(tree, &ground, &visit, &links.targets, &mut visited, &mut open).await;
                    if known.get(&visit.file).is_some_and(|file| file.hash == hash) {
                        sink.pass_by(&visit.file);
                    } else {
                        let result =
                            FileResult::failed(visit.file, hash, links, Status::Unreadable, error.code(), message);
                        sink.add(result).await?;
                    }
                }
                Seen::Unchanged => {
                    let targets = known.get(&visit.file).map(|file| file.links.targets.clone()).unwrap_or_default();
                    follow(tree, &ground, &visit, &targets, &mut visited, &mut open).await;
                    sink.pass_by(&visit.file);
                }
                Seen::Changed(mut result) => {
                    for document in &mut result.documents {
                        let faults = follow(tree, &ground, &visit, &document.targets, &mut visited, &mut open).await;
                        let faults = faults.into_iter().map(|(line, rule, message)| RecordedFault {
                            fault: Fault { line, column: 1, pointer: "/spec".to_owned(), rule, message, hint: None },
                            excerpt: reading::excerpt(&result.bytes, line),
                        });
                        document.faults.extend(faults);
                    }
                    sink.add(*result).await?;
                }
            }
        }
        if visited.len() > FILES {
            let text = format!("the source leads to more than {FILES} files; name fewer");
            return Ok(Visited { files: visited, failure: Some(FetchError::Budget(text)) });
        }
    }
    Ok(Visited { files: visited, failure: None })
}

/// Queues the targets of a `Location`; answers what is wrong with them, as
/// `(line, rule, message)`.
async fn follow(
    tree: &Tree,
    ground: &Ground,
    visit: &Visit,
    targets: &[LocationTarget],
    visited: &mut HashSet<String>,
    open: &mut VecDeque<Visit>,
) -> Vec<(u32, String, String)> {
    let mut faults = Vec::new();
    for LocationTarget { target, optional, line } in targets {
        let mut fault = |rule: &str, message: String| faults.push((*line, rule.to_owned(), message));
        let files = match expand(tree, ground, &visit.file, target).await {
            Ok(files) => files,
            Err(error) => {
                fault("location_target", format!("`{target}`: {error}"));
                continue;
            }
        };
        for file in files {
            if visit.chain.contains(&file) {
                fault("location_cycle", format!("`{target}` leads back to `{file}`, which leads here"));
            } else if visit.chain.depth >= DEPTH {
                fault("location_depth", format!("`{target}` is more than {DEPTH} locations below the source"));
            } else if visited.insert(file.clone()) {
                let depth = visit.chain.depth + 1;
                let chain = Arc::new(Chain { file: file.clone(), above: Some(visit.chain.clone()), depth });
                open.push_back(Visit { file, optional: *optional, chain });
            }
        }
    }
    faults
}

/// The files that a target means: one, or those that its glob matches.
async fn expand(tree: &Tree, ground: &Ground, base: &str, target: &str) -> Result<Vec<String>, FetchError> {
    let file = places::resolve(ground, base, target)?;
    if !is_glob(&file) || is_url(&file) {
        return Ok(vec![file]);
    }
    // A file may be named like a glob.
    let found = tree.matching(&file).await?;
    Ok(if found.is_empty() && !file.contains('*') { vec![file] } else { found })
}

/// What a visit found.
enum Seen {
    Unchanged,
    /// Nothing there, which is fine.
    Absent,
    Failed(FetchError),
    Changed(Box<FileResult>),
}

struct Judge<'a> {
    loader: &'a Loader<'a>,
    ground: &'a Ground,
    kinds: KindRegistry,
    trusted: bool,
    mark: &'a str,
}

impl Judge<'_> {
    async fn visit(&self, visit: &Visit, known: Option<&KnownFile>) -> Seen {
        // The entity tag belongs to the bytes that were judged by these rules.
        let same_rules = known.filter(|known| known.hash.starts_with(self.mark));
        match self.loader.load(&visit.file, same_rules).await {
            Err(error) if error.is_absent() && visit.optional => Seen::Absent,
            Err(error) => Seen::Failed(error),
            Ok(Loaded::NotModified) => match same_rules {
                Some(known) if self.includes_unchanged(known).await => Seen::Unchanged,
                // Something that it includes changed: its own text is needed again.
                _ => match self.loader.load(&visit.file, None).await {
                    Ok(Loaded::Bytes { bytes, etag }) => self.judge(&visit.file, bytes, etag).await,
                    Ok(Loaded::NotModified) => Seen::Unchanged,
                    Err(error) => Seen::Failed(error),
                },
            },
            Ok(Loaded::Bytes { bytes, etag }) => {
                let hash = load::hash(self.mark, &bytes);
                match known.filter(|known| known.hash == hash) {
                    Some(known) if self.includes_unchanged(known).await => Seen::Unchanged,
                    _ => self.judge(&visit.file, bytes, etag).await,
                }
            }
        }
    }

    async fn includes_unchanged(&self, known: &KnownFile) -> bool {
        for Include { file, hash } in &known.links.includes {
            if self.include_hash(file).await != *hash {
                return false;
            }
        }
        true
    }

    async fn include_hash(&self, file: &str) -> String {
        match self.loader.file(file).await {
            Ok(bytes) => load::hash("", &bytes),
            Err(error) => load::failure_hash("", "unreadable", &error),
        }
    }

    async fn judge(&self, file: &str, bytes: Bytes, etag: Option<String>) -> Seen {
        let hash = load::hash(self.mark, &bytes);
        let (kinds, trusted, content) = (self.kinds.clone(), self.trusted, bytes.clone());
        let first = tokio::task::spawn_blocking(move || {
            let parsed = reading::parse(content);
            // Without placeholders there is nothing to wait for.
            match parsed.documents.iter().all(|document| document.placeholders.is_empty()) {
                true => Ok(reading::judge(parsed, Contents::new(), &kinds, trusted)),
                false => Err(parsed),
            }
        });
        let (documents, asked) = match first.await {
            Ok(Ok(documents)) => (documents, Vec::new()),
            Ok(Err(parsed)) => {
                let (contents, asked) = includes::fill(self.loader, self.ground, file, &parsed).await;
                let (kinds, trusted) = (self.kinds.clone(), self.trusted);
                let second = tokio::task::spawn_blocking(move || reading::judge(parsed, contents, &kinds, trusted));
                match second.await {
                    Ok(documents) => (documents, asked),
                    Err(error) => return stopped(&error),
                }
            }
            Err(error) => return stopped(&error),
        };
        let mut includes = Vec::with_capacity(asked.len());
        for file in asked {
            let hash = self.include_hash(&file).await;
            includes.push(Include { file, hash });
        }
        let targets = documents.iter().flat_map(|document: &Judged| document.targets.iter().cloned()).collect();
        let documentation = documents.iter().filter_map(documented).collect();
        let links = Links { targets, includes, documentation };
        Seen::Changed(Box::new(FileResult { file: file.to_owned(), hash, etag, links, documents, bytes }))
    }
}

/// Where an entity says that its documentation lies.
fn documented(document: &Judged) -> Option<Documented> {
    let target = document.entity.as_ref()?.annotation(TECHDOCS_REF)?.trim().to_owned();
    Some(Documented { entity_ref: document.entity_ref.clone()?, target })
}

/// A fault of our own while judging a file: it is told there and harms no other.
fn stopped(error: &tokio::task::JoinError) -> Seen {
    tracing::error!(error = %error, "judging a file failed");
    Seen::Failed(FetchError::Budget("judging the file failed; the log says why".to_owned()))
}

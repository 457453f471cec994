//! Reading what a source points at, into a tree of files at one revision.
//!
//! [`fetch`] answers [`Outcome::NotModified`] when the revision is the one that
//! was read last, at the price of one request. Otherwise it answers the files
//! that the source names, and a [`Tree`] from which further files (targets of
//! `Location` entities, placeholders) are read at the same revision.

mod disk;
mod git;
mod git_command;
pub mod push;
pub mod remote;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Bytes;
use portal_core::sources::wire::SourceType;

use super::credential::{CredentialError, CredentialRef, Secret};
use super::settings::SourceSettings;
use crate::egress::{Egress, EgressError};
use portal_core::glob::Glob;

pub use disk::{DiskTree, check_target as check_path_target};
pub use git::{GitTree, check_target as check_git_target, is_ref_name};

/// Bytes of one descriptor file, at most.
pub const FILE_LIMIT: usize = 10 << 20;
/// Files that one source names, at most.
pub const FILE_COUNT: usize = 50_000;

/// What reading needs from the program around it.
#[derive(Clone)]
pub struct Context {
    pub egress: Egress,
    pub settings: Arc<SourceSettings>,
    /// Where temporary repositories live while they are read.
    pub work_dir: PathBuf,
    /// Where children find their programs.
    pub search_path: String,
    /// Looks up the environment, for credentials.
    pub variable: fn(&str) -> Option<String>,
    /// The organisation inside the binary.
    pub sample: fn() -> BTreeMap<String, Bytes>,
}

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub source_type: SourceType,
    pub target: String,
    pub branch: Option<String>,
    pub globs: Vec<String>,
    pub trusted: bool,
    pub credential: Option<CredentialRef>,
}

/// Why a source, or a file of it, cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Egress(#[from] EgressError),
    #[error(transparent)]
    Credential(#[from] CredentialError),
    #[error("`{path}`: {reason}")]
    Disk { path: String, reason: String },
    #[error("there is nothing at `{0}`")]
    Absent(String),
    #[error("git: {0}")]
    Git(String),
    /// Asking again changes nothing: a name that is none, a repository that there is not or
    /// that takes nothing from us.
    #[error("git: {0}")]
    Refused(String),
    /// What is to be written is there, and is something else.
    #[error("{0}")]
    Taken(String),
    #[error("`{0}` is outside of the source")]
    Outside(String),
    #[error("{0}")]
    Budget(String),
    #[error("`{text}` is not a glob: {reason}")]
    Glob { text: String, reason: String },
}

impl FetchError {
    /// Stable name of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Egress(error) => error.code(),
            Self::Credential(_) => "credential",
            Self::Disk { .. } => "unreadable",
            Self::Absent(_) => "absent",
            Self::Git(_) => "git_failed",
            Self::Refused(_) => "git_refused",
            Self::Taken(_) => "exists_already",
            Self::Outside(_) => "path_denied",
            Self::Budget(_) => "over_budget",
            Self::Glob { .. } => "invalid_glob",
        }
    }

    pub fn is_absent(&self) -> bool {
        match self {
            Self::Absent(_) => true,
            Self::Egress(error) => error.is_absent(),
            _ => false,
        }
    }
}

/// Something in the source that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub path: String,
    pub rule: &'static str,
    pub message: String,
}

/// The answer of [`fetch`].
pub enum Outcome {
    /// The revision is the one that was read last.
    NotModified,
    Read(Box<Fetched>),
}

/// A source at one revision.
pub struct Fetched {
    pub revision: Option<String>,
    pub tree: Tree,
    /// The files that the source names, sorted: paths of the tree, or a URL.
    pub entries: Vec<String>,
    pub notes: Vec<Note>,
    /// Sent to the origin of the source only.
    pub secret: Option<Secret>,
}

/// Files by path, at one revision.
pub enum Tree {
    Disk(DiskTree),
    Git(Box<GitTree>),
    Memory(BTreeMap<String, Bytes>),
    /// A document behind a URL: there are no files beside it.
    Remote,
}

impl Tree {
    /// The same without what lies beside it: for paths that come from people who use a
    /// source, and not from whoever set it up.
    pub fn confined(self) -> Self {
        match self {
            Self::Disk(tree) => Self::Disk(tree.confined()),
            other => other,
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`FetchError::Absent`] when there is none; outside of the tree, too
    /// large, unreadable.
    pub async fn read(&self, path: &str) -> Result<Bytes, FetchError> {
        match self {
            Self::Disk(tree) => tree.read(path).await,
            Self::Git(tree) => tree.read(path).await,
            Self::Memory(files) => files.get(path).cloned().ok_or_else(|| FetchError::Absent(path.to_owned())),
            Self::Remote => Err(FetchError::Absent(path.to_owned())),
        }
    }

    /// Whether a file can be run.
    pub fn is_executable(&self, path: &str) -> bool {
        match self {
            Self::Disk(tree) => tree.is_executable(path),
            Self::Git(tree) => tree.is_executable(path),
            Self::Memory(_) | Self::Remote => false,
        }
    }

    /// The files that match a pattern, sorted.
    ///
    /// # Errors
    /// Not a glob, outside of the tree, or more files than the budget.
    pub async fn matching(&self, pattern: &str) -> Result<Vec<String>, FetchError> {
        match self {
            Self::Disk(tree) => tree.matching(pattern).await,
            Self::Git(tree) => tree.matching(&[pattern.to_owned()]),
            Self::Memory(files) => {
                let glob = compile(pattern)?;
                Ok(files.keys().filter(|path| glob.matches(path)).cloned().collect())
            }
            Self::Remote => Ok(Vec::new()),
        }
    }
}

/// Reads a source, unless it is still at `previous`.
///
/// # Errors
/// The source as a whole cannot be read.
pub async fn fetch(context: &Context, request: &Request, previous: Option<&str>) -> Result<Outcome, FetchError> {
    let secret = match &request.credential {
        Some(reference) => Some(reference.resolve(context.variable).await?),
        None => None,
    };
    fetch_with(context, request, secret, previous).await
}

/// As [`fetch`], with a secret that is known already.
///
/// # Errors
/// The source as a whole cannot be read.
pub async fn fetch_with(
    context: &Context,
    request: &Request,
    secret: Option<Secret>,
    previous: Option<&str>,
) -> Result<Outcome, FetchError> {
    match request.source_type {
        SourceType::Path => {
            let (tree, entries, notes) =
                disk::open(&request.target, &request.globs, request.trusted, &context.settings).await?;
            Ok(read(Fetched { revision: None, tree: Tree::Disk(tree), entries, notes, secret }))
        }
        SourceType::Http => {
            context.egress.parse(&request.target)?;
            let entries = vec![request.target.clone()];
            Ok(read(Fetched { revision: None, tree: Tree::Remote, entries, notes: Vec::new(), secret }))
        }
        SourceType::Git => git::open(context, request, secret, previous).await,
        SourceType::Sample => {
            let files = (context.sample)();
            let glob = compile(DEFAULT_GLOB)?;
            let entries = files.keys().filter(|path| glob.matches(path)).cloned().collect();
            Ok(read(Fetched { revision: None, tree: Tree::Memory(files), entries, notes: Vec::new(), secret: None }))
        }
    }
}

fn read(fetched: Fetched) -> Outcome {
    Outcome::Read(Box::new(fetched))
}

pub(super) fn compile(pattern: &str) -> Result<Glob, FetchError> {
    Glob::new(pattern).map_err(|reason| FetchError::Glob { text: pattern.to_owned(), reason })
}

/// Globs of a source that names none.
pub(super) const DEFAULT_GLOB: &str = "**/catalog-info.{yaml,yml}";

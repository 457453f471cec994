//! Reading files by name: paths from the tree of the source, URLs through the
//! gate, each at most once a pass.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use axum::http::HeaderValue;
use sha2::{Digest, Sha256};
use url::Url;

use super::super::credential::Secret;
use super::super::fetch::{Context, FILE_LIMIT, FetchError, Request, Tree, remote};
use super::super::includes::Files;
use super::super::places::is_url;
use super::super::store::KnownFile;
use crate::documentation::collect;
use crate::egress::{Answer, Fetch};

/// Bytes of included files that a pass remembers.
const CACHE: usize = 32 << 20;

/// Reads the files of one pass.
pub(super) struct Loader<'a> {
    context: &'a Context,
    tree: &'a Tree,
    /// Credential, and the origin it belongs to.
    authorization: Option<(url::Origin, HeaderValue)>,
    includes: Mutex<Includes>,
}

#[derive(Default)]
struct Includes {
    files: HashMap<String, Result<Bytes, String>>,
    bytes: usize,
}

/// What reading a file gave.
pub(super) enum Loaded {
    NotModified,
    Bytes { bytes: Bytes, etag: Option<String> },
}

impl<'a> Loader<'a> {
    pub(super) fn new(context: &'a Context, request: &Request, tree: &'a Tree, secret: Option<&Secret>) -> Self {
        let origin = Url::parse(&request.target).ok().map(|url| url.origin());
        let authorization = origin.zip(secret.and_then(Secret::authorization));
        Self { context, tree, authorization, includes: Mutex::default() }
    }

    /// Reads a file; `known` spares the body of a URL that did not change.
    pub(super) async fn load(&self, file: &str, known: Option<&KnownFile>) -> Result<Loaded, FetchError> {
        if !is_url(file) {
            return Ok(Loaded::Bytes { bytes: self.tree.read(file).await?, etag: None });
        }
        let authorization = self.authorization.as_ref();
        fetch_url(self.context, file, known.and_then(|known| known.etag.as_deref()), authorization).await
    }
}

async fn fetch_url(
    context: &Context,
    file: &str,
    etag: Option<&str>,
    authorization: Option<&(url::Origin, HeaderValue)>,
) -> Result<Loaded, FetchError> {
    let url = context.egress.parse(file)?;
    let raw = remote::raw(&url);
    let own = authorization.filter(|(origin, _)| *origin == url.origin()).map(|(_, value)| value.clone());
    let fetch = Fetch { url: raw.as_str(), etag, authorization: own, limit: FILE_LIMIT };
    match context.egress.get(fetch).await? {
        Answer::NotModified => Ok(Loaded::NotModified),
        Answer::Body { bytes, etag } => Ok(Loaded::Bytes { bytes, etag }),
    }
}

impl collect::Files for Loader<'_> {
    async fn read(&self, file: &str) -> Result<Bytes, FetchError> {
        match self.load(file, None).await? {
            Loaded::Bytes { bytes, .. } => Ok(bytes),
            Loaded::NotModified => Err(FetchError::Absent(file.to_owned())),
        }
    }

    async fn matching(&self, pattern: &str) -> Result<Vec<String>, FetchError> {
        if is_url(pattern) { Ok(Vec::new()) } else { self.tree.matching(pattern).await }
    }
}

impl Files for Loader<'_> {
    async fn file(&self, name: &str) -> Result<Bytes, String> {
        let lock = || self.includes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().files.get(name) {
            return known.clone();
        }
        let result = match self.load(name, None).await {
            Ok(Loaded::Bytes { bytes, .. }) => Ok(bytes),
            Ok(Loaded::NotModified) => Err("the server answered `not modified` to a plain request".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        let mut includes = lock();
        includes.bytes += result.as_ref().map_or(0, Bytes::len);
        if includes.bytes > CACHE {
            *includes = Includes::default();
        }
        includes.files.insert(name.to_owned(), result.clone());
        result
    }
}

/// The hash that tells whether a file changed, under the mark of the rules that
/// judge it.
pub(super) fn hash(mark: &str, bytes: &[u8]) -> String {
    format!("{mark}{}", hex::encode(Sha256::digest(bytes)))
}

/// The hash of a file that could not be read: the same failure is the same hash.
pub(super) fn failure_hash(mark: &str, rule: &str, message: &str) -> String {
    format!("{mark}{rule}:{}", hex::encode(&Sha256::digest(message)[..8]))
}

/// Whether a file behind a URL that an unchanged repository refers to changed.
pub(super) async fn remote_changed(
    context: &Context,
    request: &Request,
    known: &HashMap<String, KnownFile>,
    mark: &str,
) -> bool {
    let includes = known.values().flat_map(|file| &file.links.includes);
    // What lies beside a file behind a URL has no hash of its own here.
    let documented = known.iter().any(|(file, known)| is_url(file) && !known.links.documentation.is_empty());
    let remote_include = documented || includes.into_iter().any(|include| is_url(&include.file));
    let secret = match &request.credential {
        Some(reference) => reference.resolve(context.variable).await.ok(),
        None => None,
    };
    let tree = Tree::Remote;
    let loader = Loader::new(context, request, &tree, secret.as_ref());
    for (file, known) in known.iter().filter(|(file, _)| is_url(file)) {
        let now = match loader.load(file, Some(known)).await {
            Ok(Loaded::NotModified) => continue,
            Ok(Loaded::Bytes { bytes, .. }) => hash(mark, &bytes),
            Err(error) => failure_hash(mark, error.code(), &error.to_string()),
        };
        if now != known.hash {
            return true;
        }
    }
    remote_include
}

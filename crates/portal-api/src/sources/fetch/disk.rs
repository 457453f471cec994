//! Files on the server's disk: one file, a folder, or a glob.
//!
//! Folders are walked without following links to other folders; a link to a
//! file is followed as long as it stays inside, which mounted configuration
//! needs.

use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use axum::body::Bytes;

use super::super::settings::SourceSettings;
use super::{DEFAULT_GLOB, FILE_COUNT, FILE_LIMIT, FetchError, Note, compile};
use portal_core::glob::{self, Glob};

/// Folders below each other, at most.
const DEPTH: usize = 32;
/// Files and folders looked at, at most.
const VISITED: usize = 1_000_000;

/// A folder on disk.
#[derive(Debug, Clone)]
pub struct DiskTree {
    /// Canonical.
    root: PathBuf,
    /// A trusted source may name files beside its own folder.
    trusted: bool,
}

/// Opens the folder of `target` and lists the files that the source names.
pub(super) async fn open(
    target: &str,
    globs: &[String],
    trusted: bool,
    settings: &SourceSettings,
) -> Result<(DiskTree, Vec<String>, Vec<Note>), FetchError> {
    let (target, globs) = (target.to_owned(), globs.to_owned());
    let roots = if trusted { Vec::new() } else { settings.path_roots.clone() };
    blocking(move || open_now(&target, &globs, trusted, &roots)).await
}

/// Judges a target when it is saved: whether it is there, and inside the folders
/// that are open to it.
///
/// # Errors
/// It is not.
pub async fn check_target(target: &str, trusted: bool, settings: &SourceSettings) -> Result<(), FetchError> {
    let (target, roots) = (target.to_owned(), if trusted { Vec::new() } else { settings.path_roots.clone() });
    blocking(move || folder_of(&target, &roots).map(|_| ())).await
}

/// The canonical path of a target, and its glob.
fn folder_of(target: &str, roots: &[PathBuf]) -> Result<(PathBuf, Option<String>), FetchError> {
    let as_is = Path::new(target);
    let (folder, pattern) = if as_is.exists() || !glob::is_glob(target) {
        (as_is, None)
    } else {
        let (root, rest) = glob::split_root(target);
        (Path::new(root), Some(rest.to_owned()))
    };
    let canonical = folder.canonicalize().map_err(|error| unreadable(target, &error))?;
    let inside = |root: &PathBuf| root.canonicalize().is_ok_and(|root| canonical.starts_with(root));
    if !roots.is_empty() && !roots.iter().any(inside) {
        return Err(FetchError::Outside(target.to_owned()));
    }
    Ok((canonical, pattern))
}

fn open_now(
    target: &str,
    globs: &[String],
    trusted: bool,
    roots: &[PathBuf],
) -> Result<(DiskTree, Vec<String>, Vec<Note>), FetchError> {
    let (canonical, pattern) = folder_of(target, roots)?;
    if canonical.is_file() {
        let name = canonical.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let root = canonical.parent().unwrap_or(Path::new("/")).to_owned();
        return Ok((DiskTree { root, trusted }, vec![name], Vec::new()));
    }
    let tree = DiskTree { root: canonical, trusted };
    let mut notes = Vec::new();
    let entries = if let Some(pattern) = pattern {
        tree.walk(&[compile(&pattern)?], &mut notes)?
    } else if globs.is_empty() {
        let usual = tree.walk(&[compile(DEFAULT_GLOB)?], &mut notes)?;
        // A folder without the usual name is a folder of descriptors.
        if usual.is_empty() { tree.walk(&[compile("**/*.{yaml,yml}")?], &mut notes)? } else { usual }
    } else {
        let compiled = globs.iter().map(|glob| compile(glob)).collect::<Result<Vec<_>, _>>()?;
        tree.walk(&compiled, &mut notes)?
    };
    Ok((tree, entries, notes))
}

impl DiskTree {
    /// Nothing beside the folder, whoever answers for the source.
    pub(super) fn confined(self) -> Self {
        Self { trusted: false, ..self }
    }

    pub(super) async fn read(&self, path: &str) -> Result<Bytes, FetchError> {
        let (tree, path) = (self.clone(), path.to_owned());
        blocking(move || tree.read_now(&path)).await
    }

    fn read_now(&self, path: &str) -> Result<Bytes, FetchError> {
        let full = self.resolve(path)?;
        let file = fs::File::open(&full).map_err(|error| unreadable(path, &error))?;
        let metadata = file.metadata().map_err(|error| unreadable(path, &error))?;
        if !metadata.is_file() {
            return Err(FetchError::Disk { path: path.to_owned(), reason: "it is not a file".to_owned() });
        }
        let mut bytes = Vec::new();
        file.take(FILE_LIMIT as u64 + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
        if bytes.len() > FILE_LIMIT {
            return Err(FetchError::Budget(format!("`{path}` is larger than {FILE_LIMIT} bytes")));
        }
        Ok(bytes.into())
    }

    pub(super) fn is_executable(&self, path: &str) -> bool {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = self.resolve(path).ok().and_then(|full| fs::metadata(full).ok());
        metadata.is_some_and(|metadata| metadata.permissions().mode() & 0o100 != 0)
    }

    /// The canonical path, which must stay inside unless the source is trusted.
    fn resolve(&self, path: &str) -> Result<PathBuf, FetchError> {
        let relative = Path::new(path);
        let climbs = relative.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir));
        if climbs && !self.trusted || path.contains('\0') {
            return Err(FetchError::Outside(path.to_owned()));
        }
        let full = self.root.join(relative).canonicalize().map_err(|error| unreadable(path, &error))?;
        if !full.starts_with(&self.root) && !self.trusted {
            return Err(FetchError::Outside(path.to_owned()));
        }
        Ok(full)
    }

    pub(super) async fn matching(&self, pattern: &str) -> Result<Vec<String>, FetchError> {
        let (root, rest) = glob::split_root(pattern);
        let base = Self { root: self.resolve(root)?, trusted: self.trusted };
        let prefix = if root == "." { String::new() } else { format!("{root}/") };
        let glob = compile(rest)?;
        blocking(move || {
            let found = base.walk(&[glob], &mut Vec::new())?;
            Ok(found.into_iter().map(|path| format!("{prefix}{path}")).collect())
        })
        .await
    }

    /// Files below the root that match one of the globs, sorted.
    fn walk(&self, globs: &[Glob], notes: &mut Vec<Note>) -> Result<Vec<String>, FetchError> {
        let mut found = Vec::new();
        let mut visited = 0;
        let mut open = vec![(self.root.clone(), String::new(), 0)];
        while let Some((folder, prefix, depth)) = open.pop() {
            let listing = match fs::read_dir(&folder) {
                Ok(listing) => listing,
                Err(error) if depth == 0 => return Err(unreadable(&folder.display().to_string(), &error)),
                Err(error) => {
                    notes.push(Note { path: prefix, rule: "unreadable", message: error.to_string() });
                    continue;
                }
            };
            for entry in listing.flatten() {
                visited += 1;
                if visited > VISITED {
                    return Err(FetchError::Budget(format!(
                        "the folder has more than {VISITED} files; name a smaller one"
                    )));
                }
                let Ok(name) = entry.file_name().into_string() else { continue };
                let path = format!("{prefix}{name}");
                let Ok(kind) = entry.file_type() else { continue };
                if kind.is_dir() {
                    if !is_left_out(&name) && depth < DEPTH {
                        open.push((entry.path(), format!("{path}/"), depth + 1));
                    }
                } else if globs.iter().any(|glob| glob.matches(&path)) {
                    if kind.is_symlink() && !entry.path().canonicalize().is_ok_and(|target| target.is_file()) {
                        continue;
                    }
                    found.push(path);
                }
            }
            if found.len() > FILE_COUNT {
                return Err(FetchError::Budget(format!("more than {FILE_COUNT} files match")));
            }
        }
        found.sort();
        Ok(found)
    }
}

/// The store of git, installed packages, and the folders in which mounted
/// configuration keeps its versions.
fn is_left_out(name: &str) -> bool {
    name == ".git" || name == "node_modules" || name.starts_with("..")
}

fn unreadable(path: &str, error: &std::io::Error) -> FetchError {
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => FetchError::Absent(path.to_owned()),
        _ => FetchError::Disk { path: path.to_owned(), reason: error.to_string() },
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FetchError> + Send + 'static,
) -> Result<T, FetchError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(FetchError::Budget("reading the disk was interrupted".to_owned())),
    }
}

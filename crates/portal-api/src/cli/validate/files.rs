//! Which files a command line names.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use portal_core::glob::{Glob, is_glob, split_root};

/// The files that paths name, sorted, each once; true for those named themselves
/// and not by their folder.
pub(super) fn find(paths: &[String]) -> Result<Vec<(PathBuf, bool)>> {
    let mut found = BTreeMap::new();
    for text in paths {
        let path = Path::new(text);
        if path.is_dir() {
            let mut files = Vec::new();
            walk(path, &mut |file| files.extend(is_yaml(file).then(|| file.to_owned())))?;
            if files.is_empty() {
                bail!("`{text}` holds no YAML file");
            }
            for file in files {
                found.entry(file).or_insert(false);
            }
        } else if path.exists() {
            found.insert(path.to_owned(), true);
        } else if is_glob(text) {
            // A quoted one, or one whose shell knows no `**`.
            let files = matching(text)?;
            if files.is_empty() {
                bail!("`{text}` matches no file");
            }
            found.extend(files.into_iter().map(|file| (file, true)));
        } else {
            bail!("there is no file or folder `{text}`");
        }
    }
    Ok(found.into_iter().collect())
}

/// The files that a glob names.
fn matching(pattern: &str) -> Result<Vec<PathBuf>> {
    let (root, rest) = split_root(pattern);
    let glob = Glob::new(rest).map_err(|error| anyhow!("`{pattern}`: {error}"))?;
    let root = Path::new(root);
    if !root.is_dir() {
        bail!("`{pattern}`: there is no folder `{}`", root.display());
    }
    let mut files = Vec::new();
    walk(root, &mut |file| {
        if glob.matches(&shown(file.strip_prefix(root).unwrap_or(file))) {
            files.push(file.strip_prefix(".").unwrap_or(file).to_owned());
        }
    })?;
    Ok(files)
}

/// The content of a file, as far as its reader will look.
pub(super) fn read(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let context = || format!("cannot read `{}`", path.display());
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(context)?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).with_context(context)?;
    Ok(bytes)
}

/// Whether a file that nobody named is plainly something else, such as an
/// OpenAPI document or a pipeline: a mapping without one of the keys of a
/// descriptor. What cannot be told is judged.
pub(super) fn is_foreign(path: &Path, bytes: &[u8]) -> bool {
    if path.file_stem().is_some_and(|stem| stem == "catalog-info") {
        return false;
    }
    let text = String::from_utf8_lossy(bytes);
    let keys = text.trim_start_matches('\u{feff}').split(['\n', '\r']).filter_map(key);
    let mut foreign = false;
    for key in keys {
        if matches!(key, "apiVersion" | "kind" | "metadata" | "spec") {
            return false;
        }
        foreign = true;
    }
    foreign
}

/// The key of a line that is an entry of the root.
fn key(line: &str) -> Option<&str> {
    let line = line.strip_prefix("---").map_or(line, str::trim_start);
    let (key, value) = line.split_once(':')?;
    let key = key.trim_end().trim_matches(['"', '\'']);
    let plain = key.chars().all(|character| character.is_ascii_alphanumeric() || "_$-".contains(character));
    (!key.is_empty() && plain && (value.is_empty() || value.starts_with([' ', '\t']))).then_some(key)
}

/// A path as verdicts show it: with `/`, on every system.
pub(super) fn shown(path: &Path) -> String {
    path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// All files of a folder and the folders below; hidden ones, dependencies of
/// Node and links are not followed.
fn walk(root: &Path, visit: &mut dyn FnMut(&Path)) -> Result<()> {
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        let context = || format!("cannot read the folder `{}`", folder.display());
        for entry in fs::read_dir(&folder).with_context(context)? {
            let entry = entry.with_context(context)?;
            let kind = entry.file_type().with_context(context)?;
            let name = entry.file_name();
            if kind.is_dir() && !name.to_string_lossy().starts_with('.') && name != "node_modules" {
                open.push(entry.path());
            } else if kind.is_file() {
                visit(&entry.path());
            }
        }
    }
    Ok(())
}

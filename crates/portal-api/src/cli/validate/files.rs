//! Which files a command line names.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The files that paths name, sorted, each once.
pub(super) fn find(paths: &[String]) -> Result<Vec<PathBuf>> {
    let mut found = BTreeSet::new();
    for text in paths {
        let path = Path::new(text);
        let before = found.len();
        if path.is_dir() {
            walk(path, &mut |file| {
                if is_yaml(file) {
                    found.insert(file.to_owned());
                }
            })?;
        } else if path.exists() {
            found.insert(path.to_owned());
            continue;
        } else {
            bail!("there is no file or folder `{text}`");
        }
        if found.len() == before {
            bail!("`{text}` names no YAML file");
        }
    }
    Ok(found.into_iter().collect())
}

/// The content of a file, as far as its reader will look.
pub(super) fn read(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let context = || format!("cannot read `{}`", path.display());
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(context)?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).with_context(context)?;
    Ok(bytes)
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

//! Templates on the command line: files from the disk, no catalog, no effects.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use portal_core::catalog::EntityRef;
use portal_core::templates::Trouble;
use portal_core::templates::workspace::{File, FilePath, Workspace};
use serde_json::{Map, Value};

use super::perform::{Call, Log, Outside};

/// Folders on this machine, and what stands for addresses.
pub struct Local {
    /// The folder of the template.
    pub folder: PathBuf,
    /// Addresses, and the files or folders that are read instead.
    pub fixtures: BTreeMap<String, PathBuf>,
}

impl Local {
    fn place(&self, url: &str) -> Result<PathBuf, Trouble> {
        let address = url.trim_end_matches('/');
        let found = self.fixtures.iter().filter(|(from, _)| {
            address
                .strip_prefix(from.trim_end_matches('/'))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if let Some((from, path)) = found.max_by_key(|(from, _)| from.len()) {
            let rest = address.strip_prefix(from.trim_end_matches('/')).unwrap_or_default().trim_start_matches('/');
            return Ok(if rest.is_empty() { path.clone() } else { path.join(FilePath::folder(rest)?.as_str()) });
        }
        if url.contains("://") {
            let message = format!("`{url}` is not fetched here; give its files with `--fetch {url}=FOLDER`");
            return Err(Trouble::new("not_fetched", message));
        }
        // A skeleton may lie beside the template's folder, as in `../skeletons/x`.
        Ok(self.folder.join(url))
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Trouble {
    Trouble::new("not_fetched", format!("cannot read `{}`: {error}", path.display()))
}

/// The files of a folder. A link to a file is followed as long as it stays inside.
///
/// # Errors
/// It cannot be read, is too large, or has a link that leads out of it.
pub fn read_folder(root: &Path) -> Result<Workspace, Trouble> {
    let whole = root.canonicalize().map_err(|error| unreadable(root, &error))?;
    let mut workspace = Workspace::default();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        let listing = fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))?;
        for entry in listing {
            let entry = entry.map_err(|error| unreadable(&folder, &error))?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(|error| unreadable(&folder, &error))?);
            if kind.is_dir() {
                if entry.file_name() != ".git" {
                    open.push(path);
                }
                continue;
            }
            let target = path.canonicalize().map_err(|error| unreadable(&path, &error))?;
            if !target.starts_with(&whole) {
                let message = format!("`{}` leads out of `{}`", path.display(), root.display());
                return Err(Trouble::new("not_fetched", message));
            }
            if target.is_file() {
                let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                workspace.write(FilePath::file(&relative)?, read_file(&path)?)?;
            }
        }
    }
    Ok(workspace)
}

fn read_file(path: &Path) -> Result<File, Trouble> {
    let content = fs::read(path).map_err(|error| unreadable(path, &error))?;
    Ok(File { content: content.into(), executable: is_executable(path) })
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o100 != 0)
}

#[cfg(not(unix))]
fn is_executable(_path: &Path) -> bool {
    false
}

#[async_trait]
impl Outside for Local {
    async fn folder(&self, url: &str) -> Result<Workspace, Trouble> {
        read_folder(&self.place(url)?)
    }

    async fn file(&self, url: &str) -> Result<File, Trouble> {
        read_file(&self.place(url)?)
    }

    async fn entity(&self, entity_ref: &EntityRef) -> Result<Option<Value>, Trouble> {
        Err(Trouble::new("no_catalog", format!("there is no catalog here to look `{entity_ref}` up in")))
    }

    async fn wait(&self, _time: Duration) {}

    async fn act(&self, call: Call<'_>, _log: &mut Log<'_>) -> Result<Map<String, Value>, Trouble> {
        Err(Trouble::new("unsupported_action", format!("`{}` is not done on the command line", call.action.id)))
    }
}

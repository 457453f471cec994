//! Node packages of `end2end`, installed as their lock file says.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use crate::{files, process};

/// Runs `npm ci` when the lock file is not the one that was installed last.
pub fn install(workspace: &Workspace, npm: &Path, folder: &Path) -> Result<&'static str> {
    let lock = files::read(&folder.join("package-lock.json"))?;
    let hash = files::content_hash(&[&lock]);
    let mark = folder.join("node_modules/.portal-lock");
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == hash) {
        return Ok("up to date");
    }
    let mut command = Command::new(npm);
    command.args(["ci", "--no-audit", "--no-fund", "--no-progress", "--ignore-scripts"]).current_dir(folder);
    // The browser comes from the system.
    command.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1").env("npm_config_cache", workspace.state("npm-cache"));
    process::run(&mut command).with_context(|| format!("cannot install the packages of {}", folder.display()))?;
    files::write_if_changed(&mark, hash.as_bytes())?;
    Ok("installed")
}

/// A program that a package brought.
pub fn program(folder: &Path, name: &str) -> PathBuf {
    folder.join("node_modules/.bin").join(name)
}

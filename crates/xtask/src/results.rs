//! Appends what soak and bench found to `crates/xtask/results.jsonl`, one JSON
//! object a line, so that figures can be compared over time.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::process;
use crate::workspace::Workspace;

pub fn append(workspace: &Workspace, command: &str, figures: Value) -> Result<()> {
    let path = workspace.root.join("crates/xtask/results.jsonl");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let line = json!({
        "command": command,
        "commit": commit(workspace),
        "unix_time": now,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "figures": figures,
    });
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    writeln!(file, "{line}").with_context(|| format!("cannot write {}", path.display()))
}

/// The commit that is checked out; `+` when the tree differs from it.
fn commit(workspace: &Workspace) -> String {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty=+", "--exclude=*"]).current_dir(&workspace.root);
    process::output(&mut git).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

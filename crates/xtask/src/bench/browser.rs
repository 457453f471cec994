//! What a person in the browser sees. `end2end/browser-bench.mjs` measures it in
//! Chromium and says how; here it is started, and its figures get their rows.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{self, stage};
use crate::server::Portal;
use crate::workspace::Workspace;
use crate::{node, tools};

use super::scenes::Figures;

/// Row, condition, measure, and which value of it counts.
const LOADS: [(&str, &str, &str, &str); 8] = [
    ("browser: first content", "plain", "content", "median"),
    ("browser: rows visible", "plain", "rows", "median"),
    ("browser: interactive", "plain", "interactive", "median"),
    ("browser: rows visible, slow", "slow", "rows", "median"),
    ("browser: interactive, slow", "slow", "interactive", "median"),
    ("browser: layout shift, at worst", "plain", "shift", "worst"),
    ("browser: layout shift, slow, at worst", "slow", "shift", "worst"),
    ("browser: requests, at worst", "plain", "requests", "worst"),
];
const TYPING: [(&str, &str); 3] = [
    ("browser: key to result in the list, p95", "catalog"),
    ("browser: key to result in the palette, p95", "palette"),
    ("browser: key to result, picking an owner, p95", "owner"),
];

pub struct Browser {
    node: PathBuf,
    chromium: PathBuf,
    folder: PathBuf,
}

impl Browser {
    /// `None`, and a line that says so, where Node or Chromium is missing: the
    /// other figures do not need them.
    pub fn find(workspace: &Workspace) -> Result<Option<Browser>> {
        let wanted = [&tools::NODE, &tools::NPM, &tools::CHROMIUM];
        let missing: Vec<&str> = tools::missing(wanted).map(|tool| tool.name).collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            println!("  browser  skipped, missing: {missing}; `cargo xtask test browser` installs it");
            return Ok(None);
        }
        let [node, npm, chromium] = tools::require(wanted)?;
        let folder = workspace.end2end();
        stage("packages", || Ok(((), node::install(workspace, &npm, &folder)?)))?;
        Ok(Some(Browser { node, chromium, folder }))
    }

    pub fn measure(&self, portal: &Portal, figures: &mut Figures) -> Result<()> {
        let text = stage("browser", || {
            let mut script = Command::new(&self.node);
            script.arg("browser-bench.mjs").arg(portal.url()).current_dir(&self.folder);
            script.env("PORTAL_CHROMIUM", &self.chromium).env("PORTAL_TOKEN", portal.token());
            Ok((process::output(&mut script)?, "measured"))
        })?;
        let measured: Value = serde_json::from_str(&text).context("the browser's figures are not JSON")?;
        for (row, condition, measure, which) in LOADS {
            enter(figures, row, &measured[condition][measure], which)?;
        }
        for (row, field) in TYPING {
            enter(figures, row, &measured["typing"][field], "p95")?;
        }
        Ok(())
    }
}

fn enter(figures: &mut Figures, row: &'static str, values: &Value, which: &str) -> Result<()> {
    println!("  {:<9}{row}: {values}", "");
    figures.push((row, values[which].as_f64().with_context(|| format!("no {which} in {values}"))?));
    Ok(())
}

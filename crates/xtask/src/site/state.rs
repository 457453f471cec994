//! What each step read and wrote last time.

use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::files;
use crate::workspace::Workspace;

const FILE: &str = "site.json";

/// A file that cannot be read counts as empty: everything is built again.
pub struct State(Map<String, Value>);

impl State {
    pub fn load(workspace: &Workspace) -> State {
        let text = std::fs::read(workspace.state(FILE)).unwrap_or_default();
        State(serde_json::from_slice(&text).unwrap_or_default())
    }

    pub fn save(&self, workspace: &Workspace) -> Result<()> {
        files::write_if_changed(&workspace.state(FILE), &serde_json::to_vec_pretty(&self.0)?)?;
        Ok(())
    }

    /// Whether a step read the same last time, and what it wrote is still there.
    pub fn is_current(&self, site: &Path, step: &str, input: &str) -> bool {
        let before = self.0.get(step).and_then(|step| step.get("input")?.as_str());
        before == Some(input) && self.outputs(step).all(|name| site.join(name).exists())
    }

    /// The files that a step wrote, relative to the site.
    pub fn outputs(&self, step: &str) -> impl Iterator<Item = String> {
        let outputs = self.0.get(step).and_then(|step| step.get("outputs")?.as_array());
        outputs.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned))
    }

    pub fn record(&mut self, step: &str, input: &str, outputs: &[String]) {
        self.0.insert(step.to_owned(), json!({ "input": input, "outputs": outputs }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_remembered() {
        let mut state = State(Map::new());
        let site = Path::new("/");
        assert!(!state.is_current(site, "bind", "abc"));
        state.record("bind", "abc", &["tmp".to_owned()]);
        assert!(state.is_current(site, "bind", "abc"));
        assert!(!state.is_current(site, "bind", "other"));
        state.record("bind", "abc", &["no/such/file".to_owned()]);
        assert!(!state.is_current(site, "bind", "abc"));
        assert_eq!(state.outputs("bind").collect::<Vec<_>>(), ["no/such/file"]);
        assert_eq!(state.outputs("styles").count(), 0);
    }
}

//! How an orchestrator is talked to: paths, bodies and places in its answers, as data. What
//! the portal knows by name are presets; every other is written under the connector.

use portal_core::templates::Trouble;
use portal_core::templates::language::{self, Context, Hosts};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The requests of a deployment. Paths and bodies are templates that see `project`,
/// `environment`, `score`, `workloads`, `params`, `isPlan`, `planId` and, once there is one, `id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Where a plan, or a deployment, is asked for (POST), with a header `Idempotency-Key`.
    pub start: String,
    pub body: Value,
    /// JSON pointer of the id in its answer.
    pub id: String,
    /// Where it is looked at.
    pub status: String,
    /// JSON pointer of its state there.
    pub state: String,
    pub succeeded: Vec<String>,
    pub failed: Vec<String>,
    #[serde(default)]
    pub message: Option<String>,
    /// JSON pointer of what would change; of an answer of its own where `plan_at` says.
    #[serde(default)]
    pub plan: Option<String>,
    #[serde(default)]
    pub plan_at: Option<String>,
    /// JSON pointer of lines, from the first on.
    #[serde(default)]
    pub log: Option<String>,
    #[serde(default)]
    pub progress: Option<String>,
    #[serde(default)]
    pub outputs: Option<String>,
    #[serde(default)]
    pub url: Option<String>,
    /// Where it is stopped (POST).
    #[serde(default)]
    pub cancel: Option<String>,
}

/// Names of the presets.
pub const PRESETS: [&str; 2] = ["portal", "stellwerk"];

impl Contract {
    /// A preset by its name.
    pub fn preset(name: &str) -> Option<Self> {
        let text = match name {
            "portal" => include_str!("presets/portal.json"),
            "stellwerk" => include_str!("presets/stellwerk.json"),
            _ => return None,
        };
        serde_json::from_str(text).ok()
    }

    /// A path with its values, each of which is one part of it.
    pub(super) fn path(template: &str, values: &Map<String, Value>) -> Result<String, Trouble> {
        let escaped = values.iter().map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), super::client::segment(&text).into())
        });
        match filled(&template.into(), &escaped.collect())? {
            Value::String(path) => Ok(path),
            other => Ok(other.to_string()),
        }
    }

    pub(super) fn body(&self, values: &Map<String, Value>) -> Result<Value, Trouble> {
        filled(&self.body, values)
    }
}

fn filled(template: &Value, values: &Map<String, Value>) -> Result<Value, Trouble> {
    let hosts = Hosts::default();
    let context = Context { values, functions: &[], hosts: &hosts };
    let fault =
        |fault: language::Fault| Trouble::new("invalid_input", format!("the contract of the connector: {fault}"));
    language::fill(template, &context).map(Option::unwrap_or_default).map_err(fault)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn presets_say_what_is_sent() {
        let values = json!({
            "project": "shop", "environment": "a/b", "isPlan": true, "planId": null, "params": {},
            "workloads": { "ledger": { "type": "postgres" } },
            "score": { "metadata": { "name": "ledger" }, "containers": { "web": {} }, "resources": { "db": { "type": "postgres" } } },
        });
        let values = values.as_object().unwrap();
        for name in PRESETS {
            let contract = Contract::preset(name).unwrap();
            assert!(Contract::path(&contract.start, values).unwrap().starts_with('/'), "{name}");
            let body = contract.body(values).unwrap().to_string();
            assert!(body.contains("postgres") && body.contains("a/b"), "{name}: {body}");
        }
        let portal = Contract::preset("portal").unwrap();
        assert_eq!(portal.body(values).unwrap()["mode"], "plan");
        let with_id = [("id".to_owned(), json!("x/y"))].into_iter().collect();
        assert_eq!(Contract::path(&portal.status, &with_id).unwrap(), "/deployments/x%2Fy");
    }
}

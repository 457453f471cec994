//! Where an API answers.

use serde_json::Value;

use crate::definition::tree::{fields, items, text};
use crate::definition::wire::DefinitionServer;

/// Servers that are listed.
const SERVERS: usize = 50;

/// The servers of a definition; Swagger writes them in three keys.
pub(super) fn of_definition(root: &Value) -> Vec<DefinitionServer> {
    if root.get("swagger").is_some() { swagger(root) } else { listed(root) }
}

/// The servers of a definition, a path or an operation.
pub(super) fn listed(holder: &Value) -> Vec<DefinitionServer> {
    let servers = items(holder, "servers").iter().filter_map(|server| {
        let mut url = text(server, "url")?.to_owned();
        for (name, variable) in fields(server, "variables").take(SERVERS) {
            let listed = || items(variable, "enum").first()?.as_str();
            if let Some(value) = text(variable, "default").or_else(listed).filter(|value| value.len() < 200) {
                url = url.replacen(&format!("{{{name}}}"), value, 4);
            }
        }
        let description = text(server, "description").or_else(|| text(server, "name")).map(str::to_owned);
        Some(DefinitionServer { url, description })
    });
    servers.take(SERVERS).collect()
}

fn swagger(root: &Value) -> Vec<DefinitionServer> {
    let base = text(root, "basePath").unwrap_or_default();
    let server = |url: String| DefinitionServer { url, description: None };
    let Some(host) = text(root, "host") else {
        return if base.is_empty() { Vec::new() } else { vec![server(base.to_owned())] };
    };
    let schemes: Vec<&str> = items(root, "schemes").iter().filter_map(Value::as_str).take(4).collect();
    let schemes = if schemes.is_empty() { vec!["https"] } else { schemes };
    schemes.into_iter().map(|scheme| server(format!("{scheme}://{host}{base}"))).collect()
}

/// The addresses that a call can be sent to: absolute, and without a variable
/// that has no value.
pub(super) fn callable(servers: &[DefinitionServer]) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for DefinitionServer { url, .. } in servers {
        let url = url.trim_end_matches('/');
        let is_absolute = url.starts_with("https://") || url.starts_with("http://");
        let is_whole = !url.contains(['{', '}', '?', '#']) && !url.contains(char::is_whitespace);
        if is_absolute && is_whole && !addresses.iter().any(|address| address == url) {
            addresses.push(url.to_owned());
        }
    }
    addresses
}

//! Where messages are exchanged.

use serde_json::Value;

use crate::definition::tree::{Tree, fields, items, text};
use crate::definition::wire::DefinitionServer;
use crate::definition::words::summary;

/// Servers that are listed.
const SERVERS: usize = 50;

pub(super) fn of(tree: &Tree) -> Vec<DefinitionServer> {
    let servers = fields(tree.root(), "servers").take(SERVERS).filter_map(|(name, server)| {
        let server = tree.here(server)?;
        let mut url = address(server)?;
        for (name, variable) in fields(server, "variables").take(SERVERS) {
            let Some(variable) = tree.here(variable) else { continue };
            let listed = || items(variable, "enum").first()?.as_str();
            if let Some(value) = text(variable, "default").or_else(listed).filter(|value| value.len() < 200) {
                url = url.replacen(&format!("{{{name}}}"), value, 4);
            }
        }
        let said = text(server, "title").or_else(|| text(server, "summary")).or_else(|| text(server, "description"));
        let description = match said.and_then(summary) {
            Some(said) => format!("{name}: {said}"),
            None => name.clone(),
        };
        Some(DefinitionServer { url, description: Some(description) })
    });
    servers.collect()
}

/// `protocol://host/path`; version 2 writes it in one key, often without the
/// protocol.
fn address(server: &Value) -> Option<String> {
    let protocol = text(server, "protocol");
    let address = match text(server, "url") {
        Some(url) => url.to_owned(),
        None => format!("{}{}", text(server, "host")?, text(server, "pathname").unwrap_or_default()),
    };
    match protocol {
        Some(protocol) if !address.contains("://") => Some(format!("{protocol}://{address}")),
        _ => Some(address),
    }
}

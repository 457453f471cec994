//! What every connector keeps to, wherever it is written.

use portal_core::problem::FieldError;
use url::Url;

use super::ConnectorConfig;
use crate::platforms::{Contract, PRESETS};
use portal_core::connectors::ConnectorKind;

/// Characters of a name.
const NAME: usize = 60;
/// Bytes of an address.
const URL: usize = 2048;
const LIMITS: std::ops::RangeInclusive<usize> = 1..=1000;
const RESTS: std::ops::RangeInclusive<u32> = 1..=86_400;

/// What is wrong with a connector, each with the place of its field.
pub fn slips(connector: &ConnectorConfig) -> Vec<FieldError> {
    let ConnectorConfig { name, kind, url, credential: _, signing_secret: _, preset, contract, limit, rest_seconds } =
        connector;
    let mut slips = Vec::new();
    let mut slip = |pointer: &str, message: String| slips.push(FieldError { pointer: pointer.to_owned(), message });
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '.');
    let begins = name.starts_with(|sign: char| sign.is_ascii_alphanumeric());
    if name.len() > NAME || !begins || !name.chars().all(is_plain) {
        let rule =
            format!("a name has 1 to {NAME} letters, digits, `-`, `_` and `.`, and begins with one of the first two");
        slip("/name", rule);
    }
    match Url::parse(url) {
        _ if url.len() > URL || url.chars().any(char::is_control) => {
            slip("/url", format!("an address has at most {URL} bytes and no control characters"));
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            slip("/url", "an address carries no user or password; give them as `credential`".to_owned());
        }
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {}
        _ => slip("/url", format!("is an address of http or https, e.g. `https://ci.example.com`, not `{url}`")),
    }
    if let Some(preset) = preset.as_deref().filter(|name| Contract::preset(name).is_none()) {
        slip("/preset", format!("there is no preset `{preset}`; there are {}", PRESETS.join(", ")));
    }
    for (pointer, is_there) in [("/preset", preset.is_some()), ("/contract", contract.is_some())] {
        if is_there && *kind != ConnectorKind::Orchestrator {
            slip(pointer, format!("is for the kind `orchestrator`; this one is `{}`", kind.as_str()));
        }
    }
    if preset.is_some() && contract.is_some() {
        slip("/contract", "an orchestrator has a preset or a contract, not both".to_owned());
    }
    if !LIMITS.contains(limit) {
        slip("/limit", format!("`{limit}` is not between 1 and {}", LIMITS.end()));
    }
    if !RESTS.contains(rest_seconds) {
        slip("/rest_seconds", format!("`{rest_seconds}` is not between 1 and {}", RESTS.end()));
    }
    slips
}

/// Host and port of an address that keeps to the rules.
pub fn place(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(change: &str) -> Vec<String> {
        let mut lines = vec!["name = 'ci'", "kind = 'webhook'", "url = 'https://ci.example.com/api'"];
        let keys: Vec<&str> = change.lines().filter_map(|line| line.split(' ').next()).collect();
        lines.retain(|line| !keys.iter().any(|key| line.starts_with(key)));
        lines.push(change);
        slips(&toml::from_str(&lines.join("\n")).unwrap()).into_iter().map(|slip| slip.pointer).collect()
    }

    #[test]
    fn each_slip_is_told_at_its_field() {
        for (change, pointers) in [
            ("name = 'ci'", &[][..]),
            ("name = 'CI_2.prod-eu'", &[]),
            ("name = ''", &["/name"]),
            ("name = '.'", &["/name"]),
            ("name = 'a b'", &["/name"]),
            ("url = 'ftp://x'", &["/url"]),
            ("url = 'ci.example.com'", &["/url"]),
            ("url = 'https://ann:secret@ci.example.com'", &["/url"]),
            ("url = 'http://[::1]:8080'", &[]),
            ("kind = 'orchestrator'\npreset = 'stellwerk'", &[]),
            ("kind = 'orchestrator'\npreset = 'other'", &["/preset"]),
            ("preset = 'portal'", &["/preset"]),
            ("limit = 0", &["/limit"]),
            ("limit = 1001\nrest_seconds = 0", &["/limit", "/rest_seconds"]),
        ] {
            assert_eq!(told(change), pointers, "{change}");
        }
        assert!(told(&format!("url = 'https://x/{}'", "y".repeat(3000))) == ["/url"]);
        assert!(told(&format!("name = '{}'", "y".repeat(61))) == ["/name"]);
    }
}

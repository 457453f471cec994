//! A fault before it has a place.

use serde_json::Value;

use crate::catalog::wire::Fault;
use crate::document::Spot;

/// The step of Backstage's pipeline that rejects a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Envelope,
    Policy,
    Kind,
    Relations,
}

/// A fault, known by its pointer.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) stage: Stage,
    pub(super) pointer: String,
    /// Where the place of `pointer` is taken from, when it is not the same.
    pub(super) blame: Option<String>,
    pub(super) spot: Spot,
    pub(super) rule: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Finding {
    /// A fault of a value.
    pub(super) fn value(stage: Stage, pointer: impl Into<String>, rule: &'static str, message: String) -> Self {
        Self { stage, pointer: pointer.into(), blame: None, spot: Spot::Value, rule, message, hint: None }
    }

    /// A fault of a key, or of one that is missing.
    pub(super) fn key(stage: Stage, pointer: impl Into<String>, rule: &'static str, message: String) -> Self {
        Self { spot: Spot::Key, ..Self::value(stage, pointer, rule, message) }
    }

    pub(super) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    pub(super) fn at(self, place: &dyn Fn(&str, Spot) -> (u32, u32)) -> Fault {
        let Self { stage: _, pointer, blame, spot, rule, message, hint } = self;
        let (line, column) = place(blame.as_deref().unwrap_or(&pointer), spot);
        Fault { line, column, pointer, rule: rule.to_owned(), message, hint }
    }
}

/// A pointer as people write it: `metadata.tags[0]`, `metadata.labels["a/b"]`.
pub(super) fn path(pointer: &str) -> String {
    let mut path = String::new();
    for token in pointer.split('/').skip(1) {
        let key = token.replace("~1", "/").replace("~0", "~");
        if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str(&format!("[{key}]"));
        } else if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&key);
        } else {
            path.push_str(&format!("[\"{key}\"]"));
        }
    }
    if path.is_empty() { "the document".to_owned() } else { path }
}

/// What a value is, in words.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// A value in a message; long ones are cut.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The way to make text of a scalar that is not.
pub(super) fn quote(value: &Value) -> Option<String> {
    match value {
        Value::Bool(_) | Value::Number(_) => Some(format!("quote it: `\"{value}\"`")),
        Value::Null => Some("give it a value, or remove the key".to_owned()),
        _ => None,
    }
}

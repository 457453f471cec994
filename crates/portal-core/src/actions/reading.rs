//! Reads parts of an action, and notes at its place what cannot be read.

use serde_json::{Map, Value};

use super::definition::{Rule, no_time, seconds};
use crate::cel::Expression;
use crate::templates::definition::Finding;
use crate::templates::language::{Style, Template};

/// What is wrong with a part is noted, and reading goes on.
pub(super) struct Reading<'f>(pub(super) &'f mut Vec<Finding>);

impl Reading<'_> {
    pub(super) fn fault(&mut self, pointer: &str, message: impl Into<String>) {
        self.0.push(Finding { pointer: pointer.to_owned(), message: message.into(), is_error: true });
    }

    /// Something that is probably not meant.
    pub(super) fn remark(&mut self, pointer: &str, message: impl Into<String>) {
        self.0.push(Finding { pointer: pointer.to_owned(), message: message.into(), is_error: false });
    }

    /// A slip of the pen would otherwise open what is meant to be closed.
    pub(super) fn known(&mut self, value: &Value, names: &[&str], pointer: &str) {
        for name in value.as_object().into_iter().flat_map(Map::keys).filter(|name| !names.contains(&name.as_str())) {
            let pointer = format!("{pointer}/{}", crate::document::escape(name));
            self.fault(&pointer, format!("`{name}` means nothing here; there are `{}`", names.join("`, `")));
        }
    }

    pub(super) fn rule(&mut self, source: &Value, message: &Value, pointer: &str) -> Option<Rule> {
        let source = source.as_str()?;
        match Expression::parse(source) {
            Ok(expression) => {
                Some(Rule { expression: std::sync::Arc::new(expression), message: message.as_str().map(str::to_owned) })
            }
            Err(fault) => {
                self.fault(pointer, fault.to_string());
                None
            }
        }
    }

    /// Notes every text that cannot be read as a template.
    pub(super) fn templates(&mut self, value: &Value, pointer: &str) {
        match value {
            Value::String(text) => {
                if let Err(fault) = Template::parse(text, Style::default()) {
                    self.fault(pointer, format!("the expression cannot be read, {fault}"));
                }
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| self.templates(item, &format!("{pointer}/{index}")));
            }
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                self.templates(value, &format!("{pointer}/{}", crate::document::escape(name)));
            }),
            _ => {}
        }
    }

    pub(super) fn time(&mut self, value: &Value, pointer: &str) -> Option<u64> {
        let text = match value {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let seconds = seconds(&text);
        if seconds.is_none() {
            self.fault(pointer, no_time(&text));
        }
        seconds
    }
}

//! A definition in YAML or JSON: access that expects nothing, and references.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::wire::DefinitionFault;
use crate::document::{self, Budget, Document, Spot};
use crate::percent;

/// References in a row before they count as a circle.
const HOPS: usize = 16;
/// Uses of anchors. What they repeat is paid for in nodes and bytes.
const ALIASES: usize = 10_000;

/// The document of a definition.
#[derive(Debug)]
pub(super) struct Tree(Document);

/// Where a reference leads.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lead<'a> {
    /// No reference, or one that was followed.
    To(&'a Value),
    /// To another file or address, which is not followed.
    Outside(&'a str),
    /// To nothing, or round and round.
    Nowhere,
}

impl Tree {
    /// Reads the first document of a text.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub(super) fn read(text: &str) -> Result<Self, Vec<DefinitionFault>> {
        let budget = Budget { aliases: ALIASES, ..Budget::default() };
        let reading = document::read(text.as_bytes(), &budget);
        let fault = |line: u32, message: String| DefinitionFault { line, message };
        let Some(document) = reading.documents.into_iter().next() else {
            let faults = reading.faults.into_iter().map(|(_, found)| {
                let hint = found.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                fault(found.line, format!("{}{hint}", found.message))
            });
            let mut faults: Vec<_> = faults.collect();
            if faults.is_empty() {
                faults.push(fault(0, "the definition is empty".to_owned()));
            }
            return Err(faults);
        };
        match document.value.is_object() {
            true => Ok(Self(document)),
            false => {
                Err(vec![fault(document.line, format!("the definition is {}, not an object", kind(&document.value)))])
            }
        }
    }

    pub(super) fn root(&self) -> &Value {
        &self.0.value
    }

    pub(super) fn at(&self, pointer: &str) -> Option<&Value> {
        self.root().pointer(pointer)
    }

    /// The line of a key, or of an item.
    pub(super) fn line(&self, pointer: &str) -> u32 {
        self.0.place(pointer, Spot::Key).0
    }

    /// A scalar as it stands in the text, so that version `1.0` is not shown as 1.
    pub(super) fn written(&self, text: &str, pointer: &str) -> Option<String> {
        let value = self.at(pointer)?;
        if let Value::String(text) = value {
            return Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        }
        let (line, column) = self.0.position(pointer);
        let line = text.lines().nth(line.saturating_sub(1) as usize)?;
        let number = line.chars().skip(column.saturating_sub(1) as usize);
        let number: String = number.take_while(|next| next.is_ascii_alphanumeric() || *next == '.').collect();
        let stands = value.is_number() && number.parse::<f64>().ok() == value.as_f64();
        value.is_number().then(|| if stands { number } else { value.to_string() })
    }

    /// Follows the references of a value.
    pub(super) fn follow<'a>(&'a self, value: &'a Value) -> Lead<'a> {
        let mut value = value;
        for _ in 0..HOPS {
            let Some(reference) = reference(value) else { return Lead::To(value) };
            let Some(pointer) = local(reference) else { return Lead::Outside(reference) };
            match self.at(&pointer) {
                Some(target) => value = target,
                None => return Lead::Nowhere,
            }
        }
        Lead::Nowhere
    }

    /// The value behind its references; `None` where they lead outside or nowhere.
    pub(super) fn here<'a>(&'a self, value: &'a Value) -> Option<&'a Value> {
        match self.follow(value) {
            Lead::To(value) => Some(value),
            Lead::Outside(_) | Lead::Nowhere => None,
        }
    }
}

/// The `$ref` of a value.
pub(super) fn reference(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)
}

/// The JSON pointer of a reference into its own document.
pub(super) fn local(reference: &str) -> Option<Cow<'_, str>> {
    let pointer = reference.strip_prefix('#')?;
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return None;
    }
    Some(if pointer.contains('%') { Cow::Owned(percent::decode(pointer)) } else { Cow::Borrowed(pointer) })
}

/// The last word of a reference: `Booking` of `#/components/schemas/Booking`
/// and of `./models/Booking.yaml`.
pub(super) fn last_name(reference: &str) -> String {
    let last = reference.rsplit(['/', '#']).find(|part| !part.is_empty()).unwrap_or(reference);
    let stem = ["yaml", "yml", "json"].iter().find_map(|extension| last.strip_suffix(extension)?.strip_suffix('.'));
    percent::decode(stem.unwrap_or(last)).replace("~1", "/").replace("~0", "~")
}

/// A text that is not blank, without the space around it.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// The fields of an object; none when it is absent or something else.
pub(super) fn fields<'a>(value: &'a Value, key: &str) -> impl ExactSizeIterator<Item = (&'a String, &'a Value)> {
    static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.get(key).and_then(Value::as_object).unwrap_or(&EMPTY).iter()
}

/// The items of a list; none when it is absent or something else.
pub(super) fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn is_set(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}

/// What a value is, with its article.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

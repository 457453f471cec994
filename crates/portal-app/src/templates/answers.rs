//! The answers of a form, as the address holds them: those of the page that is shown one by
//! one, by their JSON pointers, and those of the other pages together.

use portal_core::templates::wire::{Control, FormField, FormPage};
use serde_json::{Map, Value};

use crate::access::Question;
use crate::paths;

/// What the address says about a form.
pub(crate) struct Asked {
    /// Number of the page that is shown, from 0.
    pub page: usize,
    /// Answers of pages that are not shown.
    rest: Map<String, Value>,
    /// Texts of the page that was shown, by pointer.
    texts: Vec<(String, String)>,
    /// Boxes that were shown: without a text they were left empty.
    boxes: Vec<String>,
    /// A list that gets one item more.
    add: Option<String>,
    /// An item that goes.
    remove: Option<String>,
    /// Number of the page that was sent: its faults are told.
    sent: Option<usize>,
}

impl Asked {
    pub(crate) fn of(question: &Question) -> Self {
        let own = question.pairs().filter(|(key, _)| key.starts_with('/'));
        let one = |name: &str| Some(question.value(name)).filter(|text| !text.is_empty()).map(str::to_owned);
        // Links prefill by plain names: `?name=ledger`.
        let plain = question.pairs().filter(|(key, _)| !key.starts_with('/') && !RESERVED.contains(key));
        let mut rest: Map<String, Value> = serde_json::from_str(question.value("rest")).unwrap_or_default();
        for (key, value) in plain {
            rest.entry(key).or_insert_with(|| value.into());
        }
        Self {
            page: question.value("page").parse().unwrap_or(0),
            rest,
            texts: with_repositories(own.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()),
            boxes: question.values("box"),
            add: one("add"),
            remove: one("remove"),
            sent: match question.value("to") {
                "" => question.value("sent").parse().ok(),
                _ => question.value("page").parse().ok(),
            },
        }
    }

    /// The same without what is no answer of the form.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.rest.remove(name);
        self
    }

    /// Whether a page was sent, so that its faults are told.
    pub(crate) fn is_sent(&self, page: usize) -> bool {
        self.sent == Some(page)
    }

    /// The answers as texts: the fields that they bring about say what type each has.
    pub(crate) fn rough(&self) -> Map<String, Value> {
        self.filled(|_, text| Some(text.into()))
    }

    /// The answers, each of the type that its field has.
    pub(crate) fn typed(&self, pages: &[FormPage]) -> Map<String, Value> {
        self.filled(|pointer, text| match find(pages, pointer) {
            Some(field) => read(field, text),
            None => Some(text.into()),
        })
    }

    fn filled(&self, read: impl Fn(&str, &str) -> Option<Value>) -> Map<String, Value> {
        let mut values = Value::Object(self.rest.clone());
        for pointer in &self.boxes {
            let texts: Vec<&str> =
                self.texts.iter().filter(|(own, _)| own == pointer).map(|(_, text)| text.as_str()).collect();
            let (pointer, is_list) =
                pointer.strip_suffix("[]").map_or((pointer.as_str(), false), |pointer| (pointer, true));
            if is_list {
                let texts =
                    self.texts.iter().filter(|(own, _)| own == pointer).map(|(_, text)| Value::from(text.as_str()));
                set(&mut values, pointer, texts.collect());
            } else {
                set(&mut values, pointer, (!texts.is_empty()).into());
            }
        }
        let is_box = |pointer: &str| self.boxes.iter().any(|own| own.trim_end_matches("[]") == pointer);
        for (pointer, text) in self.texts.iter().filter(|(pointer, _)| !is_box(pointer)) {
            if let Some(value) = read(pointer, text) {
                set(&mut values, pointer, value);
            }
        }
        if let Some(Value::Array(items)) = self.remove.as_deref().and_then(|place| parent(&mut values, place)) {
            let index = self.remove.as_deref().and_then(|place| place.rsplit('/').next()?.parse::<usize>().ok());
            if let Some(index) = index.filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        if let Some(pointer) = &self.add {
            let mut items = values.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
            items.push(Value::Null);
            set(&mut values, pointer, Value::Array(items));
        }
        match values {
            Value::Object(values) => values,
            _ => Map::new(),
        }
    }
}

/// Puts the controls of a repository together: `github.com?owner=team&repo=name`.
fn with_repositories(texts: Vec<(String, String)>) -> Vec<(String, String)> {
    const PARTS: [&str; 3] = [":repo-host", ":repo-owner", ":repo-name"];
    let pointer_of = |key: &str| PARTS.iter().find_map(|part| key.strip_suffix(part).map(str::to_owned));
    let mut pointers: Vec<String> = texts.iter().filter_map(|(key, _)| pointer_of(key)).collect();
    pointers.dedup();
    let part = |pointer: &str, part: &str| {
        let found = texts.iter().find(|(key, _)| key.strip_suffix(part) == Some(pointer));
        found.map_or("", |(_, value)| value.trim())
    };
    let joined = pointers.into_iter().filter_map(|pointer| {
        let [host, owner, name] = PARTS.map(|one| part(&pointer, one));
        let is_empty = owner.is_empty() && name.is_empty();
        let query = paths::with_query(host, [("owner", owner), ("repo", name)]);
        (!is_empty).then_some((pointer, query))
    });
    let joined: Vec<(String, String)> = joined.collect();
    texts.iter().filter(|(key, _)| pointer_of(key).is_none()).cloned().chain(joined).collect()
}

const RESERVED: [&str; 11] = ["for", "page", "rest", "box", "add", "remove", "to", "sent", "file", "text", "place"];

fn read(field: &FormField, text: &str) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    Some(match field.control {
        Control::Number => {
            let whole = text.parse::<i64>().map(Value::from);
            whole.or_else(|_| text.parse::<f64>().map(Value::from)).unwrap_or_else(|_| text.into())
        }
        Control::Checkbox | Control::YesNo => (text == "true").into(),
        Control::Select | Control::Radio => {
            let same = |value: &Value| *value == *text || (!value.is_string() && value.to_string().as_str() == text);
            let chosen = field.choices.iter().find(|choice| same(&choice.value));
            chosen.map_or_else(|| text.into(), |choice| choice.value.clone())
        }
        Control::Entities | Control::Tags => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(Value::from).collect()
        }
        Control::Pairs => pairs(text, field.input.as_deref()),
        Control::List | Control::Group => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        _ => text.into(),
    })
}

/// Names with values, of lines such as `name: value`, or of JSON; the text as it is where
/// it is neither, so that the form tells. A value is of the type that is asked for.
fn pairs(text: &str, kind: Option<&str>) -> Value {
    if let Ok(value @ Value::Object(_)) = serde_json::from_str(text) {
        return value;
    }
    let one = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let value = value.trim();
        let is_text = kind == Some("string");
        let typed = serde_json::from_str::<Value>(value).ok().filter(|_| !is_text);
        Some((name.trim().to_owned(), typed.unwrap_or_else(|| value.into())))
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(one).collect::<Option<Map<String, Value>>>().map_or_else(|| text.into(), Value::Object)
}

/// The same, to be changed.
pub(super) fn pairs_text(value: Option<&Value>) -> String {
    match value {
        Some(Value::Object(fields)) if fields.values().all(|value| !value.is_object() && !value.is_array()) => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            fields.iter().map(|(name, value)| format!("{name}: {}\n", text(value))).collect()
        }
        Some(Value::String(text)) => text.clone(),
        Some(other) => serde_json::to_string_pretty(other).unwrap_or_default(),
        None => String::new(),
    }
}

/// The field whose value stands at a pointer.
pub(super) fn find<'f>(pages: &'f [FormPage], pointer: &str) -> Option<&'f FormField> {
    pages.iter().find_map(|page| within(&page.fields, pointer))
}

fn within<'f>(fields: &'f [FormField], pointer: &str) -> Option<&'f FormField> {
    fields.iter().find_map(|field| if field.pointer == pointer { Some(field) } else { within(&field.fields, pointer) })
}

fn parent<'v>(values: &'v mut Value, pointer: &str) -> Option<&'v mut Value> {
    values.pointer_mut(pointer.rsplit_once('/')?.0)
}

/// Sets a value, and makes the objects and lists around it.
fn set(values: &mut Value, pointer: &str, value: Value) {
    let mut at = values;
    let mut parts = pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).peekable();
    while let Some(part) = parts.next() {
        let next_is_index = parts.peek().is_some_and(|next| next.parse::<usize>().is_ok());
        let empty = || if next_is_index { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
        at = match at {
            Value::Array(items) => {
                // What an address asks for is not believed beyond the next item.
                let index = part.parse::<usize>().unwrap_or(0).min(items.len());
                if index == items.len() {
                    items.push(Value::Null);
                }
                &mut items[index]
            }
            Value::Object(fields) => fields.entry(part).or_insert(Value::Null),
            _ => return,
        };
        if parts.peek().is_some() && !at.is_object() && !at.is_array() {
            *at = empty();
        }
    }
    *at = value;
}

/// The answers without those that fields of these pages hold.
pub(super) fn without(values: &Map<String, Value>, shown: &[FormField]) -> Map<String, Value> {
    let is_shown = |name: &str| shown.iter().any(|field| field.name == name);
    values.iter().filter(|(name, _)| !is_shown(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_stand_on_lines() {
        let typed = pairs("cpu: 2\nname: web: 1\n\non: true", None);
        assert_eq!(typed, serde_json::json!({"cpu": 2, "name": "web: 1", "on": true}));
        assert_eq!(pairs("cpu: 2", Some("string")), serde_json::json!({"cpu": "2"}));
        assert_eq!(pairs(r#"{"a": [1]}"#, None), serde_json::json!({"a": [1]}));
        assert_eq!(pairs("no value", None), "no value");
        assert_eq!(pairs(&pairs_text(Some(&typed)), None), typed);
    }

    #[test]
    fn a_repository_is_put_together() {
        let asked = |query: &str| Asked::of(&Question::of(query)).rough();
        let query = "%2Frepo%3Arepo-host=github.com&%2Frepo%3Arepo-owner=a%20team&%2Frepo%3Arepo-name=ledger&%2Fname=x";
        assert_eq!(
            Value::Object(asked(query)),
            serde_json::json!({"name": "x", "repo": "github.com?owner=a%20team&repo=ledger"})
        );
        // A host alone is what the form offers, and no answer.
        assert_eq!(Value::Object(asked("%2Frepo%3Arepo-host=github.com")), serde_json::json!({}));
        // What is missing is told by the form, and what is there is kept.
        let half = asked("%2Frepo%3Arepo-host=github.com&%2Frepo%3Arepo-owner=team");
        assert_eq!(half["repo"], "github.com?owner=team&repo=");
    }
}

//! Fields whose values are secret: `ui:field: Secret`, and passwords. They are never among
//! the answers; a run gets them beside, by the names of their fields.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::definition::Page;
use super::form;
use super::wire::{Control, FormField};
use crate::document::escape;
use crate::problem::FieldError;

/// What stands for a secret that was given.
pub const MASK: &str = "••••••";

/// A field that is shown and takes a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretField {
    /// JSON pointer into the answers.
    pub pointer: String,
    pub name: String,
}

/// Those that are shown for these values.
pub fn fields(pages: &[Page], values: &Map<String, Value>) -> Vec<SecretField> {
    let mut found = Vec::new();
    for page in form::pages(pages, values) {
        collect(&page.fields, &mut found);
    }
    found
}

fn collect(fields: &[FormField], found: &mut Vec<SecretField>) {
    for field in fields {
        if matches!(field.control, Control::Secret | Control::Password) {
            found.push(SecretField { pointer: field.pointer.clone(), name: field.name.clone() });
        }
        collect(&field.fields, found);
    }
}

/// Takes what is secret out of answers, whether its field is shown or not; answers it by
/// name. Masks, which tools send in its place, are dropped.
pub fn part(pages: &[Page], values: &Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let (mut answers, mut secrets) = (Value::Object(values.clone()), Map::new());
    for page in pages {
        each(&page.schema, &page.schema, &mut answers, 0, &mut |name, fields| {
            if let Some(value) = fields.shift_remove(name)
                && !is_mask(&value)
            {
                secrets.insert(name.to_owned(), value);
            }
        });
    }
    let answers = if let Value::Object(answers) = answers { answers } else { Map::new() };
    (answers, secrets)
}

fn is_mask(value: &Value) -> bool {
    value.as_str().is_none_or(|text| text.chars().all(|sign| sign == '*' || sign == '•'))
}

/// Answers with each secret replaced.
pub fn masked(pages: &[Page], values: Map<String, Value>) -> Map<String, Value> {
    let mut answers = Value::Object(values);
    for page in pages {
        each(&page.schema, &page.schema, &mut answers, 0, &mut |name, fields| {
            if let Some(value) = fields.get_mut(name) {
                *value = MASK.into();
            }
        });
    }
    if let Value::Object(answers) = answers { answers } else { Map::new() }
}

fn is_secret(property: &Value) -> bool {
    let widget = property["ui:widget"].as_str().or(property["ui:options"]["widget"].as_str());
    property["ui:field"] == "Secret" || widget == Some("password")
}

/// Calls for each secret property of a schema, with the object that may hold it.
fn each(
    root: &Value,
    schema: &Value,
    data: &mut Value,
    depth: usize,
    call: &mut impl FnMut(&str, &mut Map<String, Value>),
) {
    let schema = form::followed(root, schema);
    if depth > 24 || !schema.is_object() {
        return;
    }
    if let Value::Object(fields) = data {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if is_secret(form::followed(root, property)) {
                call(name, fields);
            } else if let Some(inner) = fields.get_mut(name) {
                each(root, property, inner, depth + 1, call);
            }
        }
    }
    if let Value::Array(items) = data {
        items.iter_mut().for_each(|item| each(root, &schema["items"], item, depth + 1, call));
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        schema[key].as_array().into_iter().flatten().for_each(|part| each(root, part, data, depth + 1, call));
    }
    for key in ["then", "else"] {
        each(root, &schema[key], data, depth + 1, call);
    }
    for key in ["dependencies", "dependentSchemas"] {
        schema[key].as_object().into_iter().flatten().for_each(|(_, part)| each(root, part, data, depth + 1, call));
    }
}

/// Secrets that a run could not keep apart, by the number of their page: items of lists, values
/// of names that anybody chooses, and two in different places by one name.
pub(super) fn misplaced(pages: &[Page]) -> Vec<(usize, String)> {
    let mut places = Places::default();
    for (index, page) in pages.iter().enumerate() {
        places.look(index, &page.schema, &page.schema, "", 0);
    }
    places.found
}

#[derive(Default)]
struct Places {
    /// Where secrets stand, by name.
    known: BTreeMap<String, String>,
    found: Vec<(usize, String)>,
}

impl Places {
    fn tell(&mut self, page: usize, message: String) {
        if !self.found.iter().any(|(_, known)| *known == message) {
            self.found.push((page, message));
        }
    }

    fn look(&mut self, page: usize, root: &Value, schema: &Value, at: &str, depth: usize) {
        let schema = form::followed(root, schema);
        if depth > 12 || !schema.is_object() {
            return;
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let place = format!("{at}/{}", escape(name));
            if !is_secret(form::followed(root, property)) {
                self.look(page, root, property, &place, depth + 1);
            } else if at.contains("/*") {
                self.tell(page, format!("the secret `{place}` stands in a list; a run keeps secrets by their names"));
            } else if let Some(other) = self.known.get(name).filter(|other| **other != place) {
                let message = format!("the secrets `{other}` and `{place}` have one name; give each its own");
                self.tell(page, message);
            } else {
                self.known.insert(name.clone(), place);
            }
        }
        for key in ["items", "additionalProperties"] {
            if is_secret(form::followed(root, &schema[key])) {
                let message = format!("`{at}` holds secrets without a name; a run keeps secrets by their names");
                self.tell(page, message);
            }
            self.look(page, root, &schema[key], &format!("{at}/*"), depth + 1);
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            let parts = schema[key].as_array().into_iter().flatten();
            parts.for_each(|part| self.look(page, root, part, at, depth + 1));
        }
        for key in ["then", "else"] {
            self.look(page, root, &schema[key], at, depth + 1);
        }
        for key in ["dependencies", "dependentSchemas"] {
            let parts = schema[key].as_object().into_iter().flatten();
            parts.for_each(|(_, part)| self.look(page, root, part, at, depth + 1));
        }
    }
}

/// Answers with the secrets where their fields stand, to be judged or to be worked with.
pub fn put(fields: &[SecretField], answers: &Map<String, Value>, secrets: &Map<String, Value>) -> Map<String, Value> {
    let mut whole = Value::Object(answers.clone());
    for SecretField { pointer, name } in fields {
        let Some(secret) = secrets.get(name) else { continue };
        let (above, _) = pointer.rsplit_once('/').unwrap_or_default();
        if !above.is_empty() && whole.pointer(above).is_none() {
            make(&mut whole, above);
        }
        if let Some(Value::Object(around)) = whole.pointer_mut(above) {
            around.insert(name.clone(), secret.clone());
        }
    }
    if let Value::Object(whole) = whole { whole } else { Map::new() }
}

fn make(whole: &mut Value, pointer: &str) {
    let mut at = whole;
    for part in pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")) {
        let Value::Object(fields) = at else { return };
        at = fields.entry(part).or_insert_with(|| Value::Object(Map::new()));
    }
}

/// Faults that have nothing to do with secrets: of a form that asks for them later.
pub fn without(fields: &[SecretField], faults: Vec<FieldError>) -> Vec<FieldError> {
    let is_later = |fault: &FieldError| {
        // An object that holds nothing but secrets is not there yet either.
        fields.iter().any(|field| field.pointer == fault.pointer || is_above(&fault.pointer, &field.pointer))
    };
    faults.into_iter().filter(|fault| !is_later(fault)).collect()
}

fn is_above(above: &str, pointer: &str) -> bool {
    !above.is_empty() && pointer.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// Faults of a whole form, told where a secret is given: `/secrets/name`, without its value.
pub fn told(fields: &[SecretField], secrets: &Map<String, Value>, faults: Vec<FieldError>) -> Vec<FieldError> {
    let tell = |mut fault: FieldError| {
        let shows = secrets.values().filter_map(Value::as_str).any(|secret| fault.message.contains(secret));
        if let Some(field) = fields.iter().find(|field| field.pointer == fault.pointer) {
            fault.pointer = format!("/secrets/{}", crate::document::escape(&field.name));
            if shows {
                fault.message = "is not as the form wants it".to_owned();
            }
        } else {
            fault.pointer = format!("/values{}", fault.pointer);
        }
        fault
    };
    faults.into_iter().map(tell).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pages() -> Vec<Page> {
        let schema = json!({
            "required": ["pw"],
            "properties": {
                "name": {"type": "string"},
                "pw": {"type": "string", "ui:field": "Secret", "minLength": 4},
                "deep": {"type": "object", "required": ["key"], "properties": {"key": {"type": "string", "ui:widget": "password"}}},
            },
            "dependencies": {"name": {"properties": {"late": {"type": "string", "ui:field": "Secret"}}}},
        });
        vec![Page { title: "One".to_owned(), description: None, schema }]
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn what_is_secret_is_no_answer() {
        let given = object(json!({"name": "a", "pw": "hunter2", "deep": {"key": "k3y"}, "late": "*****"}));
        let (answers, secrets) = part(&pages(), &given);
        assert_eq!(Value::Object(answers), json!({"name": "a", "deep": {}}));
        assert_eq!(Value::Object(secrets), json!({"pw": "hunter2", "key": "k3y"}));
        // A field that is not shown hides its value as well.
        assert_eq!(part(&pages(), &object(json!({"late": "x"}))).1["late"], "x");
        assert_eq!(masked(&pages(), given)["deep"]["key"], MASK);
    }

    #[test]
    fn secrets_are_judged_where_they_stand() {
        let (pages, answers) = (pages(), object(json!({"name": "a"})));
        let all = fields(&pages, &answers);
        assert_eq!(all.iter().map(|one| one.pointer.as_str()).collect::<Vec<_>>(), ["/pw", "/deep/key", "/late"]);
        let judged = |secrets: Value| {
            let secrets = object(secrets);
            let faults = form::faults(&pages, &put(&all, &answers, &secrets));
            told(&all, &secrets, faults).into_iter().map(|fault| fault.pointer).collect::<Vec<_>>()
        };
        assert_eq!(judged(json!({"pw": "hunter2", "key": "k"})), Vec::<String>::new());
        assert_eq!(judged(json!({"pw": "abc", "key": "k"})), ["/secrets/pw"]);
        assert_eq!(judged(json!({})), ["/secrets/pw"]);
        assert!(without(&all, form::faults(&pages, &answers)).is_empty());
    }
}

//! Pickers of entities: which kinds they take, and what an entity answers by itself.

use serde_json::{Map, Value};

use super::resolve::{followed, resolve};
use crate::templates::definition::Page;

/// What an entity answers: pickers that take its kind get the entity, those of owners its
/// owner, and those of systems and domains the ones that it is part of.
pub fn answered_by(pages: &[Page], entity_ref: &str, entity: &Value) -> Map<String, Value> {
    let kind = entity_ref.split(':').next().unwrap_or_default();
    let part = |name: &str| entity["spec"][name].as_str().filter(|text| !text.is_empty());
    let mut answers = Map::new();
    for page in pages {
        for (name, property) in resolve(&page.schema, &page.schema, &Value::Object(Map::new()), 0).properties {
            let property = followed(&page.schema, &property);
            let kinds = kinds(property);
            let takes = |wanted: &str| kinds.iter().any(|kind| kind == wanted);
            let answer = match property["ui:field"].as_str() {
                Some("OwnerPicker" | "MyGroupsPicker") => {
                    if matches!(kind, "group" | "user") {
                        Some(entity_ref)
                    } else {
                        part("owner")
                    }
                }
                Some("EntityPicker" | "OwnedEntityPicker" | "MultiEntityPicker") => match kind {
                    kind if takes(kind) => Some(entity_ref),
                    _ if takes("system") => part("system"),
                    _ if takes("domain") => part("domain"),
                    _ if takes("group") => part("owner"),
                    _ => None,
                },
                _ => None,
            };
            let is_list = property["type"] == "array" || property["ui:field"] == "MultiEntityPicker";
            let value = answer.map(|text| if is_list { Value::from(vec![text]) } else { text.into() });
            answers.extend(value.map(|value| (name, value)));
        }
    }
    answers
}

/// What else entities that a picker takes must be, as `filter` of the catalog; of several, one
/// must fit. Nothing where their kinds say it all, or where one of several cannot be written so.
pub(super) fn filters(schema: &Value) -> Vec<String> {
    let filter = &schema["ui:options"]["catalogFilter"];
    let all = filter.as_array().map_or_else(|| std::slice::from_ref(filter), Vec::as_slice);
    let conditions = |fields: &Map<String, Value>| -> Vec<String> {
        let condition = |(key, value): (&String, &Value)| match value {
            Value::Array(values) => {
                values.iter().filter_map(Value::as_str).map(|value| format!("{key}={value}")).collect()
            }
            Value::Object(rule) if rule.get("exists") == Some(&Value::Bool(true)) => vec![key.clone()],
            Value::String(value) => vec![format!("{key}={value}")],
            _ => Vec::new(),
        };
        fields.iter().flat_map(condition).collect()
    };
    let is_more = |fields: &Map<String, Value>| fields.keys().any(|key| key != "kind");
    let fields: Vec<_> = all.iter().filter_map(Value::as_object).collect();
    if !fields.iter().any(|fields| is_more(fields)) {
        return Vec::new();
    }
    let filters: Vec<String> = fields.into_iter().map(|fields| conditions(fields).join(",")).collect();
    if filters.iter().any(String::is_empty) { Vec::new() } else { filters }
}

/// Kinds of entities that a picker takes, in lower case; none where it takes all.
pub(super) fn kinds(schema: &Value) -> Vec<String> {
    let list = |value: &Value| match value {
        Value::String(kind) => vec![kind.to_lowercase()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_lowercase).collect(),
        _ => Vec::new(),
    };
    let options = &schema["ui:options"];
    let mut found = list(&options["allowedKinds"]);
    match &options["catalogFilter"] {
        Value::Array(filters) => filters.iter().for_each(|filter| found.extend(list(&filter["kind"]))),
        filter => found.extend(list(&filter["kind"])),
    }
    match schema["ui:field"].as_str() {
        Some("OwnerPicker") if found.is_empty() => ["group", "user"].map(str::to_owned).to_vec(),
        Some("MyGroupsPicker") if found.is_empty() => vec!["group".to_owned()],
        _ => found,
    }
}

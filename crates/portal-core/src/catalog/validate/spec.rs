//! The `spec` of a built-in kind, by the part of JSON Schema that their
//! schemas use: `type`, `required`, `properties`, `additionalProperties`,
//! `items`, `minLength`, `enum`.

use serde_json::Value;

use super::finding::{Finding, Stage, path, quote, shown, type_of};
use super::hints;
use crate::catalog::placeholders;
use crate::document::escape;

/// Checks a value; recursion is bounded by the schema.
pub(super) fn check(value: &Value, schema: &Value, pointer: &str, found: &mut Vec<Finding>) {
    if let Some(types) = schema.get("type")
        && !has_type(value, types)
    {
        if placeholders::kind_of(value).is_some() {
            return;
        }
        let message = format!("`{}` must be {}, but is {}", path(pointer), words(types), type_of(value));
        let hint = match value {
            Value::String(text) if names(types, "array") => {
                Some(format!("write `- {}` on a line of its own", shown(text)))
            }
            Value::Object(_) if pointer == "/spec/definition" => {
                Some("write `definition: |` and indent the definition, or use `$text`".to_owned())
            }
            other => quote(other),
        };
        found.push(Finding::value(Stage::Kind, pointer, "wrong_type", message).hint(hint));
        return;
    }
    match value {
        Value::String(text) => check_text(text, schema, pointer, found),
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    check(item, schema, &format!("{pointer}/{index}"), found);
                }
            }
        }
        Value::Object(map) => {
            if placeholders::kind_of(value).is_some() {
                return;
            }
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            for field in required.filter_map(Value::as_str).filter(|field| !map.contains_key(*field)) {
                found.push(missing(value, schema, pointer, field));
            }
            let properties = schema.get("properties");
            let others = schema.get("additionalProperties");
            for (key, child) in map {
                if let Some(schema) = properties.and_then(|properties| properties.get(key)).or(others) {
                    check(child, schema, &format!("{pointer}/{}", escape(key)), found);
                }
            }
        }
        _ => {}
    }
}

/// A field that is not there, with the key that was probably meant for it.
pub(super) fn missing(parent: &Value, schema: &Value, pointer: &str, field: &str) -> Finding {
    let at = format!("{pointer}/{}", escape(field));
    let mut finding = Finding::key(Stage::Kind, at.clone(), "missing_field", format!("`{}` is missing", path(&at)));
    let properties = schema.get("properties").and_then(Value::as_object);
    let unknown = parent
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys())
        .map(String::as_str)
        .filter(|key| !properties.is_some_and(|properties| properties.contains_key(*key)));
    if let Some(slip) = hints::closest(field, unknown) {
        finding.blame = Some(format!("{pointer}/{}", escape(slip)));
        finding.hint = Some(format!("did you mean `{field}` instead of `{slip}`?"));
    } else if parent.get("<<").is_some() {
        finding.hint = Some("merge keys are not supported: write the fields out".to_owned());
    } else {
        let about = properties.and_then(|properties| properties.get(field)?.get("description")?.as_str());
        finding.hint = about.map(|about| format!("add `{field}`: {}", lower_first(about)));
    }
    finding
}

fn check_text(text: &str, schema: &Value, pointer: &str, found: &mut Vec<Finding>) {
    if text.is_empty() && schema.get("minLength").is_some() {
        let message = format!("`{}` must not be empty", path(pointer));
        found.push(Finding::value(Stage::Kind, pointer, "empty_value", message));
    }
    if let Some(options) = schema.get("enum").and_then(Value::as_array)
        && !options.iter().any(|option| option.as_str() == Some(text))
    {
        let options: Vec<_> = options.iter().filter_map(Value::as_str).collect();
        let (last, first) = options.split_last().unwrap_or((&"", &[]));
        let choice =
            if first.is_empty() { format!("`{last}`") } else { format!("`{}` or `{last}`", first.join("`, `")) };
        let message = format!("`{}` must be {choice}, but is `{}`", path(pointer), shown(text));
        let hint = hints::did_you_mean(text, options.iter().copied());
        found.push(Finding::value(Stage::Kind, pointer, "value_not_allowed", message).hint(hint));
    }
}

fn has_type(value: &Value, types: &Value) -> bool {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
    names(types, name) || (is_whole && names(types, "integer"))
}

fn names(types: &Value, name: &str) -> bool {
    match types {
        Value::Array(types) => types.iter().any(|one| one.as_str() == Some(name)),
        one => one.as_str() == Some(name),
    }
}

fn words(types: &Value) -> String {
    let word = |name: &str| match name {
        "string" => "text",
        "array" => "a list",
        "object" => "a mapping",
        "boolean" => "true or false",
        _ => "a number",
    };
    match types {
        Value::Array(types) => types.iter().filter_map(Value::as_str).map(word).collect::<Vec<_>>().join(" or "),
        one => word(one.as_str().unwrap_or_default()).to_owned(),
    }
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_are_integers() {
        for (value, fits) in
            [(json!(2), true), (json!(2.0), true), (json!(2.5), false), (json!("2"), true), (json!([]), false)]
        {
            assert_eq!(has_type(&value, &json!(["string", "integer"])), fits, "{value}");
        }
    }
}

//! Defaults and choices of an action's form that are computed: `default: {cel: …}` and
//! `enum: {cel: …}` anywhere in its parameters.
//!
//! An expression sees `entity`, `caller` and `parameters`, as rules do, and asks the catalog
//! by `entities(filter)`. Choices are a list of values, or of `{value, title}`. A default
//! without an answer is none; choices without one are told.

use serde_json::{Map, Value};

use super::definition::Asked;
use super::reading::Reading;
use crate::cel::{Expression, Lookup};
use crate::document::escape;
use crate::problem::FieldError;

/// Schemas within schemas.
const DEEPEST: usize = 48;
/// Choices of one field.
const MOST: usize = 1000;

/// The expression of a computed part.
fn source(part: &Value) -> Option<&Value> {
    part.as_object().filter(|fields| fields.len() == 1)?.get("cel")
}

/// Calls with each schema that computes something, and its pointer.
fn each(schema: &mut Value, pointer: &str, depth: usize, found: &mut impl FnMut(&mut Map<String, Value>, &str)) {
    if depth > DEEPEST {
        return;
    }
    match schema {
        Value::Object(fields) => {
            if computes_itself(fields) {
                found(fields, pointer);
            }
            for (key, part) in fields {
                each(part, &format!("{pointer}/{}", escape(key)), depth + 1, found);
            }
        }
        Value::Array(items) => {
            for (index, part) in items.iter_mut().enumerate() {
                each(part, &format!("{pointer}/{index}"), depth + 1, found);
            }
        }
        _ => {}
    }
}

/// Whether an action computes anything.
pub fn computes(entity: &Value) -> bool {
    any(&entity["spec"]["parameters"], 0)
}

fn any(schema: &Value, depth: usize) -> bool {
    match schema {
        _ if depth > DEEPEST => false,
        Value::Object(fields) => computes_itself(fields) || fields.values().any(|part| any(part, depth + 1)),
        Value::Array(items) => items.iter().any(|part| any(part, depth + 1)),
        _ => false,
    }
}

fn computes_itself(fields: &Map<String, Value>) -> bool {
    ["default", "enum"].iter().any(|key| fields.get(*key).and_then(source).is_some())
}

/// The action without what is computed; expressions that are none are noted.
pub(super) fn without(entity: &Value, read: &mut Reading<'_>) -> Value {
    let mut plain = entity.clone();
    let Some(parameters) = plain.get_mut("spec").and_then(|spec| spec.get_mut("parameters")) else { return plain };
    each(parameters, "/spec/parameters", 0, &mut |fields, pointer| {
        for key in ["default", "enum"] {
            let Some(text) = fields.get(key).and_then(source).cloned() else { continue };
            fields.shift_remove(key);
            let pointer = format!("{pointer}/{key}/cel");
            if !text.is_string() {
                read.fault(&pointer, "must be a text: an expression in CEL");
            }
            read.rule(&text, &Value::Null, &pointer);
        }
    });
    plain
}

/// Puts the answers of its expressions into an action. Tells of choices that have none, by the
/// pointer of their field.
pub fn put_in(entity: &mut Value, asked: &Asked<'_>, entities: &Lookup) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let parameters = Value::Object(asked.parameters.clone());
    let variables =
        [("entity", asked.entity.unwrap_or(&Value::Null)), ("parameters", &parameters), ("caller", asked.caller)];
    let answer = |text: &Value| {
        let expression = Expression::parse(text.as_str().unwrap_or_default()).map_err(|fault| fault.to_string())?;
        expression.answer(&variables, entities)
    };
    let Some(form) = entity.get_mut("spec").and_then(|spec| spec.get_mut("parameters")) else { return faults };
    each(form, "", 0, &mut |fields, pointer| {
        if let Some(text) = fields.get("default").and_then(source).cloned() {
            fields.shift_remove("default");
            if let Ok(value) = answer(&text).map_err(drop)
                && !value.is_null()
            {
                fields.insert("default".to_owned(), value);
            }
        }
        if let Some(text) = fields.get("enum").and_then(source).cloned() {
            fields.shift_remove("enum");
            let (values, names) = answer(&text).and_then(choices).unwrap_or_else(|why| {
                let message =
                    format!("its choices, `{}`, cannot be computed: {why}", text.as_str().unwrap_or_default());
                faults.push(FieldError { pointer: field(pointer), message });
                (Vec::new(), Vec::new())
            });
            fields.insert("enum".to_owned(), Value::Array(values));
            fields.insert("enumNames".to_owned(), Value::Array(names));
        }
    });
    faults
}

/// Values, and what they are called.
fn choices(answer: Value) -> Result<(Vec<Value>, Vec<Value>), String> {
    let Value::Array(listed) = answer else {
        return Err("it answers no list".to_owned());
    };
    if listed.len() > MOST {
        return Err(format!("it answers {} choices; a field has at most {MOST}", listed.len()));
    }
    let mut all: Vec<(Value, Value)> = Vec::new();
    for one in listed {
        let (value, title) = match one {
            Value::Object(mut fields) => {
                let value = fields.shift_remove("value").ok_or("a choice is a value, or has `value` and `title`")?;
                let title = fields.shift_remove("title").unwrap_or_else(|| value.clone());
                (value, title)
            }
            value => (value.clone(), value),
        };
        if !all.iter().any(|(known, _)| *known == value) {
            all.push((value, title));
        }
    }
    Ok(all.into_iter().unzip())
}

/// The pointer of an answer, of the pointer of its schema.
fn field(pointer: &str) -> String {
    let mut parts = pointer.split('/');
    let mut path = String::new();
    while let Some(part) = parts.next() {
        if part == "properties"
            && let Some(name) = parts.next()
        {
            path.push('/');
            path.push_str(name);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::definition;
    use super::*;

    fn filled(properties: &Value, parameters: &Value) -> (Value, Vec<FieldError>) {
        let mut action = json!({"kind": "Action", "spec": {"parameters": [{"properties": properties}]}});
        let entity = json!({"metadata": {"name": "pay"}, "spec": {"system": "money"}});
        let caller = json!({"user": "user:default/ann", "groups": ["group:default/ops"]});
        let entities: Lookup = Arc::new(|filter: &str| match filter {
            "kind=resource,spec.system=money" => Ok(vec![json!({"ref": "resource:default/a", "title": "A"})]),
            "kind=" => Err("no value".to_owned()),
            _ => Ok(Vec::new()),
        });
        let asked = Asked { entity: Some(&entity), parameters: parameters.as_object().unwrap(), caller: &caller };
        let faults = put_in(&mut action, &asked, &entities);
        (action["spec"]["parameters"][0]["properties"].take(), faults)
    }

    #[test]
    fn answers_take_the_place_of_expressions() {
        for (given, wanted) in [
            (json!({"default": {"cel": "entity.metadata.name + '-db'"}}), json!({"default": "pay-db"})),
            (json!({"default": {"cel": "caller.groups[0]"}}), json!({"default": "group:default/ops"})),
            (json!({"default": {"cel": "1 + 2"}}), json!({"default": 3})),
            // Without an answer there is none.
            (json!({"default": {"cel": "entity.spec.nope"}, "type": "string"}), json!({"type": "string"})),
            // What is no expression stays.
            (json!({"default": {"cel": "x", "more": 1}}), json!({"default": {"cel": "x", "more": 1}})),
            (json!({"enum": {"cel": "['a', 'b', 'a']"}}), json!({"enum": ["a", "b"], "enumNames": ["a", "b"]})),
            (json!({"enum": {"cel": "parameters.large ? ['l'] : ['s']"}}), json!({"enum": ["l"], "enumNames": ["l"]})),
            (
                json!({"enum": {"cel": "entities('kind=resource,spec.system=' + entity.spec.system).map(e, {'value': e.ref, 'title': e.title})"}}),
                json!({"enum": ["resource:default/a"], "enumNames": ["A"]}),
            ),
            (json!({"enum": {"cel": "entities('kind=api')"}}), json!({"enum": [], "enumNames": []})),
        ] {
            let (found, faults) = filled(&json!({"x": given}), &json!({"large": true}));
            assert_eq!((&found["x"], faults.len()), (&wanted, 0), "{given}: {faults:?}");
        }
    }

    #[test]
    fn choices_without_an_answer_are_told_at_their_field() {
        for (expression, wanted) in [
            ("entity.spec.nope", "nope"),
            ("'a'", "no list"),
            ("[{'title': 'A'}]", "`value`"),
            ("entities('kind=')", "no value"),
        ] {
            let given = json!({"group": {"properties": {"x~y": {"enum": {"cel": expression}}}}});
            let (_, faults) = filled(&given, &json!({}));
            assert_eq!(faults.len(), 1, "{expression}");
            assert_eq!(faults[0].pointer, "/group/x~0y");
            assert!(faults[0].message.contains(wanted), "{}", faults[0].message);
        }
    }

    #[test]
    fn an_expression_is_judged_at_its_place() {
        let action = json!({"kind": "Action", "metadata": {"name": "x"}, "spec": {
            "type": "action", "steps": [{"id": "say", "action": "debug:log"}],
            "parameters": {"properties": {
                "good": {"type": "string", "enum": {"cel": "entities('kind=api')"}, "default": {"cel": "caller.user"}},
                "bad": {"default": {"cel": "1 +"}},
                "none": {"enum": {"cel": 1}},
            }},
        }});
        let (read, findings) = definition::read(&action);
        let pointers: Vec<&str> = findings.iter().map(|finding| finding.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            ["/spec/parameters/properties/bad/default/cel", "/spec/parameters/properties/none/enum/cel"],
            "{findings:?}"
        );
        assert_eq!(read.run.pages.len(), 1);
    }
}

//! What differs between two versions of a descriptor.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::wire::FieldChange;

/// The fields that differ, by JSON pointer, in the order of the documents.
///
/// Lists of scalars are compared as sets: an item that was added or removed is
/// one change, at its index in the version that has it, and a new order alone
/// is one change of the whole list. Other lists are compared index by index.
pub fn diff(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    compare(before, after, &mut String::new(), &mut changes);
    changes
}

fn compare(before: &Value, after: &Value, pointer: &mut String, changes: &mut Vec<FieldChange>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => objects(before, after, pointer, changes),
        (Value::Array(old), Value::Array(new)) if old.iter().chain(new).all(is_scalar) => {
            let count = changes.len();
            sets(old, new, pointer, changes);
            if changes.len() == count {
                changes.push(change(pointer, Some(before), Some(after)));
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for index in 0..before.len().max(after.len()) {
                child(before.get(index), after.get(index), &index.to_string(), pointer, changes);
            }
        }
        _ => changes.push(change(pointer, Some(before), Some(after))),
    }
}

fn objects(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    pointer: &mut String,
    changes: &mut Vec<FieldChange>,
) {
    for (key, old) in before {
        child(Some(old), after.get(key), key, pointer, changes);
    }
    for (key, new) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
        child(None, Some(new), key, pointer, changes);
    }
}

fn sets(before: &[Value], after: &[Value], pointer: &mut String, changes: &mut Vec<FieldChange>) {
    let members = |items: &[Value]| items.iter().map(Value::to_string).collect::<HashSet<_>>();
    let (kept, known) = (members(after), members(before));
    for (index, old) in before.iter().enumerate().filter(|(_, old)| !kept.contains(&old.to_string())) {
        child(Some(old), None, &index.to_string(), pointer, changes);
    }
    for (index, new) in after.iter().enumerate().filter(|(_, new)| !known.contains(&new.to_string())) {
        child(None, Some(new), &index.to_string(), pointer, changes);
    }
}

fn child(
    before: Option<&Value>,
    after: Option<&Value>,
    key: &str,
    pointer: &mut String,
    changes: &mut Vec<FieldChange>,
) {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
    match (before, after) {
        (Some(before), Some(after)) => compare(before, after, pointer, changes),
        (before, after) => changes.push(change(pointer, before, after)),
    }
    pointer.truncate(length);
}

fn change(pointer: &str, before: Option<&Value>, after: Option<&Value>) -> FieldChange {
    FieldChange { pointer: pointer.to_owned(), before: before.cloned(), after: after.cloned() }
}

fn is_scalar(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(before: Value, after: Value, expected: &[(&str, Option<Value>, Option<Value>)]) {
        let changes: Vec<_> =
            diff(&before, &after).into_iter().map(|change| (change.pointer, change.before, change.after)).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(pointer, before, after)| ((*pointer).to_owned(), before.clone(), after.clone()))
            .collect();
        assert_eq!(changes, expected);
    }

    #[test]
    fn fields_that_differ_are_told_by_pointer() {
        check(json!({ "a": 1 }), json!({ "a": 1 }), &[]);
        check(json!({ "a": 1 }), json!({ "a": 2 }), &[("/a", Some(json!(1)), Some(json!(2)))]);
        check(
            json!({ "m": { "gone": 1, "a/b": { "x": 1 } } }),
            json!({ "m": { "a/b": { "x": 2 }, "new": null } }),
            &[
                ("/m/gone", Some(json!(1)), None),
                ("/m/a~1b/x", Some(json!(1)), Some(json!(2))),
                ("/m/new", None, Some(json!(null))),
            ],
        );
        check(json!(1), json!([1]), &[("", Some(json!(1)), Some(json!([1])))]);
    }

    #[test]
    fn lists_of_scalars_are_sets() {
        check(
            json!({ "tags": ["a", "b", "c"] }),
            json!({ "tags": ["c", "a", "d"] }),
            &[("/tags/1", Some(json!("b")), None), ("/tags/2", None, Some(json!("d")))],
        );
        check(json!(["a", "b"]), json!(["b", "a"]), &[("", Some(json!(["a", "b"])), Some(json!(["b", "a"])))]);
    }

    #[test]
    fn lists_of_mappings_are_compared_by_index() {
        check(
            json!([{ "url": 1 }, { "url": 2 }]),
            json!([{ "url": 1 }, { "url": 3 }, { "url": 4 }]),
            &[("/1/url", Some(json!(2)), Some(json!(3))), ("/2", None, Some(json!({ "url": 4 })))],
        );
    }
}

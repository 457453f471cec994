//! The `query` predicate of Backstage: a JSON object of conditions.

use serde_json::{Map, Value};

use crate::catalog::index::scalar_text;

/// A condition on an entity. Keys and values are lower-cased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicate {
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    Exists {
        key: String,
        exists: bool,
    },
    /// One of the values; none at all is false.
    In {
        key: String,
        values: Vec<String>,
    },
    /// One of the values in exactly this case, in the document itself. Policies ask
    /// so; the catalog's own questions ignore case.
    Is {
        key: String,
        values: Vec<String>,
    },
    HasPrefix {
        key: String,
        prefix: String,
    },
    /// An item of a list equals the value.
    Contains {
        key: String,
        value: String,
    },
    /// A relation of this type, to one of these targets if any are given.
    Relation {
        relation: String,
        targets: Option<Vec<String>>,
    },
}

/// Why a JSON value is not a predicate; the pointer names the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at `{pointer}`")]
pub struct PredicateError {
    pub pointer: String,
    pub message: String,
}

type Result<T> = std::result::Result<T, PredicateError>;

/// Predicates inside predicates, at most.
const DEPTH: usize = 32;

impl Predicate {
    /// Reads a predicate.
    ///
    /// # Errors
    /// The first part that is none, with its place.
    pub fn parse(value: &Value) -> Result<Self> {
        predicate(value, &Place::Root, 0)
    }
}

/// A place in the document, rendered only when something is wrong there.
enum Place<'a> {
    Root,
    In(&'a Place<'a>, &'a str),
    At(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::In(parent, key) => format!("{}/{}", parent.pointer(), key.replace('~', "~0").replace('/', "~1")),
            Self::At(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }

    fn fault<T>(&self, message: impl Into<String>) -> Result<T> {
        let pointer = self.pointer();
        let pointer = if pointer.is_empty() { "/".to_owned() } else { pointer };
        Err(PredicateError { pointer, message: message.into() })
    }
}

fn predicate(value: &Value, place: &Place<'_>, depth: usize) -> Result<Predicate> {
    let Value::Object(fields) = value else {
        return place.fault("a predicate must be an object");
    };
    if depth > DEPTH {
        return place.fault(format!("predicates are nested deeper than {DEPTH}"));
    }
    if let Some((operator, operand)) = fields.iter().find(|(key, _)| key.starts_with('$')) {
        if fields.len() > 1 {
            return place.fault(format!("`{operator}` must be the only key; combine conditions with `$all`"));
        }
        let place = Place::In(place, operator);
        return match operator.as_str() {
            "$all" => list(operand, &place, depth).map(Predicate::All),
            "$any" => list(operand, &place, depth).map(Predicate::Any),
            "$not" => predicate(operand, &place, depth + 1).map(|part| Predicate::Not(Box::new(part))),
            _ => place.fault("unknown operator; known are `$all`, `$any` and `$not`"),
        };
    }
    let mut parts = fields.iter().map(|(key, value)| condition(key, value, &Place::In(place, key)));
    match fields.len() {
        1 => parts.next().unwrap_or(Ok(Predicate::All(Vec::new()))),
        _ => parts.collect::<Result<_>>().map(Predicate::All),
    }
}

fn list(value: &Value, place: &Place<'_>, depth: usize) -> Result<Vec<Predicate>> {
    let Value::Array(items) = value else {
        return place.fault("expected a list of predicates");
    };
    items.iter().enumerate().map(|(index, item)| predicate(item, &Place::At(place, index), depth + 1)).collect()
}

fn condition(key: &str, value: &Value, place: &Place<'_>) -> Result<Predicate> {
    let lower = key.to_lowercase();
    let Value::Object(operators) = value else {
        return Ok(Predicate::In { key: lower, values: vec![primitive(value, place)?] });
    };
    let Some((operator, operand)) = operators.iter().next().filter(|_| operators.len() == 1) else {
        return place.fault("expected a value or an object with one of `$exists`, `$in`, `$hasPrefix`, `$contains`");
    };
    let place = &Place::In(place, operator);
    match (operator.as_str(), operand) {
        ("$exists", Value::Bool(exists)) => Ok(Predicate::Exists { key: lower, exists: *exists }),
        ("$exists", _) => place.fault("expected `true` or `false`"),
        ("$in", _) => Ok(Predicate::In { key: lower, values: primitives(operand, place)? }),
        ("$hasPrefix", Value::String(prefix)) => Ok(Predicate::HasPrefix { key: lower, prefix: prefix.to_lowercase() }),
        ("$hasPrefix", _) => place.fault("expected a text"),
        ("$contains", Value::Object(relation)) if key == "relations" => relation_of(relation, place),
        ("$contains", _) if key == "relations" => place.fault("expected `{\"type\": …, \"targetRef\": …}`"),
        ("$contains", _) => Ok(Predicate::Contains { key: lower, value: primitive(operand, place)? }),
        _ => place.fault("unknown operator; known are `$exists`, `$in`, `$hasPrefix` and `$contains`"),
    }
}

fn relation_of(fields: &Map<String, Value>, place: &Place<'_>) -> Result<Predicate> {
    if let Some(other) = fields.keys().find(|key| !["type", "targetRef"].contains(&key.as_str())) {
        return Place::In(place, other).fault("unknown field; a relation has `type` and `targetRef`");
    }
    let Some(Value::String(relation)) = fields.get("type") else {
        return Place::In(place, "type").fault("expected the type of a relation");
    };
    let place = Place::In(place, "targetRef");
    let targets = match fields.get("targetRef") {
        None => None,
        Some(Value::String(target)) => Some(vec![target.to_lowercase()]),
        Some(Value::Object(operators)) if operators.len() == 1 => match operators.get("$in") {
            Some(targets) => Some(primitives(targets, &Place::In(&place, "$in"))?),
            None => return place.fault("expected a reference or `{\"$in\": […]}`"),
        },
        Some(_) => return place.fault("expected a reference or `{\"$in\": […]}`"),
    };
    Ok(Predicate::Relation { relation: relation.to_lowercase(), targets })
}

fn primitives(value: &Value, place: &Place<'_>) -> Result<Vec<String>> {
    let Value::Array(items) = value else {
        return place.fault("expected a list of values");
    };
    items.iter().enumerate().map(|(index, item)| primitive(item, &Place::At(place, index))).collect()
}

fn primitive(value: &Value, place: &Place<'_>) -> Result<String> {
    match scalar_text(value) {
        Some(text) => Ok(text.to_lowercase()),
        None => place.fault("expected a text, a number, `true` or `false`"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn refused(value: Value, pointer: &str) {
        let error = Predicate::parse(&value).unwrap_err();
        assert_eq!(error.pointer, pointer, "{error}");
    }

    #[test]
    fn conditions_are_anded_and_lower_cased() {
        let parsed = Predicate::parse(&json!({"Kind": "Component", "spec.n": {"$in": [1, true, "A"]}})).unwrap();
        let values = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
        let expected = Predicate::All(vec![
            Predicate::In { key: "kind".to_owned(), values: values(&["component"]) },
            Predicate::In { key: "spec.n".to_owned(), values: values(&["1", "true", "a"]) },
        ]);
        assert_eq!(parsed, expected);
    }

    #[test]
    fn relations_have_a_form_of_their_own() {
        let parsed = |value| Predicate::parse(&json!({"relations": {"$contains": value}}));
        let relation = |targets: Option<Vec<String>>| Predicate::Relation { relation: "ownedby".to_owned(), targets };
        assert_eq!(parsed(json!({"type": "ownedBy"})).unwrap(), relation(None));
        let one = relation(Some(vec!["group:default/a".to_owned()]));
        assert_eq!(parsed(json!({"type": "ownedBy", "targetRef": "group:default/A"})).unwrap(), one);
        assert_eq!(parsed(json!({"type": "ownedBy", "targetRef": {"$in": ["group:default/A"]}})).unwrap(), one);
    }

    #[test]
    fn what_is_no_predicate_is_refused_at_its_place() {
        refused(json!("kind"), "/");
        refused(json!([]), "/");
        refused(json!({"$all": [], "kind": "a"}), "/");
        refused(json!({"$all": {}}), "/$all");
        refused(json!({"$any": [{}, 1]}), "/$any/1");
        refused(json!({"$nor": []}), "/$nor");
        refused(json!({"kind": null}), "/kind");
        refused(json!({"kind": ["a"]}), "/kind");
        refused(json!({"kind": {}}), "/kind");
        refused(json!({"kind": {"$exists": "yes"}}), "/kind/$exists");
        refused(json!({"a/b": {"$in": ["x", {}]}}), "/a~1b/$in/1");
        refused(json!({"kind": {"$hasPrefix": 1}}), "/kind/$hasPrefix");
        refused(json!({"metadata.tags": {"$contains": {"$in": []}}}), "/metadata.tags/$contains");
        refused(json!({"relations": {"$contains": {"targetRef": "x"}}}), "/relations/$contains/type");
        refused(json!({"relations": {"$contains": {"type": "x", "a": 1}}}), "/relations/$contains/a");
        let deep = (0..40).fold(json!({}), |inner, _| json!({"$not": inner}));
        assert!(Predicate::parse(&deep).unwrap_err().message.contains("deeper"));
    }
}

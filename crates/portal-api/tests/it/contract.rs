//! GitHub's published OpenAPI document as the judge of what is sent to it, and the source
//! of what it answers.
//!
//! `PORTAL_TEST_GITHUB` names the document; `cargo xtask test` installs it. Without it the
//! tests of hosts run on the answers that they bring themselves.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

/// The document, read once.
pub struct Contract {
    document: Value,
}

/// An operation that a request was found to be.
pub struct Operation<'a> {
    contract: &'a Contract,
    operation: &'a Value,
}

impl Contract {
    pub fn github() -> Option<&'static Self> {
        static READ: OnceLock<Option<Contract>> = OnceLock::new();
        let read = || {
            let Some(path) = std::env::var_os("PORTAL_TEST_GITHUB") else {
                println!("PORTAL_TEST_GITHUB is not set: requests are not judged by GitHub's OpenAPI document");
                return None;
            };
            let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            Some(Contract { document: serde_json::from_slice(&text).unwrap() })
        };
        READ.get_or_init(read).as_ref()
    }

    /// The operation of a request that the document has, with every parameter and every
    /// property of its body declared and of the right type.
    ///
    /// # Errors
    /// What the document does not have.
    pub fn judge(&self, method: &str, path: &str, query: Option<&str>, body: &Value) -> Result<Operation<'_>, String> {
        let paths = self.document["paths"].as_object().unwrap();
        let (template, item) = paths
            .iter()
            .filter(|(template, item)| item.get(method.to_lowercase()).is_some() && self.fits(template, item, path))
            // Of two that fit, the one with more fixed parts.
            .min_by_key(|(template, _)| template.matches('{').count())
            .ok_or_else(|| format!("there is no {method} {path}"))?;
        let operation = &item[method.to_lowercase()];
        let declared: Vec<&str> = self
            .parameters(operation)
            .filter(|one| one["in"] == "query")
            .filter_map(|one| one["name"].as_str())
            .collect();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split('=').next().unwrap();
            if !declared.contains(&name) {
                return Err(format!("{method} {template} has no query parameter `{name}`"));
            }
        }
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if !schema.is_null() {
            let schema = self.schema(schema, true);
            let validator = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
            let faults: Vec<String> =
                validator.iter_errors(body).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
            if !faults.is_empty() {
                return Err(format!("{method} {template}: {}", faults.join("; ")));
            }
        } else if !body.is_null() {
            return Err(format!("{method} {template} takes no body"));
        }
        Ok(Operation { contract: self, operation })
    }

    fn parameters<'a>(&'a self, operation: &'a Value) -> impl Iterator<Item = &'a Value> {
        operation["parameters"].as_array().into_iter().flatten().map(|parameter| self.resolve(parameter))
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        pointer.map_or(value, |pointer| self.document.pointer(pointer).unwrap())
    }

    fn fits(&self, template: &str, item: &Value, path: &str) -> bool {
        let (mut wanted, mut given) = (template.split('/').peekable(), path.split('/').peekable());
        while let Some(part) = wanted.next() {
            let is_name = part.starts_with('{');
            match given.next() {
                Some(own) if part == own || (is_name && !own.is_empty()) => {}
                _ => return false,
            }
            // `{ref}` at the end takes slashes as well.
            if is_name && wanted.peek().is_none() && given.peek().is_some() {
                return self.is_multi(item, part.trim_matches(['{', '}']));
            }
        }
        given.next().is_none()
    }

    fn is_multi(&self, item: &Value, name: &str) -> bool {
        let operations = item.as_object().unwrap().values();
        operations.flat_map(|one| self.parameters(one)).any(|one| one["name"] == name && one["x-multi-segment"] == true)
    }

    /// A schema of OpenAPI 3.0 as a JSON Schema without references; a closed one refuses
    /// properties that are not declared.
    fn schema(&self, schema: &Value, is_closed: bool) -> Value {
        let schema = self.resolve(schema);
        match schema {
            Value::Object(members) => {
                let mut own: Map<String, Value> = members
                    .iter()
                    .filter(|(key, _)| {
                        !["example", "examples", "nullable", "description", "default"].contains(&key.as_str())
                    })
                    .map(|(key, value)| (key.clone(), self.inner(key, value, is_closed)))
                    .collect();
                let is_composed = ["oneOf", "anyOf", "allOf"].iter().any(|key| own.contains_key(*key));
                if is_closed
                    && !is_composed
                    && own.contains_key("properties")
                    && !own.contains_key("additionalProperties")
                {
                    own.insert("additionalProperties".to_owned(), false.into());
                }
                if schema["nullable"] == true {
                    return json!({"anyOf": [own, {"type": "null"}]});
                }
                own.into()
            }
            other => other.clone(),
        }
    }

    fn inner(&self, key: &str, value: &Value, is_closed: bool) -> Value {
        match (key, value) {
            ("properties", Value::Object(all)) => {
                all.iter().map(|(name, one)| (name.clone(), self.schema(one, is_closed))).collect::<Map<_, _>>().into()
            }
            ("oneOf" | "anyOf" | "allOf", Value::Array(all)) => {
                all.iter().map(|one| self.schema(one, false)).collect::<Vec<_>>().into()
            }
            ("items" | "additionalProperties" | "not", one) => self.schema(one, is_closed),
            _ => value.clone(),
        }
    }
}

impl Operation<'_> {
    /// The document's own example of an answer, with what `own` says otherwise.
    ///
    /// # Errors
    /// The operation has no such answer.
    pub fn answer(&self, status: u16, own: &Value) -> Result<Value, String> {
        let answer = &self.operation["responses"][status.to_string()];
        if answer.is_null() {
            return Err(format!("{} never answers {status}", self.operation["operationId"]));
        }
        let examples = &self.contract.resolve(answer)["content"]["application/json"]["examples"];
        let first = examples.as_object().and_then(|all| all.values().next());
        let Some(example) = first.map(|one| self.contract.resolve(one)["value"].clone()) else {
            return Ok(own.clone());
        };
        Ok(merged(example, own))
    }
}

/// Objects are merged member by member; anything else of `own` counts.
fn merged(base: Value, own: &Value) -> Value {
    match (base, own) {
        (Value::Object(mut base), Value::Object(own)) => {
            for (key, value) in own {
                let there = base.remove(key).unwrap_or_default();
                base.insert(key.clone(), merged(there, value));
            }
            base.into()
        }
        (_, own) => own.clone(),
    }
}

//! One operation in full.

use serde_json::Value;

use super::body::{Content, contents, old_contents};
use super::parameters::{self, Parameter};
use super::responses::{self, bare};
use super::{call, methods, security};
use crate::definition::schema::{Flow, Scope};
use crate::definition::tree::{Lead, fields, is_set, text};
use crate::definition::wire::{DefinitionPart, OperationDetail, OperationLink};
use crate::definition::words::{long, short};

/// Callbacks that are looked at.
const CALLBACKS: usize = 10;

pub(super) fn detail(
    scope: &Scope<'_>,
    link: &OperationLink,
    item: &str,
    path: &str,
    method: &str,
    is_webhook: bool,
) -> Option<OperationDetail> {
    let item = scope.tree.here(scope.tree.at(item)?)?;
    let operation = item.get(method)?;
    let (parameters, elsewhere) = parameters::of(scope, item, operation);
    let body = Body::of(scope, operation, &parameters);
    // Of an event, the API is who sends.
    let flow = if is_webhook { Flow::Out } else { Flow::In };
    let mut parts: Vec<DefinitionPart> = security::part(scope, operation).filter(|_| !is_webhook).into_iter().collect();
    parts.extend(parameters::parts(scope, &parameters, &elsewhere));
    parts.extend(body.contents.iter().map(|content| content.part(scope, "Body", body.description, flow)));
    if let Some(reference) = body.elsewhere {
        parts.push(bare("Body", Some(format!("Defined in `{reference}`, which is not part of the text."))));
    }
    parts.extend(responses::parts(scope, operation));
    parts.extend(callbacks(scope, operation));
    let sent = || body.contents.first().map(|content| content.call(scope, body.required));
    let sent = || sent().or_else(|| parameters::form(scope, &parameters));
    let call = (!is_webhook).then(|| call::of(scope, (method, path), (item, operation), &parameters, sent()));
    let said = text(operation, "description").or_else(|| text(item, "description"));
    Some(OperationDetail { link: link.clone(), description: said.map(str::to_owned), parts, call })
}

/// The body of a request.
struct Body<'a> {
    contents: Vec<Content<'a>>,
    description: Option<&'a str>,
    required: bool,
    elsewhere: Option<&'a str>,
}

impl<'a> Body<'a> {
    fn of(scope: &Scope<'a>, operation: &'a Value, parameters: &[Parameter<'a>]) -> Self {
        let root = scope.tree.root();
        let none = Self { contents: Vec::new(), description: None, required: false, elsewhere: None };
        if let Some(body) = operation.get("requestBody") {
            return match scope.tree.follow(body) {
                Lead::To(body) => Self {
                    contents: contents(scope, body),
                    description: text(body, "description"),
                    required: is_set(body, "required"),
                    elsewhere: None,
                },
                Lead::Outside(reference) => Self { elsewhere: Some(reference), ..none },
                Lead::Nowhere => none,
            };
        }
        let old = parameters.iter().find(|parameter| parameter.place == "body");
        old.map_or(none, |Parameter { value, .. }| Self {
            contents: old_contents(root, operation, "consumes", value.get("schema"), &Value::Null),
            description: text(value, "description"),
            required: is_set(value, "required"),
            elsewhere: None,
        })
    }
}

/// What the API sends in return, one part a callback.
fn callbacks(scope: &Scope<'_>, operation: &Value) -> Vec<DefinitionPart> {
    let mut parts = Vec::new();
    for (name, callback) in fields(operation, "callbacks").take(CALLBACKS) {
        let addresses = scope.tree.here(callback).and_then(Value::as_object).into_iter().flatten();
        for (address, item) in addresses.take(CALLBACKS) {
            let Some(item) = scope.tree.here(item) else { continue };
            for (method, operation) in methods(item).take(CALLBACKS) {
                let title = format!("Callback {}", short(name, 80));
                let description = text(operation, "description").or_else(|| text(operation, "summary"));
                let body = Body::of(scope, operation, &[]);
                let content = body.contents.first().map(|content| content.part(scope, &title, description, Flow::Out));
                let part = content.unwrap_or_else(|| bare(&title, description.map(long)));
                parts.push(DefinitionPart {
                    label: Some(format!("{} {}", method.to_ascii_uppercase(), short(address, 200))),
                    ..part
                });
            }
        }
    }
    parts
}

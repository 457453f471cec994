//! What it takes to call an operation.

use serde_json::Value;

use super::parameters::{self, Parameter};
use super::{security, servers};
use crate::definition::request::is_transport;
use crate::definition::schema::Scope;
use crate::definition::wire::{Call, CallBody, CallParameter};

/// The call of an operation; `item` is its path item.
pub(super) fn of<'a>(
    scope: &Scope<'a>,
    (method, path): (&str, &str),
    (item, operation): (&'a Value, &'a Value),
    parameters: &[Parameter<'a>],
    body: Option<CallBody>,
) -> Call {
    let nearest = [operation, item].into_iter().map(servers::listed).find(|servers| !servers.is_empty());
    let servers = nearest.unwrap_or_else(|| servers::of_definition(scope.tree.root()));
    let mut all = security::parameters(scope, operation);
    for parameter in parameters::of_call(scope, parameters) {
        let is_same = |known: &CallParameter| {
            known.place == parameter.place
                && known.name.eq_ignore_ascii_case(&parameter.name)
                && known.place == "header"
        };
        let is_set = parameter.place == "header" && is_transport(&parameter.name);
        if !is_set && !all.iter().any(is_same) {
            all.push(parameter);
        }
    }
    Call {
        method: method.to_ascii_uppercase(),
        servers: servers::callable(&servers),
        path: path.to_owned(),
        parameters: all,
        // Nobody types a body of several parts with its boundaries.
        body: body.filter(|body| !body.media_type.starts_with("multipart/")),
    }
}

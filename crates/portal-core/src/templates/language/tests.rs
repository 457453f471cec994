//! What can stand after `is`.

use super::run::{Outcome, Stop};
use super::value::Value;

pub(super) fn holds(name: &str, subject: &Value, argument: &Value) -> Outcome<bool> {
    let order = subject.order(argument);
    Ok(match name {
        "callable" => matches!(subject, Value::Function(_)),
        "defined" => !matches!(subject, Value::Undefined),
        "undefined" => matches!(subject, Value::Undefined),
        "divisibleby" => subject.to_number() % argument.to_number() == 0.0,
        "escaped" => false,
        "equalto" | "eq" | "sameas" => subject.is_same(argument),
        "ne" => !subject.is_same(argument),
        "even" => subject.to_number() % 2.0 == 0.0,
        "odd" => subject.to_number().abs() % 2.0 == 1.0,
        "truthy" => subject.is_true(),
        "falsy" => !subject.is_true(),
        "ge" => order.is_some_and(std::cmp::Ordering::is_ge),
        "greaterthan" | "gt" => order.is_some_and(std::cmp::Ordering::is_gt),
        "le" => order.is_some_and(std::cmp::Ordering::is_le),
        "lessthan" | "lt" => order.is_some_and(std::cmp::Ordering::is_lt),
        "lower" => matches!(subject, Value::Text(text) if text.to_lowercase() == **text),
        "upper" => matches!(subject, Value::Text(text) if text.to_uppercase() == **text),
        "null" | "none" => matches!(subject, Value::Null),
        "number" => matches!(subject, Value::Number(_)),
        "string" => matches!(subject, Value::Text(_)),
        "boolean" => matches!(subject, Value::Bool(_)),
        "true" => matches!(subject, Value::Bool(true)),
        "false" => matches!(subject, Value::Bool(false)),
        "iterable" => matches!(subject, Value::Text(_) | Value::List(_)),
        "mapping" => matches!(subject, Value::Object(_)),
        _ => return Err(Stop::new(format!("no test is named `{name}`"))),
    })
}

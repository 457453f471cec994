//! Questions on JSON, in the language of <https://jsonata.org>.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jsonata_core::evaluator::{Context, Evaluator, EvaluatorOptions};
use jsonata_core::parser;
use jsonata_core::value::JValue;
use serde_json::Value;

use super::Trouble;

const LONGEST: usize = 64 << 10;
const MILLISECONDS: u64 = 2000;
const DEPTH: usize = 500;
const ITEMS: usize = 1_000_000;

/// What an expression comes to on a value; null where it finds nothing.
///
/// # Errors
/// The expression cannot be read, fails, or costs more than 2 s.
pub(super) fn evaluate(expression: &str, data: &Value) -> Result<Value, Trouble> {
    if expression.len() > LONGEST {
        return Err(refused(format!("the expression has {} bytes; at most {LONGEST} are read", expression.len())));
    }
    // The workspace of the step is thrown away where it fails, so nothing half done is seen.
    let asked = catch_unwind(AssertUnwindSafe(|| ask(expression, data)));
    asked.unwrap_or_else(|_| Err(refused("the expression cannot be evaluated".to_owned())))
}

fn ask(expression: &str, data: &Value) -> Result<Value, Trouble> {
    let tree = parser::parse(expression).map_err(|error| refused(format!("the expression cannot be read: {error}")))?;
    let limits = EvaluatorOptions {
        timeout_ms: Some(MILLISECONDS),
        max_stack_depth: Some(DEPTH),
        max_sequence_length: Some(ITEMS),
        ..EvaluatorOptions::default()
    };
    let mut evaluator = Evaluator::with_options(Context::new(), limits);
    let answer = evaluator.evaluate(&tree, &JValue::from(data.clone()));
    let answer = answer.map_err(|error| refused(format!("the expression fails: {error}")))?;
    if matches!(answer, JValue::Undefined) {
        return Ok(Value::Null);
    }
    let text = answer.to_json_string().map_err(|error| refused(format!("the answer is no JSON: {error}")))?;
    serde_json::from_str(&text).map_err(|error| refused(format!("the answer is no JSON: {error}")))
}

fn refused(message: String) -> Trouble {
    Trouble::new("invalid_expression", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn expressions_select_and_make() {
        let data = json!({"service": {"name": "ledger", "endpoints": [
            {"path": "/users", "method": "GET", "auth": true},
            {"path": "/health", "method": "GET", "auth": false},
        ]}});
        for (expression, wanted) in [
            ("service.name", json!("ledger")),
            ("service.endpoints.path", json!(["/users", "/health"])),
            ("service.endpoints[auth=false].path", json!("/health")),
            (
                "{ \"count\": $count(service.endpoints), \"methods\": $distinct(service.endpoints.method) }",
                json!({"count": 2, "methods": "GET"}),
            ),
            ("service.nothing", json!(null)),
            ("$uppercase(service.name) & '!'", json!("LEDGER!")),
        ] {
            assert_eq!(evaluate(expression, &data).unwrap(), wanted, "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_told() {
        for (expression, told) in [
            ("service.(", "cannot be read"),
            ("$nope(1)", "fails"),
            ("($f := function($n) { $f($n + 1) + 1 }; $f(1))", "fails"),
            ("($f := function($n) { $f($n + 1) }; $f(1))", "fails"),
            ("$count([1..9000000])", "fails"),
        ] {
            let message = evaluate(expression, &json!({})).unwrap_err().message;
            assert!(message.contains(told), "{expression}: {message}");
        }
    }
}

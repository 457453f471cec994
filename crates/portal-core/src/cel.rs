//! CEL, the language of every rule: <https://cel.dev>.
//!
//! What people write is read within limits: so long, so deep, no loop within a
//! loop, so that a rule is answered in the time of one pass over what it reads.

use std::fmt;
use std::sync::Arc;

use ::cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr};
use ::cel::parser::{ParseErrors, PrattParser};
use ::cel::{Context, ExecutionError, IdedExpr, Program};
use serde_json::Value;

/// Characters of one expression.
pub const LONGEST: usize = 2000;
/// Brackets within brackets.
const BRACKETS: u16 = 24;
/// Expressions within expressions: `a.b.c` is three deep, as is `1 + 2 + 3`.
const DEEPEST: usize = 64;
/// Of the thread that parses: the parser needs 100 kB a level in a build for tests.
const STACK: usize = 16 << 20;

/// Entities that a filter selects, as `kind=component,spec.type=service` in lists.
pub type Lookup = Arc<dyn Fn(&str) -> Result<Vec<Value>, String> + Send + Sync>;

/// A parsed expression.
pub struct Expression {
    program: Program,
    source: String,
}

/// Why something is not an expression, or not one that can be used; lines and
/// columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct Fault {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

impl Expression {
    /// # Errors
    /// The first fault, with its place.
    pub fn parse(source: &str) -> Result<Self, Fault> {
        let fault = |message: String| Fault { line: 1, column: 1, message };
        if source.trim().is_empty() {
            return Err(fault("there is no expression".to_owned()));
        }
        let length = source.chars().count();
        if length > LONGEST {
            return Err(fault(format!("{length} characters; an expression has at most {LONGEST}")));
        }
        PrattParser::new().max_recursion_depth(BRACKETS).parse(source).map_err(first)?;
        on_a_large_stack(source.to_owned())
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn root(&self) -> &IdedExpr {
        self.program.expression()
    }

    /// A fault at a part of the expression.
    pub(crate) fn fault(&self, node: &IdedExpr, message: impl Into<String>) -> Fault {
        let start = self.program.source_info().offset_for(node.id).map_or(0, |(start, _)| start as usize);
        let before: Vec<char> = self.source.chars().take(start).collect();
        let line = before.iter().filter(|sign| **sign == '\n').count() + 1;
        let column = before.iter().rev().take_while(|sign| **sign != '\n').count() + 1;
        Fault { line, column, message: message.into() }
    }

    /// Whether it holds, given these variables.
    ///
    /// # Errors
    /// Why it has no answer: a key that is missing, an answer that is neither true nor false.
    pub fn holds(&self, variables: &[(&str, &Value)]) -> Result<bool, String> {
        match self.execute(&context(variables))? {
            ::cel::Value::Bool(holds) => Ok(holds),
            other => Err(format!("it answers a {}, neither true nor false", other.type_of())),
        }
    }

    /// What it answers, given these variables and `entities(filter)`.
    ///
    /// # Errors
    /// Why it has no answer, or none that is JSON.
    pub fn answer(&self, variables: &[(&str, &Value)], entities: &Lookup) -> Result<Value, String> {
        let mut context = context(variables);
        let entities = entities.clone();
        let look = move |filter: Arc<String>| match entities(&filter) {
            Ok(found) => Ok(converted(&Value::Array(found))),
            Err(message) => Err(ExecutionError::function_error("entities", message)),
        };
        context.add_function("entities", look).map_err(|error| error.to_string())?;
        let answer = self.execute(&context)?;
        answer.json().map_err(|_| format!("it answers a {}", answer.type_of()))
    }

    fn execute(&self, context: &Context<'_, '_>) -> Result<::cel::Value, String> {
        self.program.execute(context).map_err(|error| error.to_string().chars().take(200).collect())
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

fn context<'a>(variables: &[(&str, &Value)]) -> Context<'a, 'a> {
    let mut context = Context::default();
    for (name, value) in variables {
        context.add_variable_from_value(*name, converted(value));
    }
    context
}

/// The parser with positions, on a stack that is large enough for it.
fn on_a_large_stack(source: String) -> Result<Expression, Fault> {
    let work = move || {
        let expression = Expression { program: Program::compile(&source).map_err(first)?, source };
        if let Some(node) = too_deep(expression.root(), 0) {
            return Err(expression.fault(node, format!("more than {DEEPEST} parts within each other")));
        }
        match nested_loop(expression.root(), false) {
            Some(node) => Err(expression.fault(node, "a loop within a loop; one is enough for a rule")),
            None => Ok(expression),
        }
    };
    let thread = std::thread::Builder::new().name("cel".to_owned()).stack_size(STACK).spawn(work);
    let failed = || Fault { line: 1, column: 1, message: "cannot be read".to_owned() };
    thread.map_err(|_| failed())?.join().unwrap_or_else(|_| Err(failed()))
}

fn first(ParseErrors { errors }: ParseErrors) -> Fault {
    let Some(error) = errors.into_iter().next() else {
        return Fault { line: 1, column: 1, message: "cannot be read".to_owned() };
    };
    let at = |place: isize| usize::try_from(place).unwrap_or(1).max(1);
    let message = error.msg.chars().take(200).collect::<String>();
    Fault { line: at(error.pos.0), column: at(error.pos.1), message }
}

/// Integers stay integers: the library would make natural numbers of another type of them.
fn converted(value: &Value) -> ::cel::Value {
    match value {
        Value::Null => ::cel::Value::Null,
        Value::Bool(flag) => ::cel::Value::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => ::cel::Value::Int(number),
            None => ::cel::Value::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => ::cel::Value::from(text.as_str()),
        Value::Array(items) => ::cel::Value::from(items.iter().map(converted).collect::<Vec<_>>()),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), converted(value)));
            ::cel::Value::from(fields.collect::<std::collections::HashMap<String, ::cel::Value>>())
        }
    }
}

/// A part that is too far inside.
fn too_deep(node: &IdedExpr, depth: usize) -> Option<&IdedExpr> {
    if depth > DEEPEST {
        return Some(node);
    }
    parts(node).into_iter().find_map(|part| too_deep(part, depth + 1))
}

fn parts(node: &IdedExpr) -> Vec<&IdedExpr> {
    match &node.expr {
        Expr::Comprehension(inner) => {
            let ComprehensionExpr { iter_range, accu_init, loop_cond, loop_step, result, .. } = &**inner;
            vec![iter_range, accu_init, loop_cond, loop_step, result]
        }
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Map(map) => entries(&map.entries),
        Expr::Struct(fields) => entries(&fields.entries),
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
    }
}

/// The first loop inside another one.
fn nested_loop(node: &IdedExpr, within: bool) -> Option<&IdedExpr> {
    match &node.expr {
        Expr::Comprehension(_) if within => Some(node),
        // What it loops over is read once, before.
        Expr::Comprehension(inner) => {
            let repeated = parts(node).into_iter().skip(1).find_map(|part| nested_loop(part, true));
            repeated.or_else(|| nested_loop(&inner.iter_range, within))
        }
        _ => parts(node).into_iter().find_map(|part| nested_loop(part, within)),
    }
}

fn entries(entries: &[IdedEntryExpr]) -> Vec<&IdedExpr> {
    let values = entries.iter().flat_map(|entry| match &entry.expr {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    });
    values.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place(source: &str) -> (usize, usize) {
        let fault = Expression::parse(source).expect_err(source);
        (fault.line, fault.column)
    }

    #[test]
    fn it_answers() {
        let entity = json!({"kind": "API", "spec": {"port": 8080, "tags": ["a", "b"]}, "none": null});
        let holds = |source: &str| Expression::parse(source).unwrap().holds(&[("entity", &entity)]);
        assert_eq!(holds("entity.kind == 'API' && entity.spec.port > 1024"), Ok(true));
        assert_eq!(holds("entity.spec.port - 80 == 8000"), Ok(true));
        assert_eq!(holds("entity.spec.tags.exists(tag, tag == 'b')"), Ok(true));
        assert_eq!(holds("has(entity.spec.owner)"), Ok(false));
        assert_eq!(holds("entity.kind.matches('^A')"), Ok(true));
        assert!(holds("entity.spec.owner == 'x'").unwrap_err().contains("owner"));
        assert!(holds("entity.kind").unwrap_err().contains("string"));
    }

    #[test]
    fn faults_have_their_place() {
        assert_eq!(place(""), (1, 1));
        assert_eq!(place("entity.kind == "), (1, 16));
        assert_eq!(place("true &&\n  entity..kind"), (2, 10));
        assert_eq!(place("a.exists(x, b.all(y, y == x))"), (1, 18));
    }

    #[test]
    fn there_are_limits() {
        for source in [
            "x".repeat(LONGEST + 1),
            format!("{}1{}", "(".repeat(500), ")".repeat(500)),
            format!("{}1{}", "[".repeat(400), "]".repeat(400)),
            format!("true{}", "?true:true".repeat(190)),
            format!("1{}", "+1".repeat(900)),
            format!("a{}", ".a".repeat(900)),
            "\"".repeat(999),
            "a.exists(x, x.exists(y, y.exists(z, z)))".to_owned(),
        ] {
            assert!(Expression::parse(&source).is_err(), "{}", &source[..20]);
        }
        // Signs in a row are one or none.
        assert_eq!(Expression::parse(&format!("{}true", "!".repeat(901))).unwrap().holds(&[]), Ok(false));
        let deep = format!("{}true{}", "(".repeat(11), ")".repeat(11));
        assert_eq!(Expression::parse(&deep).unwrap().holds(&[]), Ok(true));
        let long = vec!["a.b == 'c'"; 60].join(" || ");
        assert!(Expression::parse(&long).is_ok());
    }
}

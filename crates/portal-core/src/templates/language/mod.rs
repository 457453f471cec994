//! The language of templates, `${{ }}` and `{% %}`: Nunjucks, as Backstage's templates use it.
//!
//! An interpreter of its own, because the meaning of every operator is that of JavaScript
//! (an empty list is true, `'a' + 1` is a text, assignments leave loops, values have
//! methods), which an engine for Jinja cannot be taught from outside. It reads nothing, calls
//! nothing and draws nothing; what it may cost is limited.

mod filters;
mod hosts;
mod lexer;
mod markup;
mod methods;
mod parser;
#[cfg(test)]
mod probes;
mod run;
mod scope;
mod syntax;
mod tests;
mod value;

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use serde_json::{Map, Value as Json};

pub use hosts::{HostKind, Hosts, repository, split};
pub use lexer::Style;
use run::Run;
use syntax::{Expression, Kind, Node, Place};
use value::{Function, Value};

/// Bytes of one template.
pub const LARGEST: usize = 4 << 20;

/// What is wrong with a template, or stopped it; line and column count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct Fault {
    pub line: usize,
    pub column: usize,
    pub message: String,
    /// It did too much, where others of its kind would go on.
    pub is_budget: bool,
}

impl Fault {
    fn at(text: &str, Place(at): Place, message: impl Into<String>) -> Self {
        let before = text.get(..at as usize).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|sign| *sign != '\n').count() + 1;
        Self { line, column, message: message.into(), is_budget: false }
    }
}

/// What expressions see: values by name, and functions that answer the same each time.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    pub values: &'c Map<String, Json>,
    pub functions: &'c [(&'c str, bool)],
    pub hosts: &'c Hosts,
}

impl Context<'_> {
    fn variables(&self) -> HashMap<Rc<str>, Value> {
        let values = self.values.iter().map(|(name, value)| (name.as_str().into(), Value::from_json(value)));
        let function = |answer: bool| Value::function(Function::Constant(answer));
        values.chain(self.functions.iter().map(|(name, answer)| ((*name).into(), function(*answer)))).collect()
    }
}

/// A template that was read.
#[derive(Debug)]
pub struct Template<'t> {
    text: &'t str,
    style: Style,
    nodes: Vec<Node>,
}

impl<'t> Template<'t> {
    /// # Errors
    /// The first fault, with its place.
    pub fn parse(text: &'t str, style: Style) -> Result<Self, Fault> {
        if text.len() > LARGEST {
            let message = format!("{} bytes; a template has at most {LARGEST}", text.len());
            return Err(Fault { is_budget: true, ..Fault::at(text, Place(0), message) });
        }
        Ok(Self { text, style, nodes: parser::parse(text, style)? })
    }

    /// # Errors
    /// Where it stopped, and why.
    pub fn render(&self, context: &Context<'_>) -> Result<String, Fault> {
        self.run(context).write(&self.nodes)
    }

    /// Whether any expression calls one of these functions.
    pub fn calls(&self, functions: &[&str]) -> bool {
        let mut calls = |expression: &Expression| match &expression.kind {
            Kind::Call(callee, _) => matches!(&callee.kind, Kind::Name(name) if functions.contains(&&**name)),
            _ => false,
        };
        self.nodes.iter().any(|node| node.any(&mut calls))
    }

    /// Filters that there are not.
    pub fn unknown_filters(&self) -> BTreeSet<String> {
        let mut unknown = BTreeSet::new();
        let mut see = |expression: &Expression| {
            if let Kind::Filter(_, filter) = &expression.kind
                && !filters::NAMES.contains(&&*filter.name)
            {
                unknown.insert(filter.name.to_string());
            }
            false
        };
        self.nodes.iter().for_each(|node| {
            node.any(&mut see);
        });
        unknown
    }

    /// What is looked up in a variable by a fixed name: `x` of `steps.x` and `steps['x']`.
    pub fn looked_up_in(&self, variable: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut see = |expression: &Expression| {
            if let Kind::Lookup(of, key) = &expression.kind
                && matches!(&of.kind, Kind::Name(name) if &**name == variable)
                && let Kind::Text(key) = &key.kind
            {
                found.insert(key.to_string());
            }
            false
        };
        self.nodes.iter().for_each(|node| {
            node.any(&mut see);
        });
        found
    }

    fn run<'r>(&'r self, context: &Context<'r>) -> Run<'r> {
        Run::new(self.text, context.hosts, self.style.cookiecutter, context.variables())
    }

    /// The expression, where it is all there is.
    fn single(&self) -> Option<&Expression> {
        match &self.nodes[..] {
            [Node::Output(expression)] => Some(expression),
            _ => None,
        }
    }
}

/// Whether a text stands for itself, and is not worked out later.
pub fn is_literal(text: &str) -> bool {
    !text.contains("${{")
}

/// Renders one text.
///
/// # Errors
/// Where it cannot be read, or stopped.
pub fn render(text: &str, style: Style, context: &Context<'_>) -> Result<String, Fault> {
    Template::parse(text, style)?.render(context)
}

/// The value of a text: of its native type where it is one expression and nothing else,
/// `None` where it is empty or nothing.
///
/// # Errors
/// Where it cannot be read, or stopped.
pub fn evaluate(text: &str, context: &Context<'_>) -> Result<Option<Json>, Fault> {
    let template = Template::parse(text, Style::default())?;
    match template.single() {
        Some(expression) => Ok(template.run(context).value(expression)?.to_json()),
        None => Ok(Some(template.render(context)?).filter(|text| !text.is_empty()).map(Json::String)),
    }
}

/// Every text within a value, evaluated: keys without a value are dropped, items of lists
/// become null, and a text that cannot be rendered stays as it is, as in Backstage.
///
/// # Errors
/// Only what did too much.
pub fn fill(value: &Json, context: &Context<'_>) -> Result<Option<Json>, Fault> {
    Ok(match value {
        Json::String(text) => match evaluate(text, context) {
            Ok(value) => value,
            Err(fault) if fault.is_budget => return Err(fault),
            Err(_) => Some(value.clone()),
        },
        Json::Array(items) => {
            let items = items.iter().map(|item| Ok(fill(item, context)?.unwrap_or_default()));
            Some(Json::Array(items.collect::<Result<_, Fault>>()?))
        }
        Json::Object(fields) => {
            let mut filled = Map::new();
            for (key, value) in fields {
                if let Some(value) = fill(value, context)? {
                    filled.insert(key.clone(), value);
                }
            }
            Some(Json::Object(filled))
        }
        other => Some(other.clone()),
    })
}

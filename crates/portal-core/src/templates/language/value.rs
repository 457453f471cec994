//! Values as JavaScript has them, since templates were written for it: what is true, how a
//! value becomes text, and when two are equal.

use std::cell::RefCell;
use std::rc::Rc;

use indexmap::IndexMap;
use serde_json::{Map, Number};

use super::scope::Scope;
use super::syntax::{Flags, Macro};

pub(super) type List = Rc<RefCell<Vec<Value>>>;
pub(super) type Object = Rc<RefCell<IndexMap<Rc<str>, Value>>>;

/// Containers within each other, when a value leaves the template; cycles end here.
const DEEPEST: usize = 64;

#[derive(Clone)]
pub(super) enum Value {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(Rc<str>),
    List(List),
    Object(Object),
    Regex(Rc<regex::Regex>, Flags),
    Function(Rc<Function>),
}

pub(super) enum Function {
    /// What the template defines, and the scope that a caller sees.
    Macro(Rc<Macro>, Option<Rc<Scope>>),
    /// A method, bound to its receiver.
    Method(Value, Rc<str>),
    Global(Rc<str>),
    /// Answers the same each time: `always()` and `failure()`.
    Constant(bool),
    Cycler {
        items: Vec<Value>,
        at: RefCell<Option<usize>>,
    },
    Joiner {
        separator: Rc<str>,
        is_used: RefCell<bool>,
    },
}

impl Value {
    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Value::Text(text.into())
    }

    pub(super) fn list(items: Vec<Value>) -> Self {
        Value::List(Rc::new(RefCell::new(items)))
    }

    pub(super) fn object(pairs: impl IntoIterator<Item = (Rc<str>, Value)>) -> Self {
        Value::Object(Rc::new(RefCell::new(pairs.into_iter().collect())))
    }

    pub(super) fn function(function: Function) -> Self {
        Value::Function(Rc::new(function))
    }

    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Value::Undefined | Value::Null)
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Value::Undefined | Value::Null => false,
            Value::Bool(bool) => *bool,
            Value::Number(number) => *number != 0.0 && !number.is_nan(),
            Value::Text(text) => !text.is_empty(),
            Value::List(_) | Value::Object(_) | Value::Regex(..) | Value::Function(_) => true,
        }
    }

    /// What it is called in messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Undefined => "nothing",
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
            Value::Regex(..) => "a regular expression",
            Value::Function(_) => "a function",
        }
    }

    /// As `String(value)`.
    pub(super) fn to_text(&self) -> Rc<str> {
        match self {
            Value::Text(text) => text.clone(),
            other => other.written(0).into(),
        }
    }

    fn written(&self, depth: usize) -> String {
        match self {
            Value::Undefined => "undefined".to_owned(),
            Value::Null => "null".to_owned(),
            Value::Bool(bool) => bool.to_string(),
            Value::Number(number) => number_text(*number),
            Value::Text(text) => text.to_string(),
            Value::List(_) if depth == DEEPEST => String::new(),
            Value::List(items) => joined(&items.borrow(), ",", depth),
            Value::Object(_) => "[object Object]".to_owned(),
            Value::Regex(regex, flags) => format!("/{}/{}", regex.as_str(), if flags.global { "g" } else { "" }),
            Value::Function(_) => "function".to_owned(),
        }
    }

    /// As `Number(value)`.
    pub(super) fn to_number(&self) -> f64 {
        match self {
            Value::Null => 0.0,
            Value::Bool(bool) => f64::from(u8::from(*bool)),
            Value::Number(number) => *number,
            Value::Text(text) => text_number(text),
            Value::List(_) => text_number(&self.to_text()),
            Value::Undefined | Value::Object(_) | Value::Regex(..) | Value::Function(_) => f64::NAN,
        }
    }

    /// As `===`.
    pub(super) fn is_same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Undefined, Value::Undefined) | (Value::Null, Value::Null) => true,
            (Value::Bool(left), Value::Bool(right)) => left == right,
            (Value::Number(left), Value::Number(right)) => left == right,
            (Value::Text(left), Value::Text(right)) => left == right,
            (Value::List(left), Value::List(right)) => Rc::ptr_eq(left, right),
            (Value::Object(left), Value::Object(right)) => Rc::ptr_eq(left, right),
            (Value::Regex(left, _), Value::Regex(right, _)) => Rc::ptr_eq(left, right),
            (Value::Function(left), Value::Function(right)) => Rc::ptr_eq(left, right),
            _ => false,
        }
    }

    /// As `==`.
    pub(super) fn is_equal(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Undefined | Value::Null, Value::Undefined | Value::Null) => true,
            (Value::Undefined | Value::Null, _) | (_, Value::Undefined | Value::Null) => false,
            (Value::Bool(_) | Value::Number(_), Value::Bool(_) | Value::Number(_) | Value::Text(_))
            | (Value::Text(_), Value::Bool(_) | Value::Number(_)) => self.to_number() == other.to_number(),
            (Value::List(_) | Value::Object(_), Value::Text(_))
            | (Value::Text(_), Value::List(_) | Value::Object(_)) => self.to_text() == other.to_text(),
            (Value::List(_) | Value::Object(_), Value::Bool(_) | Value::Number(_))
            | (Value::Bool(_) | Value::Number(_), Value::List(_) | Value::Object(_)) => {
                self.to_number() == other.to_number()
            }
            _ => self.is_same(other),
        }
    }

    /// As `<`; `None` where neither is less, equal or greater.
    pub(super) fn order(&self, other: &Value) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
            (Value::List(_) | Value::Object(_), Value::Text(_) | Value::List(_) | Value::Object(_))
            | (Value::Text(_), Value::List(_) | Value::Object(_)) => Some(self.to_text().cmp(&other.to_text())),
            _ => self.to_number().partial_cmp(&other.to_number()),
        }
    }

    /// As `+`.
    pub(super) fn plus(&self, other: &Value) -> Value {
        let is_plain =
            |value: &Value| matches!(value, Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_));
        if is_plain(self) && is_plain(other) {
            return Value::Number(self.to_number() + other.to_number());
        }
        Value::text(format!("{}{}", self.to_text(), other.to_text()))
    }

    pub(super) fn from_json(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(bool) => Value::Bool(*bool),
            serde_json::Value::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(text) => Value::text(text.as_str()),
            serde_json::Value::Array(items) => Value::list(items.iter().map(Value::from_json).collect()),
            serde_json::Value::Object(fields) => {
                Value::object(fields.iter().map(|(key, value)| (key.as_str().into(), Value::from_json(value))))
            }
        }
    }

    /// As `JSON.stringify` sees it: `None` for what it leaves out.
    pub(super) fn to_json(&self) -> Option<serde_json::Value> {
        self.json(0)
    }

    fn json(&self, depth: usize) -> Option<serde_json::Value> {
        if depth > DEEPEST {
            return None;
        }
        let item = |value: &Value| value.json(depth + 1);
        Some(match self {
            Value::Undefined | Value::Function(_) => return None,
            Value::Null => serde_json::Value::Null,
            Value::Bool(bool) => (*bool).into(),
            Value::Number(number) => json_number(*number),
            Value::Text(text) => (**text).into(),
            Value::List(items) => items.borrow().iter().map(|value| item(value).unwrap_or_default()).collect(),
            Value::Object(fields) => {
                let pairs = fields.borrow();
                let kept = pairs.iter().filter_map(|(key, value)| Some(((**key).to_owned(), item(value)?)));
                serde_json::Value::Object(kept.collect::<Map<_, _>>())
            }
            Value::Regex(..) => serde_json::Value::Object(Map::new()),
        })
    }
}

/// As `list.join(separator)`: nothing and null are empty.
pub(super) fn joined(items: &[Value], separator: &str, depth: usize) -> String {
    let texts = items.iter().map(|item| if item.is_nothing() { String::new() } else { item.written(depth + 1) });
    texts.collect::<Vec<_>>().join(separator)
}

/// As `String(number)`: <https://tc39.es/ecma262/#sec-numeric-types-number-tostring>.
pub(super) fn number_text(number: f64) -> String {
    let magnitude = number.abs();
    if number == 0.0 {
        "0".to_owned()
    } else if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else if (1e-6..1e21).contains(&magnitude) {
        number.to_string()
    } else {
        let text = format!("{number:e}");
        if text.contains("e-") { text } else { text.replace('e', "e+") }
    }
}

/// As `Number(text)`.
fn text_number(text: &str) -> f64 {
    let text = text.trim();
    if text.is_empty() {
        return 0.0;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return i64::from_str_radix(digits, radix).map_or(f64::NAN, |number| number as f64);
        }
    }
    match text {
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ if text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) => {
            text.parse().unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

fn json_number(number: f64) -> serde_json::Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return (number as i64).into();
    }
    Number::from_f64(number).map_or(serde_json::Value::Null, serde_json::Value::Number)
}

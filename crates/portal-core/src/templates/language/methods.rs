//! What a value has by name: its fields, and the methods that JavaScript's texts, lists,
//! numbers and regular expressions have. Nothing else of JavaScript can be reached.

use std::rc::Rc;

use super::filters;
use super::run::{Given, Outcome, Run, Stop};
use super::syntax::Flags;
use super::value::{Function, Value, joined};

const OF_TEXT: &[&str] = &[
    "at",
    "charAt",
    "charCodeAt",
    "concat",
    "endsWith",
    "includes",
    "indexOf",
    "lastIndexOf",
    "localeCompare",
    "match",
    "padEnd",
    "padStart",
    "repeat",
    "replace",
    "replaceAll",
    "search",
    "slice",
    "split",
    "startsWith",
    "substr",
    "substring",
    "toLocaleLowerCase",
    "toLocaleUpperCase",
    "toLowerCase",
    "toString",
    "toUpperCase",
    "trim",
    "trimEnd",
    "trimStart",
    "valueOf",
];
const OF_LIST: &[&str] = &[
    "at",
    "concat",
    "flat",
    "includes",
    "indexOf",
    "join",
    "lastIndexOf",
    "pop",
    "push",
    "reverse",
    "shift",
    "slice",
    "sort",
    "toString",
    "unshift",
];
const OF_COOKIECUTTER_LIST: &[&str] = &["append", "count", "extend", "index", "insert", "remove"];
const OF_COOKIECUTTER_OBJECT: &[&str] = &["get", "has_key", "items", "iteritems", "keys", "values"];

/// `of.key` or `of[key]`; nothing where there is nothing.
pub(super) fn lookup(run: &Run<'_>, of: &Value, key: &Value) -> Value {
    let key = key.to_text();
    let index = || key.parse::<usize>().ok();
    let method = |names: &[&str]| {
        let is_method = names.contains(&&*key);
        if is_method { Value::function(Function::Method(of.clone(), key.clone())) } else { Value::Undefined }
    };
    match of {
        Value::Object(fields) => {
            let found = fields.borrow().get(&*key).cloned();
            found.unwrap_or_else(|| match &*key {
                "hasOwnProperty" | "toString" => method(&["hasOwnProperty", "toString"]),
                _ if run.cookiecutter => method(OF_COOKIECUTTER_OBJECT),
                _ => Value::Undefined,
            })
        }
        Value::List(items) => {
            let items = items.borrow();
            match (&*key, index()) {
                ("length", _) => Value::Number(items.len() as f64),
                (_, Some(index)) => items.get(index).cloned().unwrap_or(Value::Undefined),
                _ if run.cookiecutter && OF_COOKIECUTTER_LIST.contains(&&*key) => method(OF_COOKIECUTTER_LIST),
                _ => method(OF_LIST),
            }
        }
        Value::Text(text) => match (&*key, index()) {
            ("length", _) => Value::Number(length(text) as f64),
            (_, Some(index)) => text.chars().nth(index).map_or(Value::Undefined, |sign| Value::text(sign.to_string())),
            _ => method(OF_TEXT),
        },
        Value::Number(_) => method(&["toFixed", "toString", "valueOf"]),
        Value::Bool(_) => method(&["toString", "valueOf"]),
        Value::Regex(..) => method(&["exec", "test", "toString"]),
        Value::Function(function) => match &**function {
            Function::Cycler { items, at } => match &*key {
                "next" | "reset" => method(&["next", "reset"]),
                "current" => at.borrow().and_then(|at| items.get(at).cloned()).unwrap_or(Value::Undefined),
                _ => Value::Undefined,
            },
            _ => Value::Undefined,
        },
        Value::Undefined | Value::Null => Value::Undefined,
    }
}

/// As JavaScript counts: in units of UTF-16.
pub(super) fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The items of a list, or the signs of a text.
pub(super) fn items(of: &Value) -> Vec<Value> {
    match of {
        Value::List(items) => items.borrow().clone(),
        Value::Text(text) => text.chars().map(|sign| Value::text(sign.to_string())).collect(),
        _ => Vec::new(),
    }
}

/// `of[from:to:by]`, always a list.
pub(super) fn slice(of: &Value, [from, to, by]: [Option<f64>; 3]) -> Value {
    let items = items(of);
    let count = items.len() as f64;
    let bound = |bound: Option<f64>, absent: f64| bound.map_or(absent, |at| if at < 0.0 { at + count } else { at });
    let by = by.filter(|by| *by != 0.0 && by.is_finite()).unwrap_or(1.0);
    let (mut at, end) =
        if by > 0.0 { (bound(from, 0.0), bound(to, count)) } else { (bound(from, count - 1.0), bound(to, -1.0)) };
    let mut kept = Vec::new();
    at = at.max(0.0).min(count);
    while if by > 0.0 { at < end.min(count) } else { at > end } {
        match items.get(at as usize) {
            Some(item) if at >= 0.0 => kept.push(item.clone()),
            _ => break,
        }
        at += by;
    }
    Value::list(kept)
}

pub(super) fn call(run: &Run<'_>, receiver: &Value, name: &str, given: &Given) -> Outcome<Value> {
    match receiver {
        Value::Text(text) => of_text(run, text, name, given),
        Value::List(_) => of_list(run, receiver, name, given),
        Value::Object(_) => of_object(receiver, name, given),
        Value::Number(number) if name == "toFixed" => {
            let digits = given.get(0, "").to_number();
            let digits = if digits.is_finite() { digits.clamp(0.0, 100.0) as usize } else { 0 };
            Ok(Value::text(format!("{number:.digits$}")))
        }
        Value::Regex(regex, _) => {
            let text = given.get(0, "").to_text();
            Ok(match name {
                "test" => Value::Bool(regex.is_match(&text)),
                "exec" => captures(regex, &text),
                _ => Value::Text(receiver.to_text()),
            })
        }
        Value::Function(function) => Ok(match &**function {
            Function::Cycler { items, at } => {
                let mut at = at.borrow_mut();
                *at = match (name, *at) {
                    ("reset", _) => None,
                    (_, None) => Some(0),
                    (_, Some(index)) => Some((index + 1) % items.len().max(1)),
                };
                at.and_then(|at| items.get(at).cloned()).unwrap_or(Value::Undefined)
            }
            _ => Value::Undefined,
        }),
        other if name == "valueOf" => Ok(other.clone()),
        other => Ok(Value::Text(other.to_text())),
    }
}

fn captures(regex: &regex::Regex, text: &str) -> Value {
    let Some(found) = regex.captures(text) else { return Value::Null };
    let groups = found.iter().map(|group| group.map_or(Value::Undefined, |group| Value::text(group.as_str())));
    Value::list(groups.collect())
}

/// A bound of `slice`: negative ones count from the end.
fn bound(value: &Value, count: usize, absent: usize) -> usize {
    if matches!(value, Value::Undefined) {
        return absent;
    }
    let number = value.to_number();
    let number = if number.is_nan() { 0.0 } else { number.trunc() };
    let number = if number < 0.0 { number + count as f64 } else { number };
    number.clamp(0.0, count as f64) as usize
}

/// `text` with the first match replaced, or all of them; `$1` and `$&` stand for what matched.
pub(super) fn replaced(run: &Run<'_>, text: &str, regex: &regex::Regex, flags: Flags, by: &str) -> Outcome<Value> {
    let mut pattern = String::new();
    let mut signs = by.chars().peekable();
    while let Some(sign) = signs.next() {
        match (sign, signs.peek()) {
            ('$', Some('$')) => {
                signs.next();
                pattern.push_str("$$");
            }
            ('$', Some('&')) => {
                signs.next();
                pattern.push_str("${0}");
            }
            ('$', Some(digit)) if digit.is_ascii_digit() => {
                pattern.push_str("${");
                pattern.push(*digit);
                pattern.push('}');
                signs.next();
            }
            ('$', _) => pattern.push_str("$$"),
            _ => pattern.push(sign),
        }
    }
    let matches = if flags.global { regex.find_iter(text).count() } else { 1 };
    run.spend(text.len() + matches.saturating_mul(by.len()))?;
    let limit = usize::from(!flags.global);
    Ok(Value::text(regex.replacen(text, limit, &*pattern).into_owned()))
}

fn of_text(run: &Run<'_>, text: &Rc<str>, name: &str, given: &Given) -> Outcome<Value> {
    let (first, second) = (given.get(0, ""), given.get(1, ""));
    let wanted = first.to_text();
    let signs = || text.chars().collect::<Vec<_>>();
    let part = |signs: &[char]| Value::text(signs.iter().collect::<String>());
    let at = |bytes: Option<usize>| Value::Number(bytes.map_or(-1.0, |bytes| length(&text[..bytes]) as f64));
    run.spend(text.len())?;
    Ok(match name {
        "includes" => Value::Bool(text.contains(&*wanted)),
        "startsWith" => Value::Bool(text.starts_with(&*wanted)),
        "endsWith" => Value::Bool(text.ends_with(&*wanted)),
        "indexOf" => at(text.find(&*wanted)),
        "lastIndexOf" => at(text.rfind(&*wanted)),
        "toLowerCase" | "toLocaleLowerCase" => Value::text(text.to_lowercase()),
        "toUpperCase" | "toLocaleUpperCase" => Value::text(text.to_uppercase()),
        "trim" => Value::text(text.trim()),
        "trimStart" => Value::text(text.trim_start()),
        "trimEnd" => Value::text(text.trim_end()),
        "charAt" | "at" => {
            let signs = signs();
            let index = first.to_number();
            let index = if index < 0.0 && name == "at" { index + signs.len() as f64 } else { index };
            let found = if index >= 0.0 {
                signs.get(index as usize)
            } else if index.is_nan() {
                signs.first()
            } else {
                None
            };
            found.map_or(Value::text(""), |sign| Value::text(sign.to_string()))
        }
        "charCodeAt" => {
            let index = bound(&first, usize::MAX >> 12, 0);
            Value::Number(text.encode_utf16().nth(index).map_or(f64::NAN, f64::from))
        }
        "concat" => {
            let others = given.positional.iter().map(Value::to_text).collect::<Vec<_>>().concat();
            run.spend(others.len())?;
            Value::text(format!("{text}{others}"))
        }
        "localeCompare" => Value::Number(match text.to_lowercase().cmp(&wanted.to_lowercase()) {
            std::cmp::Ordering::Less => -1.0,
            std::cmp::Ordering::Equal => 0.0,
            std::cmp::Ordering::Greater => 1.0,
        }),
        "slice" => {
            let signs = signs();
            let (from, to) = (bound(&first, signs.len(), 0), bound(&second, signs.len(), signs.len()));
            part(signs.get(from..to.max(from)).unwrap_or_default())
        }
        "substring" => {
            let signs = signs();
            let limit = |value: &Value, absent: usize| match value {
                Value::Undefined => absent,
                value => value.to_number().max(0.0).min(signs.len() as f64) as usize,
            };
            let (from, to) = (limit(&first, 0), limit(&second, signs.len()));
            part(&signs[from.min(to)..from.max(to)])
        }
        "substr" => {
            let signs = signs();
            let from = bound(&first, signs.len(), 0);
            let count = if matches!(second, Value::Undefined) { signs.len() } else { bound(&second, signs.len(), 0) };
            part(&signs[from..from.saturating_add(count).min(signs.len())])
        }
        "split" => {
            let parts: Vec<Value> = match &first {
                Value::Undefined => vec![Value::Text(text.clone())],
                Value::Regex(regex, _) => regex.split(text).map(Value::text).collect(),
                _ if wanted.is_empty() => items(&Value::Text(text.clone())),
                _ => text.split(&*wanted).map(Value::text).collect(),
            };
            let limit = if matches!(second, Value::Undefined) { parts.len() } else { bound(&second, parts.len(), 0) };
            Value::list(parts.into_iter().take(limit).collect())
        }
        "replace" | "replaceAll" => {
            let by = second.to_text();
            match &first {
                Value::Regex(regex, flags) => {
                    let flags = Flags { global: flags.global || name == "replaceAll" };
                    replaced(run, text, regex, flags, &by)?
                }
                _ => {
                    let limit = if name == "replace" { 1 } else { usize::MAX };
                    run.spend(text.matches(&*wanted).take(limit).count().saturating_mul(by.len()))?;
                    Value::text(text.replacen(&*wanted, &by, limit))
                }
            }
        }
        "match" => match &first {
            Value::Regex(regex, Flags { global: true }) => {
                let found: Vec<Value> = regex.find_iter(text).map(|found| Value::text(found.as_str())).collect();
                if found.is_empty() { Value::Null } else { Value::list(found) }
            }
            Value::Regex(regex, _) => captures(regex, text),
            _ if text.contains(&*wanted) => Value::list(vec![Value::Text(wanted)]),
            _ => Value::Null,
        },
        "search" => match &first {
            Value::Regex(regex, _) => at(regex.find(text).map(|found| found.start())),
            _ => at(text.find(&*wanted)),
        },
        "repeat" => {
            let count = first.to_number();
            if !(0.0..=f64::from(u32::MAX)).contains(&count) {
                return Err(Stop::new("`repeat` needs to know how often"));
            }
            run.spend(text.len().saturating_mul(count as usize))?;
            Value::text(text.repeat(count as usize))
        }
        "padStart" | "padEnd" => {
            let fill = if matches!(second, Value::Undefined) { " ".into() } else { second.to_text() };
            let missing = first.to_number() - length(text) as f64;
            if fill.is_empty() || missing.is_nan() || missing <= 0.0 {
                return Ok(Value::Text(text.clone()));
            }
            run.spend(missing.min(f64::from(u32::MAX)) as usize)?;
            let padding: String = fill.chars().cycle().take(missing as usize).collect();
            Value::text(if name == "padStart" { format!("{padding}{text}") } else { format!("{text}{padding}") })
        }
        _ => Value::Text(text.clone()),
    })
}

fn of_list(run: &Run<'_>, receiver: &Value, name: &str, given: &Given) -> Outcome<Value> {
    let Value::List(list) = receiver else { return Ok(Value::Undefined) };
    let (first, second) = (given.get(0, ""), given.get(1, ""));
    let position = |index: Option<usize>| Value::Number(index.map_or(-1.0, |index| index as f64));
    let grow = |by: usize| {
        run.spend(by.saturating_mul(size_of::<Value>()))?;
        Ok(())
    };
    Ok(match name {
        "includes" => Value::Bool(list.borrow().iter().any(|item| item.is_same(&first))),
        "indexOf" | "index" => position(list.borrow().iter().position(|item| item.is_same(&first))),
        "lastIndexOf" => position(list.borrow().iter().rposition(|item| item.is_same(&first))),
        "count" => Value::Number(list.borrow().iter().filter(|item| item.is_same(&first)).count() as f64),
        "join" => {
            let separator = if matches!(first, Value::Undefined) { ",".into() } else { first.to_text() };
            let text = joined(&list.borrow(), &separator, 0);
            run.spend(text.len())?;
            Value::text(text)
        }
        "concat" => {
            let mut all = list.borrow().clone();
            for other in &given.positional {
                match other {
                    Value::List(others) => all.extend(others.borrow().iter().cloned()),
                    other => all.push(other.clone()),
                }
            }
            grow(all.len())?;
            Value::list(all)
        }
        "flat" => {
            let mut all = Vec::new();
            for item in list.borrow().iter() {
                match item {
                    Value::List(items) => all.extend(items.borrow().iter().cloned()),
                    other => all.push(other.clone()),
                }
            }
            grow(all.len())?;
            Value::list(all)
        }
        "slice" => {
            let items = list.borrow();
            let (from, to) = (bound(&first, items.len(), 0), bound(&second, items.len(), items.len()));
            grow(to.saturating_sub(from))?;
            Value::list(items.get(from..to.max(from)).unwrap_or_default().to_vec())
        }
        "at" => {
            let items = list.borrow();
            let index = first.to_number();
            let index = if index < 0.0 { index + items.len() as f64 } else { index };
            if index >= 0.0 { items.get(index as usize).cloned().unwrap_or(Value::Undefined) } else { Value::Undefined }
        }
        "push" | "append" => {
            grow(given.positional.len())?;
            list.borrow_mut().extend(given.positional.iter().cloned());
            Value::Number(list.borrow().len() as f64)
        }
        "extend" => {
            let others = items(&first);
            grow(others.len())?;
            list.borrow_mut().extend(others);
            Value::Undefined
        }
        "unshift" => {
            grow(given.positional.len())?;
            list.borrow_mut().splice(0..0, given.positional.iter().cloned());
            Value::Number(list.borrow().len() as f64)
        }
        "insert" => {
            grow(1)?;
            let index = bound(&first, list.borrow().len(), 0);
            list.borrow_mut().insert(index, second);
            Value::Undefined
        }
        "remove" => {
            let index = list.borrow().iter().position(|item| item.is_same(&first));
            index.map_or(Value::Undefined, |index| list.borrow_mut().remove(index))
        }
        "pop" => list.borrow_mut().pop().unwrap_or(Value::Undefined),
        "shift" => {
            let is_empty = list.borrow().is_empty();
            if is_empty { Value::Undefined } else { list.borrow_mut().remove(0) }
        }
        "reverse" => {
            list.borrow_mut().reverse();
            receiver.clone()
        }
        "sort" => {
            // Without a function, JavaScript sorts by the texts.
            list.borrow_mut().sort_by_cached_key(Value::to_text);
            receiver.clone()
        }
        _ => Value::Text(receiver.to_text()),
    })
}

fn of_object(receiver: &Value, name: &str, given: &Given) -> Outcome<Value> {
    let Value::Object(fields) = receiver else { return Ok(Value::Undefined) };
    let fields = fields.borrow();
    let key = given.get(0, "").to_text();
    Ok(match name {
        "hasOwnProperty" | "has_key" => Value::Bool(fields.contains_key(&*key)),
        "get" => fields.get(&*key).cloned().unwrap_or_else(|| given.get(1, "default")),
        "keys" => Value::list(fields.keys().cloned().map(Value::Text).collect()),
        "values" => Value::list(fields.values().cloned().collect()),
        "items" | "iteritems" => Value::list(filters::pairs(&fields)),
        _ => Value::Text(receiver.to_text()),
    })
}

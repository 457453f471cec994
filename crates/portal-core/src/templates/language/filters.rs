//! What can stand after `|`: the filters of Nunjucks 3.2.4, and the four that Backstage adds.

use std::cmp::Ordering;
use std::rc::Rc;

use indexmap::IndexMap;

use super::hosts;
use super::methods::{self, items, length};
use super::run::{Given, Outcome, Run, Stop};
use super::value::{Value, joined};
use super::{markup, tests};

/// Filters that stop where they are not given a list.
const OF_LISTS: [&str; 4] = ["join", "rejectattr", "selectattr", "sum"];
/// Filters that stop where they are given nothing; others take it for an empty text or list.
const OF_NO_NOTHING: [&str; 7] = ["batch", "first", "last", "random", "reject", "select", "slice"];

/// A list of `[key, value]` for each field.
/// Every filter; `jsonify` is one of cookiecutter only.
pub(super) const NAMES: [&str; 48] = [
    "abs",
    "batch",
    "capitalize",
    "center",
    "d",
    "default",
    "dictsort",
    "dump",
    "e",
    "escape",
    "first",
    "float",
    "forceescape",
    "groupby",
    "indent",
    "int",
    "join",
    "jsonify",
    "last",
    "length",
    "list",
    "lower",
    "nl2br",
    "parseEntityRef",
    "parseRepoUrl",
    "pick",
    "projectSlug",
    "random",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "string",
    "striptags",
    "sum",
    "title",
    "trim",
    "truncate",
    "upper",
    "urlencode",
    "urlize",
    "wordcount",
];

pub(super) fn pairs(fields: &IndexMap<Rc<str>, Value>) -> Vec<Value> {
    fields.iter().map(|(key, value)| Value::list(vec![Value::Text(key.clone()), value.clone()])).collect()
}

pub(super) fn apply(run: &Run<'_>, name: &str, subject: &Value, given: &Given) -> Outcome<Value> {
    let first = given.get(0, "");
    // What most filters take nothing, null and false for.
    let text = match subject {
        Value::Undefined | Value::Null | Value::Bool(false) => "".into(),
        other => other.to_text(),
    };
    run.step()?;
    run.spend(text.len())?;
    let is_list = matches!(subject, Value::List(_));
    if subject.is_nothing() && OF_NO_NOTHING.contains(&name) || !is_list && OF_LISTS.contains(&name) {
        return Err(Stop::new(format!("`{name}` needs a list, and this is {}", subject.kind())));
    }
    Ok(match name {
        "abs" => Value::Number(subject.to_number().abs()),
        "batch" => batch(subject, &first, &given.get(1, "")),
        "capitalize" => Value::text(capitalized(&text)),
        "center" => return center(run, &text, &first),
        "d" | "default" => {
            let takes_default = if given.get(1, "").is_true() { !subject.is_true() } else { is_undefined(subject) };
            if takes_default { first } else { subject.clone() }
        }
        "dictsort" => return dictsort(subject, given),
        "jsonify" if run.cookiecutter => return dump(run, subject, &first),
        "dump" => return dump(run, subject, &first),
        "e" | "escape" | "forceescape" => {
            if subject.is_nothing() {
                Value::text("")
            } else {
                Value::text(markup::escape(&subject.to_text()))
            }
        }
        "first" => items(subject).into_iter().next().unwrap_or(Value::Undefined),
        "last" => items(subject).pop().unwrap_or(Value::Undefined),
        "float" => number_or(leading_number(&subject.to_text()), first),
        "int" => number_or(leading_integer(&subject.to_text(), &given.get(1, "base")), first),
        "groupby" => groupby(subject, &first),
        "indent" => return indent(run, &text, &first, given.get(1, "").is_true()),
        "join" => {
            let attribute = given.get(1, "");
            let all = items(subject);
            let all = if attribute.is_true() { attributes(run, &all, &attribute) } else { all };
            let separator = if first.is_true() { first.to_text() } else { "".into() };
            let joined = joined(&all, &separator, 0);
            run.spend(joined.len())?;
            Value::text(joined)
        }
        "length" => match subject {
            Value::Undefined | Value::Null | Value::Bool(false) => Value::Number(0.0),
            Value::Text(text) => Value::Number(length(text) as f64),
            Value::List(list) => Value::Number(list.borrow().len() as f64),
            Value::Object(fields) => Value::Number(fields.borrow().len() as f64),
            _ => Value::Undefined,
        },
        "list" => match subject {
            Value::Object(fields) => Value::list(
                fields
                    .borrow()
                    .iter()
                    .map(|(key, value)| {
                        Value::object([("key".into(), Value::Text(key.clone())), ("value".into(), value.clone())])
                    })
                    .collect(),
            ),
            Value::List(_) => subject.clone(),
            Value::Text(_) => Value::list(items(subject)),
            other => {
                return Err(Stop::new(format!("`list` makes a list of a text or an object, not of {}", other.kind())));
            }
        },
        "lower" => Value::text(text.to_lowercase()),
        "upper" => Value::text(text.to_uppercase()),
        "nl2br" => Value::text(text.replace("\r\n", "\n").replace('\n', "<br />\n")),
        // The same template gives the same output: the first, where others draw.
        "random" => items(subject).into_iter().next().unwrap_or(Value::Undefined),
        "reject" | "select" => {
            let test = if is_undefined(&first) { "truthy".into() } else { first.to_text() };
            let argument = given.get(1, "");
            let mut kept = Vec::new();
            for item in items(subject) {
                run.step()?;
                if tests::holds(&test, &item, &argument)? == (name == "select") {
                    kept.push(item);
                }
            }
            Value::list(kept)
        }
        "rejectattr" | "selectattr" => {
            let has = |item: &Value| methods::lookup(run, item, &first).is_true();
            Value::list(items(subject).into_iter().filter(|item| has(item) == (name == "selectattr")).collect())
        }
        "replace" => return replace(run, subject, given),
        "reverse" => {
            let mut all = items(subject);
            all.reverse();
            if matches!(subject, Value::Text(_)) { Value::text(joined(&all, "", 0)) } else { Value::list(all) }
        }
        "round" => {
            let digits = first.to_number();
            let factor = 10_f64.powf(if digits.is_nan() { 0.0 } else { digits });
            let scaled = subject.to_number() * factor;
            let rounded = match &*given.get(1, "method").to_text() {
                "ceil" => scaled.ceil(),
                "floor" => scaled.floor(),
                _ => (scaled + 0.5).floor(),
            };
            Value::Number(rounded / factor)
        }
        "safe" | "string" => Value::Text(if name == "safe" { text } else { subject.to_text() }),
        "slice" => sliced(subject, &first, &given.get(1, "")),
        "sort" => return sort(run, subject, given),
        "striptags" => Value::text(markup::strip_tags(&text, first.is_true())),
        "sum" => {
            let all = items(subject);
            let all = if first.is_true() { attributes(run, &all, &first) } else { all };
            let start = match given.get(1, "start") {
                Value::Undefined => Value::Number(0.0),
                start => start,
            };
            let mut sum = start;
            for item in &all {
                sum = sum.plus(item);
                if let Value::Text(text) = &sum {
                    run.spend(text.len())?;
                }
            }
            sum
        }
        "title" => Value::text(text.split(' ').map(capitalized).collect::<Vec<_>>().join(" ")),
        "trim" => match subject {
            Value::Text(text) => Value::text(text.trim()),
            other => return Err(Stop::new(format!("`trim` needs a text, and this is {}", other.kind()))),
        },
        "truncate" => truncate(&text, given),
        "urlencode" => Value::text(urlencoded(subject)),
        "urlize" => Value::text(markup::urlize(&text, &first, given.get(1, "nofollow").is_true())),
        "wordcount" => {
            let is_word = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
            let words = text.split(|sign| !is_word(sign)).filter(|word| !word.is_empty()).count();
            if words == 0 { Value::Null } else { Value::Number(words as f64) }
        }
        "parseRepoUrl" => hosts::object(run.hosts, &subject.to_text())?,
        "projectSlug" => {
            let repository = hosts::object(run.hosts, &subject.to_text())?;
            let part = |name: &str| methods::lookup(run, &repository, &Value::text(name)).to_text();
            Value::text(format!("{}/{}", part("owner"), part("repo")))
        }
        "parseEntityRef" => return entity_ref(run, subject, &first),
        "pick" => attribute(run, subject, &first),
        _ => return Err(Stop::new(format!("no filter is named `{name}`"))),
    })
}

fn is_undefined(value: &Value) -> bool {
    matches!(value, Value::Undefined)
}

/// The value at a path: `b.c`, `0.name`.
fn attribute(run: &Run<'_>, of: &Value, path: &Value) -> Value {
    let path = path.to_text();
    path.split('.').fold(of.clone(), |of, key| methods::lookup(run, &of, &Value::text(key)))
}

fn attributes(run: &Run<'_>, of: &[Value], path: &Value) -> Vec<Value> {
    of.iter().map(|item| attribute(run, item, path)).collect()
}

fn capitalized(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut signs = lower.chars();
    signs.next().map_or_else(String::new, |first| first.to_uppercase().chain(signs).collect())
}

fn count(value: &Value) -> usize {
    let number = value.to_number();
    if number.is_finite() { number.max(0.0) as usize } else { 0 }
}

fn batch(subject: &Value, size: &Value, fill: &Value) -> Value {
    let size = count(size).max(1);
    let mut rows: Vec<Vec<Value>> = items(subject).chunks(size).map(<[Value]>::to_vec).collect();
    if let Some(last) = rows.last_mut().filter(|_| fill.is_true()) {
        let missing = size.saturating_sub(last.len()).min(1000);
        last.extend(std::iter::repeat_n(fill.clone(), missing));
    }
    Value::list(rows.into_iter().map(Value::list).collect())
}

fn sliced(subject: &Value, parts: &Value, fill: &Value) -> Value {
    let all = items(subject);
    let parts = count(parts).clamp(1, 10_000);
    let (size, extra) = (all.len() / parts, all.len() % parts);
    let mut at = 0;
    let mut rows = Vec::new();
    for part in 0..parts {
        let end = at + size + usize::from(part < extra);
        let mut row = all[at..end].to_vec();
        if part >= extra && fill.is_true() {
            row.push(fill.clone());
        }
        rows.push(Value::list(row));
        at = end;
    }
    Value::list(rows)
}

fn center(run: &Run<'_>, text: &str, width: &Value) -> Outcome<Value> {
    let width = if width.is_true() { count(width) } else { 80 };
    let spaces = width.saturating_sub(length(text));
    run.spend(spaces)?;
    let odd = spaces % 2;
    let before = (spaces / 2 + odd).saturating_sub(odd);
    let after = spaces.div_ceil(2);
    Ok(Value::text(format!("{}{text}{}", " ".repeat(before), " ".repeat(after))))
}

fn dictsort(subject: &Value, given: &Given) -> Outcome<Value> {
    let Value::Object(fields) = subject else {
        return Err(Stop::new(format!("`dictsort` sorts an object, and this is {}", subject.kind())));
    };
    let is_case_sensitive = given.get(0, "case_sensitive").is_true();
    let by_value = match &*given.get(1, "by").to_text() {
        "value" => true,
        "key" | "undefined" => false,
        other => return Err(Stop::new(format!("`dictsort` sorts by `key` or `value`, not by `{other}`"))),
    };
    let folded = |value: &Value| match value {
        Value::Text(text) if !is_case_sensitive => Value::text(text.to_uppercase()),
        other => other.clone(),
    };
    let mut sorted: Vec<(Rc<str>, Value)> =
        fields.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    sorted.sort_by(|left, right| {
        let key =
            |(key, value): &(Rc<str>, Value)| folded(&if by_value { value.clone() } else { Value::Text(key.clone()) });
        key(left).order(&key(right)).unwrap_or(Ordering::Equal)
    });
    Ok(Value::list(sorted.into_iter().map(|(key, value)| Value::list(vec![Value::Text(key), value])).collect()))
}

fn dump(run: &Run<'_>, subject: &Value, indent: &Value) -> Outcome<Value> {
    let Some(json) = subject.to_json() else { return Ok(Value::Undefined) };
    let indent = match indent {
        Value::Number(width) => " ".repeat((*width).clamp(0.0, 10.0) as usize),
        Value::Text(text) => text.chars().take(10).collect(),
        _ => String::new(),
    };
    let text = if indent.is_empty() {
        json.to_string()
    } else {
        let mut bytes = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
        let written = serde::Serialize::serialize(&json, &mut serializer);
        written.map_err(|error| Stop::new(error.to_string()))?;
        String::from_utf8_lossy(&bytes).into_owned()
    };
    run.spend(text.len())?;
    Ok(Value::text(text))
}

fn number_or(number: f64, default: Value) -> Value {
    if number.is_nan() { default } else { Value::Number(number) }
}

/// As `parseFloat`: the number that the text begins with.
fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    let mut end = 0;
    let (mut has_point, mut has_exponent) = (false, false);
    for (at, sign) in text.char_indices() {
        let is_part = match sign {
            '0'..='9' => true,
            '+' | '-' => at == 0 || text[..at].ends_with(['e', 'E']),
            '.' => !std::mem::replace(&mut has_point, true) && !has_exponent,
            'e' | 'E' => end > 0 && !std::mem::replace(&mut has_exponent, true),
            _ => false,
        };
        if !is_part {
            break;
        }
        end = at + 1;
    }
    (0..=end).rev().find_map(|end| text[..end].parse().ok()).unwrap_or(f64::NAN)
}

/// As `parseInt`.
fn leading_integer(text: &str, base: &Value) -> f64 {
    let text = text.trim_start();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text.trim_start_matches('+')), |rest| (true, rest));
    let radix = if base.is_true() { count(base) as u32 } else { 10 };
    if !(2..=36).contains(&radix) {
        return f64::NAN;
    }
    let digits = if radix == 16 { digits.trim_start_matches("0x") } else { digits };
    let read: Vec<u32> = digits.chars().map_while(|sign| sign.to_digit(radix)).collect();
    if read.is_empty() {
        return f64::NAN;
    }
    let number = read.iter().fold(0.0, |number, digit| number * f64::from(radix) + f64::from(*digit));
    if negative { -number } else { number }
}

fn groupby(subject: &Value, path: &Value) -> Value {
    let mut groups: IndexMap<Rc<str>, Vec<Value>> = IndexMap::new();
    for item in items(subject) {
        let path = path.to_text();
        let key = path.split('.').fold(item.clone(), |of, key| match &of {
            Value::Object(fields) => fields.borrow().get(key).cloned().unwrap_or(Value::Undefined),
            _ => Value::Undefined,
        });
        groups.entry(key.to_text()).or_default().push(item);
    }
    Value::object(groups.into_iter().map(|(key, items)| (key, Value::list(items))))
}

fn indent(run: &Run<'_>, text: &str, width: &Value, indents_first: bool) -> Outcome<Value> {
    let width = if width.is_true() { count(width) } else { 4 };
    run.spend(text.matches('\n').count().saturating_add(1).saturating_mul(width))?;
    if text.is_empty() {
        return Ok(Value::text(""));
    }
    let spaces = " ".repeat(width);
    let lines = text
        .split('\n')
        .enumerate()
        .map(|(index, line)| if index == 0 && !indents_first { line.to_owned() } else { format!("{spaces}{line}") });
    Ok(Value::text(lines.collect::<Vec<_>>().join("\n")))
}

fn replace(run: &Run<'_>, subject: &Value, given: &Given) -> Outcome<Value> {
    let (old, new, limit) = (given.get(0, "old"), given.get(1, "new").to_text(), given.get(2, "count"));
    if let Value::Regex(regex, flags) = &old {
        return methods::replaced(run, &subject.to_text(), regex, *flags, &new);
    }
    let (Value::Text(_) | Value::Number(_), Value::Text(_) | Value::Number(_)) = (&old, subject) else {
        return Ok(subject.clone());
    };
    let (old, text) = (old.to_text(), subject.to_text());
    let limit = match limit.to_number() {
        number if number >= 0.0 => number as usize,
        _ => usize::MAX,
    };
    let found = if old.is_empty() { length(&text) + 1 } else { text.matches(&*old).take(limit).count() };
    run.spend(text.len().saturating_add(found.saturating_mul(new.len())))?;
    Ok(Value::text(text.replacen(&*old, &new, limit)))
}

fn sort(run: &Run<'_>, subject: &Value, given: &Given) -> Outcome<Value> {
    let is_reversed = given.get(0, "reverse").is_true();
    let is_case_sensitive = given.get(1, "case_sensitive").is_true();
    let path = given.get(2, "attribute");
    let mut keyed = Vec::new();
    for item in items(subject) {
        run.step()?;
        let key = if path.is_true() { attribute(run, &item, &path) } else { item.clone() };
        if path.is_true() && is_undefined(&key) {
            return Err(Stop::new(format!("`sort`: an item has no `{}`", path.to_text())));
        }
        let key = match key {
            Value::Text(text) if !is_case_sensitive => Value::text(text.to_lowercase()),
            other => other,
        };
        keyed.push((key, item));
    }
    keyed.sort_by(|(left, _), (right, _)| {
        let order = left.order(right).unwrap_or(Ordering::Equal);
        if is_reversed { order.reverse() } else { order }
    });
    Ok(Value::list(keyed.into_iter().map(|(_, item)| item).collect()))
}

fn truncate(text: &str, given: &Given) -> Value {
    let limit = given.get(0, "length");
    let limit = if limit.is_true() { count(&limit) } else { 255 };
    let signs: Vec<char> = text.chars().collect();
    if signs.len() <= limit {
        return Value::text(text);
    }
    let end = match given.get(2, "end") {
        Value::Undefined | Value::Null => "...".into(),
        end => end.to_text(),
    };
    let kept = if given.get(1, "killwords").is_true() {
        limit
    } else {
        signs[..=limit].iter().rposition(|sign| *sign == ' ').unwrap_or(limit)
    };
    Value::text(format!("{}{end}", signs[..kept].iter().collect::<String>()))
}

fn urlencoded(subject: &Value) -> String {
    let encode = |value: &Value| encoded(&value.to_text());
    match subject {
        Value::Object(fields) => {
            let fields = fields.borrow();
            let parts = fields.iter().map(|(key, value)| format!("{}={}", encoded(key), encode(value)));
            parts.collect::<Vec<_>>().join("&")
        }
        Value::List(pairs) => {
            let pairs = pairs.borrow();
            let parts = pairs.iter().map(|pair| {
                let pair = items(pair);
                let part = |index: usize| pair.get(index).map(encode).unwrap_or_default();
                format!("{}={}", part(0), part(1))
            });
            parts.collect::<Vec<_>>().join("&")
        }
        Value::Undefined | Value::Null => String::new(),
        other => encode(other),
    }
}

/// As `encodeURIComponent`.
fn encoded(text: &str) -> String {
    let is_kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    let sign = |byte: u8| if is_kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(sign).collect()
}

/// Kind, namespace and name of a reference, each as it is written.
fn entity_ref(run: &Run<'_>, subject: &Value, defaults: &Value) -> Outcome<Value> {
    let default =
        |name: &str| Some(methods::lookup(run, defaults, &Value::text(name))).filter(|value| !value.is_nothing());
    let (kind, namespace, name) = match subject {
        Value::Object(_) => {
            let part =
                |name: &str| Some(methods::lookup(run, subject, &Value::text(name))).filter(|part| !part.is_nothing());
            (part("kind"), part("namespace"), part("name").unwrap_or(Value::text("")))
        }
        _ if !subject.is_true() => return Err(Stop::new("a reference to an entity is empty")),
        other => {
            let text = other.to_text();
            let slash = text.find('/');
            let colon = text.find(':').filter(|colon| slash.is_none_or(|slash| slash > *colon));
            let after_colon = colon.map_or(0, |colon| colon + 1);
            let kind = colon.map(|colon| Value::text(&text[..colon]));
            let namespace = slash.map(|slash| Value::text(&text[after_colon..slash]));
            let name = Value::text(&text[slash.map_or(after_colon, |slash| slash + 1)..]);
            (kind, namespace, name)
        }
    };
    let is_empty = |part: &Value| !part.is_true();
    if kind.as_ref().is_some_and(is_empty) || namespace.as_ref().is_some_and(is_empty) || is_empty(&name) {
        let text = subject.to_text();
        return Err(Stop::new(format!("`{text}` is not a reference of the form `[<kind>:][<namespace>/]<name>`")));
    }
    let Some(kind) = kind.or_else(|| default("defaultKind")) else {
        return Err(Stop::new(format!("the reference `{}` has no kind, as in `component:name`", subject.to_text())));
    };
    let namespace = namespace.or_else(|| default("defaultNamespace")).unwrap_or(Value::text("default"));
    Ok(Value::object([("kind".into(), kind), ("namespace".into(), namespace), ("name".into(), name)]))
}

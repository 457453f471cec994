//! What a scalar means: the core schema of YAML 1.2 as the npm package `yaml`
//! reads it, and the older schema for documents that ask for it.

use serde_json::{Number, Value};

/// A number without a form in JSON: infinite, or not a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotFinite;

/// Tag of a scalar, as far as it changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    /// No tag on a plain scalar.
    Plain,
    /// Quoted, a block scalar, `!`, or any tag that is not in the schema.
    Text,
    /// `!!int` and the like: the name without its namespace.
    Core(&'a str),
}

pub(super) fn resolve(text: &str, tag: Tag<'_>, old_schema: bool) -> Result<Value, NotFinite> {
    let resolved = match tag {
        Tag::Text => return Ok(Value::String(text.to_owned())),
        Tag::Plain => return Ok(plain(text, old_schema)?.unwrap_or_else(|| Value::String(text.to_owned()))),
        Tag::Core(_) => plain(text, old_schema)?,
    };
    let Tag::Core(name) = tag else { return Ok(Value::Null) };
    // A tag that does not fit leaves the text.
    Ok(resolved.filter(|value| fits(value, text, name)).unwrap_or_else(|| Value::String(text.to_owned())))
}

fn fits(value: &Value, text: &str, name: &str) -> bool {
    let integral = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'_'));
    match name {
        "null" => value.is_null(),
        "bool" => value.is_boolean(),
        "int" => value.is_number() && integral && !is_float(text),
        "float" => value.is_number() && is_float(text),
        _ => false,
    }
}

/// The value of a plain scalar that is not a string.
fn plain(text: &str, old_schema: bool) -> Result<Option<Value>, NotFinite> {
    // Almost every scalar is a word; its first byte tells.
    match text.bytes().next() {
        None | Some(b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'+' | b'-' | b'.' | b'0'..=b'9') => {}
        Some(b'y' | b'Y' | b'o' | b'O') if old_schema => {}
        Some(_) => return Ok(None),
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Some(Value::Null)),
        "true" | "True" | "TRUE" => return Ok(Some(Value::Bool(true))),
        "false" | "False" | "FALSE" => return Ok(Some(Value::Bool(false))),
        _ => {}
    }
    if old_schema && let Some(value) = old_boolean(text) {
        return Ok(Some(value));
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(NotFinite);
    }
    if old_schema {
        return Ok(old_number(text));
    }
    let based = |digits: &str, base: u32| digits.chars().all(|digit| digit.is_digit(base)).then(|| radix(digits, base));
    if let Some(digits) = text.strip_prefix("0o").filter(|digits| !digits.is_empty()) {
        return Ok(based(digits, 8));
    }
    if let Some(digits) = text.strip_prefix("0x").filter(|digits| !digits.is_empty()) {
        return Ok(based(digits, 16));
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return integer(text).map(Some);
    }
    if is_float(text) { float(text).map(Some) } else { Ok(None) }
}

/// `[-+]? ( . digits | digits [. digits?] ) ( e [-+]? digits )?`, with a dot or an exponent.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let good_exponent = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let good_mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => exponent.is_some() && !mantissa.is_empty() && digits(mantissa),
    };
    good_exponent && good_mantissa
}

fn integer(text: &str) -> Result<Value, NotFinite> {
    if let Ok(number) = text.parse::<i64>() {
        return Ok(Value::from(number));
    }
    match text.parse::<u64>() {
        Ok(number) => Ok(Value::from(number)),
        Err(_) => float(text),
    }
}

/// Numbers have no type in JavaScript: `1.0` and `1e3` are the integers 1 and 1000.
fn float(text: &str) -> Result<Value, NotFinite> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number: f64 = text.parse().map_err(|_| NotFinite)?;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Ok(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number).ok_or(NotFinite)
}

fn radix(digits: &str, base: u32) -> Value {
    match u64::from_str_radix(digits, base) {
        Ok(number) => Value::from(number),
        Err(_) => {
            let number = digits.chars().filter_map(|digit| digit.to_digit(base));
            Value::from(number.fold(0.0, |sum, digit| sum * f64::from(base) + f64::from(digit)))
        }
    }
}

fn old_boolean(text: &str) -> Option<Value> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(Value::Bool(true)),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// YAML 1.1: underscores, `0b`, octal with a leading zero, base 60.
fn old_number(text: &str) -> Option<Value> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let clean = unsigned.replace('_', "");
    let whole = |digits: &str, base| i64::from_str_radix(digits, base).ok().map(|number| Value::from(sign * number));
    if let Some(digits) = clean.strip_prefix("0b") {
        return whole(digits, 2);
    }
    if let Some(digits) = clean.strip_prefix("0x") {
        return whole(digits, 16);
    }
    if clean.contains(':') {
        let sum = clean.split(':').try_fold(0_i64, |sum, part| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let part = part.parse::<i64>().ok().filter(|_| digits)?;
            sum.checked_mul(60)?.checked_add(part)
        })?;
        return Some(Value::from(sign * sum));
    }
    if clean.len() > 1 && clean.starts_with('0') && clean.bytes().all(|byte| byte.is_ascii_digit()) {
        return whole(&clean[1..], 8);
    }
    if clean.bytes().all(|byte| byte.is_ascii_digit()) {
        return whole(&clean, 10);
    }
    let number = if sign < 0 { format!("-{clean}") } else { clean };
    is_float(&number).then(|| float(&number).ok()).flatten()
}

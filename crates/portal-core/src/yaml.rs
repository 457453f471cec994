//! Writes a descriptor as YAML, for people to read.
//!
//! Strings are quoted when a reader of YAML 1.1 or 1.2 could take them for
//! something else, and long ones become blocks.

use serde_json::{Map, Value};

/// The document in block style, ending in a line break.
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => mapping(&mut out, map, 0),
        Value::Array(items) if !items.is_empty() => sequence(&mut out, items, 0),
        scalar => {
            out.push_str(&inline(scalar));
            out.push('\n');
        }
    }
    out
}

fn mapping(out: &mut String, map: &Map<String, Value>, depth: usize) {
    for (index, (key, value)) in map.iter().enumerate() {
        // The first key of a mapping in a sequence stands beside its dash.
        if index > 0 || !out.ends_with("- ") {
            indent(out, depth);
        }
        out.push_str(&text(key));
        out.push(':');
        nested(out, value, depth, depth + 1);
    }
}

fn sequence(out: &mut String, items: &[Value], depth: usize) {
    for item in items {
        indent(out, depth);
        match item {
            Value::Object(map) if !map.is_empty() => {
                out.push_str("- ");
                mapping(out, map, depth + 1);
            }
            other => {
                out.push('-');
                nested(out, other, depth, depth + 1);
            }
        }
    }
}

/// A value after its key or dash.
fn nested(out: &mut String, value: &Value, depth: usize, inner: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            mapping(out, map, inner);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            sequence(out, items, inner);
        }
        Value::String(string) if is_block(string) => block(out, string, depth + 1),
        scalar => {
            out.push(' ');
            out.push_str(&inline(scalar));
            out.push('\n');
        }
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(string) => text(string),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        other => other.to_string(),
    }
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// Several lines that a literal block can hold without escapes.
fn is_block(string: &str) -> bool {
    string.trim_end_matches('\n').contains('\n')
        && !string.starts_with([' ', '\n', '\t'])
        && !string.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
}

fn block(out: &mut String, string: &str, depth: usize) {
    let body = string.trim_end_matches('\n');
    let chomp = match string.len() - body.len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    out.push_str(" |");
    out.push_str(chomp);
    out.push('\n');
    for line in body.split('\n') {
        if !line.is_empty() {
            indent(out, depth);
            out.push_str(line);
        }
        out.push('\n');
    }
    for _ in 1..(string.len() - body.len()) {
        out.push('\n');
    }
}

fn text(string: &str) -> String {
    if is_plain(string) { string.to_owned() } else { Value::String(string.to_owned()).to_string() }
}

/// Whether a string reads back as itself without quotes.
pub(crate) fn is_plain(string: &str) -> bool {
    const WORDS: [&str; 12] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~", "nan", "inf"];
    let Some(first) = string.chars().next() else { return false };
    let numberlike = first.is_ascii_digit() || (matches!(first, '+' | '-' | '.') && string.len() > 1);
    !numberlike
        && !first.is_whitespace()
        && !"-?:,[]{}#&*!|>'\"%@`=<".contains(first)
        && !string.ends_with([' ', ':'])
        && !string.contains(": ")
        && !string.contains(" #")
        && !string.chars().any(char::is_control)
        && !WORDS.iter().any(|word| string.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: &Value, expected: &str) {
        assert_eq!(to_yaml(value), expected);
    }

    #[test]
    fn descriptors_are_blocks() {
        check(
            &json!({"kind": "API", "metadata": {"tags": ["a", "b"], "links": [{"url": "https://x", "title": "X"}]}}),
            "kind: API\nmetadata:\n  tags:\n    - a\n    - b\n  links:\n    - url: https://x\n      title: X\n",
        );
        check(&json!({"a": {}, "b": [], "c": null}), "a: {}\nb: []\nc: null\n");
        check(&json!({"a": [[1, 2], []]}), "a:\n  -\n    - 1\n    - 2\n  - []\n");
    }

    #[test]
    fn what_could_be_misread_is_quoted() {
        for text in ["yes", "No", "1", "-1", "0x1f", "", " a", "a: b", "a #b", "*x", "null", "2024-01-01", "a:", "- a"]
        {
            check(&json!({ "k": text }), &format!("k: {}\n", json!(text)));
        }
        for text in ["v1", "a-b", "https://a/b?c=d#e", "group:default/x", "Pricing & Yield", "a,b"] {
            check(&json!({ "k": text }), &format!("k: {text}\n"));
        }
    }

    #[test]
    fn lines_become_blocks() {
        check(&json!({"k": "a\n  b\n"}), "k: |\n  a\n    b\n");
        check(&json!({"k": "a\nb"}), "k: |-\n  a\n  b\n");
        check(&json!({"k": ["a\n\nb\n\n"]}), "k:\n  - |+\n    a\n\n    b\n\n");
        check(&json!({"k": "\ta\nb"}), "k: \"\\ta\\nb\"\n");
    }
}

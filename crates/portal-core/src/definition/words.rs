//! Small texts: addresses, summaries, values and lists in words.

use serde_json::Value;

/// Characters of an id.
const ID: usize = 100;
/// Characters of a summary.
const SUMMARY: usize = 200;
/// Characters of a value in a sentence.
const VALUE: usize = 80;
/// Characters of the description of a part.
const PART: usize = 20_000;
/// Characters of the description of a row.
const DESCRIPTION: usize = 2_000;

/// A text as part of an address: letters, digits, `.`, `_` and single hyphens.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        if slug.len() >= ID {
            break;
        }
        if character.is_alphanumeric() || matches!(character, '_' | '.') {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches(['-', '.']).len());
    slug
}

/// The first paragraph of a Markdown text in one line, without its most
/// frequent marks. A heading is a paragraph.
pub(super) fn summary(text: &str) -> Option<String> {
    let mut paragraph = String::new();
    for line in text.lines().map(str::trim).skip_while(|line| line.is_empty()) {
        if line.is_empty() || paragraph.len() > SUMMARY * 4 {
            break;
        }
        if !paragraph.is_empty() {
            paragraph.push(' ');
        }
        paragraph.push_str(line);
        if line.starts_with('#') {
            break;
        }
    }
    let plain = paragraph.trim_start_matches(['#', '>', ' ']).replace("**", "").replace('`', "");
    Some(short(plain.trim(), SUMMARY)).filter(|plain| !plain.is_empty())
}

/// The beginning of a text, with a mark where it was cut.
pub(super) fn short(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A description of a part; parts share descriptions by reference.
pub(super) fn long(text: &str) -> String {
    short(text.trim(), PART)
}

/// A description of a row, which stands in as many rows as refer to it.
pub(super) fn about(text: &str) -> String {
    short(text.trim(), DESCRIPTION)
}

/// A value as part of a sentence.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => short(text, VALUE),
        Value::Object(_) | Value::Array(_) if !is_small(value) => "…".to_owned(),
        value => short(&value.to_string(), VALUE),
    }
}

fn is_small(value: &Value) -> bool {
    let (mut nodes, mut bytes) = (50, 1_000);
    weigh(value, &mut nodes, &mut bytes)
}

/// Whether a value has at most so many nodes and bytes of text; what it has is
/// taken off. The walk ends where it has too many.
pub(super) fn weigh(value: &Value, nodes: &mut usize, bytes: &mut usize) -> bool {
    match value {
        Value::String(text) => take(nodes, 1) && take(bytes, text.len()),
        Value::Array(items) => take(nodes, 1) && items.iter().all(|item| weigh(item, nodes, bytes)),
        Value::Object(map) => {
            let mut fields = map.iter();
            take(nodes, 1) && fields.all(|(key, value)| take(bytes, key.len()) && weigh(value, nodes, bytes))
        }
        _ => take(nodes, 1),
    }
}

fn take(from: &mut usize, count: usize) -> bool {
    let left = from.checked_sub(count);
    *from = left.unwrap_or(0);
    left.is_some()
}

/// The first of many words, and how many more there are.
pub(super) fn list(words: impl ExactSizeIterator<Item = String>, limit: usize) -> String {
    let total = words.len();
    let mut shown: Vec<String> = words.take(limit).collect();
    if total > limit {
        shown.push(format!("and {} more", total - limit));
    }
    shown.join(", ")
}

/// `1 item`, `3 items`.
pub(super) fn counted(count: &Value, noun: &str) -> String {
    let one = count.as_u64() == Some(1);
    match noun {
        "property" if !one => format!("{} properties", shown(count)),
        noun => format!("{} {noun}{}", shown(count), if one { "" } else { "s" }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_can_stand_in_an_address() {
        for (text, expected) in [
            ("createQuote", "createQuote"),
            ("GET /quotes/{quoteId}", "GET-quotes-quoteId"),
            ("..a//b..", "..a-b"),
            ("получить цену", "получить-цену"),
            ("{}", ""),
        ] {
            assert_eq!(slug(text), expected);
        }
        assert!(slug(&"ж ".repeat(500)).len() <= ID + 4);
    }

    #[test]
    fn a_summary_is_one_plain_line() {
        assert_eq!(summary("\n## The `quote`, **once**\nmore").as_deref(), Some("The quote, once"));
        assert_eq!(summary("A price\nfor freight.\n\nMore.").as_deref(), Some("A price for freight."));
        assert_eq!(summary(" \n"), None);
    }

    #[test]
    fn values_are_short() {
        assert_eq!(shown(&json!({ "a": [1, "x"] })), r#"{"a":[1,"x"]}"#);
        assert_eq!(shown(&json!(vec![0; 100])), "…");
        assert_eq!(shown(&json!("x".repeat(90))).chars().count(), VALUE + 1);
        assert_eq!(list(["a", "b", "c"].map(str::to_owned).into_iter(), 2), "a, b, and 1 more");
    }
}

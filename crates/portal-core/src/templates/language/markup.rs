//! The filters that make or take apart HTML.

use std::sync::LazyLock;

use regex::Regex;

use super::value::Value;

#[expect(clippy::unwrap_used, reason = "the patterns are constants, and a test compiles them")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' => escaped.push_str("&#92;"),
            other => escaped.push(other),
        }
    }
    escaped
}

pub(super) fn strip_tags(text: &str, keeps_lines: bool) -> String {
    static TAG: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?is)</?[a-z][a-z0-9]*\b[^>]*>|<!--.*?-->"));
    static EDGES: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^ +| +$"));
    static SPACES: LazyLock<Regex> = LazyLock::new(|| pattern(" +"));
    static LINES: LazyLock<Regex> = LazyLock::new(|| pattern("\n\n\n+"));
    static SPACE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\s+"));
    let without = TAG.replace_all(text, "");
    let without = without.trim();
    if !keeps_lines {
        return SPACE.replace_all(without, " ").into_owned();
    }
    let without = EDGES.replace_all(without, "");
    let without = SPACES.replace_all(&without, " ").replace("\r\n", "\n");
    LINES.replace_all(&without, "\n\n").into_owned()
}

/// Links in a text become anchors; what they show is cut after `limit` signs.
pub(super) fn urlize(text: &str, limit: &Value, no_follow: bool) -> String {
    static PUNCTUATION: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:\(|<|&lt;)?(.*?)(?:\.|,|\)|\n|&gt;)?$"));
    static MAIL: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?i)^[\w.!#$%&'*+\-/=?\^`{|}~]+@[a-z\d\-]+(\.[a-z\d\-]+)+$"));
    static HTTP: LazyLock<Regex> = LazyLock::new(|| pattern(r"^https?://.*$"));
    static WWW: LazyLock<Regex> = LazyLock::new(|| pattern(r"^www\."));
    static DOMAIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"\.(?:org|net|com)(?::|/|$)"));
    static PARTS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\s+)"));
    let rel = if no_follow { " rel=\"nofollow\"" } else { "" };
    let limit = limit.to_number();
    let limit = if limit.is_finite() && limit > 0.0 { limit as usize } else { usize::MAX };
    let linked = |word: &str| {
        let Some(inner) = PUNCTUATION.captures(word).and_then(|found| found.get(1)) else { return word.to_owned() };
        let url = inner.as_str();
        let shown: String = url.chars().take(limit).collect();
        let anchor = |prefix: &str| format!("<a href=\"{prefix}{url}\"{rel}>{shown}</a>");
        if HTTP.is_match(url) {
            anchor("")
        } else if WWW.is_match(url) {
            anchor("http://")
        } else if MAIL.is_match(url) {
            format!("<a href=\"mailto:{url}\">{url}</a>")
        } else if DOMAIN.is_match(url) {
            anchor("http://")
        } else {
            word.to_owned()
        }
    };
    let mut output = String::new();
    let mut at = 0;
    for gap in PARTS.find_iter(text) {
        output.push_str(&linked(&text[at..gap.start()]));
        output.push_str(gap.as_str());
        at = gap.end();
    }
    output.push_str(&linked(&text[at..]));
    output
}

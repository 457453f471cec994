//! Formats of names, keys and values, as Backstage checks them.

/// `[prefix/]suffix`: a DNS subdomain, then 1 to 63 letters and digits.
pub fn is_api_version(text: &str) -> bool {
    prefixed(text, |suffix| sized(suffix) && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// 1 to 63 letters and digits that start with a letter.
pub fn is_kind(text: &str) -> bool {
    sized(text)
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// 1 to 63 letters, digits and `-_.`, with a letter or digit at both ends.
pub fn is_name(text: &str) -> bool {
    let ends = |end: Option<u8>| end.is_some_and(|byte| byte.is_ascii_alphanumeric());
    sized(text)
        && ends(text.bytes().next())
        && ends(text.bytes().last())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// 1 to 63 lower-case letters and digits, in groups joined by `-`.
pub fn is_dns_label(text: &str) -> bool {
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    sized(text)
        && text.bytes().next().is_some_and(lower)
        && text.bytes().last().is_some_and(lower)
        && text.bytes().all(|byte| lower(byte) || byte == b'-')
}

/// The key of a label or annotation: `[dns-subdomain/]name`.
pub fn is_key(text: &str) -> bool {
    prefixed(text, is_name)
}

/// Empty, or like a name.
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name(text)
}

/// 1 to 63 lower-case letters, digits and `:+#`, in groups joined by one `-`.
pub fn is_tag(text: &str) -> bool {
    let group = |group: &str| {
        !group.is_empty()
            && group
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b':' | b'+' | b'#'))
    };
    sized(text) && text.split('-').all(group)
}

/// What a browser can open: an absolute URL of any scheme.
pub fn is_url(text: &str) -> bool {
    url::Url::parse(text).is_ok()
}

fn sized(text: &str) -> bool {
    (1..=63).contains(&text.len())
}

fn prefixed(text: &str, suffix: impl Fn(&str) -> bool) -> bool {
    match text.split_once('/') {
        None => suffix(text),
        Some((prefix, rest)) => {
            (1..=253).contains(&prefix.len()) && prefix.split('.').all(is_dns_label) && suffix(rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: fn(&str) -> bool, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(format(text), "`{text}` is good");
        }
        for text in bad {
            assert!(!format(text), "`{text}` is bad");
        }
    }

    #[test]
    fn formats_hold_at_their_edges() {
        let (longest, too_long) = ("a".repeat(63), "a".repeat(64));
        check(is_name, &["a", "A.b_c-d", "0", &longest], &["", "-a", "a-", "a/b", "größe", "a b", &too_long]);
        check(is_kind, &["Component", "A1", &longest], &["", "1A", "a-b", &too_long]);
        check(is_dns_label, &["a", "a-b", "a--b", "0", &longest], &["", "A", "-a", "a-", "a.b", &too_long]);
        check(
            is_api_version,
            &["v1", "backstage.io/v1alpha1"],
            &["", "/v1", "a/", "a/b/c", "A.io/v1", "a/v-1", "a..b/v1"],
        );
        check(is_key, &["a", "a.b/c_D", "x/y"], &["", "/a", "a/", "a/b/c", "Example.com/k", &too_long]);
        check(is_label_value, &["", "a", "A-b"], &["a b", "-", "ä"]);
        check(is_tag, &["java", "c++", "c#", "a:b", "a-b"], &["", "Java", "a b", "a--b", "-a", "a-", &too_long]);
        check(is_url, &["https://a", "mailto:a@b", "x:y"], &["", "a", "//a", "${{ values.url }}", "https://"]);
    }
}

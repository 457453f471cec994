//! Words and sentences of the server, as they are shown.
//!
//! Kinds, names and sentences are ASCII, or stay as they are: the tables of Unicode are a
//! fortieth of what the browser loads.

use maud::html;

use super::Content;

/// A text with what stands between backticks as code.
pub(crate) fn with_code(text: &str) -> Content {
    let parts = text.split('`').enumerate();
    // A backtick without a partner is one of the text.
    let paired = text.matches('`').count().is_multiple_of(2);
    Content::from(html! {
        span {
            @if paired {
                @for (index, part) in parts {
                    @if index % 2 == 1 { code { (part) } } @else { (part) }
                }
            } @else {
                (text)
            }
        }
    })
}

/// With the first letter in upper case.
pub(crate) fn capitalised(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_letter_is_raised() {
        for (text, expected) in [("api", "Api"), ("", ""), ("élan", "élan"), ("9a", "9a")] {
            assert_eq!(capitalised(text), expected);
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(html! { (with_code(text)) }.into_string(), expected);
    }

    #[test]
    fn backticks_are_code() {
        check("`a` is <b>", "<span><code>a</code> is &lt;b&gt;</span>");
        check("a ` b", "<span>a ` b</span>");
        check("plain", "<span>plain</span>");
    }
}

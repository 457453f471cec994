//! Sentences of the server, as they are shown.

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

#[cfg(test)]
mod tests {
    use super::*;

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

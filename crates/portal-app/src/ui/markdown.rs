//! Markdown that authors write into descriptions and outputs. What of it would be HTML is
//! shown as it was written; links lead where links may lead.

use maud::{PreEscaped, html};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};

use super::{Content, safe_url};

/// The text, as blocks: headings become strong lines, since they stand within a page that has
/// its own; pictures become links.
pub(crate) fn markdown(text: &str) -> Content {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let events = Parser::new_ext(text, options).flat_map(|event| {
        let (first, second) = plain(event);
        [Some(first), second].into_iter().flatten()
    });
    let mut written = String::new();
    pulldown_cmark::html::push_html(&mut written, events);
    Content::from(html! { div class="markdown" { (PreEscaped(written)) } })
}

fn plain(event: Event<'_>) -> (Event<'_>, Option<Event<'_>>) {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => (Event::Text(text), None),
        Event::Start(Tag::HtmlBlock) => (Event::Start(Tag::Paragraph), None),
        Event::End(TagEnd::HtmlBlock) => (Event::End(TagEnd::Paragraph), None),
        Event::Start(Tag::Heading { .. }) => (Event::Start(Tag::Paragraph), Some(Event::Start(Tag::Strong))),
        Event::End(TagEnd::Heading(_)) => (Event::End(TagEnd::Strong), Some(Event::End(TagEnd::Paragraph))),
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => (opened(&dest_url), None),
        Event::End(TagEnd::Link | TagEnd::Image) => (Event::InlineHtml("</a>".into()), None),
        other => (other, None),
    }
}

/// A link to another place, or within the portal; without an address where it is neither.
fn opened(address: &str) -> Event<'static> {
    let is_own = address.starts_with('/') && !address.starts_with("//");
    let href = if is_own { Some(address.to_owned()) } else { safe_url(address) };
    let tag = match href {
        Some(href) if is_own => html! { a href=(href) {} },
        Some(href) => html! { a href=(href) rel="external noopener noreferrer" {} },
        None => html! { a {} },
    };
    Event::InlineHtml(CowStr::from(tag.into_string().trim_end_matches("</a>").to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(html! { (markdown(text)) }.into_string(), format!("<div class=\"markdown\">{expected}</div>"));
    }

    #[test]
    fn what_is_written_is_shown() {
        check("Uses `axum`, **fast**.", "<p>Uses <code>axum</code>, <strong>fast</strong>.</p>\n");
        check("# Next\n- one", "<p><strong>Next</strong></p>\n<ul>\n<li>one</li>\n</ul>\n");
        check(
            "[docs](https://example.org/a)",
            "<p><a href=\"https://example.org/a\" rel=\"external noopener noreferrer\">docs</a></p>\n",
        );
        check("[here](/catalog)", "<p><a href=\"/catalog\">here</a></p>\n");
    }

    #[test]
    fn nothing_of_it_is_run() {
        check("a <img src=x onerror=alert(1)>", "<p>a &lt;img src=x onerror=alert(1)&gt;</p>\n");
        check("[x](javascript:alert(1))", "<p><a>x</a></p>\n");
        check("[x](//evil.example)", "<p><a>x</a></p>\n");
        check("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n");
    }
}

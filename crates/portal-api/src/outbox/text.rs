//! Markdown as chats and mail show it.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// What a text is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Slack's `mrkdwn`.
    Slack,
    Plain,
}

/// Markdown as Slack's `mrkdwn`.
pub fn slack(markdown: &str) -> String {
    Writer::new(Style::Slack).write(markdown)
}

/// Markdown as text that is read as it is.
pub fn plain(markdown: &str) -> String {
    Writer::new(Style::Plain).write(markdown)
}

/// A text in which nothing means anything to Slack.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A link of Slack.
pub fn link(address: &str, label: &str) -> String {
    let address = address.replace('|', "%7C").replace('<', "%3C").replace('>', "%3E").replace('&', "&amp;");
    format!("<{address}|{}>", escaped(label).replace('|', "¦"))
}

struct Writer {
    style: Style,
    out: String,
    /// Of lists within each other, the number of the next item; nothing where they have none.
    lists: Vec<Option<u64>>,
    quotes: usize,
    is_code: bool,
    /// Where a link leads, and where its label begins.
    links: Vec<(String, usize)>,
}

impl Writer {
    fn new(style: Style) -> Self {
        Self { style, out: String::new(), lists: Vec::new(), quotes: 0, is_code: false, links: Vec::new() }
    }

    fn write(mut self, markdown: &str) -> String {
        for event in Parser::new_ext(markdown, Options::ENABLE_STRIKETHROUGH) {
            match event {
                Event::Start(tag) => self.start(tag),
                Event::End(tag) => self.end(tag),
                Event::Text(text) => self.text(&text),
                Event::Code(code) => {
                    self.mark("`", "`");
                    self.text(&code);
                    self.mark("`", "`");
                }
                // What is HTML here is text there.
                Event::Html(html) | Event::InlineHtml(html) => self.text(&html),
                Event::SoftBreak | Event::HardBreak => self.new_line(),
                Event::Rule => {
                    self.block();
                    self.out.push_str("———");
                }
                _ => {}
            }
        }
        self.out.trim().to_owned()
    }

    /// What stands around a text: for Slack, and in plain text.
    fn mark(&mut self, slack: &str, plain: &str) {
        self.out.push_str(if self.style == Style::Slack { slack } else { plain });
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph if self.is_item_begun() => {}
            Tag::Paragraph => self.block(),
            Tag::Heading { .. } => {
                self.block();
                self.mark("*", "");
            }
            Tag::BlockQuote(_) => {
                self.block();
                self.quotes += 1;
                self.out.push_str("> ");
            }
            Tag::CodeBlock(_) => {
                self.block();
                self.mark("```\n", "");
                self.is_code = true;
            }
            Tag::List(first) => {
                if self.lists.is_empty() {
                    self.block();
                }
                self.lists.push(first);
            }
            Tag::Item => {
                if !self.out.is_empty() && !self.out.ends_with('\n') {
                    self.new_line();
                }
                self.out.push_str(&"  ".repeat(self.lists.len().saturating_sub(1)));
                match self.lists.last_mut() {
                    Some(Some(number)) => {
                        self.out.push_str(&format!("{number}. "));
                        *number += 1;
                    }
                    _ => self.mark("• ", "- "),
                }
            }
            Tag::Emphasis => self.mark("_", ""),
            Tag::Strong => self.mark("*", ""),
            Tag::Strikethrough => self.mark("~", ""),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push((dest_url.into_string(), self.out.len()));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => self.mark("*", ""),
            TagEnd::BlockQuote(_) => self.quotes = self.quotes.saturating_sub(1),
            TagEnd::CodeBlock => {
                self.is_code = false;
                if !self.out.ends_with('\n') {
                    self.out.push('\n');
                }
                self.mark("```", "");
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::Emphasis => self.mark("_", ""),
            TagEnd::Strong => self.mark("*", ""),
            TagEnd::Strikethrough => self.mark("~", ""),
            TagEnd::Link | TagEnd::Image => self.end_link(),
            _ => {}
        }
    }

    /// A link keeps its label; an address that no browser should follow is left out.
    fn end_link(&mut self) {
        let Some((address, begins)) = self.links.pop() else { return };
        let is_safe = ["http://", "https://", "mailto:"].iter().any(|scheme| address.starts_with(scheme));
        let label = self.out[begins..].to_owned();
        if !is_safe || self.style == Style::Plain && label == address {
            return;
        }
        self.out.truncate(begins);
        if self.style == Style::Plain {
            self.out.push_str(&format!("{label} ({address})"));
        } else {
            // The label is escaped already.
            let whole = link(&address, "");
            self.out.push_str(whole.trim_end_matches('>'));
            self.out.push_str(&label.replace('|', "¦"));
            self.out.push('>');
        }
    }

    fn text(&mut self, text: &str) {
        let text = if self.style == Style::Slack { escaped(text) } else { text.to_owned() };
        if self.is_code || !text.contains('\n') {
            self.out.push_str(&text);
            return;
        }
        for (number, line) in text.lines().enumerate() {
            if number > 0 {
                self.new_line();
            }
            self.out.push_str(line);
        }
    }

    fn is_item_begun(&self) -> bool {
        self.out.ends_with("• ") || self.out.ends_with("- ") || self.out.ends_with(". ") || self.out.ends_with("> ")
    }

    /// Begins a block, a line apart from what is before.
    fn block(&mut self) {
        if self.out.is_empty() {
            return;
        }
        while self.out.ends_with('\n') {
            self.out.pop();
        }
        self.new_line();
        if self.lists.is_empty() {
            self.new_line();
        }
    }

    fn new_line(&mut self) {
        self.out.push('\n');
        self.out.push_str(&"> ".repeat(self.quotes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Done\n\nThe **database** is *up*, ~~soon~~ now: `psql`.\n\n- one\n- [two](https://a.example/?x=1&y=2)\n\n\
        1. first\n2. second\n\n> said\n> twice\n\n```sh\na < b\n```\n\nAsk <!channel> [here](javascript:alert(1)).";

    #[test]
    fn slack_reads_its_own_marks() {
        let expected = "*Done*\n\nThe *database* is _up_, ~soon~ now: `psql`.\n\n• one\n• <https://a.example/?x=1&amp;y=2|two>\n\n\
            1. first\n2. second\n\n> said\n> twice\n\n```\na &lt; b\n```\n\nAsk &lt;!channel&gt; here.";
        assert_eq!(slack(TEXT), expected);
    }

    #[test]
    fn mail_is_plain() {
        let expected = "Done\n\nThe database is up, soon now: `psql`.\n\n- one\n- two (https://a.example/?x=1&y=2)\n\n\
            1. first\n2. second\n\n> said\n> twice\n\na < b\n\nAsk <!channel> here.";
        assert_eq!(plain(TEXT), expected);
    }

    #[test]
    fn a_label_cannot_end_its_link() {
        assert_eq!(slack("[a|b>c](https://a.example/|x)"), "<https://a.example/%7Cx|a¦b&gt;c>");
        assert_eq!(link("https://a.example/<x>", "a|b>"), "<https://a.example/%3Cx%3E|a¦b&gt;>");
    }
}

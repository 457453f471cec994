//! Callouts and tabs as MkDocs writes them, as HTML blocks with Markdown inside.
//!
//! ```text
//! !!! warning "Mind the retries"     ??? note     === "Rust"
//!     Text, indented.
//! ```

/// Replaces the blocks of a text.
pub fn expand(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    blocks(&text.lines().collect::<Vec<_>>(), "", 0, &mut out);
    out
}

/// Blocks below each other, at most.
const DEPTH: usize = 8;

fn blocks(lines: &[&str], indent: &str, depth: usize, out: &mut String) {
    let mut at = 0;
    let mut fence: Option<(char, usize)> = None;
    while let Some(line) = lines.get(at) {
        at += 1;
        let opened = (fence.is_none() && depth < DEPTH).then(|| Opening::read(line)).flatten();
        let Some(opening) = opened else {
            fence = fenced(line, fence);
            out.push_str(indent);
            out.push_str(line);
            out.push('\n');
            continue;
        };
        let margin = " ".repeat(opening.margin);
        let deeper = opening.margin + 4;
        let is_inside = |line: &&&str| line.trim().is_empty() || spaces(line) >= deeper;
        let inside: Vec<&str> =
            lines[at..].iter().take_while(is_inside).map(|line| line.get(deeper..).unwrap_or("")).collect();
        at += inside.len();
        let indent = format!("{indent}{margin}");
        out.push_str(&format!("{indent}{}\n\n", opening.start()));
        blocks(&inside, &indent, depth + 1, out);
        out.push_str(&format!("\n{indent}{}\n\n", opening.end()));
    }
}

/// The first line of a block.
struct Opening<'a> {
    margin: usize,
    shape: Shape,
    kind: &'a str,
    title: Option<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Plain,
    Folded,
    Unfolded,
    Tab,
}

impl<'a> Opening<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let margin = spaces(line);
        let rest = &line[margin..];
        let (shape, rest) =
            [("!!!", Shape::Plain), ("???+", Shape::Unfolded), ("???", Shape::Folded), ("===", Shape::Tab)]
                .into_iter()
                .find_map(|(mark, shape)| Some((shape, rest.strip_prefix(mark)?)))?;
        let rest = rest.strip_prefix([' ', '+', '!'])?.trim();
        if shape == Shape::Tab {
            let title = quoted(rest)?;
            return Some(Self { margin, shape, kind: "tab", title: Some(title) });
        }
        let kind =
            rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().filter(|kind| !kind.is_empty())?;
        // Further words are classes of MkDocs' own, such as `inline end`.
        let title = rest.find('"').and_then(|from| quoted(&rest[from..]));
        Some(Self { margin, shape, kind, title })
    }

    fn start(&self) -> String {
        let class = class(self.kind);
        let spoken = portal_core::documentation::nav::spoken(self.kind);
        let title = escaped(self.title.unwrap_or(&spoken));
        match self.shape {
            Shape::Plain | Shape::Tab if title.is_empty() => format!("<div class=\"admonition {class}\">"),
            Shape::Plain | Shape::Tab => {
                format!("<div class=\"admonition {class}\"><p class=\"admonition-title\">{title}</p>")
            }
            Shape::Folded => format!("<details class=\"admonition {class}\"><summary>{title}</summary>"),
            Shape::Unfolded => format!("<details class=\"admonition {class}\" open><summary>{title}</summary>"),
        }
    }

    fn end(&self) -> &'static str {
        match self.shape {
            Shape::Plain | Shape::Tab => "</div>",
            Shape::Folded | Shape::Unfolded => "</details>",
        }
    }
}

/// The looks that the many kinds of callouts share.
pub fn class(kind: &str) -> &'static str {
    match kind.to_ascii_lowercase().as_str() {
        "tip" | "hint" | "success" | "check" | "done" => "tip",
        "warning" | "caution" | "attention" => "warning",
        "danger" | "error" | "failure" | "fail" | "missing" | "bug" => "danger",
        "important" | "question" | "help" | "faq" => "important",
        "tab" => "tabbed",
        _ => "note",
    }
}

fn spaces(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.split('"').next()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The fence that is open after a line: its mark and how long it is.
fn fenced(line: &str, open: Option<(char, usize)>) -> Option<(char, usize)> {
    let text = line.trim_start();
    let Some(mark) = text.chars().next().filter(|mark| matches!(mark, '`' | '~')) else { return open };
    let length = text.chars().take_while(|c| *c == mark).count();
    match open {
        None => (length >= 3).then_some((mark, length)),
        Some((opened, least)) => {
            let closes = mark == opened && length >= least && text[length..].trim().is_empty();
            if closes { None } else { open }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callouts_hold_markdown() {
        let text = "a\n\n!!! warning \"Mind <it>\"\n    *b*\n\n    c\n\nd\n";
        let expected = "a\n\n<div class=\"admonition warning\"><p class=\"admonition-title\">Mind &lt;it&gt;</p>\n\n*b*\n\nc\n\n\n</div>\n\nd\n";
        assert_eq!(expand(text), expected);
    }

    #[test]
    fn they_nest_and_fold() {
        let expanded = expand("??? note\n    !!! tip\n        in\n===! \"Tab\"\n    out\n");
        let order = [
            "<details class=\"admonition note\"><summary>Note</summary>",
            "<div class=\"admonition tip\">",
            "in",
            "</div>",
            "</details>",
            "admonition tab",
            "Tab",
            "out",
        ];
        let mut rest = expanded.as_str();
        for part in order {
            let at = rest.find(part).unwrap_or_else(|| panic!("`{part}` in {rest}"));
            rest = &rest[at + part.len()..];
        }
    }

    #[test]
    fn code_and_prose_stay() {
        for text in [
            "```\n!!! note\n    x\n```\n",
            "!!!\n",
            "!!!note\n",
            "=== Title\n",
            "~~~~\n```\n??? x\n~~~~\n",
            "Title\n===\n",
        ] {
            assert_eq!(expand(text), text);
        }
    }
}

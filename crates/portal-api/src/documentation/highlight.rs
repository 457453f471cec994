//! Colours of code, as a few classes that the style sheet knows.

use std::sync::OnceLock;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};
use syntect::util::LinesWithEndings;

/// Bytes of a block that is coloured, and of one of its lines. Longer ones are data.
const BLOCK: usize = 48 << 10;
const LINE: usize = 2_000;

/// The block as HTML with classes; without them where the language is unknown.
pub fn highlight(language: &str, code: &str) -> String {
    let (set, classes) = tools();
    let known = find(set, language).filter(|_| code.len() <= BLOCK && code.lines().all(|line| line.len() <= LINE));
    known.and_then(|syntax| coloured(set, classes, syntax, code)).unwrap_or_else(|| escaped(code))
}

/// Scopes by how special they are, and the class of each.
type Classes = Vec<(Scope, &'static str)>;

fn tools() -> &'static (SyntaxSet, Classes) {
    static TOOLS: OnceLock<(SyntaxSet, Classes)> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let known = [
            ("comment", "comment"),
            ("string", "string"),
            ("constant.numeric", "number"),
            ("constant", "constant"),
            ("keyword", "keyword"),
            ("storage", "keyword"),
            ("entity.name.function", "function"),
            ("support.function", "function"),
            ("variable.function", "function"),
            ("entity.name.tag", "tag"),
            ("entity.other.attribute-name", "attribute"),
            ("entity.name", "type"),
            ("support.type", "type"),
            ("support.class", "type"),
            ("markup.inserted", "inserted"),
            ("markup.deleted", "deleted"),
            ("markup.heading", "keyword"),
        ];
        let classes = known.into_iter().filter_map(|(scope, class)| Some((Scope::new(scope).ok()?, class)));
        (SyntaxSet::load_defaults_newlines(), classes.collect())
    })
}

fn find<'s>(set: &'s SyntaxSet, language: &str) -> Option<&'s SyntaxReference> {
    let language = language.trim().to_ascii_lowercase();
    let token = match language.as_str() {
        "" | "text" | "txt" | "plain" | "mermaid" => return None,
        "typescript" | "ts" | "tsx" | "jsx" | "mjs" => "js",
        "shell" | "console" | "sh" | "zsh" | "shell-session" => "bash",
        "kotlin" | "kt" => "java",
        "jsonc" | "json5" => "json",
        other => other,
    };
    set.find_syntax_by_token(token)
}

fn coloured(set: &SyntaxSet, classes: &Classes, syntax: &SyntaxReference, code: &str) -> Option<String> {
    let mut state = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    let mut out = Spans::default();
    for line in LinesWithEndings::from(code) {
        let mut from = 0;
        for (at, operation) in state.parse_line(line, set).ok()? {
            out.push(&line[from..at], class_of(classes, &stack));
            stack.apply(&operation).ok()?;
            from = at;
        }
        out.push(&line[from..], class_of(classes, &stack));
    }
    Some(out.end())
}

fn class_of(classes: &Classes, stack: &ScopeStack) -> Option<&'static str> {
    let of = |scope: &Scope| classes.iter().find(|(known, _)| known.is_prefix_of(*scope)).map(|(_, class)| *class);
    stack.scopes.iter().rev().find_map(of)
}

/// Text in spans, neighbours of one class in one.
#[derive(Default)]
struct Spans {
    html: String,
    open: Option<&'static str>,
}

impl Spans {
    fn push(&mut self, text: &str, class: Option<&'static str>) {
        if text.is_empty() {
            return;
        }
        // Space has no colour.
        if class != self.open && !text.trim().is_empty() {
            self.close();
            if let Some(class) = class {
                self.html.push_str(&format!("<span class=\"hl-{class}\">"));
            }
            self.open = class;
        }
        self.html.push_str(&escaped(text));
    }

    fn close(&mut self) {
        if self.open.take().is_some() {
            self.html.push_str("</span>");
        }
    }

    fn end(mut self) -> String {
        self.close();
        self.html
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_coloured_and_nothing_is_lost() {
        let html = highlight("rust", "// <why>\nfn main() { let x = \"a\" + 1; }\n");
        for part in [
            "<span class=\"hl-comment\">// &lt;why&gt;",
            "<span class=\"hl-keyword\">fn </span>",
            "<span class=\"hl-function\">main</span>",
            "<span class=\"hl-string\">\"a\" </span>",
            "<span class=\"hl-number\">1</span>",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        let mut text = html;
        while let Some((from, to)) = text.find('<').and_then(|from| Some((from, from + text[from..].find('>')?))) {
            text.replace_range(from..=to, "");
        }
        assert_eq!(text, "// &lt;why&gt;\nfn main() { let x = \"a\" + 1; }\n");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        assert_eq!(highlight("nonsense", "a < b"), "a &lt; b");
        assert_eq!(highlight("", "x"), "x");
        assert_eq!(highlight("json", &"x".repeat(LINE + 1)), "x".repeat(LINE + 1));
    }

    #[test]
    fn languages_are_known_by_their_usual_names() {
        let (set, _) = tools();
        for language in
            ["rust", "yaml", "json", "bash", "sh", "ts", "python", "go", "java", "sql", "html", "diff", "xml", "ruby"]
        {
            assert!(find(set, language).is_some(), "{language}");
        }
    }
}

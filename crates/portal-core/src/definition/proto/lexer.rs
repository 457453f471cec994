//! The words of a `.proto` file, with the comments that belong to them.

/// Words of a file; what comes after is not read.
const TOKENS: usize = 1_000_000;

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Number,
    /// With its quotes.
    Text,
    Mark,
}

/// A word with the comments around it.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) line: u32,
    /// The comment right above.
    pub(super) above: Option<String>,
    /// The comment behind it on the same line.
    pub(super) behind: Option<String>,
}

/// The words of a text, and where a text or a comment is not closed.
pub(super) fn tokens(text: &str) -> (Vec<Token<'_>>, Option<(u32, &'static str)>) {
    let mut lexer = Lexer { rest: text, line: 1, tokens: Vec::new(), comments: Vec::new(), broken: None };
    while lexer.step() {}
    (lexer.tokens, lexer.broken)
}

struct Comment {
    text: String,
    first: u32,
    last: u32,
}

struct Lexer<'a> {
    rest: &'a str,
    line: u32,
    tokens: Vec<Token<'a>>,
    /// Those since the last word.
    comments: Vec<Comment>,
    broken: Option<(u32, &'static str)>,
}

impl<'a> Lexer<'a> {
    fn step(&mut self) -> bool {
        let space = self.rest.len() - self.rest.trim_start().len();
        self.take(space);
        let Some(first) = self.rest.chars().next() else { return false };
        if self.tokens.len() >= TOKENS {
            self.broken
                .get_or_insert((self.line, "the file has too many words; what comes here and later is not read"));
            return false;
        }
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            let comment = self.take(end);
            self.comment(comment, self.line);
            return true;
        }
        if self.rest.starts_with("/*") {
            let (end, closed) = self.rest.find("*/").map_or((self.rest.len(), false), |end| (end + 2, true));
            let first = self.line;
            if !closed {
                self.broken.get_or_insert((first, "the comment is not closed"));
            }
            let comment = self.take(end);
            self.comment(comment, first);
            return true;
        }
        let is_word = |next: char| next.is_ascii_alphanumeric() || next == '_';
        let until = |rest: &str, is_in: &dyn Fn(char) -> bool| rest.find(|next| !is_in(next)).unwrap_or(rest.len());
        let (kind, length) = match first {
            '"' | '\'' => (Kind::Text, self.quoted(first)),
            '0'..='9' => (Kind::Number, until(self.rest, &|next| is_word(next) || next == '.')),
            first if is_word(first) => (Kind::Name, until(self.rest, &is_word)),
            first => (Kind::Mark, first.len_utf8()),
        };
        let (line, above) = (self.line, self.above());
        let text = self.take(length);
        self.tokens.push(Token { kind, text, line, above, behind: None });
        true
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        let lines = taken.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        taken
    }

    /// The length of a text with its quotes; it ends with its line at the latest.
    fn quoted(&mut self, quote: char) -> usize {
        let mut escaped = false;
        for (at, next) in self.rest.char_indices().skip(1) {
            match next {
                '\n' => {
                    self.broken.get_or_insert((self.line, "the text is not closed"));
                    return at;
                }
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                next if next == quote => return at + 1,
                _ => {}
            }
        }
        self.broken.get_or_insert((self.line, "the text is not closed"));
        self.rest.len()
    }

    /// Keeps a comment: behind the last word, if it is on its line.
    fn comment(&mut self, comment: &str, first: u32) {
        let text = unmarked(comment);
        match self.tokens.last_mut() {
            Some(token) if token.line == first && token.behind.is_none() => token.behind = Some(text),
            _ => self.comments.push(Comment { text, first, last: self.line }),
        }
    }

    /// The comments that end right above this line without a gap.
    fn above(&mut self) -> Option<String> {
        let mut lines = Vec::new();
        let mut next = self.line;
        for comment in self.comments.drain(..).rev() {
            if comment.last + 1 < next {
                break;
            }
            next = comment.first;
            lines.push(comment.text);
        }
        lines.reverse();
        Some(lines.join("\n")).filter(|text| !text.trim().is_empty())
    }
}

/// The text of a comment without its marks.
fn unmarked(comment: &str) -> String {
    if let Some(line) = comment.strip_prefix("//") {
        let line = line.trim_start_matches('/');
        return line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned();
    }
    let inner = comment.trim_start_matches("/*").trim_start_matches('*').trim_end_matches("*/").trim_end_matches('*');
    let lines = inner.lines().map(|line| {
        let line = line.trim();
        let line = line.strip_prefix('*').unwrap_or(line);
        line.strip_prefix(' ').unwrap_or(line)
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

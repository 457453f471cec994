//! A place in the words of a `.proto` file, and the small steps from it.

use super::File;
use super::lexer::{Kind, Token};
use crate::definition::wire::DefinitionFault;
use crate::definition::words::short;

/// Faults that are told.
const FAULTS: usize = 50;

/// The fault has been told already.
pub(super) struct Told;

pub(super) type Read<T> = Result<T, Told>;

/// Reads the words of a file into `file`.
pub(super) struct Parser<'t> {
    pub(super) tokens: &'t [Token<'t>],
    pub(super) at: usize,
    pub(super) file: File,
}

impl<'t> Parser<'t> {
    pub(super) fn peek(&self) -> Option<&'t Token<'t>> {
        self.tokens.get(self.at)
    }

    pub(super) fn word(&self, ahead: usize) -> &'t str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text)
    }

    pub(super) fn next(&mut self) -> Option<&'t Token<'t>> {
        let token = self.tokens.get(self.at);
        self.at += 1;
        token
    }

    pub(super) fn fault(&mut self, message: String) -> Told {
        let line = self.peek().or(self.tokens.last()).map_or(0, |token| token.line);
        if self.file.faults.len() < FAULTS {
            self.file.faults.push(DefinitionFault { line, message });
        }
        Told
    }

    pub(super) fn unexpected(&mut self, wanted: &str) -> Told {
        let found = match self.word(0) {
            "" => "the end of the file".to_owned(),
            word => format!("`{}`", short(word, 40)),
        };
        self.fault(format!("{found} stands where {wanted} is expected"))
    }

    pub(super) fn mark(&mut self, mark: &str) -> Read<&'t Token<'t>> {
        match self.peek() {
            Some(token) if token.text == mark => {
                self.at += 1;
                Ok(token)
            }
            _ => Err(self.unexpected(&format!("`{mark}`"))),
        }
    }

    pub(super) fn name(&mut self, of: &str) -> Read<String> {
        match self.peek() {
            Some(token) if token.kind == Kind::Name => {
                self.at += 1;
                Ok(token.text.to_owned())
            }
            _ => Err(self.unexpected(of)),
        }
    }

    /// A name with dots.
    pub(super) fn path(&mut self, of: &str) -> Read<String> {
        let mut path = String::new();
        if self.word(0) == "." {
            self.at += 1;
            path.push('.');
        }
        path.push_str(&self.name(of)?);
        while self.word(0) == "." {
            self.at += 1;
            path.push('.');
            path.push_str(&self.name(of)?);
        }
        Ok(path)
    }

    /// Skips to behind the next `;`, or behind the braces that open before it.
    /// Stays before a `}` that closes what is around.
    pub(super) fn skip(&mut self) {
        let mut depth = 0_usize;
        while let Some(token) = self.peek() {
            match (token.text, token.kind) {
                (";", Kind::Mark) if depth == 0 => {
                    self.at += 1;
                    return;
                }
                ("{", Kind::Mark) => depth += 1,
                ("}", Kind::Mark) if depth == 0 => return,
                ("}", Kind::Mark) => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        if self.word(0) == ";" {
                            self.at += 1;
                        }
                        return;
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// A comment above a statement, or behind its last mark.
    pub(super) fn comment(&self, first: usize, last: usize) -> Option<String> {
        let above = self.tokens.get(first).and_then(|token| token.above.clone());
        above.or_else(|| self.tokens.get(last)?.behind.clone())
    }

    pub(super) fn number(&mut self) -> Read<String> {
        let minus = self.word(0) == "-";
        self.at += usize::from(minus);
        match self.peek() {
            Some(token) if token.kind == Kind::Number => {
                self.at += 1;
                Ok(format!("{}{}", if minus { "-" } else { "" }, short(token.text, 20)))
            }
            _ => Err(self.unexpected("a number")),
        }
    }

    /// Options in brackets: whether they deprecate, and the default they give.
    pub(super) fn options(&mut self) -> (bool, Option<String>) {
        let (mut deprecated, mut default, mut depth) = (false, None, 0_usize);
        while let Some(token) = self.next() {
            match (token.text, token.kind) {
                ("[" | "{", Kind::Mark) => depth += 1,
                ("]" | "}", Kind::Mark) => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                ("deprecated", _) if depth == 1 && self.word(0) == "=" => deprecated |= self.word(1) == "true",
                ("default", _) if depth == 1 && self.word(0) == "=" => default = Some(short(self.word(1), 80)),
                (";", Kind::Mark) if depth == 1 => {
                    self.at -= 1;
                    break;
                }
                _ => {}
            }
        }
        (deprecated, default)
    }

    /// `option deprecated = true`.
    pub(super) fn is_deprecating(&self) -> bool {
        self.word(1) == "deprecated" && self.word(3) == "true"
    }
}

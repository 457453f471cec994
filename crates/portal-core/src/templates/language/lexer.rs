//! Text to tokens: what stands between tags as it is, and the code within them.
//!
//! Follows the lexer of Nunjucks 3.2.4, with its rules for white space.

use std::rc::Rc;

use super::Fault;
use super::syntax::Place;

/// How tags are written, and what happens to white space around blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// `{{ }}` as in Cookiecutter, instead of `${{ }}`.
    pub cookiecutter: bool,
    /// Drops the line break after a block.
    pub trim_blocks: bool,
    /// Drops the white space between the start of a line and a block.
    pub lstrip_blocks: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Data(String),
    BlockStart {
        trims: bool,
    },
    BlockEnd {
        trims: bool,
    },
    VariableStart {
        trims: bool,
    },
    VariableEnd {
        trims: bool,
    },
    Comment {
        trims_before: bool,
        trims_after: bool,
    },
    Text(Rc<str>),
    Number(f64),
    Bool(bool),
    Null,
    /// Pattern and flags of `r/…/flags`.
    Regex(Rc<str>, Rc<str>),
    Name(Rc<str>),
    /// Brackets, punctuation and operators.
    Sign(&'static str),
    End,
}

/// Longest first, so that `===` is not read as `==`.
const SIGNS: [&str; 25] = [
    "===", "!==", "==", "!=", "<=", ">=", "//", "**", "(", ")", "[", "]", "{", "}", "%", "*", "-", "+", "~", "/", ",",
    ":", "|", ".", "<",
];
const SPACES: [char; 5] = [' ', '\n', '\t', '\r', '\u{a0}'];
const DELIMITERS: &str = "()[]{}%*-+~/#,:|.<>=!";

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    in_code: bool,
    style: Style,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str, style: Style) -> Self {
        Self { text, at: 0, in_code: false, style }
    }

    pub(super) fn place(&self) -> Place {
        Place(u32::try_from(self.at).unwrap_or(u32::MAX))
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn take(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        self.at += if found { wanted.len() } else { 0 };
        found
    }

    fn variable(&self) -> &'static str {
        if self.style.cookiecutter { "{{" } else { "${{" }
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::at(self.text, self.place(), message)
    }

    pub(super) fn next(&mut self) -> Result<Token, Fault> {
        if self.in_code { self.code() } else { self.data() }
    }

    fn starts_tag(&self) -> bool {
        let rest = self.rest();
        rest.starts_with("{%") || rest.starts_with(self.variable()) || rest.starts_with("{#")
    }

    fn data(&mut self) -> Result<Token, Fault> {
        if self.rest().is_empty() {
            return Ok(Token::End);
        }
        if self.take("{%") {
            self.in_code = true;
            return Ok(Token::BlockStart { trims: self.take("-") });
        }
        if self.take(self.variable()) {
            self.in_code = true;
            return Ok(Token::VariableStart { trims: self.take("-") });
        }
        if self.rest().starts_with("{#") {
            let Some(length) = self.rest().find("#}") else {
                return Err(self.fault("a comment that does not end: `#}` is missing"));
            };
            let comment = &self.rest()[..length + 2];
            self.at += comment.len();
            let trims_before = comment.starts_with("{#-");
            return Ok(Token::Comment { trims_before, trims_after: comment.ends_with("-#}") });
        }
        let start = self.at;
        while !self.rest().is_empty() && !self.starts_tag() {
            if self.rest().starts_with("#}") {
                return Err(self.fault("`#}` ends a comment, and none was begun"));
            }
            let next = self.rest().bytes().skip(1).position(|byte| matches!(byte, b'{' | b'$' | b'#'));
            self.at = next.map_or(self.text.len(), |offset| self.at + 1 + offset);
        }
        let data = &self.text[start..self.at];
        if self.style.lstrip_blocks && self.rest().starts_with("{%") {
            let line_start = self.text[..self.at].rfind('\n').map_or(0, |at| at + 1);
            let indent = &self.text[line_start.max(start)..self.at];
            if line_start >= start && !indent.is_empty() && indent.chars().all(char::is_whitespace) {
                let kept = &data[..data.len() - indent.len()];
                return if kept.is_empty() { self.data() } else { Ok(Token::Data(kept.to_owned())) };
            }
        }
        Ok(Token::Data(data.to_owned()))
    }

    /// Goes on to the next token, within a tag.
    pub(super) fn skip_space(&mut self) {
        if self.in_code {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(SPACES).len();
        }
    }

    fn code(&mut self) -> Result<Token, Fault> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        if first == '"' || first == '\'' {
            return self.quoted(first);
        }
        for (end, trims) in [("-%}", true), ("%}", false)] {
            if self.take(end) {
                self.in_code = false;
                if self.style.trim_blocks && !self.take("\r\n") {
                    self.take("\n");
                }
                return Ok(Token::BlockEnd { trims });
            }
        }
        for (end, trims) in [("-}}", true), ("}}", false)] {
            if self.take(end) {
                self.in_code = false;
                return Ok(Token::VariableEnd { trims });
            }
        }
        if self.take("r/") {
            return self.regex();
        }
        if DELIMITERS.contains(first) {
            let signs = SIGNS.into_iter().chain([">", "=", "!", "#"]);
            let sign = signs.into_iter().find(|sign| rest.starts_with(sign)).unwrap_or("#");
            self.at += sign.len();
            return Ok(Token::Sign(sign));
        }
        let is_end = |sign: char| DELIMITERS.contains(sign) || SPACES.contains(&sign);
        let word = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        self.at += word.len();
        Ok(match word {
            "true" => Token::Bool(true),
            "false" => Token::Bool(false),
            "none" | "null" => Token::Null,
            _ if word.bytes().all(|byte| byte.is_ascii_digit()) => self.number(word),
            _ => Token::Name(word.into()),
        })
    }

    fn number(&mut self, whole: &str) -> Token {
        let fraction = self.rest().strip_prefix('.').map_or("", |after| {
            let digits = after.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(after.len());
            &after[..digits]
        });
        if fraction.is_empty() {
            return Token::Number(whole.parse().unwrap_or(f64::NAN));
        }
        self.at += 1 + fraction.len();
        Token::Number(format!("{whole}.{fraction}").parse().unwrap_or(f64::NAN))
    }

    fn quoted(&mut self, quote: char) -> Result<Token, Fault> {
        let mut text = String::new();
        let mut signs = self.rest().char_indices().skip(1);
        while let Some((offset, sign)) = signs.next() {
            if sign == quote {
                self.at += offset + 1;
                return Ok(Token::Text(text.into()));
            }
            if sign != '\\' {
                text.push(sign);
                continue;
            }
            text.push(match signs.next() {
                Some((_, 'n')) => '\n',
                Some((_, 't')) => '\t',
                Some((_, 'r')) => '\r',
                Some((_, other)) => other,
                None => break,
            });
        }
        Err(self.fault(format!("a text that does not end: {quote} is missing")))
    }

    fn regex(&mut self) -> Result<Token, Fault> {
        let mut end = None;
        let mut signs = self.rest().char_indices();
        while let Some((offset, sign)) = signs.next() {
            match sign {
                '\\' => drop(signs.next()),
                '/' => {
                    end = Some(offset);
                    break;
                }
                _ => {}
            }
        }
        let Some(end) = end else {
            return Err(self.fault("a regular expression that does not end: / is missing"));
        };
        let pattern: Rc<str> = self.rest()[..end].replace("\\/", "/").into();
        self.at += end + 1;
        let flags = self.rest();
        let flags = &flags[..flags.find(|sign| !matches!(sign, 'g' | 'i' | 'm' | 'y')).unwrap_or(flags.len())];
        self.at += flags.len();
        Ok(Token::Regex(pattern, flags.into()))
    }

    /// Everything up to the `{% end… %}` that closes this raw block, which is consumed;
    /// raw blocks within it are part of the text.
    pub(super) fn raw(&mut self, tag: &str) -> Result<String, Fault> {
        let begun = self.at;
        let mut level = 1;
        loop {
            let Some(offset) = self.rest().find("{%") else {
                self.at = begun;
                return Err(self.fault(format!("`{{% {tag} %}}` does not end: `{{% end{tag} %}}` is missing")));
            };
            let before = self.at + offset;
            self.at = before + 2;
            let Some(length) = self.rest().find("%}") else { continue };
            let word = self.rest()[..length].trim();
            let closes = word.strip_prefix("end") == Some(tag);
            if !closes && word != tag {
                continue;
            }
            self.at += length + 2;
            level = if closes { level - 1 } else { level + 1 };
            if level == 0 {
                return Ok(self.text[begun..before].to_owned());
            }
        }
    }
}

//! From the words of a `.proto` file to its services, messages and enums.
//!
//! A statement that cannot be read is a fault and is skipped; the parser goes
//! on behind it. It judges the grammar only as far as it must to find names,
//! types and comments.

use super::cursor::{Parser, Read};
use super::lexer::{self, Kind, Token};
use super::{Enum, Field, File, Message, Method, Service, Value};
use crate::definition::wire::DefinitionFault;
use crate::definition::words::short;

/// Messages in messages.
const DEPTH: usize = 32;
pub(super) fn parse(text: &str) -> File {
    let (tokens, broken) = lexer::tokens(text);
    let mut parser = Parser { tokens: &tokens, at: 0, file: File::default() };
    if let Some((line, message)) = broken {
        parser.file.faults.push(DefinitionFault { line, message: message.to_owned() });
    }
    if tokens.is_empty() && parser.file.faults.is_empty() {
        parser.file.faults.push(DefinitionFault { line: 0, message: "the definition is empty".to_owned() });
    }
    while parser.peek().is_some() {
        parser.statement();
    }
    parser.file
}

impl Parser<'_> {
    fn statement(&mut self) {
        let read = match self.word(0) {
            ";" => {
                self.at += 1;
                Ok(())
            }
            "syntax" | "edition" => self.syntax(),
            "package" => self.package(),
            "message" => self.message("", 0),
            "enum" => self.enumeration(""),
            "service" => self.service(),
            "import" | "option" | "extend" => {
                self.skip();
                Ok(())
            }
            "}" => {
                let told = self.unexpected("a message, an enum or a service");
                self.at += 1;
                Err(told)
            }
            _ => {
                let told = self.unexpected("a message, an enum or a service");
                self.at += 1;
                Err(told)
            }
        };
        if read.is_err() && self.word(0) != "}" {
            self.skip();
        }
    }

    fn syntax(&mut self) -> Read<()> {
        let is_edition = self.word(0) == "edition";
        self.at += 1;
        self.mark("=")?;
        let said = self.word(0).trim_matches(['"', '\'']).to_owned();
        self.file.syntax = if is_edition { format!("edition {said}") } else { said };
        self.skip();
        Ok(())
    }

    fn package(&mut self) -> Read<()> {
        self.file.description = self.peek().and_then(|token| token.above.clone());
        self.at += 1;
        self.file.package = self.path("the name of a package")?;
        self.mark(";")?;
        Ok(())
    }

    fn message(&mut self, around: &str, depth: usize) -> Read<()> {
        let first = self.at;
        self.at += 1;
        let name = qualified(around, &self.name("the name of a message")?);
        self.message_body(name, first, depth)
    }

    fn message_body(&mut self, name: String, first: usize, depth: usize) -> Read<()> {
        if depth >= DEPTH {
            return Err(self.fault(format!("messages lie in more than {DEPTH} others")));
        }
        self.mark("{")?;
        let description = self.comment(first, self.at - 1);
        let place = self.file.messages.len();
        let message = Message { name: name.clone(), description, deprecated: false, fields: Vec::new() };
        self.file.messages.push(message);
        let mut fields = Vec::new();
        let closed = self.body(&name, first, |parser| match parser.word(0) {
            "message" if parser.word(2) == "{" => parser.message(&name, depth + 1),
            "enum" if parser.word(2) == "{" => parser.enumeration(&name),
            "oneof" if parser.word(2) == "{" => parser.oneof(&mut fields),
            "option" => {
                parser.file.messages[place].deprecated |= parser.is_deprecating();
                parser.skip();
                Ok(())
            }
            "extend" | "extensions" | "reserved" => {
                parser.skip();
                Ok(())
            }
            _ if parser.is_group() => parser.group(&name, depth, &mut fields),
            _ => parser.field(None).map(|field| fields.push(field)),
        });
        self.file.messages[place].fields = fields;
        closed
    }

    /// Statements up to the closing brace.
    fn body(&mut self, name: &str, first: usize, mut statement: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        loop {
            match self.word(0) {
                "}" => {
                    self.at += 1;
                    return Ok(());
                }
                ";" => self.at += 1,
                "" => {
                    let line = self.tokens.get(first).map_or(0, |token| token.line);
                    let message = format!("`{}` is not closed with `}}`", short(name, 80));
                    self.file.faults.push(DefinitionFault { line, message });
                    return Ok(());
                }
                _ => {
                    let before = self.at;
                    if statement(self).is_err() {
                        self.skip();
                    }
                    // Whatever happened, go on.
                    self.at = self.at.max(before + usize::from(self.word(0) != "}"));
                }
            }
        }
    }

    fn is_group(&self) -> bool {
        let is_label = matches!(self.word(0), "optional" | "required" | "repeated");
        is_label && self.word(1) == "group" && self.word(3) == "="
    }

    /// A message and a field of its type at once.
    fn group(&mut self, around: &str, depth: usize, fields: &mut Vec<Field>) -> Read<()> {
        let first = self.at;
        let label = self.word(0).to_owned();
        self.at += 2;
        let name = self.name("the name of a group")?;
        self.mark("=")?;
        let number = self.number()?;
        if self.word(0) == "[" {
            self.options();
        }
        let type_name = qualified(around, &name);
        let label = Some(label).filter(|label| label != "optional");
        fields.push(Field {
            name: name.to_lowercase(),
            label,
            type_name: type_name.clone(),
            number,
            ..Field::default()
        });
        self.message_body(type_name, first, depth + 1)
    }

    fn oneof(&mut self, fields: &mut Vec<Field>) -> Read<()> {
        let first = self.at;
        self.at += 1;
        let name = self.name("the name of a oneof")?;
        self.mark("{")?;
        self.body(&name, first, |parser| match parser.word(0) {
            "option" => {
                parser.skip();
                Ok(())
            }
            _ => parser.field(Some(&name)).map(|field| fields.push(field)),
        })
    }

    fn field(&mut self, oneof: Option<&str>) -> Read<Field> {
        let first = self.at;
        let label = match self.word(0) {
            // `optional` may also be the first word of a type, but nobody does that.
            label @ ("optional" | "required" | "repeated") => {
                self.at += 1;
                Some(label.to_owned())
            }
            _ => None,
        };
        let (mut key, mut type_name) = (None, self.path("a field")?);
        if type_name == "map" && self.word(0) == "<" {
            self.at += 1;
            key = Some(self.path("a type")?);
            self.mark(",")?;
            type_name = self.path("a type")?;
            self.mark(">")?;
        }
        let name = self.name("the name of a field")?;
        self.mark("=")?;
        let number = self.number()?;
        let (deprecated, default) = if self.word(0) == "[" { self.options() } else { (false, None) };
        self.mark(";")?;
        let description = self.comment(first, self.at - 1);
        let oneof = oneof.map(str::to_owned);
        Ok(Field { name, description, label, key, type_name, number, oneof, deprecated, default })
    }

    fn enumeration(&mut self, around: &str) -> Read<()> {
        let first = self.at;
        self.at += 1;
        let name = qualified(around, &self.name("the name of an enum")?);
        self.mark("{")?;
        let mut found = Enum {
            name: name.clone(),
            description: self.comment(first, self.at - 1),
            deprecated: false,
            values: vec![],
        };
        let closed = self.body(&name, first, |parser| match parser.word(0) {
            "option" => {
                found.deprecated |= parser.is_deprecating();
                parser.skip();
                Ok(())
            }
            "reserved" => {
                parser.skip();
                Ok(())
            }
            _ => parser.value().map(|value| found.values.push(value)),
        });
        self.file.enums.push(found);
        closed
    }

    fn value(&mut self) -> Read<Value> {
        let first = self.at;
        let name = self.name("the name of a value")?;
        self.mark("=")?;
        let number = self.number()?;
        let deprecated = self.word(0) == "[" && self.options().0;
        self.mark(";")?;
        Ok(Value { name, number, description: self.comment(first, self.at - 1), deprecated })
    }

    fn service(&mut self) -> Read<()> {
        let first = self.at;
        self.at += 1;
        let name = self.name("the name of a service")?;
        self.mark("{")?;
        let mut service =
            Service { name: name.clone(), description: self.comment(first, self.at - 1), methods: Vec::new() };
        let closed = self.body(&name, first, |parser| match parser.word(0) {
            "rpc" => parser.method().map(|method| service.methods.push(method)),
            "option" => {
                parser.skip();
                Ok(())
            }
            _ => Err(parser.unexpected("`rpc`")),
        });
        self.file.services.push(service);
        closed
    }

    fn method(&mut self) -> Read<Method> {
        let first = self.at;
        self.at += 1;
        let name = self.name("the name of a method")?;
        let (input, streams_in) = self.message_type()?;
        if self.word(0) != "returns" {
            return Err(self.unexpected("`returns`"));
        }
        self.at += 1;
        let (output, streams_out) = self.message_type()?;
        let (mut deprecated, mut http) = (false, None);
        let last = self.at;
        if self.word(0) == "{" {
            self.at += 1;
            self.body(&name, first, |parser| {
                deprecated |= parser.is_deprecating();
                let from = parser.at;
                parser.skip();
                http = http.take().or_else(|| address(&parser.tokens[from..parser.at.min(parser.tokens.len())]));
                Ok(())
            })?;
        } else {
            self.mark(";")?;
        }
        let description = self.comment(first, last);
        Ok(Method { name, description, deprecated, input, streams_in, output, streams_out, http })
    }

    /// `(stream Type)`.
    fn message_type(&mut self) -> Read<(String, bool)> {
        self.mark("(")?;
        let streams = self.word(0) == "stream" && self.word(1) != ")" && self.word(1) != ".";
        self.at += usize::from(streams);
        let name = self.path("the type of a message")?;
        self.mark(")")?;
        Ok((name, streams))
    }
}

/// `GET /v1/quotes` of an option `google.api.http`.
fn address(option: &[Token<'_>]) -> Option<String> {
    if !option.iter().take(12).any(|token| token.text == "http") {
        return None;
    }
    option.windows(3).find_map(|words| {
        let [method, colon, path] = words else { return None };
        let is_method = matches!(method.text, "get" | "put" | "post" | "delete" | "patch");
        let is_pair = is_method && matches!(colon.text, ":" | "=") && path.kind == Kind::Text;
        let path = short(path.text.trim_matches(['"', '\'']), 200);
        is_pair.then(|| format!("{} {path}", method.text.to_ascii_uppercase()))
    })
}

fn qualified(around: &str, name: &str) -> String {
    if around.is_empty() { name.to_owned() } else { format!("{around}.{name}") }
}

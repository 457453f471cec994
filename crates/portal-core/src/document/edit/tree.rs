//! A document as it is written: each key and value with the bytes that it takes.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::Value;

use super::super::build::tag_of;
use super::super::scalar;

/// A value as it is written.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) range: Range<usize>,
    pub(super) shape: Shape,
}

#[derive(Debug)]
pub(super) enum Shape {
    Scalar(ScalarStyle),
    /// A value that is not written.
    Nothing,
    Alias,
    Mapping {
        is_flow: bool,
        entries: Vec<Entry>,
    },
    Sequence {
        is_flow: bool,
        items: Vec<Node>,
    },
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) key: Range<usize>,
    pub(super) value: Node,
}

impl Entry {
    /// Where the last byte of the entry is, whether it has a value or not.
    pub(super) fn end(&self, text: &str) -> usize {
        match self.value.shape {
            Shape::Nothing => self.colon(text).unwrap_or(self.key.end),
            _ => self.value.range.end,
        }
    }

    /// Right behind the colon, where it follows the key in its line.
    pub(super) fn colon(&self, text: &str) -> Option<usize> {
        let rest = text.get(self.key.end..)?;
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        rest[blank..].starts_with(':').then_some(self.key.end + blank + 1)
    }
}

/// The documents of a text; nothing for those without content. Nothing at all where the
/// text is no YAML.
pub(super) fn read(text: &str) -> Option<Vec<Option<Node>>> {
    let mut bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    bytes.push(text.len());
    let range =
        |span: Span| -> Option<Range<usize>> { Some(*bytes.get(span.start.index())?..*bytes.get(span.end.index())?) };
    let mut parser = Parser::new_from_str(text);
    let (mut documents, mut builder) = (Vec::new(), Builder::default());
    loop {
        let (event, span) = match parser.next_event() {
            None | Some(Ok((Event::StreamEnd, _))) => return Some(documents),
            Some(Ok(event)) => event,
            Some(Err(_)) => return None,
        };
        let range = range(span)?;
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {}
            Event::DocumentEnd => documents.push(std::mem::take(&mut builder).root),
            Event::Alias(_) => builder.put(Node { range, shape: Shape::Alias }, None),
            Event::Scalar(value, style, _, tag) => {
                let tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix));
                let name = match scalar::resolve(&value, tag_of(style, tag.as_deref()), false) {
                    Ok(Value::String(text)) => text,
                    Ok(Value::Null) | Err(_) => String::new(),
                    Ok(other) => other.to_string(),
                };
                let is_nothing = value.is_empty() && style == ScalarStyle::Plain;
                let shape = if is_nothing { Shape::Nothing } else { Shape::Scalar(style) };
                let start = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => header(text, builder.seen(), range.start),
                    _ => range.start,
                };
                let range = start..start + written(&text[start..range.end.max(start)], style);
                builder.put(Node { range, shape }, Some(name));
            }
            Event::MappingStart(..) => {
                let is_flow = text[range.start..].starts_with('{');
                builder.open(Node { range, shape: Shape::Mapping { is_flow, entries: Vec::new() } });
            }
            Event::SequenceStart(..) => {
                let is_flow = text[range.start..].starts_with('[');
                builder.open(Node { range, shape: Shape::Sequence { is_flow, items: Vec::new() } });
            }
            Event::MappingEnd | Event::SequenceEnd => builder.close(range.start, text),
        }
    }
}

/// Where the sign stands that begins a block of text, which the parser takes for part of
/// what is before it.
fn header(text: &str, from: usize, to: usize) -> usize {
    let is_sign = |at: &usize| text[..*at].ends_with([' ', '\t', '\n']);
    text[from..to].match_indices(['|', '>']).map(|(at, _)| from + at).find(is_sign).unwrap_or(to)
}

/// Bytes of a scalar: the parser counts white space and comments behind it, too.
fn written(text: &str, style: ScalarStyle) -> usize {
    let quote = match style {
        ScalarStyle::SingleQuoted => '\'',
        ScalarStyle::DoubleQuoted => '"',
        ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => return text.trim_end().len(),
    };
    let mut signs = text.char_indices().skip(1).peekable();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\\' if quote == '"' => drop(signs.next()),
            _ if sign != quote => {}
            '\'' if signs.peek().is_some_and(|(_, next)| *next == '\'') => drop(signs.next()),
            _ => return at + 1,
        }
    }
    text.len()
}

/// The name of a key, and where it stands.
type Key = (String, Range<usize>);

/// What is being read: containers that are open, each with the key whose value comes next.
#[derive(Default)]
struct Builder {
    open: Vec<(Node, Option<Key>)>,
    root: Option<Node>,
}

impl Builder {
    fn open(&mut self, node: Node) {
        self.open.push((node, None));
    }

    /// Where the last key or item ends.
    fn seen(&self) -> usize {
        match self.open.last() {
            Some((_, Some((_, key)))) => key.end,
            Some((Node { range, shape: Shape::Sequence { items, .. } }, _)) => {
                items.last().map_or(range.start, |item| item.range.end)
            }
            _ => 0,
        }
    }

    /// `at` is where the bracket stands that closes it.
    fn close(&mut self, at: usize, text: &str) {
        let Some((mut node, _)) = self.open.pop() else { return };
        // A block ends where the last thing in it does.
        node.range.end = match &node.shape {
            Shape::Mapping { is_flow: false, entries } => entries.last().map_or(at, |entry| entry.end(text)),
            Shape::Sequence { is_flow: false, items } => items.last().map_or(at, |item| item.range.end),
            _ => at + 1,
        };
        self.put(node, None);
    }

    /// `name` is what it says as a key.
    fn put(&mut self, node: Node, name: Option<String>) {
        match self.open.last_mut() {
            None => self.root = Some(node).filter(|node| !matches!(node.shape, Shape::Nothing)),
            Some((Node { shape: Shape::Sequence { items, .. }, .. }, _)) => items.push(node),
            Some((Node { shape: Shape::Mapping { entries, .. }, .. }, key)) => match key.take() {
                Some((name, key)) => entries.push(Entry { name, key, value: node }),
                None => *key = Some((name.unwrap_or_default(), node.range)),
            },
            Some(_) => {}
        }
    }
}

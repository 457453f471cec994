//! Builds documents from the events of the YAML parser.
//!
//! A stack on the heap takes the place of recursion, and every node is paid for
//! before it is built, so that no input can exhaust stack, memory or time.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput};
use serde_json::{Map, Value};

use super::place::{Mark, Places, Position};
use super::scalar::{self, NotFinite, Tag};
use super::split::Chunk;
use super::syntax;
use super::{Budget, Document, Reading};
use crate::catalog::wire::Fault;

/// What the input has cost so far.
#[derive(Debug, Clone)]
pub(super) struct Meter<'b> {
    budget: &'b Budget,
    documents: usize,
    nodes: usize,
    aliases: usize,
    repeated_bytes: usize,
}

impl<'b> Meter<'b> {
    pub(super) fn new(budget: &'b Budget) -> Self {
        Self { budget, documents: 0, nodes: 0, aliases: 0, repeated_bytes: 0 }
    }
}

/// How the reading of a chunk ended.
pub(super) enum Outcome {
    /// Documents found, broken and empty ones included.
    Read(u32),
    /// Nothing more may be read of this input.
    OverBudget,
}

/// Reads the document of a chunk into `reading`.
pub(super) fn read_chunk(chunk: &Chunk<'_>, index: u32, meter: &mut Meter<'_>, reading: &mut Reading) -> Outcome {
    let text = match std::str::from_utf8(chunk.bytes) {
        Ok(text) => text,
        Err(error) => {
            reading.faults.push((index, not_utf8(chunk, error.valid_up_to())));
            return Outcome::Read(1);
        }
    };
    let before = (meter.clone(), reading.faults.len());
    let outcome = read_text(text, chunk, index, meter, reading);
    let surrogates =
        reading.faults[before.1..].iter().any(|(_, fault)| fault.message == syntax::explained("Unicode character").0);
    if surrogates && let Some(text) = join_surrogates(text) {
        *meter = before.0;
        reading.faults.truncate(before.1);
        return read_text(&text, chunk, index, meter, reading);
    }
    outcome
}

fn read_text(text: &str, chunk: &Chunk<'_>, index: u32, meter: &mut Meter<'_>, reading: &mut Reading) -> Outcome {
    let mut parser = Parser::new_from_str(text);
    let mut found = 0;
    loop {
        match next_document(&mut parser, chunk, meter) {
            Next::End => return Outcome::Read(found),
            Next::Empty => {}
            Next::Document { line, value, places } => {
                reading.documents.push(Document { index: index + found, line, value, places });
            }
            Next::Broken(faults) => {
                reading.faults.extend(faults.into_iter().map(|fault| (index + found, fault)));
            }
            Next::Stopped { mut faults, over_budget } => {
                reading.faults.extend(faults.drain(..).map(|fault| (index + found, fault)));
                return if over_budget { Outcome::OverBudget } else { Outcome::Read(found + 1) };
            }
        }
        found += 1;
    }
}

/// JSON writes a character beyond U+FFFF as two escapes, which the YAML parser
/// refuses; one long escape says the same. `None` when there is no such pair.
fn join_surrogates(text: &str) -> Option<String> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut joined = String::with_capacity(text.len());
    let (mut copied, mut from) = (0, 0);
    while let Some(at) = text[from..].find("\\u").map(|at| from + at) {
        from = at + 2;
        let (Some(high), Some(low)) = (unit(at), unit(at + 6)) else { continue };
        if let Some(Ok(character)) = char::decode_utf16([high, low]).next().filter(|_| (0xd800..0xdc00).contains(&high))
        {
            joined.push_str(&text[copied..at]);
            joined.push_str(&format!("\\U{:08x}", u32::from(character)));
            (copied, from) = (at + 12, at + 12);
        }
    }
    joined.push_str(&text[copied..]);
    (copied > 0).then_some(joined)
}

/// What became of one document.
enum Next {
    /// There is none.
    End,
    Empty,
    Document {
        line: u32,
        value: Value,
        places: Places,
    },
    /// It has faults, but the parser reached its end.
    Broken(Vec<Fault>),
    /// The parser cannot go on.
    Stopped {
        faults: Vec<Fault>,
        over_budget: bool,
    },
}

fn next_document<'t>(parser: &mut Parser<'t, StrInput<'t>>, chunk: &Chunk<'_>, meter: &mut Meter<'_>) -> Next {
    let mut builder = Builder::new(chunk, meter);
    loop {
        let (event, span) = match parser.next_event() {
            None | Some(Ok((Event::StreamEnd, _))) => return Next::End,
            Some(Ok(event)) => event,
            Some(Err(error)) => {
                let fault = builder.syntax(&error);
                builder.faults.push(fault);
                return Next::Stopped { faults: builder.faults, over_budget: false };
            }
        };
        let at = builder.position(span.start);
        let step = match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd => Ok(()),
            Event::DocumentStart(_) => builder.document(at),
            Event::DocumentEnd => return builder.finish(),
            Event::Alias(anchor) => builder.alias(anchor, at),
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix));
                builder.scalar(&text, tag_of(style, tag.as_deref()), anchor, at)
            }
            Event::SequenceStart(anchor, _) => builder.open(Container::Sequence(Vec::new()), anchor, at),
            Event::MappingStart(anchor, _) => {
                builder.open(Container::Mapping { map: Map::new(), key: None }, anchor, at)
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close(),
        };
        if let Err(Halt { fault, over_budget }) = step {
            builder.faults.push(*fault);
            return Next::Stopped { faults: builder.faults, over_budget };
        }
    }
}

/// Reading of this document, or of all, ends here.
struct Halt {
    fault: Box<Fault>,
    over_budget: bool,
}

enum Container {
    Sequence(Vec<Value>),
    /// `key` is the one whose value comes next.
    Mapping {
        map: Map<String, Value>,
        key: Option<(String, Position)>,
    },
}

struct Frame {
    container: Container,
    mark: usize,
    anchor: usize,
    nodes_before: usize,
    bytes_before: usize,
}

/// A value that aliases may repeat, and its price.
struct Anchored {
    value: Value,
    marks: Vec<Mark>,
    nodes: usize,
    bytes: usize,
}

struct Builder<'c, 'm, 'b> {
    chunk: &'c Chunk<'c>,
    meter: &'m mut Meter<'b>,
    stack: Vec<Frame>,
    marks: Vec<Mark>,
    anchors: HashMap<usize, Anchored>,
    root: Option<Value>,
    /// Bytes of the scalars read so far.
    bytes: usize,
    faults: Vec<Fault>,
}

impl<'c, 'm, 'b> Builder<'c, 'm, 'b> {
    fn new(chunk: &'c Chunk<'c>, meter: &'m mut Meter<'b>) -> Self {
        let (stack, marks, anchors, faults) = Default::default();
        Self { chunk, meter, stack, marks, anchors, root: None, bytes: 0, faults }
    }

    fn position(&self, marker: Marker) -> Position {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        // An empty input has no line yet.
        (self.chunk.line.saturating_add(number(marker.line().max(1))), number(marker.col()).saturating_add(1))
    }

    /// The position of a marker, or the end of the last line where the text is over.
    fn shown(&self, marker: Marker) -> Position {
        let (line, column) = self.position(marker);
        let text = std::str::from_utf8(self.chunk.bytes).unwrap_or_default();
        let lines = self.chunk.line.saturating_add(u32::try_from(text.lines().count().max(1)).unwrap_or(u32::MAX));
        match text.lines().last() {
            Some(last) if line > lines => {
                (lines, u32::try_from(last.chars().count()).unwrap_or(u32::MAX).saturating_add(1))
            }
            _ => (line, column),
        }
    }

    fn document(&mut self, at: Position) -> Result<(), Halt> {
        self.meter.documents += 1;
        let limit = self.meter.budget.documents;
        if self.meter.documents > limit {
            let message = format!("the file has more than {limit} documents; this and later ones are not read");
            return Err(self.over_budget("too_many_documents", at, message, "split the file"));
        }
        Ok(())
    }

    fn open(&mut self, container: Container, anchor: usize, at: Position) -> Result<(), Halt> {
        if self.expects_key() {
            let message = "a list or mapping cannot be a key".to_owned();
            let fault = self.fault("complex_key", at, message, Some("quote text that starts with `{` or `[`"));
            return Err(Halt { fault: Box::new(fault), over_budget: false });
        }
        let limit = self.meter.budget.depth;
        if self.stack.len() >= limit {
            let fault = self.fault("too_deep", at, format!("more than {limit} levels of nesting"), None);
            return Err(Halt { fault: Box::new(fault), over_budget: false });
        }
        let (nodes_before, bytes_before) = (self.meter.nodes, self.bytes);
        self.pay(1, at)?;
        let mark = self.mark(at);
        self.stack.push(Frame { container, mark, anchor, nodes_before, bytes_before });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Halt> {
        let Some(Frame { container, mark, anchor, nodes_before, bytes_before }) = self.stack.pop() else {
            return Ok(());
        };
        self.marks[mark].size = u32::try_from(self.marks.len() - mark).unwrap_or(u32::MAX);
        let value = match container {
            Container::Sequence(items) => Value::Array(items),
            Container::Mapping { map, .. } => Value::Object(map),
        };
        if anchor != 0 {
            let (nodes, bytes) = (self.meter.nodes - nodes_before, self.bytes - bytes_before);
            // The copy that aliases will be made from is a cost too: anchors
            // inside anchors would copy the same nodes again and again.
            self.pay(nodes, self.marks[mark].value)?;
            let marks = self.marks[mark..].to_vec();
            self.anchors.insert(anchor, Anchored { value: value.clone(), marks, nodes, bytes });
        }
        self.put(value);
        Ok(())
    }

    fn scalar(&mut self, text: &str, tag: Tag<'_>, anchor: usize, at: Position) -> Result<(), Halt> {
        self.pay(1, at)?;
        self.bytes += text.len();
        let value = match scalar::resolve(text, tag, self.chunk.old_schema) {
            Ok(value) => value,
            Err(NotFinite) => {
                let message = format!("the number `{text}` cannot be represented in JSON");
                let fault = self.fault("number_not_finite", at, message, Some("quote it to make it text"));
                self.faults.push(fault);
                Value::Null
            }
        };
        if self.expects_key() {
            if anchor != 0 {
                let mark = Mark { key: at, value: at, size: 1 };
                let anchored = Anchored { value: value.clone(), marks: vec![mark], nodes: 1, bytes: text.len() };
                self.anchors.insert(anchor, anchored);
            }
            self.key(value, at);
            return Ok(());
        }
        // A value that is not written has the place of its key.
        let at = if text.is_empty() && tag == Tag::Plain { self.pending_key().unwrap_or(at) } else { at };
        let mark = self.mark(at);
        if anchor != 0 {
            let marks = self.marks[mark..].to_vec();
            let anchored = Anchored { value: value.clone(), marks, nodes: 1, bytes: text.len() };
            self.anchors.insert(anchor, anchored);
        }
        self.put(value);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<(), Halt> {
        self.meter.aliases += 1;
        let limit = self.meter.budget.aliases;
        if self.meter.aliases > limit {
            let message = format!("the file uses more than {limit} aliases; this and later documents are not read");
            return Err(self.over_budget("too_many_aliases", at, message, "write the repeated part out"));
        }
        let Some(Anchored { nodes, bytes, .. }) = self.anchors.get(&anchor) else {
            let message = "an alias cannot stand inside the value that it repeats".to_owned();
            let fault = self.fault("recursive_alias", at, message, None);
            return Err(Halt { fault: Box::new(fault), over_budget: false });
        };
        let (nodes, bytes) = (*nodes, *bytes);
        self.pay(nodes, at)?;
        self.bytes += bytes;
        self.meter.repeated_bytes += bytes;
        let limit = self.meter.budget.bytes;
        if self.meter.repeated_bytes > limit {
            let message = format!("aliases repeat more than {limit} bytes; this and later documents are not read");
            return Err(self.over_budget("too_large", at, message, "write less, or split the file"));
        }
        let Some(Anchored { value, marks, .. }) = self.anchors.get(&anchor) else { return Ok(()) };
        if self.expects_key() {
            if value.is_object() || value.is_array() {
                let message = "a list or mapping cannot be a key".to_owned();
                let fault = self.fault("complex_key", at, message, None);
                return Err(Halt { fault: Box::new(fault), over_budget: false });
            }
            let value = value.clone();
            self.key(value, at);
            return Ok(());
        }
        if self.stack.len() + depth(value) > self.meter.budget.depth {
            let message = format!("more than {} levels of nesting", self.meter.budget.depth);
            let fault = self.fault("too_deep", at, message, None);
            return Err(Halt { fault: Box::new(fault), over_budget: false });
        }
        let (value, marks) = (value.clone(), marks.clone());
        let mark = self.mark(at);
        self.marks.extend_from_slice(&marks[1..]);
        self.marks[mark].size = marks[0].size;
        self.put(value);
        Ok(())
    }

    fn finish(self) -> Next {
        if !self.faults.is_empty() {
            return Next::Broken(self.faults);
        }
        match self.root {
            None | Some(Value::Null) => Next::Empty,
            Some(value) => {
                let line = self.marks.first().map_or(1, |mark| mark.value.0);
                Next::Document { line, value, places: Places(self.marks) }
            }
        }
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { container: Container::Mapping { key: None, .. }, .. }))
    }

    fn pending_key(&self) -> Option<Position> {
        match self.stack.last()? {
            Frame { container: Container::Mapping { key: Some((_, at)), .. }, .. } => Some(*at),
            _ => None,
        }
    }

    fn key(&mut self, value: Value, at: Position) {
        let name = match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let pointer = self.pointer();
        let Some(Frame { container: Container::Mapping { map, key }, .. }) = self.stack.last_mut() else { return };
        if map.contains_key(&name) {
            let message = format!("the key `{name}` is there twice");
            let pointer = format!("{pointer}/{}", escape(&name));
            let (line, column) = at;
            let (rule, hint) = ("duplicate_key".to_owned(), Some("remove or rename one of the two".to_owned()));
            self.faults.push(Fault { line, column, pointer, rule, message, hint });
        }
        *key = Some((name, at));
    }

    /// A new mark, for the value that comes next.
    fn mark(&mut self, at: Position) -> usize {
        let key = self.pending_key().unwrap_or(at);
        self.marks.push(Mark { key, value: at, size: 1 });
        self.marks.len() - 1
    }

    fn put(&mut self, value: Value) {
        match self.stack.last_mut().map(|frame| &mut frame.container) {
            None => self.root = Some(value),
            Some(Container::Sequence(items)) => items.push(value),
            Some(Container::Mapping { map, key }) => {
                if let Some((name, _)) = key.take() {
                    map.insert(name, value);
                }
            }
        }
    }

    fn pay(&mut self, nodes: usize, at: Position) -> Result<(), Halt> {
        self.meter.nodes = self.meter.nodes.saturating_add(nodes);
        let limit = self.meter.budget.nodes;
        if self.meter.nodes <= limit {
            return Ok(());
        }
        let message = format!(
            "the file has more than {limit} values, aliases written out; this and later documents are not read"
        );
        Err(self.over_budget("too_many_nodes", at, message, "split the file"))
    }

    fn over_budget(&self, rule: &str, at: Position, message: String, hint: &str) -> Halt {
        Halt { fault: Box::new(self.fault(rule, at, message, Some(hint))), over_budget: true }
    }

    fn syntax(&self, error: &ScanError) -> Fault {
        let at = self.shown(*error.marker());
        let info = error.info();
        if info.contains("recursion limit") {
            return self.fault(
                "too_deep",
                at,
                format!("more than {} levels of nesting", self.meter.budget.depth),
                None,
            );
        }
        let tab = self.line_of(error.marker()).trim_start_matches(' ').starts_with('\t');
        // The parser sees a tab as the start of something else at times.
        let block = ["block", "key", "indentation"].iter().any(|part| info.contains(part));
        let (message, hint) = syntax::explained(if tab && block { "tab" } else { info });
        self.fault("yaml_syntax", at, message, hint)
    }

    fn line_of(&self, marker: &Marker) -> &str {
        let text = std::str::from_utf8(self.chunk.bytes).unwrap_or_default();
        text.lines().nth(marker.line().saturating_sub(1)).unwrap_or_default()
    }

    fn fault(&self, rule: &str, (line, column): Position, message: String, hint: Option<&str>) -> Fault {
        let (rule, hint) = (rule.to_owned(), hint.map(str::to_owned));
        Fault { line, column, pointer: self.pointer(), rule, message, hint }
    }

    /// Where in the document the reader stands.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for Frame { container, .. } in &self.stack {
            match container {
                Container::Sequence(items) => pointer.push_str(&format!("/{}", items.len())),
                Container::Mapping { key: Some((name, _)), .. } => pointer.push_str(&format!("/{}", escape(name))),
                Container::Mapping { key: None, .. } => {}
            }
        }
        pointer
    }
}

pub(super) fn tag_of(style: ScalarStyle, tag: Option<&str>) -> Tag<'_> {
    match tag {
        Some(tag) => match tag.strip_prefix("tag:yaml.org,2002:") {
            Some(name) => Tag::Core(name),
            None => Tag::Text,
        },
        None if style == ScalarStyle::Plain => Tag::Plain,
        None => Tag::Text,
    }
}

/// One part of a JSON pointer.
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Levels of containers in a value, which the budget has bounded.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn not_utf8(chunk: &Chunk<'_>, valid: usize) -> Fault {
    let before = String::from_utf8_lossy(&chunk.bytes[..valid]);
    let line = before.replace("\r\n", "\n").replace('\r', "\n");
    let (breaks, last) = (line.matches('\n').count(), line.rsplit('\n').next().unwrap_or_default());
    Fault {
        line: chunk.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX)).saturating_add(1),
        column: u32::try_from(last.chars().count()).unwrap_or(u32::MAX).saturating_add(1),
        pointer: String::new(),
        rule: "invalid_utf8".to_owned(),
        message: "the text is not UTF-8 here".to_owned(),
        hint: Some("save the file as UTF-8".to_owned()),
    }
}

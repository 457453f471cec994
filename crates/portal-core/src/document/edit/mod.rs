//! Changes a document where it stands: what is not changed keeps every byte of its text,
//! comments, order, quotes and other documents included.
//!
//! One small change at a time is made to the text until it says what is wanted. At the end
//! the whole input is read again, so that a change that would mean something else than what
//! was asked for is refused and never made.

#[cfg(test)]
mod tests;
mod tree;

use std::ops::Range;

use saphyr_parser::ScalarStyle;
use serde_json::{Map, Value, json};

use super::{Budget, read, split};
use crate::yaml;
use tree::{Entry, Node, Shape};

/// Changes to one document, at most.
const CHANGES: usize = 1_000;

/// Why a document cannot be changed where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uneditable {
    #[error("there is no document {0} in it")]
    Absent(u32),
    #[error("line {line}: {message}")]
    Broken { line: u32, message: String },
    /// Anchors that others use, keys that are written in an unusual way.
    #[error("it is written in a way that cannot be changed without changing more; change it by hand")]
    Unusual,
}

/// The text in which document `index` says `wanted`, and all else is as it was.
///
/// # Errors
/// The document is not there, is broken, or cannot be changed alone.
pub fn edit(text: &str, index: u32, wanted: &Value) -> Result<String, Uneditable> {
    let budget = Budget::default();
    let before = read(text.as_bytes(), &budget);
    if let Some((_, fault)) = before.faults.iter().find(|(at, _)| *at == index) {
        return Err(Uneditable::Broken { line: fault.line, message: fault.message.clone() });
    }
    let current = before.documents.iter().find(|document| document.index == index);
    let mut current = current.ok_or(Uneditable::Absent(index))?.value.clone();
    let (chunk, within) = find(text, index).ok_or(Uneditable::Unusual)?;
    let mut part = text[chunk.clone()].to_owned();
    for _ in 0..CHANGES {
        if current == *wanted {
            break;
        }
        let documents = tree::read(&part).ok_or(Uneditable::Unusual)?;
        let root = documents.into_iter().nth(within).flatten().ok_or(Uneditable::Unusual)?;
        let writer = Writer::new(&part, &root);
        let changes = writer.next(&root, &current, wanted).ok_or(Uneditable::Unusual)?;
        part = applied(&part, changes).ok_or(Uneditable::Unusual)?;
        let read = read(part.as_bytes(), &budget).documents.into_iter();
        let found = read.into_iter().find(|document| document.index as usize == within);
        current = found.ok_or(Uneditable::Unusual)?.value;
    }
    let edited = format!("{}{part}{}", &text[..chunk.start], &text[chunk.end..]);
    let after = read(edited.as_bytes(), &budget);
    let is_good = after.faults.len() == before.faults.len()
        && after.documents.len() == before.documents.len()
        && before.documents.iter().zip(&after.documents).all(|(before, after)| {
            let meant = if before.index == index { wanted } else { &before.value };
            before.index == after.index && after.value == *meant
        });
    if is_good { Ok(edited) } else { Err(Uneditable::Unusual) }
}

/// The part of the text that holds a document, and which of its documents it is.
fn find(text: &str, index: u32) -> Option<(Range<usize>, usize)> {
    let bom = '\u{feff}';
    let (mut start, mut seen) = (if text.starts_with(bom) { bom.len_utf8() } else { 0 }, 0);
    for chunk in split::documents(text.as_bytes()) {
        let range = start..start + chunk.bytes.len();
        // What cannot be read counts as one.
        let count = tree::read(&text[range.clone()]).map_or(1, |documents| documents.len());
        let wanted = usize::try_from(index).ok()?;
        if wanted < seen + count {
            return Some((range, wanted - seen));
        }
        (start, seen) = (range.end, seen + count);
    }
    None
}

/// A range of the text, and what takes its place.
type Change = (Range<usize>, String);

/// The text with all changes made; nothing where they overlap.
fn applied(text: &str, mut changes: Vec<Change>) -> Option<String> {
    changes.sort_by_key(|(range, _)| (range.start, range.end));
    let (mut edited, mut done) = (String::with_capacity(text.len() + 256), 0);
    for (range, new) in changes {
        edited.push_str(text.get(done..range.start)?);
        edited.push_str(&new);
        done = range.end;
    }
    edited.push_str(text.get(done..)?);
    Some(edited)
}

/// What writes into one text.
struct Writer<'t> {
    text: &'t str,
    line_break: &'static str,
    /// The document is in braces, as JSON is: what is new is written as JSON.
    is_json: bool,
}

impl<'t> Writer<'t> {
    fn new(text: &'t str, root: &Node) -> Self {
        let is_json = matches!(root.shape, Shape::Mapping { is_flow: true, .. });
        Self { text, line_break: if text.contains("\r\n") { "\r\n" } else { "\n" }, is_json }
    }

    /// The first change that brings a mapping nearer to what is wanted: what is new comes
    /// before what goes, so that nothing is empty in between.
    fn next(&self, node: &Node, current: &Value, wanted: &Value) -> Option<Vec<Change>> {
        let (Value::Object(current), Value::Object(wanted)) = (current, wanted) else { return None };
        let Shape::Mapping { is_flow, entries } = &node.shape else { return None };
        let is_flow = *is_flow;
        let entry = |name: &str| entries.iter().find(|entry| entry.name == name);
        for (name, new) in wanted {
            match current.get(name) {
                None => return self.insert(is_flow, entries, name, new),
                Some(old) if old != new => return self.change(is_flow, entry(name)?, old, new),
                Some(_) => {}
            }
        }
        let at = entries.iter().position(|entry| !wanted.contains_key(&entry.name))?;
        self.remove(is_flow, entries, at)
    }

    /// Another value under a key.
    fn change(&self, is_flow: bool, entry: &Entry, old: &Value, new: &Value) -> Option<Vec<Change>> {
        let is_full = |map: &Map<String, Value>| !map.is_empty();
        match (&entry.value.shape, old, new) {
            (Shape::Mapping { .. }, Value::Object(before), Value::Object(after))
                if is_full(before) && is_full(after) =>
            {
                self.next(&entry.value, old, new)
            }
            (Shape::Sequence { is_flow: false, items }, Value::Array(before), Value::Array(after)) => {
                match self.items(items, before, after) {
                    Some(changes) => Some(changes),
                    None => self.replace(entry, new),
                }
            }
            (Shape::Sequence { is_flow: true, items }, _, Value::Array(_)) if !items.is_empty() => {
                Some(vec![(entry.value.range.clone(), self.in_flow(&entry.value, new))])
            }
            _ if is_flow => {
                let (new, range) = (self.in_flow(&entry.value, new), entry.value.range.clone());
                match entry.value.shape {
                    Shape::Nothing => Some(vec![(entry.colon(self.text).map(|at| at..at)?, format!(" {new}"))]),
                    _ => Some(vec![(range, new)]),
                }
            }
            _ => self.replace(entry, new),
        }
    }

    /// Items that go and items that follow; nothing where others stay in another order.
    fn items(&self, items: &[Node], before: &[Value], after: &[Value]) -> Option<Vec<Change>> {
        let mut kept = 0;
        let mut gone = Vec::new();
        for (node, value) in items.iter().zip(before) {
            match after.get(kept) == Some(value) {
                true => kept += 1,
                false => gone.push(node),
            }
        }
        let (first, last) = (items.first()?, items.last()?);
        if kept == 0 || items.len() != before.len() {
            return None;
        }
        let mut changes = Vec::new();
        for node in gone {
            let start = self.line_start(node.range.start);
            let is_alone = self.text[start..node.range.start].trim() == "-";
            is_alone.then(|| changes.push((start..self.line_end(node.range.end), String::new())))?;
        }
        if kept < after.len() {
            let start = self.line_start(first.range.start);
            let dash = self.text[start..first.range.start].find('-')?;
            let written = yaml::to_yaml(&after[kept..].to_vec().into());
            changes.push(self.lines_after(last.range.end, &written, dash));
        }
        Some(changes)
    }

    /// Another value under a key of a block.
    fn replace(&self, entry: &Entry, new: &Value) -> Option<Vec<Change>> {
        let colon = entry.colon(self.text)?;
        let column = self.column(entry.key.start);
        let Node { range, shape } = &entry.value;
        let written = yaml::to_yaml(&json!({ "k": new }));
        let (head, body) = written.trim_end_matches('\n').split_once('\n').unwrap_or((written.trim_end(), ""));
        let head = head.strip_prefix("k:")?.trim_start();
        let is_inline = body.is_empty();
        let quoted = match (shape, new) {
            (Shape::Scalar(ScalarStyle::DoubleQuoted), Value::String(_)) if is_inline => Some(new.to_string()),
            (Shape::Scalar(ScalarStyle::SingleQuoted), Value::String(text))
                if is_inline && !text.chars().any(char::is_control) =>
            {
                Some(format!("'{}'", text.replace('\'', "''")))
            }
            _ => None,
        };
        let head = quoted.unwrap_or_else(|| head.to_owned());
        let spaced = if head.is_empty() { String::new() } else { format!(" {head}") };
        if matches!(shape, Shape::Nothing) {
            let mut changes = vec![(colon..colon, spaced)];
            if !is_inline {
                changes.push(self.lines_after(colon, body, column));
            }
            return Some(changes);
        }
        if !self.text[colon..range.start].contains('\n') {
            // Beside its key.
            let first = if is_inline { (range.clone(), head) } else { (colon..range.end, spaced) };
            let mut changes = vec![first];
            if !is_inline {
                changes.push(self.lines_after(range.end, body, column));
            }
            return Some(changes);
        }
        // In lines of its own.
        let lines = self.line_start(range.start)..self.line_end(range.end);
        let body = if is_inline { String::new() } else { self.indented(body, column) };
        Some(vec![(colon..colon, spaced), (lines, body)])
    }

    /// A new key, after the others.
    fn insert(&self, is_flow: bool, entries: &[Entry], name: &str, new: &Value) -> Option<Vec<Change>> {
        let last = entries.last()?;
        let end = last.end(self.text);
        if !is_flow {
            let written = yaml::to_yaml(&json!({ name: new }));
            return Some(vec![self.lines_after(end, &written, self.column(last.key.start))]);
        }
        let indent = &self.text[self.line_start(last.key.start)..last.key.start];
        let key = Value::from(name);
        let added = if indent.trim().is_empty() {
            let (line_break, value) = (self.line_break, self.pretty(new, indent));
            format!(",{line_break}{indent}{key}: {value}")
        } else {
            format!(", {key}: {new}")
        };
        Some(vec![(end..end, added)])
    }

    fn remove(&self, is_flow: bool, entries: &[Entry], at: usize) -> Option<Vec<Change>> {
        let entry = &entries[at];
        let end = entry.end(self.text);
        let range = match (is_flow, entries.get(at + 1)) {
            (false, _) => {
                let start = self.line_start(entry.key.start);
                // The key beside a dash belongs to its item.
                self.text[start..entry.key.start].trim().is_empty().then_some(start..self.line_end(end))?
            }
            (true, Some(next)) => entry.key.start..next.key.start,
            (true, None) => entries.get(at.checked_sub(1)?)?.end(self.text)..end,
        };
        Some(vec![(range, String::new())])
    }

    /// A value in braces, as its neighbours are written.
    fn in_flow(&self, old: &Node, new: &Value) -> String {
        let spans_lines = self.text[old.range.clone()].contains('\n');
        if spans_lines && (new.is_array() || new.is_object()) {
            let start = self.line_start(old.range.start);
            let line = &self.text[start..];
            return self.pretty(new, &line[..line.len() - line.trim_start().len()]);
        }
        match (&old.shape, new) {
            (Shape::Sequence { .. }, Value::Array(items)) if !self.is_json => in_brackets(items),
            _ => new.to_string(),
        }
    }

    /// JSON in lines, as deep as what is around it.
    fn pretty(&self, new: &Value, indent: &str) -> String {
        let text = serde_json::to_string_pretty(new).unwrap_or_default();
        text.replace('\n', &format!("{}{indent}", self.line_break))
    }

    /// Lines that follow the one in which something ends.
    fn lines_after(&self, end: usize, written: &str, column: usize) -> Change {
        let at = self.line_end(end);
        let lines = self.indented(written, column);
        if self.text[..at].ends_with('\n') {
            return (at..at, lines);
        }
        // The last line of the text has no line break, and keeps none.
        (at..at, format!("{}{}", self.line_break, lines.trim_end_matches(['\r', '\n'])))
    }

    fn indented(&self, written: &str, column: usize) -> String {
        let indent = " ".repeat(column);
        let line = |line: &str| match line {
            "" => self.line_break.to_owned(),
            line => format!("{indent}{line}{}", self.line_break),
        };
        written.split_terminator('\n').map(line).collect()
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |found| found + 1)
    }

    /// After the line break.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |found| at + found + 1)
    }

    fn column(&self, at: usize) -> usize {
        self.text[self.line_start(at)..at].chars().count()
    }
}

/// A list in one line, its words without quotes.
fn in_brackets(items: &[Value]) -> String {
    let is_word = |text: &str| {
        text.starts_with(|sign: char| sign.is_ascii_alphabetic())
            && text.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_./+".contains(sign))
            && yaml::is_plain(text)
    };
    let one = |item: &Value| item.as_str().filter(|text| is_word(text)).map_or_else(|| item.to_string(), str::to_owned);
    format!("[{}]", items.iter().map(one).collect::<Vec<_>>().join(", "))
}

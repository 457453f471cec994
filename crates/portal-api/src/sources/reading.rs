//! From the bytes of a file to a verdict on each of its documents. Pure and
//! heavy: it runs off the async threads.

use std::collections::HashMap;

use axum::body::Bytes;
use portal_core::catalog::Entity;
use portal_core::catalog::kinds::KindRegistry;
use portal_core::catalog::placeholders::{self, Placeholder};
use portal_core::catalog::validate::validate;
use portal_core::catalog::wire::Fault;
use portal_core::document::{self, Budget, Document, Spot};
use portal_core::sources::wire::ExcerptLine;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Bytes of a descriptor with faults that are kept.
const DRAFT: usize = 64 * 1024;
/// Faults kept of one document.
const FAULTS: usize = 20;
/// Characters of a line in an excerpt.
const EXCERPT_WIDTH: usize = 240;
/// Bytes of a descriptor without its API definition, and of the definition.
const ENTITY_LIMIT: usize = 256 << 10;
const DEFINITION_LIMIT: usize = 5 << 20;
/// References in one descriptor.
const RELATION_LIMIT: usize = 20_000;

/// A fault as it is stored: with the lines it points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFault {
    #[serde(flatten)]
    pub fault: Fault,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excerpt: Vec<ExcerptLine>,
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// In the catalog.
    Ok,
    /// Broken; its last good version stays.
    Invalid,
    /// The file could not be read; what it declared stays.
    Unreadable,
    /// Valid, but another document holds its reference.
    Conflict,
    /// Valid, but the source may not declare it.
    Refused,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Invalid => "invalid",
            Self::Unreadable => "unreadable",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
        }
    }
}

/// One target of a `Location`, as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationTarget {
    pub target: String,
    /// `presence: optional`: nothing there is fine.
    #[serde(default)]
    pub optional: bool,
    /// Line of the target, from 1.
    pub line: u32,
}

/// A file whose placeholders are still open.
pub struct Parsed {
    bytes: Bytes,
    pub documents: Vec<ParsedDocument>,
    broken: Vec<(u32, Fault)>,
}

pub struct ParsedDocument {
    document: Document,
    pub placeholders: Vec<Placeholder>,
}

/// What fills a placeholder: a value, or why there is none.
pub type Contents = HashMap<(u32, String), Result<Value, String>>;

/// The verdict on a document.
pub struct Judged {
    pub index: u32,
    pub line: u32,
    /// Line and column of `metadata.name`.
    pub name_at: (u32, u32),
    pub entity_ref: Option<String>,
    pub status: Status,
    pub faults: Vec<RecordedFault>,
    /// The descriptor, when the status is [`Status::Ok`].
    pub entity: Option<Entity>,
    /// What could be read, when it is not: policies judge by it who may know of the faults.
    pub draft: Option<Value>,
    pub targets: Vec<LocationTarget>,
}

impl ParsedDocument {
    pub fn index(&self) -> u32 {
        self.document.index
    }
}

/// Reads the documents of a file and finds their placeholders.
pub fn parse(bytes: Bytes) -> Parsed {
    let reading = document::read(&bytes, &Budget::default());
    let documents = reading
        .documents
        .into_iter()
        .map(|document| ParsedDocument { placeholders: placeholders::find(&document.value), document })
        .collect();
    Parsed { bytes, documents, broken: reading.faults }
}

/// Fills placeholders in and judges each document.
pub fn judge(parsed: Parsed, mut contents: Contents, kinds: &KindRegistry, trusted: bool) -> Vec<Judged> {
    let Parsed { bytes, documents, broken } = parsed;
    let lines = Lines::new(&bytes);
    let mut judged: Vec<Judged> =
        documents.into_iter().map(|document| judge_one(document, &mut contents, kinds, trusted, &lines)).collect();
    for (index, fault) in broken {
        let recorded = lines.record(fault);
        match judged.iter_mut().find(|document| document.index == index) {
            Some(document) => {
                document.status = Status::Invalid;
                document.draft = document.draft.take().or(document.entity.take().and_then(as_draft));
                document.targets.clear();
                document.faults.push(recorded);
            }
            None => judged.push(Judged {
                index,
                line: recorded.fault.line,
                name_at: (recorded.fault.line, recorded.fault.column),
                entity_ref: None,
                status: Status::Invalid,
                faults: vec![recorded],
                entity: None,
                draft: None,
                targets: Vec::new(),
            }),
        }
    }
    judged.sort_by_key(|document| document.index);
    judged
}

fn judge_one(
    parsed: ParsedDocument,
    contents: &mut Contents,
    kinds: &KindRegistry,
    trusted: bool,
    lines: &Lines<'_>,
) -> Judged {
    let ParsedDocument { document, placeholders } = parsed;
    // Places are found in the value as it was written, before anything is filled in.
    let mut value = document.value.clone();
    let place = |pointer: &str, spot: Spot| document.place(pointer, spot);
    let fault = |pointer: &str, rule: &str, message: String, hint: Option<&str>| {
        let (line, column) = place(pointer, Spot::Value);
        let (pointer, rule) = (pointer.to_owned(), rule.to_owned());
        Fault { line, column, pointer, rule, message, hint: hint.map(str::to_owned) }
    };
    let mut faults = Vec::new();
    for Placeholder { pointer, key, target, .. } in placeholders {
        match contents.remove(&(document.index, pointer.clone())) {
            Some(Ok(content)) => {
                placeholders::substitute(&mut value, &pointer, content);
            }
            Some(Err(reason)) => {
                faults.push(fault(&pointer, "placeholder", format!("`{key}: {target}`: {reason}"), None))
            }
            None => faults.push(fault(&pointer, "placeholder", format!("`{key}: {target}` was not read"), None)),
        }
    }
    if faults.is_empty() {
        faults = validate(&value, kinds, &place);
    }
    let entity = Entity(value);
    let entity_ref = entity
        .entity_ref()
        .map(|entity_ref| entity_ref.to_string())
        .filter(|text| text.len() <= 255 && !text.contains('\0'));
    if faults.is_empty() {
        if entity_ref.is_none() {
            faults.push(fault("/metadata/name", "reference", "kind, namespace and name are too long".to_owned(), None));
        }
        faults.extend(over_budget(&entity).map(|(pointer, message)| fault(pointer, "budget", message, None)));
    }
    let mut status = if faults.is_empty() { Status::Ok } else { Status::Invalid };
    if let Some((pointer, rule, message)) = forbidden(&entity).filter(|_| status == Status::Ok && !trusted) {
        let hint = Some("an administrator can mark the source as trusted");
        faults.push(fault(&pointer, rule, message, hint));
        status = Status::Refused;
    }
    let targets = if status == Status::Ok { location_targets(&entity, &place) } else { Vec::new() };
    let more = faults.len().saturating_sub(FAULTS);
    faults.truncate(FAULTS);
    if let Some(last) = faults.last_mut().filter(|_| more > 0) {
        last.message.push_str(&format!(" (and {more} more faults)"));
    }
    let (entity, draft) = match status {
        Status::Ok => (Some(entity), None),
        _ => (None, as_draft(entity)),
    };
    Judged {
        index: document.index,
        line: document.line,
        name_at: document.position("/metadata/name"),
        entity_ref,
        status,
        faults: faults.into_iter().map(|fault| lines.record(fault)).collect(),
        entity,
        draft,
        targets,
    }
}

/// A descriptor without its definition; nothing where it is too long even so.
fn as_draft(entity: Entity) -> Option<Value> {
    let Entity(mut draft) = entity;
    if let Some(spec) = draft.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("definition");
    }
    (draft.to_string().len() <= DRAFT).then_some(draft)
}

/// What only a trusted source may declare.
fn forbidden(entity: &Entity) -> Option<(String, &'static str, String)> {
    let kind = entity.kind()?;
    if kind.eq_ignore_ascii_case("User") || kind.eq_ignore_ascii_case("Group") {
        let message = format!("`{kind}` is only taken from trusted sources, because ownership and sign-in build on it");
        return Some(("/kind".to_owned(), "untrusted_kind", message));
    }
    let annotations = entity.metadata()?.get("annotations")?.as_object()?;
    let own = annotations.keys().find(|key| key.to_ascii_lowercase().starts_with("portal/"))?;
    let pointer = format!("/metadata/annotations/{}", own.replace('~', "~0").replace('/', "~1"));
    Some((pointer, "untrusted_annotation", format!("the annotation `{own}` is only taken from trusted sources")))
}

fn over_budget(entity: &Entity) -> Option<(&'static str, String)> {
    let definition = entity.spec_str("definition").map_or(0, str::len);
    if definition > DEFINITION_LIMIT {
        return Some(("/spec/definition", format!("the definition is larger than {} MiB", DEFINITION_LIMIT >> 20)));
    }
    if weight(&entity.0).saturating_sub(definition) > ENTITY_LIMIT {
        return Some(("", format!("the descriptor is larger than {} KiB", ENTITY_LIMIT >> 10)));
    }
    let references: usize =
        entity.spec().into_iter().flat_map(|spec| spec.values()).filter_map(Value::as_array).map(Vec::len).sum();
    (references > RELATION_LIMIT)
        .then(|| ("/spec", format!("the descriptor has more than {RELATION_LIMIT} references")))
}

/// About the bytes of a value as JSON.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(weight).sum::<usize>() + 2,
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + 4 + weight(value)).sum::<usize>() + 2,
        _ => 5,
    }
}

/// The targets of a `Location`; `place` answers where in the file they stand.
pub fn location_targets(entity: &Entity, place: &dyn Fn(&str, Spot) -> (u32, u32)) -> Vec<LocationTarget> {
    if !entity.kind().is_some_and(|kind| kind.eq_ignore_ascii_case("Location")) {
        return Vec::new();
    }
    let optional = entity.spec_str("presence") == Some("optional");
    let target = |target: &str, pointer: &str| LocationTarget {
        target: target.to_owned(),
        optional,
        line: place(pointer, Spot::Value).0,
    };
    let mut targets: Vec<_> = entity.spec_str("target").map(|text| target(text, "/spec/target")).into_iter().collect();
    let listed = entity.spec().and_then(|spec| spec.get("targets")).and_then(Value::as_array);
    for (index, text) in listed.into_iter().flatten().enumerate() {
        targets.extend(text.as_str().map(|text| target(text, &format!("/spec/targets/{index}"))));
    }
    targets
}

/// The lines of a file, for excerpts.
struct Lines<'a>(Vec<&'a [u8]>);

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.split(|byte| *byte == b'\n').collect())
    }

    /// A fault with its line and the neighbours of that.
    fn record(&self, fault: Fault) -> RecordedFault {
        let at = fault.line as usize;
        let first = at.saturating_sub(2);
        let excerpt = self.0.iter().skip(first).take(at + 1 - first).zip(first + 1..).map(shown).collect();
        RecordedFault { fault, excerpt }
    }
}

/// A line of a file with its neighbours.
pub fn excerpt(bytes: &[u8], line: u32) -> Vec<ExcerptLine> {
    let at = line as usize;
    let first = at.saturating_sub(2);
    bytes
        .split(|byte| *byte == b'\n')
        .skip(first)
        .take(at + 1 - first)
        .zip(first + 1..)
        .map(|(text, line)| shown((&text, line)))
        .collect()
}

fn shown((text, line): (&&[u8], usize)) -> ExcerptLine {
    let text = String::from_utf8_lossy(text);
    let text = text.trim_end().chars().take(EXCERPT_WIDTH).collect();
    ExcerptLine { line: u32::try_from(line).unwrap_or(u32::MAX), text }
}

//! What fills placeholders: files of the same repository, as text, as a value,
//! or as an API definition with the files it refers to put into it.

use std::collections::{BTreeMap, HashMap, HashSet};

use axum::body::Bytes;
use portal_core::catalog::placeholders::PlaceholderKind;
use portal_core::document::{self, Budget};
use serde_json::{Map, Value};

use super::places::{self, Ground};
use super::reading::{Contents, Parsed};

/// Bytes of a file that a placeholder names, at most.
pub const INCLUDE_LIMIT: usize = 5 << 20;
/// Files that one API definition may refer to.
const DEFINITION_FILES: usize = 100;

/// Reads files by name; the error says why not.
pub trait Files: Sync {
    fn file(&self, name: &str) -> impl Future<Output = Result<Bytes, String>> + Send;
}

/// Reads everything that the placeholders of a file need. Answers the contents,
/// and the names of the files that were asked for.
pub async fn fill(files: &impl Files, ground: &Ground, name: &str, parsed: &Parsed) -> (Contents, Vec<String>) {
    let mut contents = Contents::new();
    let mut asked = HashSet::new();
    for document in &parsed.documents {
        for placeholder in &document.placeholders {
            let content = one(files, ground, name, placeholder.kind, &placeholder.target, &mut asked).await;
            contents.insert((document.index(), placeholder.pointer.clone()), content);
        }
    }
    let mut asked: Vec<String> = asked.into_iter().collect();
    asked.sort();
    (contents, asked)
}

async fn one(
    files: &impl Files,
    ground: &Ground,
    base: &str,
    kind: PlaceholderKind,
    target: &str,
    asked: &mut HashSet<String>,
) -> Result<Value, String> {
    let file = place(ground, base, target)?;
    let bytes = read(files, &file, asked).await?;
    match kind {
        PlaceholderKind::Text => text(bytes).map(Value::String),
        PlaceholderKind::Json => serde_json::from_slice(&bytes).map_err(|error| format!("it is not JSON: {error}")),
        PlaceholderKind::Yaml => value(&bytes),
        PlaceholderKind::Definition => definition(files, ground, &file, bytes, asked).await.map(Value::String),
    }
}

fn place(ground: &Ground, base: &str, target: &str) -> Result<String, String> {
    let file = places::resolve(ground, base, target).map_err(|error| error.to_string())?;
    if !places::may_include(ground, base, &file) {
        return Err("it lies in another repository".to_owned());
    }
    Ok(file)
}

async fn read(files: &impl Files, file: &str, asked: &mut HashSet<String>) -> Result<Bytes, String> {
    asked.insert(file.to_owned());
    let bytes = files.file(file).await?;
    if bytes.len() > INCLUDE_LIMIT {
        return Err(format!("it is larger than {} MiB", INCLUDE_LIMIT >> 20));
    }
    Ok(bytes)
}

fn text(bytes: Bytes) -> Result<String, String> {
    let text = String::from_utf8(bytes.into()).map_err(|_| "it is not UTF-8 text".to_owned())?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn value(bytes: &[u8]) -> Result<Value, String> {
    let reading = document::read(bytes, &Budget::default());
    if let Some((_, fault)) = reading.faults.into_iter().next() {
        return Err(format!("line {}: {}", fault.line, fault.message));
    }
    let mut documents = reading.documents.into_iter();
    match (documents.next(), documents.next()) {
        (Some(document), None) => Ok(document.value),
        (None, _) => Err("it has no YAML document".to_owned()),
        _ => Err("it has more than one YAML document".to_owned()),
    }
}

/// An API definition as text. One that refers to no other file stays as its
/// author wrote it; else those files are put in its place, as JSON.
async fn definition(
    files: &impl Files,
    ground: &Ground,
    file: &str,
    bytes: Bytes,
    asked: &mut HashSet<String>,
) -> Result<String, String> {
    let root = value(&bytes)?;
    let mut loaded: HashMap<String, Value> = HashMap::new();
    let mut open = vec![(file.to_owned(), root)];
    while let Some((name, value)) = open.pop() {
        let mut targets = Vec::new();
        references(&value, &mut targets);
        loaded.insert(name.clone(), value);
        for target in targets {
            let next = place(ground, &name, &target).map_err(|error| format!("`$ref: {target}`: {error}"))?;
            if loaded.contains_key(&next) || open.iter().any(|(name, _)| *name == next) {
                continue;
            }
            if loaded.len() + open.len() >= DEFINITION_FILES {
                return Err(format!("it refers to more than {DEFINITION_FILES} files"));
            }
            let bytes = read(files, &next, asked).await.map_err(|error| format!("`$ref: {target}`: {error}"))?;
            open.push((next, self::value(&bytes).map_err(|error| format!("`$ref: {target}`: {error}"))?));
        }
    }
    if loaded.len() == 1 {
        return text(bytes);
    }
    let bundled = Bundle { ground, loaded: &loaded, budget: std::cell::Cell::new(200_000) }.bundle(file)?;
    serde_json::to_string_pretty(&bundled).map_err(|error| error.to_string())
}

/// The files that `$ref`s of a value name.
fn references(value: &Value, targets: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(target) = map.get("$ref").and_then(Value::as_str) {
                let file = target.split('#').next().unwrap_or_default();
                if !file.is_empty() {
                    targets.push(file.to_owned());
                }
            }
            map.values().for_each(|value| references(value, targets));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, targets)),
        _ => {}
    }
}

struct Bundle<'a> {
    ground: &'a Ground,
    loaded: &'a HashMap<String, Value>,
    /// Values that may still be copied.
    budget: std::cell::Cell<usize>,
}

impl Bundle<'_> {
    fn bundle(&self, root: &str) -> Result<Value, String> {
        let value = self.loaded.get(root).cloned().unwrap_or_default();
        self.fill(&value, root, root, &mut Vec::new())
    }

    /// Copies `value` of `file`, with the targets of `$ref`s to other files in
    /// their place. `open` holds the references being filled, to end cycles.
    fn fill(&self, value: &Value, file: &str, root: &str, open: &mut Vec<(String, String)>) -> Result<Value, String> {
        let left = self.budget.get().checked_sub(1).ok_or("it grows too large when its files are put together")?;
        self.budget.set(left);
        match value {
            Value::Object(map) => {
                if let Some(target) = map.get("$ref").and_then(Value::as_str) {
                    return self.follow(target, file, root, open);
                }
                let filled: Result<Map<String, Value>, String> =
                    map.iter().map(|(key, value)| Ok((key.clone(), self.fill(value, file, root, open)?))).collect();
                filled.map(Value::Object)
            }
            Value::Array(items) => {
                items.iter().map(|value| self.fill(value, file, root, open)).collect::<Result<_, _>>().map(Value::Array)
            }
            other => Ok(other.clone()),
        }
    }

    fn follow(&self, target: &str, file: &str, root: &str, open: &mut Vec<(String, String)>) -> Result<Value, String> {
        let (name, pointer) = target.split_once('#').unwrap_or((target, ""));
        let next = if name.is_empty() { file.to_owned() } else { place(self.ground, file, name)? };
        if next == root {
            // Inside the result, a reference can stay a reference.
            return Ok(Value::Object(Map::from_iter([("$ref".to_owned(), Value::String(format!("#{pointer}")))])));
        }
        let key = (next.clone(), pointer.to_owned());
        if open.contains(&key) || open.len() >= 64 {
            return Err(format!("`$ref: {target}` leads back to itself through other files"));
        }
        let missing = || format!("`$ref: {target}`: there is nothing at `{pointer}`");
        let found = self.loaded.get(&next).and_then(|value| value.pointer(pointer)).ok_or_else(missing)?;
        open.push(key);
        let filled = self.fill(found, &next, root, open);
        open.pop();
        filled
    }
}

/// Files in memory, for tests and for the sample.
impl Files for BTreeMap<String, Bytes> {
    async fn file(&self, name: &str) -> Result<Bytes, String> {
        self.get(name).cloned().ok_or_else(|| format!("there is nothing at `{name}`"))
    }
}

//! All kinds that a portal knows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::KindDefinition;
use crate::catalog::validate::formats;
use crate::catalog::wire::Fault;
use crate::document::{self, Budget, Spot};

static BUILT_IN: LazyLock<KindRegistry> = LazyLock::new(|| {
    // The file is part of the program; a test reads it.
    let kinds: Vec<KindDefinition> = serde_json::from_str(include_str!("built_in.json")).unwrap_or_default();
    let entry = |definition: KindDefinition| (definition.kind.to_lowercase(), Entry { definition, validator: None });
    KindRegistry { kinds: Arc::new(kinds.into_iter().map(entry).collect()) }
});

/// The kinds that descriptors may have; a clone is cheap.
#[derive(Debug, Clone)]
pub struct KindRegistry {
    /// By lower-cased name.
    kinds: Arc<BTreeMap<String, Entry>>,
}

/// A declared kind brings a compiled validator; built-in ones are checked by
/// `validate::spec`, which is faster and gives better hints.
#[derive(Clone)]
struct Entry {
    definition: KindDefinition,
    validator: Option<Arc<Validator>>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.definition.fmt(f)
    }
}

/// Why a declared kind is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("kind `{kind}`, field `{field}`: {reason}")]
pub struct KindError {
    pub kind: String,
    /// Field of the definition.
    pub field: &'static str,
    pub reason: String,
}

impl KindRegistry {
    /// The nine kinds of Backstage.
    pub fn built_in() -> Self {
        BUILT_IN.clone()
    }

    /// The built-in kinds and the declared ones.
    ///
    /// # Errors
    /// A name or plural that is taken, a malformed field, or a schema that is
    /// not one. Schemas may not refer to other documents.
    pub fn with(declared: Vec<KindDefinition>) -> Result<Self, KindError> {
        let mut kinds = (*BUILT_IN.kinds).clone();
        for definition in declared {
            let validator = check(&definition, &kinds)?;
            let key = definition.kind.to_lowercase();
            kinds.insert(key, Entry { definition, validator: Some(Arc::new(validator)) });
        }
        Ok(Self { kinds: Arc::new(kinds) })
    }

    /// The kind of this name, in any case.
    pub fn get(&self, kind: &str) -> Option<&KindDefinition> {
        match self.kinds.get(kind) {
            Some(entry) => Some(&entry.definition),
            None => self.kinds.get(&kind.to_lowercase()).map(|entry| &entry.definition),
        }
    }

    /// Whether the portal itself brings the kind.
    pub fn is_built_in(&self, kind: &str) -> bool {
        BUILT_IN.kinds.contains_key(&kind.to_lowercase())
    }

    /// All kinds, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &KindDefinition> {
        self.kinds.values().map(|entry| &entry.definition)
    }

    /// The compiled schema of a declared kind.
    pub(crate) fn validator(&self, kind: &str) -> Option<&Validator> {
        self.kinds.get(&kind.to_lowercase())?.validator.as_deref()
    }
}

/// Reads declared kinds from YAML or JSON: one definition or a list of them in
/// each document.
///
/// # Errors
/// Every document that cannot be read, or is not a definition.
pub fn parse(bytes: &[u8]) -> Result<Vec<KindDefinition>, Vec<Fault>> {
    let reading = document::read(bytes, &Budget::default());
    let mut faults: Vec<Fault> = reading.faults.into_iter().map(|(_, fault)| fault).collect();
    let mut kinds = Vec::new();
    for document in &reading.documents {
        let listed = document.value.as_array().map(|items| items.iter().enumerate().collect::<Vec<_>>());
        let items = match &listed {
            Some(items) => items.iter().map(|(index, item)| (format!("/{index}"), *item)).collect(),
            None => vec![(String::new(), &document.value)],
        };
        for (pointer, item) in items {
            match serde_json::from_value::<KindDefinition>(item.clone()) {
                Ok(kind) => kinds.push(kind),
                Err(error) => {
                    let (line, column) = document.place(&pointer, Spot::Value);
                    let hint =
                        Some("a kind has `kind`, `plural`, `api_versions`, `schema` and `relation_fields`".to_owned());
                    let (rule, message) = ("kind_definition".to_owned(), error.to_string());
                    faults.push(Fault { line, column, pointer, rule, message, hint });
                }
            }
        }
    }
    if faults.is_empty() { Ok(kinds) } else { Err(faults) }
}

fn check(definition: &KindDefinition, known: &BTreeMap<String, Entry>) -> Result<Validator, KindError> {
    let KindDefinition { kind, plural, api_versions, icon, description: _, schema, relation_fields } = definition;
    let refuse = |field, reason: String| Err(KindError { kind: kind.clone(), field, reason });
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let slug = |text: &str| formats::is_dns_label(text);
    if !formats::is_kind(kind) {
        return refuse("kind", format!("`{kind}` must be 1 to 63 letters and digits that start with a letter"));
    }
    if known.contains_key(&kind.to_lowercase()) {
        return refuse("kind", "there is a kind of this name already".to_owned());
    }
    if !slug(plural) {
        return refuse("plural", format!("`{plural}` must be lower-case letters, digits and `-`"));
    }
    if let Some(other) = known.values().find(|entry| entry.definition.plural == *plural) {
        return refuse("plural", format!("`{plural}` is the plural of `{}` already", other.definition.kind));
    }
    if api_versions.is_empty() {
        return refuse("api_versions", "at least one is needed, e.g. `example.com/v1`".to_owned());
    }
    if let Some(version) = api_versions.iter().find(|version| !formats::is_api_version(version)) {
        return refuse("api_versions", format!("`{version}` must have the form `example.com/v1`"));
    }
    if !slug(icon) {
        return refuse("icon", format!("`{icon}` is not the name of an icon, e.g. `i-file`"));
    }
    for field in relation_fields {
        let relations = [&field.outgoing, &field.incoming];
        if field.field.is_empty() || !relations.iter().all(|relation| word(relation)) {
            return refuse(
                "relation_fields",
                format!("`{}` needs two relations of letters, digits and `_`", field.field),
            );
        }
        if field.default_kind.as_deref().is_some_and(|kind| !formats::is_kind(kind)) {
            return refuse("relation_fields", format!("the default kind of `{}` is not a kind", field.field));
        }
    }
    compile(schema).or_else(|reason| refuse("schema", reason))
}

/// Compiles a schema for matching in linear time and without any fetch.
fn compile(schema: &Value) -> Result<Validator, String> {
    if !schema.is_object() {
        return Err("must be a JSON Schema, which is an object".to_owned());
    }
    jsonschema::options()
        .offline()
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .map_err(|error| error.to_string())
}

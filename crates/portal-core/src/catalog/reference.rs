//! References to entities: `[<kind>:][<namespace>/]<name>`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The identity of an entity: lower-cased kind, namespace and name.
///
/// Its text form is `kind:namespace/name`, as Backstage's `stringifyEntityRef`
/// writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntityRef {
    kind: String,
    namespace: String,
    name: String,
}

/// Why a text is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefError {
    #[error("`{0}` is not a reference of the form `[<kind>:][<namespace>/]<name>`")]
    Malformed(String),
    #[error("the reference `{0}` needs a kind, as in `component:{0}`")]
    MissingKind(String),
}

/// A part as references compare it. Parts of a valid one are ASCII: the browser is spared the
/// tables of Unicode, which would be a fortieth of what it loads.
fn lower_case(part: &str) -> String {
    if cfg!(target_arch = "wasm32") { part.to_ascii_lowercase() } else { part.to_lowercase() }
}

impl EntityRef {
    pub const DEFAULT_NAMESPACE: &str = "default";

    /// Builds a reference from parts that are known to be non-empty.
    pub fn new(kind: &str, namespace: &str, name: &str) -> Self {
        let [kind, namespace, name] = [kind, namespace, name].map(lower_case);
        Self { kind, namespace, name }
    }

    /// Reads a reference; missing parts come from the field it stands in.
    ///
    /// # Errors
    /// An empty part, or no kind where the field has no default kind.
    pub fn parse(text: &str, default_kind: Option<&str>, default_namespace: &str) -> Result<Self, RefError> {
        let malformed = || RefError::Malformed(text.to_owned());
        let slash = text.find('/');
        // A colon after the first slash belongs to the name.
        let colon = text.find(':').filter(|colon| slash.is_none_or(|slash| *colon < slash));
        let (kind, rest) = match colon {
            Some(at) => (Some(&text[..at]), &text[at + 1..]),
            None => (None, text),
        };
        let (namespace, name) = match rest.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, rest),
        };
        if kind == Some("") || namespace == Some("") || name.is_empty() {
            return Err(malformed());
        }
        let kind = kind.or(default_kind).ok_or_else(|| RefError::MissingKind(text.to_owned()))?;
        Ok(Self::new(kind, namespace.unwrap_or(default_namespace), name))
    }

    pub fn kind(&self) -> &str {
        &self.kind
    }

    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.kind, self.namespace, self.name)
    }
}

impl FromStr for EntityRef {
    type Err = RefError;

    /// Reads a reference that must name its kind.
    fn from_str(text: &str) -> Result<Self, RefError> {
        Self::parse(text, None, Self::DEFAULT_NAMESPACE)
    }
}

impl TryFrom<String> for EntityRef {
    type Error = RefError;

    fn try_from(text: String) -> Result<Self, RefError> {
        text.parse()
    }
}

impl From<EntityRef> for String {
    fn from(entity_ref: EntityRef) -> Self {
        entity_ref.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, kind: Option<&str>, expected: Result<&str, ()>) {
        let parsed = EntityRef::parse(text, kind, "ns").map(|entity_ref| entity_ref.to_string());
        assert_eq!(parsed.as_deref().map_err(|_| ()), expected, "{text}");
    }

    #[test]
    fn parts_default_and_fold_case() {
        check("Booking-API", Some("Component"), Ok("component:ns/booking-api"));
        check("API:booking", Some("Component"), Ok("api:ns/booking"));
        check("team/core", Some("Group"), Ok("group:team/core"));
        check("user:Default/Ada", None, Ok("user:default/ada"));
        check("a/b:c", Some("Group"), Ok("group:a/b:c"));
    }

    #[test]
    fn empty_parts_and_missing_kinds_are_refused() {
        for text in ["", ":", "/", "a:", "a:/b", ":b", "a/", "/b"] {
            check(text, Some("Group"), Err(()));
        }
        check("b", None, Err(()));
    }
}

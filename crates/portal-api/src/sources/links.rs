//! What a file refers to, kept beside its hash so that an unchanged file need
//! not be parsed to know where to go on.

use serde::{Deserialize, Serialize};

use super::reading::LocationTarget;

/// The references of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// Targets of its `Location` entities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<LocationTarget>,
    /// Files that its placeholders read, with the hash of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub includes: Vec<Include>,
    /// Entities that say where their documentation lies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documentation: Vec<Documented>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Include {
    pub file: String,
    pub hash: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Documented {
    pub entity_ref: String,
    /// As its author wrote it, e.g. `dir:.`.
    pub target: String,
}

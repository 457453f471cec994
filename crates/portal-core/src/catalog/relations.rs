//! Relations that descriptors declare, always in both directions.

use serde::{Deserialize, Serialize};

#[cfg(feature = "engine")]
use super::entity::Entity;
#[cfg(feature = "engine")]
use super::kinds::KindRegistry;
use super::reference::EntityRef;

/// One directed relation between two entities, either of which may be absent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Relation {
    pub source: EntityRef,
    /// e.g. `dependsOn`, `ownedBy`.
    pub relation: String,
    pub target: EntityRef,
}

/// The relations that a descriptor causes, both directions of each pair.
///
/// References that cannot be read are skipped: validation reports them.
#[cfg(feature = "engine")]
pub fn emitted(_entity: &Entity, _kinds: &KindRegistry) -> Vec<Relation> {
    Vec::new()
}

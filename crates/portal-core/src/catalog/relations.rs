//! Relations that descriptors declare, always in both directions.

use serde::{Deserialize, Serialize};

use super::reference::EntityRef;

/// One directed relation between two entities, either of which may be absent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Relation {
    pub source: EntityRef,
    /// e.g. `dependsOn`, `ownedBy`.
    pub relation: String,
    pub target: EntityRef,
}

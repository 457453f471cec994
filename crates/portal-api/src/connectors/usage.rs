//! Who names a connector: actions and templates that are vetted, the only ones that may use
//! it.

use std::collections::{BTreeMap, HashSet};

use portal_core::catalog::index::Visibility;

use crate::actions::vetting::Vetting;
use crate::catalog::store as catalog;
use crate::catalog::view::Snapshot;
use crate::db::{ConnectionTrait, DbResult};
use crate::sources;

/// References of definitions, by the connector that a step of theirs names. A name that is
/// worked out when the step begins is nobody's.
pub struct Usage(BTreeMap<String, Vec<String>>);

impl Usage {
    /// # Errors
    /// The database.
    pub async fn read<C: ConnectionTrait>(db: &C) -> DbResult<Self> {
        let trusted = sources::store::list(db).await?.into_iter().filter(|source| source.trusted);
        let trusted: HashSet<i64> = trusted.map(|source| source.id).collect();
        let mut usage: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for kind in ["action", "template"] {
            for state in catalog::of_kind(db, kind).await? {
                let Some(reference) = state.entity.entity_ref() else { continue };
                let steps = state.entity.0["spec"]["steps"].as_array();
                let named = steps.into_iter().flatten().filter_map(|step| step["input"]["connector"].as_str());
                let named: HashSet<&str> = named.collect();
                let is_vetted = match state.source_id {
                    Some(id) => trusted.contains(&id),
                    None if named.is_empty() => false,
                    None => Vetting::of(db, &reference.to_string(), None).await?.is_trusted,
                };
                if !is_vetted {
                    continue;
                }
                for name in named {
                    usage.entry(name.to_owned()).or_default().push(reference.to_string().to_lowercase());
                }
            }
        }
        Ok(Self(usage))
    }

    /// Those that a caller sees who name a connector, and how many others do.
    pub fn of(&self, connector: &str, snapshot: &Snapshot, visibility: &Visibility) -> (Vec<String>, u64) {
        let all = self.0.get(connector).map_or(&[][..], Vec::as_slice);
        let is_seen = |reference: &&String| snapshot.index.row_of(reference).is_some_and(|row| visibility.admits(row));
        let seen: Vec<String> = all.iter().filter(is_seen).cloned().collect();
        let hidden = all.len() - seen.len();
        (seen, hidden as u64)
    }
}

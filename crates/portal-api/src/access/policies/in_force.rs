//! The policies in force, and what they let each caller see.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use portal_core::access::policy::{Policies, Policy};
use portal_core::access::wire::{Effect, PolicyView};
use portal_core::access::{Known, Principal, Role};
use portal_core::catalog::index::{CatalogIndex, Visibility};

use super::store;
use crate::db::{Db, DbResult};

/// Callers whose rows are remembered.
const REMEMBERED: usize = 256;

/// The policies of one moment. What a caller may see is worked out once for each
/// state of the catalog.
#[derive(Default)]
pub struct InForce {
    pub rules: Policies,
    seen: Mutex<HashMap<Who, (i64, Visibility)>>,
}

/// All that a condition may ask of a caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Who {
    known: Known,
    name: String,
    role: Role,
    user: Option<String>,
    groups: Vec<String>,
}

impl InForce {
    fn new(rules: Policies) -> Self {
        Self { rules, seen: Mutex::default() }
    }

    /// The rows of the index as of `seq` that a caller may see.
    pub fn visibility(&self, principal: &Principal, index: &CatalogIndex, seq: i64) -> Visibility {
        if !self.rules.hide() {
            return Visibility::All;
        }
        let Principal { known, name, role, user, groups, .. } = principal.clone();
        let who = Who { known, name, role, user, groups };
        let remembered = self.lock().get(&who).filter(|(known, _)| *known == seq).cloned();
        if let Some((_, visibility)) = remembered {
            return visibility;
        }
        let visibility = self.rules.visibility(principal, index);
        let mut seen = self.lock();
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(who, (seq, visibility.clone()));
        visibility
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Who, (i64, Visibility)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The enabled policies of the database. One that this release cannot read denies
/// all that it speaks of, until somebody mends it.
///
/// # Errors
/// The database does not answer.
pub async fn load(db: &Db) -> DbResult<InForce> {
    let stored = store::all(db.reader()).await?;
    let enabled = stored.into_iter().filter(|policy| policy.enabled);
    Ok(InForce::new(Policies::new(enabled.filter_map(|policy| compiled(&policy)).collect())))
}

fn compiled(policy: &PolicyView) -> Option<Policy> {
    let PolicyView { name, effect, .. } = policy;
    let refused = match Policy::compile(name, &store::draft(policy)) {
        Ok(policy) => return Some(policy),
        Err(refused) => refused,
    };
    tracing::error!(policy = %name, "the policy `{name}` cannot be read: {}", refused.message);
    let mut closed = store::draft(policy);
    closed.condition = "true".to_owned();
    closed.message = Some("it cannot be read any more; an administrator has to mend it".to_owned());
    Policy::compile(name, &closed).ok().filter(|_| *effect == Effect::Deny)
}

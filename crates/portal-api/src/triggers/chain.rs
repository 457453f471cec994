//! The runs above a run that a trigger started, and where they end.

use portal_core::actions::triggers::DEEPEST;
use serde::{Deserialize, Serialize};

use crate::db::{ConnectionTrait, DbResult};
use crate::runs::SUBJECT;
use crate::runs::store::{self as runs, RunRow};

/// What started a run, and the runs above it, the first one first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    pub kind: String,
    /// What the trigger waited for, in words.
    pub name: String,
    pub above: Vec<Link>,
}

/// One of the runs above.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub run: i64,
    /// Reference of its template or action.
    pub definition: String,
}

impl Chain {
    /// That of a run; of one that somebody started there is none.
    pub fn of(run: &RunRow) -> Option<Self> {
        serde_json::from_str(run.chain.as_deref()?).ok()
    }
}

/// The runs above whatever has this cause, that run included.
///
/// # Errors
/// The database.
pub async fn above<C: ConnectionTrait>(db: &C, cause: &str) -> DbResult<Vec<Link>> {
    let Some(id) = cause.strip_prefix(SUBJECT).and_then(|id| id.parse().ok()) else { return Ok(Vec::new()) };
    let Some(stored) = runs::find(db, id).await? else { return Ok(Vec::new()) };
    let mut above = Chain::of(&stored.run).unwrap_or_default().above;
    above.push(Link { run: id, definition: stored.run.definition });
    Ok(above)
}

/// Why an action is not started below these runs; nothing where it may be.
pub fn refusal(above: &[Link], action_ref: &str) -> Option<String> {
    if above.iter().any(|link| link.definition == action_ref) {
        let path: Vec<&str> = above.iter().map(|link| link.definition.as_str()).chain([action_ref]).collect();
        return Some(format!("it would go round in a circle: `{}`", path.join("` → `")));
    }
    (above.len() > DEEPEST).then(|| format!("there are {} runs above one another already", above.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(definitions: &[&str]) -> Vec<Link> {
        (1..).zip(definitions).map(|(run, definition)| Link { run, definition: (*definition).to_owned() }).collect()
    }

    #[test]
    fn a_chain_ends_where_it_would_be_a_circle_or_is_long() {
        assert_eq!(refusal(&[], "action:default/a"), None);
        assert_eq!(refusal(&links(&["t", "b", "c", "d", "e"]), "a"), None);
        assert_eq!(
            refusal(&links(&["a", "b"]), "a").as_deref(),
            Some("it would go round in a circle: `a` → `b` → `a`")
        );
        assert!(refusal(&links(&["t", "b", "c", "d", "e", "f"]), "a").unwrap().contains("6 runs"));
    }
}

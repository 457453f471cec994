//! What triggers there are follows from the actions of the catalog: those of trusted sources,
//! as long as nothing is wrong with them.

use chrono::{DateTime, Utc};
use portal_core::actions::definition;
use portal_core::actions::triggers::{On, Trigger};
use serde_json::Value;

use super::schedules;
use super::store::{self, TriggerRow};
use crate::actions::vetting::Vetting;
use crate::catalog::state::EntityState;
use crate::catalog::store as catalog;
use crate::changes::Change;
use crate::db::{ConnectionTrait, DatabaseTransaction, DbResult};

/// The subject of changes of actions begins so.
const ACTION: &str = "entity:action:";
/// The subject of changes of sources begins so.
/// And those of the versions that the portal keeps so.
const VERSION: &str = "action_version:";
const SOURCE: &str = "source:";

/// The triggers that an action is to have.
#[derive(Debug, Clone)]
pub struct Wanted {
    action_ref: String,
    triggers: Vec<(Trigger, String)>,
    scope: String,
}

/// Whether a change may lead to other triggers.
pub fn concerns(change: &Change) -> bool {
    [ACTION, VERSION, SOURCE].iter().any(|about| change.subject.starts_with(about))
}

/// What is to be after a change.
///
/// # Errors
/// The database.
pub async fn after<C: ConnectionTrait>(db: &C, change: &Change) -> DbResult<Vec<Wanted>> {
    if let Some(name) = change.subject.strip_prefix(ACTION) {
        let state = change.document.as_deref().and_then(|text| serde_json::from_str::<EntityState>(text).ok());
        return Ok(vec![wanted(db, format!("action:{name}"), state.as_ref()).await?]);
    }
    // Published again by somebody else, the same text may be trusted now.
    if let Some(action_ref) = change.subject.strip_prefix(VERSION) {
        let state = catalog::by_ref(db, action_ref).await?;
        return Ok(vec![wanted(db, action_ref.to_owned(), state.as_ref()).await?]);
    }
    // A source that is trusted, not any more, or gone: its actions are looked at again.
    let Some(id) = change.subject.strip_prefix(SOURCE).and_then(|id| id.parse::<i64>().ok()) else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for state in catalog::of_kind(db, "action").await? {
        let Some(reference) = state.entity.entity_ref().filter(|_| state.source_id == Some(id)) else { continue };
        all.push(wanted(db, reference.to_string(), Some(&state)).await?);
    }
    Ok(all)
}

/// What is to be now, of all actions.
///
/// # Errors
/// The database.
pub async fn all<C: ConnectionTrait>(db: &C) -> DbResult<Vec<Wanted>> {
    let mut all = Vec::new();
    for state in catalog::of_kind(db, "action").await? {
        let Some(reference) = state.entity.entity_ref() else { continue };
        all.push(wanted(db, reference.to_string(), Some(&state)).await?);
    }
    Ok(all)
}

async fn wanted<C: ConnectionTrait>(db: &C, action_ref: String, state: Option<&EntityState>) -> DbResult<Wanted> {
    let none = Wanted { action_ref: action_ref.clone(), triggers: Vec::new(), scope: "[]".to_owned() };
    let Some(state) = state.filter(|state| state.orphan_since.is_none()) else { return Ok(none) };
    let listed = &state.entity.0["spec"]["triggers"];
    if listed.as_array().is_none_or(Vec::is_empty) || !Vetting::of(db, &action_ref, state.source_id).await?.is_trusted {
        return Ok(none);
    }
    let (action, findings) = definition::read(&state.entity.0);
    // As for people: its author has to mend it first.
    if findings.iter().any(|finding| finding.is_error) {
        return Ok(none);
    }
    let says = listed.as_array().into_iter().flatten().map(Value::to_string);
    let scope = Value::from(action.kinds.clone()).to_string();
    Ok(Wanted { action_ref, triggers: action.triggers.into_iter().zip(says).collect(), scope })
}

/// Makes it so. What says the same as before keeps what it remembers.
///
/// # Errors
/// The database.
pub async fn apply(txn: &DatabaseTransaction, wanted: Wanted, seq: i64, now: DateTime<Utc>) -> DbResult<()> {
    let Wanted { action_ref, triggers, scope } = wanted;
    let old = store::of_action(txn, &action_ref).await?;
    if old.is_empty() && triggers.is_empty() {
        return Ok(());
    }
    let mut kept: Vec<Option<TriggerRow>> = old.iter().cloned().map(Some).collect();
    let mut rows = Vec::with_capacity(triggers.len());
    for ((trigger, says), position) in triggers.into_iter().zip(0..) {
        let same = |row: &Option<TriggerRow>| row.as_ref().is_some_and(|row| row.says == says && row.scope == scope);
        let known = kept.iter_mut().find(|row| same(row)).and_then(Option::take);
        let next_at = match &trigger.on {
            On::Schedule { schedule, .. } => schedule.next(now),
            _ => None,
        };
        rows.push(match known {
            Some(row) => TriggerRow { position, ..row },
            None => TriggerRow {
                action_ref: action_ref.clone(),
                position,
                kind: trigger.kind().to_owned(),
                says,
                scope: scope.clone(),
                since_seq: seq,
                next_at,
                last_run: None,
                last_at: None,
                last_problem: None,
                problem_at: None,
            },
        });
    }
    if rows == old {
        return Ok(());
    }
    for row in &rows {
        schedules::ask(txn, row, now).await?;
    }
    store::replace(txn, &action_ref, rows).await
}

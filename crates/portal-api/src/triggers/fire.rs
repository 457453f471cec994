//! From something that happened to a run: what is checked before, and the one transaction in
//! which the run begins and the event is noted.

use chrono::{TimeDelta, Utc};
use portal_core::access::{ActorId, Known, Principal, Role};
use portal_core::actions::triggers::{HOURLY, Trigger, reread};
use portal_core::catalog::EntityRef;
use portal_core::catalog::index::Visibility;
use portal_core::personal::wire::Severity;
use portal_core::templates::language::{self, Context};
use serde_json::{Map, Value};

use super::SUBJECT;
use super::chain::{self, Chain, Link};
use super::store::{self, TriggerRow};
use crate::actions::running;
use crate::catalog::permission::owners;
use crate::changes::Writing;
use crate::db::{DatabaseTransaction, DbResult};
use crate::error::ApiError;
use crate::notifications::store::{self as notifications, NewNotification};
use crate::runs::service::{self, Draft};
use crate::state::App;

/// Something that happened, and that a trigger answers to.
#[derive(Debug, Clone)]
pub struct Occasion {
    /// The same whenever it is the same.
    pub key: String,
    pub row: TriggerRow,
    /// What `event` is in templates.
    pub event: Value,
    /// The entity that it is about, with its document.
    pub entity: Option<(String, Value)>,
    /// The runs that led to it.
    pub above: Vec<Link>,
}

/// An answer to it, checked, and about to be stored.
pub struct Answer {
    key: String,
    row: TriggerRow,
    writing: Writing,
    /// Who is told of a problem.
    owners: Vec<String>,
    draft: Result<Draft, String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Started(i64),
    /// It has come before.
    Again(i64),
    Refused(String),
}

/// The trigger of a row, read again.
pub fn trigger(row: &TriggerRow) -> Option<Trigger> {
    let scope: Vec<String> = serde_json::from_str(&row.scope).unwrap_or_default();
    reread(&serde_json::from_str(&row.says).unwrap_or_default(), &scope)
}

/// Whoever a triggered run acts for: a member of the group that owns the action, or the user.
pub fn principal(action_ref: &str, owner: &str) -> Principal {
    let is_user = owner.starts_with("user:");
    Principal {
        actor: ActorId(format!("{SUBJECT}{action_ref}")),
        known: Known::Token,
        name: format!("trigger of {}", action_ref.rsplit('/').next().unwrap_or(action_ref)),
        role: Role::Developer,
        verbs: None,
        groups: (!is_user).then(|| owner.to_owned()).into_iter().collect(),
        user: is_user.then(|| owner.to_owned()),
    }
}

/// Whether what fails is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    More,
    /// It was, for long: the failure is the answer.
    Ended,
}

/// Checks what a trigger is to start; nothing where its source is not trusted.
///
/// # Errors
/// What may go well when it is tried again.
pub async fn answer(
    app: &App,
    trigger: &Trigger,
    occasion: Occasion,
    patience: Patience,
) -> Result<Option<Answer>, ApiError> {
    let Occasion { key, row, event, entity, above } = occasion;
    let snapshot = app.catalog.snapshot();
    let owners = snapshot.index.row_of(&row.action_ref).map(|row| owners(&snapshot.index, row)).unwrap_or_default();
    let owner = owners.first().cloned().unwrap_or_default();
    let writing = Writing {
        actor: ActorId(format!("{SUBJECT}{}", row.action_ref)),
        cause: format!("{SUBJECT}{}", row.kind),
        at: app.clock.now(),
        by: None,
    };
    let draft = match chain::refusal(&above, &row.action_ref) {
        Some(reason) => Err(reason),
        None if owner.is_empty() => Err("nobody owns the action, whom it could act for".to_owned()),
        None => {
            let principal = principal(&row.action_ref, &owner);
            match drafted(app, trigger, &row, &principal, &writing, (event, entity)).await {
                Ok(draft) if draft.run.spec["portal"]["trusted"] != true => return Ok(None),
                Ok(mut draft) => {
                    let chain = Chain { kind: row.kind.clone(), name: trigger.words(), above };
                    draft.run.chain = serde_json::to_string(&chain).ok();
                    Ok(draft)
                }
                Err(error) if patience == Patience::More && is_passing(&error) => return Err(error),
                Err(ApiError::Internal(reason)) => {
                    tracing::error!(action = row.action_ref, reason, "a trigger cannot start what it is to start");
                    Err("the portal could not check it; its log says why".to_owned())
                }
                Err(error) => Err(error.to_string()),
            }
        }
    };
    Ok(Some(Answer { key, row, writing, owners, draft }))
}

fn is_passing(error: &ApiError) -> bool {
    matches!(error, ApiError::Internal(_) | ApiError::Unavailable(_) | ApiError::Timeout(_))
}

async fn drafted(
    app: &App,
    trigger: &Trigger,
    row: &TriggerRow,
    principal: &Principal,
    writing: &Writing,
    (event, entity): (Value, Option<(String, Value)>),
) -> Result<Draft, ApiError> {
    let hosts = service::hosts(app);
    let mut variables = Map::new();
    variables.insert("event".to_owned(), event);
    variables.insert("entity".to_owned(), entity.as_ref().map(|(_, entity)| entity.clone()).unwrap_or_default());
    let context = Context { values: &variables, functions: &[], hosts: &hosts };
    let budget = |fault: language::Fault| ApiError::field("/values", fault.to_string());
    let values = match language::fill(&Value::Object(trigger.values.clone()), &context).map_err(budget)? {
        Some(Value::Object(values)) => values,
        _ => Map::new(),
    };
    let named = match &trigger.entity {
        None => None,
        Some(text) => match language::evaluate(text, &context) {
            Ok(Some(Value::String(text))) => Some(text),
            _ => return Err(ApiError::field("/entity", format!("`{text}` names no entity"))),
        },
    };
    let is_scoped = row.scope != "[]";
    let own = entity.as_ref().map(|(reference, _)| reference.as_str());
    let target = named.as_deref().or(own).filter(|_| is_scoped);
    let asked = running::Asked {
        action: &row.action_ref,
        entity: target,
        values: &values,
        secrets: Map::new(),
        asks_nobody: false,
    };
    let mut draft = running::drafted(app, principal, writing, asked).await?;
    // An action for no entity in particular knows all the same what it was started for.
    if let Some((reference, document)) = entity.filter(|_| !is_scoped) {
        draft.run.target = Some(reference);
        draft.run.spec["portal"]["entity"] = document;
    }
    Ok(draft)
}

/// Whether whoever an action acts for may know of an entity.
pub fn may_see(app: &App, action_ref: &str, entity_ref: &EntityRef) -> bool {
    let snapshot = app.catalog.snapshot();
    if !snapshot.policies.rules.hide() {
        return true;
    }
    let index = &snapshot.index;
    let Some(action) = index.row_of(action_ref) else { return false };
    let Some(owner) = owners(index, action).into_iter().next() else { return false };
    let visibility: Visibility = snapshot.visibility(&principal(action_ref, &owner));
    index.row(entity_ref).is_some_and(|row| visibility.admits(row))
}

/// Starts what was checked, once for each key, or notes why not.
///
/// # Errors
/// The database.
pub async fn start(app: &App, txn: &DatabaseTransaction, answer: Answer) -> DbResult<Outcome> {
    let Answer { key, row, writing, owners, draft } = answer;
    if let Some(run) = store::run_of(txn, &key).await? {
        return Ok(Outcome::Again(run));
    }
    let TriggerRow { action_ref, position, .. } = &row;
    let hour = writing.at - TimeDelta::hours(1);
    let draft = match store::started_since(txn, action_ref, *position, hour).await? {
        count if count >= HOURLY => Err(format!("it has started {count} runs within an hour")),
        _ => draft,
    };
    match draft {
        Ok(draft) => {
            let id = service::start(app, txn, &writing, draft).await?;
            store::answered(txn, key, (action_ref, *position), id, writing.at).await?;
            store::note(txn, action_ref, *position, Ok(id), writing.at).await?;
            tracing::info!(run.id = id, action = action_ref, trigger = row.kind, "a trigger started run {id}");
            Ok(Outcome::Started(id))
        }
        Err(reason) => {
            store::note(txn, action_ref, *position, Err(reason.clone()), writing.at).await?;
            tell(txn, &writing, &row, owners, &reason).await?;
            Ok(Outcome::Refused(reason))
        }
    }
}

/// Tells those who own an action why it did not start, once a day.
async fn tell(
    txn: &DatabaseTransaction,
    writing: &Writing,
    row: &TriggerRow,
    owners: Vec<String>,
    reason: &str,
) -> DbResult<()> {
    let TriggerRow { action_ref, position, .. } = row;
    let name = action_ref.trim_start_matches("action:");
    let words = trigger(row).map_or_else(|| row.kind.clone(), |trigger| trigger.words());
    let told = NewNotification {
        recipients: owners,
        title: format!("{name} did not start by itself").chars().take(200).collect(),
        text: Some(format!("It starts {words}. This time it did not: {reason}.")),
        link: Some(format!("/actions/{name}")),
        severity: Severity::High,
        topic: Some("triggers".to_owned()),
        scope: None,
        origin: format!("{SUBJECT}{action_ref}:{position}:{}", writing.at.with_timezone(&Utc).date_naive()),
    };
    notifications::insert(txn, writing, told).await
}

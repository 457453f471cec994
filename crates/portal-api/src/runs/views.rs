//! Runs as the API shows them, and who may see them.

use std::collections::{BTreeSet, HashMap};

use portal_core::access::{Decision, Principal, Resource, Verb, decide};
use portal_core::catalog::EntityRef;
use portal_core::catalog::index::Visibility;
use portal_core::catalog::wire::EntityLink;
use portal_core::runs::StepState;
use portal_core::runs::wire::{RunAbove, RunError, RunPermissions, RunPerson, RunStepView, RunTrigger, RunView};
use portal_core::templates::{definition, secrets};
use serde_json::{Map, Value};

use super::service;
use super::store::{self, Stored};
use crate::access::store as accounts;
use crate::approvals::store as approvals;
use crate::calls::store::{self as calls, CallRow};
use crate::catalog::permission::owners;
use crate::catalog::view::Snapshot;
use crate::db::{ConnectionTrait, DbResult};
use crate::delegations::service as delegations;
use crate::error::{ApiError, ApiResult};
use crate::state::App;
use crate::triggers::SUBJECT as TRIGGER;
use crate::triggers::chain::{Chain, Link};

/// Whether a caller may see a run: it is theirs, or of a template that they own.
pub fn may_see(snapshot: &Snapshot, principal: &Principal, stored: &Stored) -> bool {
    if principal.has_account() && principal.actor.0 == stored.run.actor {
        return decide(principal, Verb::ReadRuns, Resource::Any) == Decision::Allow;
    }
    let row = stored.run.definition.parse::<EntityRef>().ok().and_then(|entity_ref| snapshot.index.row(&entity_ref));
    let owners = row.map(|row| owners(&snapshot.index, row)).unwrap_or_default();
    let resource = Resource::Entity { entity_ref: &stored.run.definition, owners: &owners };
    decide(principal, Verb::ReadRuns, resource) == Decision::Allow
}

/// Why a caller may not change a run; nothing where they may.
pub fn may_change(principal: &Principal, stored: &Stored) -> Option<String> {
    let general = match decide(principal, Verb::RunTemplates, Resource::Any) {
        Decision::Allow => None,
        Decision::SignIn => Some("sign in to run templates".to_owned()),
        Decision::Deny(reason) => Some(reason),
    };
    // What a trigger started belongs to those for whom it acts.
    let owns =
        || service::starter(&stored.run, &stored.spec()).groups.iter().any(|one| principal.is_or_belongs_to(one));
    let is_own = principal.actor.0 == stored.run.actor || (stored.run.actor.starts_with(TRIGGER) && owns());
    let is_trusted = principal.role.may_everywhere(Verb::WriteSources);
    general.or_else(|| (!is_own && !is_trusted).then(|| "only whoever started it and maintainers may".to_owned()))
}

/// The run of this id, if it is theirs to see.
///
/// # Errors
/// 404.
pub async fn visible(app: &App, principal: &Principal, id: &str) -> ApiResult<Stored> {
    let absent = || ApiError::not_found("run_not_found", format!("there is no run `{id}`"));
    let number: i64 = id.parse().map_err(|_| absent())?;
    let stored = store::find(app.db.reader(), number).await?.ok_or_else(absent)?;
    let sees = may_see(&app.catalog.snapshot(), principal, &stored)
        || approvals::decides(app.db.reader(), delegations::decider(app, app.db.reader(), principal).await?, number)
            .await?;
    if sees { Ok(stored) } else { Err(absent()) }
}

/// Runs as the caller sees them.
pub async fn views(app: &App, principal: &Principal, runs: Vec<Stored>) -> DbResult<Vec<RunView>> {
    views_in(app.db.reader(), app, principal, runs).await
}

/// The same, as a transaction sees them.
pub async fn views_in<C: ConnectionTrait>(
    db: &C,
    app: &App,
    principal: &Principal,
    runs: Vec<Stored>,
) -> DbResult<Vec<RunView>> {
    let snapshot = app.catalog.snapshot();
    let visibility = snapshot.visibility(principal);
    let ids: Vec<i64> = runs.iter().map(|stored| stored.run.id).collect();
    let mut made: HashMap<i64, Vec<EntityLink>> = HashMap::new();
    for (run_id, entity_ref) in if ids.is_empty() { Vec::new() } else { store::entities(db, &ids).await? } {
        if let Some(link) = link(&snapshot, &visibility, &entity_ref) {
            made.entry(run_id).or_default().push(link);
        }
    }
    let actors: BTreeSet<&str> = runs.iter().map(|stored| stored.run.actor.as_str()).collect();
    let names = accounts::names(db, actors).await?;
    let behind = store::Behind::of(db, runs.iter().map(|stored| &stored.run)).await?;
    let mut calls: HashMap<(i64, i32), CallRow> = HashMap::new();
    for call in if ids.is_empty() { Vec::new() } else { calls::of_runs(db, &ids).await? } {
        calls.insert((call.run_id, call.position), call);
    }
    let view = |stored: Stored| {
        let target = stored.run.target.as_deref().and_then(|target| link(&snapshot, &visibility, target));
        let behind = behind.count(&stored.run);
        let made = made.remove(&stored.run.id).unwrap_or_default();
        let by_itself = || stored.run.actor.strip_prefix(TRIGGER).map(|action| format!("trigger of {action}"));
        let name = names.get(&stored.run.actor).cloned().or_else(by_itself).unwrap_or_default();
        view(principal, stored, name, (target, made), behind, &calls)
    };
    Ok(runs.into_iter().map(view).collect())
}

fn trigger(Chain { kind, name, above }: Chain) -> RunTrigger {
    let above = above.into_iter().next_back().map(|Link { run, definition }| RunAbove { id: run, definition });
    RunTrigger { kind, name, above }
}

/// An entity by its reference, where there is one that the caller sees.
fn link(snapshot: &Snapshot, visibility: &Visibility, entity_ref: &str) -> Option<EntityLink> {
    let row = snapshot.index.row_of(entity_ref)?;
    visibility.admits(row).then(|| snapshot.index.link_of(entity_ref, visibility))
}

fn view(
    principal: &Principal,
    stored: Stored,
    name: String,
    (target, entities): (Option<EntityLink>, Vec<EntityLink>),
    behind: u64,
    calls: &HashMap<(i64, i32), CallRow>,
) -> RunView {
    let spec = stored.spec();
    let life = stored.life_of(&spec);
    let refused = may_change(principal, &stored);
    let state_reason =
        |may: bool, verb: &str| (!may).then(|| format!("it is {} and cannot be {verb}", life.state.as_str()));
    let can = RunPermissions {
        cancel: refused.clone().or_else(|| state_reason(life.state.can_cancel(), "stopped")),
        retry: refused.or_else(|| state_reason(life.state.can_retry(), "retried")),
    };
    let Stored { run, steps } = stored;
    let read = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
    let error = run.error.clone().map(|message| RunError {
        code: run.error_code.clone().unwrap_or_default(),
        message,
        step: run.error_step.clone(),
    });
    let by_itself = Chain::of(&run).map(trigger);
    RunView {
        id: run.id,
        answers: secrets::masked(&definition::read(&spec).0.pages, read(&run.answers)),
        version: store::version(&spec),
        behind: if run.is_test { 0 } else { behind },
        test: run.is_test,
        definition: run.definition,
        title: run.title,
        target,
        state: life.state,
        trigger: by_itself,
        started_by: RunPerson { name, entity_ref: run.user_ref },
        created_at: run.created_at,
        started_at: run.started_at,
        finished_at: run.finished_at,
        steps: steps
            .into_iter()
            .map(|step| RunStepView {
                id: step.step_id,
                name: step.name,
                action: step.action,
                state: StepState::parse(&step.state).unwrap_or(StepState::Unknown),
                attempts: step.attempts.unsigned_abs(),
                started_at: step.started_at,
                finished_at: step.finished_at,
                progress: calls.get(&(step.run_id, step.position)).and_then(|call| u8::try_from(call.progress?).ok()),
                links: calls
                    .get(&(step.run_id, step.position))
                    .and_then(|call| serde_json::from_str(&call.links).ok())
                    .unwrap_or_default(),
                error: step.error,
            })
            .collect(),
        output: read(&run.output),
        error,
        entities,
        cancel_requested: run.cancel_requested,
        can,
    }
}

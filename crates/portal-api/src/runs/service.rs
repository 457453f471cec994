//! Starting, stopping and continuing runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use portal_core::access::{ActorId, Known, Principal, Role};
use portal_core::actions::approval::Ask;
use portal_core::catalog::Entity;
use portal_core::problem::FieldError;
use portal_core::runs::{Run, RunState, StepState};
use portal_core::templates::definition::{self, Definition};
use portal_core::templates::form;
use portal_core::templates::language::Hosts;
use portal_core::templates::secrets as secret_fields;
use serde_json::{Map, Value, json};

use super::engine;
use super::store::{self, NewRun, RunRow, Stored};
use crate::actions::vetting::Vetting;
use crate::approvals::service as approving;
use crate::approvals::store::{self as approvals, NewApproval, WHOLE};
use crate::calls::store as calls;
use crate::changes::{self, Writing};
use crate::clock::later;
use crate::db::{DatabaseTransaction, DbError, DbResult};
use crate::error::{ApiError, ApiResult};
use crate::sources::credential::Secret;
use crate::state::App;
use crate::templates;

/// Bytes of the answers of one run.
const ANSWERS: usize = 256 << 10;

/// A template that may be run, as it is now.
#[derive(Debug, Clone)]
pub struct Template {
    pub entity_ref: String,
    pub entity: Value,
    pub source_id: Option<i64>,
    pub location: String,
    /// The commit that the source is at, where it was asked for.
    pub revision: Option<String>,
    /// Its source is trusted: whoever answers for the portal has vetted it.
    pub is_trusted: bool,
}

impl Template {
    /// Notes the commit that its source is at, or the version that the portal keeps, and whether
    /// that is trusted.
    ///
    /// # Errors
    /// The database.
    pub async fn ask_source(&mut self, app: &App) -> DbResult<()> {
        let Vetting { is_trusted, revision } = Vetting::of(app.db.reader(), &self.entity_ref, self.source_id).await?;
        (self.is_trusted, self.revision) = (is_trusted, revision);
        Ok(())
    }

    pub fn title(&self) -> String {
        let metadata = &self.entity["metadata"];
        metadata["title"].as_str().or(metadata["name"].as_str()).unwrap_or_default().to_owned()
    }
}

/// What is to be started, checked.
pub struct Draft {
    pub run: NewRun,
    pub secrets: Map<String, Value>,
    /// Who has to agree first, and for how many seconds they are asked.
    pub ask: Option<(Ask, u64)>,
}

/// Checks answers and makes a run of them.
///
/// # Errors
/// 422 with a pointer for each answer that is wrong; a template that cannot run.
pub fn draft(
    template: &Template,
    values: &Map<String, Value>,
    secrets: Map<String, Value>,
    principal: &Principal,
    user: Option<Value>,
    writing: &Writing,
    judge: impl FnOnce(&Definition, &Map<String, Value>) -> Vec<FieldError>,
) -> ApiResult<Draft> {
    let (definition, findings) = definition::read(&template.entity);
    if let Some(finding) = findings.iter().find(|finding| finding.is_error) {
        let detail = format!("the template cannot run: {}: {}", finding.pointer, finding.message);
        return Err(ApiError::invalid("invalid_template", detail, Vec::new()));
    }
    let (answers, secrets) = answered(&template.entity, &definition, values, secrets, judge)?;
    let mut spec = template.entity.clone();
    let Principal { name, role, groups, .. } = principal;
    spec["portal"] = json!({
        "source": template.source_id,
        "location": template.location,
        "revision": template.revision,
        "trusted": template.is_trusted,
        "starter": { "name": name, "role": role.as_str(), "groups": groups },
        "user": user,
    });
    let steps = definition.steps.iter().map(|step| (step.id.clone(), step.name.clone(), step.action.clone()));
    let run = NewRun {
        definition: template.entity_ref.clone(),
        title: template.title(),
        actor: principal.actor.0.clone(),
        user_ref: principal.user.clone(),
        target: None,
        state: RunState::Queued,
        steps: steps.collect(),
        spec,
        answers,
        at: writing.at,
        chain: None,
        is_test: false,
    };
    Ok(Draft { run, secrets, ask: None })
}

/// Answers with defaults, and secrets beside them, as the form wants them.
fn answered(
    entity: &Value,
    definition: &Definition,
    values: &Map<String, Value>,
    mut given: Map<String, Value>,
    judge: impl FnOnce(&Definition, &Map<String, Value>) -> Vec<FieldError>,
) -> ApiResult<(Map<String, Value>, Map<String, Value>)> {
    let pages = &definition.pages;
    let (values, strays) = secret_fields::part(pages, values);
    strays.into_iter().for_each(|(name, secret)| {
        given.entry(name).or_insert(secret);
    });
    let pointer = |name: &str| format!("/secrets/{}", name.replace('~', "~0").replace('/', "~1"));
    if let Some((name, _)) = given.iter().find(|(_, secret)| !secret.is_string()) {
        return Err(ApiError::field(&pointer(name), "must be a text"));
    }
    let answers = form::with_defaults(pages, &values);
    let fields = secret_fields::fields(pages, &answers);
    // Beside the fields, tools send tokens that a step names, or a picker asks for.
    let text = entity["spec"].to_string();
    let is_used = |name: &String| fields.iter().any(|field| field.name == *name) || text.contains(name.as_str());
    if let Some((name, _)) = given.iter().find(|(name, _)| !is_used(name)) {
        return Err(ApiError::field(&pointer(name), "no field and no step has this name"));
    }
    let faults = judge(definition, &secret_fields::put(&fields, &answers, &given));
    check(secret_fields::told(&fields, &given, faults), &answers)?;
    Ok((answers, given))
}

/// # Errors
/// 422 with a pointer for each answer that is wrong.
pub fn check(errors: Vec<FieldError>, answers: &Map<String, Value>) -> ApiResult<()> {
    let size = Value::Object(answers.clone()).to_string().len();
    if size > ANSWERS {
        return Err(ApiError::field("/values", format!("{size} bytes; answers have at most {ANSWERS}")));
    }
    if errors.is_empty() {
        return Ok(());
    }
    let detail = match &errors[..] {
        [one] => format!("`{}` {}", one.pointer, one.message),
        many => format!("{} answers are wrong", many.len()),
    };
    Err(ApiError::invalid("invalid_answers", detail, errors))
}

/// Stores a run and asks for it to be worked off.
///
/// # Errors
/// The database.
pub async fn start(app: &App, txn: &DatabaseTransaction, writing: &Writing, draft: Draft) -> DbResult<i64> {
    let Draft { run, secrets, ask } = draft;
    let (title, spec_starter) = (run.title.clone(), run.spec["portal"]["starter"]["name"].clone());
    let id = store::insert(txn, run).await?;
    if !secrets.is_empty() {
        let plain = Value::Object(secrets).to_string();
        let sealed = app.sealer.seal(&place(id), plain.as_bytes());
        let sealed = sealed.map_err(|error| DbError::Unsupported(format!("{error:#}")))?;
        store::set_secrets(txn, id, Some(sealed)).await?;
    }
    if let Some(stored) = store::find(txn, id).await? {
        changes::store::append(txn, writing, vec![engine::change(&stored, "create")]).await?;
    }
    let Some((ask, seconds)) = ask else {
        engine::ask(txn, id, writing.at).await?;
        return Ok(id);
    };
    let expires_at = later(writing.at, seconds);
    let new = NewApproval { run_id: id, position: WHOLE, title, ask, plan: None, at: writing.at, expires_at };
    approving::open(app, txn, writing, new, spec_starter.as_str().unwrap_or("somebody")).await?;
    engine::ask_at(txn, id, expires_at, writing.at).await?;
    Ok(id)
}

fn place(id: i64) -> String {
    format!("run/{id}/secrets")
}

/// The secrets of a run: name, handle, and what the handle stands for. Handles cannot be
/// guessed, so that an answer cannot name one.
pub fn secrets(app: &App, run: &RunRow) -> Vec<(String, String, Secret)> {
    let Some(sealed) = &run.secrets else { return Vec::new() };
    let Ok(plain) = app.sealer.unseal(&place(run.id), sealed) else {
        tracing::warn!(run.id = run.id, "the secrets of run {} cannot be opened", run.id);
        return Vec::new();
    };
    let secrets: BTreeMap<String, String> = serde_json::from_slice(&plain).unwrap_or_default();
    let handle = |name: &str| format!("‹secret {name} {}›", uuid::Uuid::new_v4().simple());
    secrets.into_iter().map(|(name, secret)| (name.clone(), handle(&name), Secret::new(secret))).collect()
}

/// What is not shown of a run, and what is shown instead.
pub fn hidden(secrets: &[(String, String, Secret)]) -> Arc<[(String, String)]> {
    let pairs = secrets.iter().flat_map(|(name, handle, secret)| {
        let shown = format!("‹secret {name}›");
        [(handle.clone(), shown.clone()), (secret.expose().to_owned(), shown)]
    });
    pairs.filter(|(text, _)| !text.is_empty()).collect()
}

/// Whoever started a run, with the rights that they had then.
pub fn starter(run: &RunRow, spec: &Value) -> Principal {
    let starter = &spec["portal"]["starter"];
    let groups = starter["groups"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Principal {
        actor: ActorId(run.actor.clone()),
        known: Known::Token,
        name: starter["name"].as_str().unwrap_or_default().to_owned(),
        role: starter["role"].as_str().and_then(Role::parse).unwrap_or(Role::Viewer),
        verbs: None,
        groups: groups.map(str::to_owned).collect(),
        user: run.user_ref.clone(),
    }
}

/// Hosts of repositories that expressions know.
pub fn hosts(app: &App) -> Hosts {
    templates::hosts::known(&app.config.templates.host)
}

/// Asks for a run to end.
///
/// # Errors
/// It has ended.
pub async fn cancel(txn: &DatabaseTransaction, writing: &Writing, stored: &Stored) -> ApiResult<()> {
    // As it is now: it may have ended since it was looked at.
    let state = store::state(txn, stored.run.id).await?.unwrap_or(stored.state());
    if !state.can_cancel() {
        return Err(ApiError::conflict("run_ended", format!("the run has ended: it is {}", state.as_str())));
    }
    store::request_cancel(txn, stored.run.id).await?;
    changes::store::append(txn, writing, vec![engine::change(stored, "cancel")]).await?;
    engine::ask(txn, stored.run.id, writing.at).await?;
    Ok(())
}

/// Goes on with a run that ended before its time.
///
/// # Errors
/// It did not.
pub async fn retry(
    app: &App,
    txn: &DatabaseTransaction,
    writing: &Writing,
    stored: &Stored,
    secrets: Map<String, Value>,
) -> ApiResult<()> {
    let mut life: Run = stored.life();
    life.retry().map_err(|state: RunState| {
        let detail = format!("a run can be retried when it failed or was stopped; it is {}", state.as_str());
        ApiError::conflict("run_not_retryable", detail)
    })?;
    again(&mut life, &stored.spec());
    let mut after = stored.clone();
    after.run.state = life.state.as_str().to_owned();
    after.run.cancel_requested = false;
    (after.run.error, after.run.error_code, after.run.error_step) = (None, None, None);
    after.run.finished_at = None;
    if !secrets.is_empty() {
        let sealed = app.sealer.seal(&place(stored.run.id), Value::Object(secrets).to_string().as_bytes());
        after.run.secrets = Some(sealed.map_err(|error| ApiError::Internal(format!("{error:#}")))?);
    }
    for (row, step) in after.steps.iter_mut().zip(&life.steps) {
        let state = step.state.as_str();
        if row.state != state {
            if row.state == StepState::Succeeded.as_str() {
                (row.turns, row.output) = (None, None);
                calls::close(txn, row.run_id, row.position, writing.at).await?;
            }
            row.state = state.to_owned();
            row.attempts = 0;
            (row.error, row.started_at, row.finished_at) = (None, None, None);
        }
    }
    // A step that asked people asks them again.
    for row in after.steps.iter().filter(|row| row.state == StepState::Pending.as_str()) {
        approvals::delete_step(txn, row.run_id, row.position).await?;
    }
    store::update(txn, stored, &after).await?;
    changes::store::append(txn, writing, vec![engine::change(&after, "retry")]).await?;
    engine::ask(txn, stored.run.id, writing.at).await?;
    Ok(())
}

/// What came because a step had failed comes again: it belongs to that failure.
fn again(life: &mut Run, spec: &Value) {
    let (definition, _) = definition::read(spec);
    let first = life.steps.iter().position(|step| step.state == StepState::Pending).unwrap_or(life.steps.len());
    for (step, written) in life.steps.iter_mut().zip(&definition.steps).skip(first) {
        let condition = written.condition.as_ref().map(Value::to_string).unwrap_or_default();
        if ["always()", "failure()"].iter().any(|name| condition.contains(name)) {
            (step.state, step.attempts) = (StepState::Pending, 0);
        }
    }
}

/// The entity of whoever starts a run.
pub fn without_relations(mut entity: Value) -> Entity {
    if let Some(fields) = entity.as_object_mut() {
        fields.remove("relations");
    }
    Entity(entity)
}

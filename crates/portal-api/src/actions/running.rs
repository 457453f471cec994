//! From an action, an entity and answers to a run.

use portal_core::access::{Principal, Verb};
use portal_core::problem::FieldError;
use serde_json::{Map, Value, json};

use super::find::{self, Found};
use super::versions;
use crate::catalog::permission::may_write;
use crate::changes::Writing;
use crate::error::{ApiError, ApiResult};
use crate::runs::service::{self, Draft, Template};
use crate::state::App;
use crate::templates;

/// What is asked for.
pub struct Asked<'a> {
    /// Reference of the action.
    pub action: &'a str,
    /// Reference of the entity that it is run on.
    pub entity: Option<&'a str>,
    pub values: &'a Map<String, Value>,
    pub secrets: Map<String, Value>,
    /// It was agreed to before: what cleans up what was made.
    pub asks_nobody: bool,
}

/// A run that tries out the text of an action, for those who may change it.
///
/// # Errors
/// As of [`drafted`], and where it cannot run, or somebody else owns it.
pub async fn tried(
    app: &App,
    principal: &Principal,
    writing: &Writing,
    text: &str,
    mut asked: Asked<'_>,
) -> ApiResult<Draft> {
    let entity = versions::action_of(text)?;
    let reference = entity.entity_ref().ok_or_else(|| ApiError::field("/text", "needs a name: `metadata.name`"))?;
    let entity = versions::handlers::publishable(app, &reference, text)?;
    let snapshot = app.catalog.snapshot();
    may_write(app, principal, &snapshot, &reference, Some(&entity)).await?;
    let name = reference.to_string();
    asked.action = &name;
    let template = Template {
        entity_ref: name.clone(),
        entity: entity.0,
        source_id: None,
        location: String::new(),
        revision: None,
        // Whoever may vouch for a source vouches for what they try out.
        is_trusted: principal.role.may_everywhere(Verb::WriteSources),
    };
    let visibility = snapshot.visibility(principal);
    let found = find::judged(app, principal, &snapshot, &visibility, template, asked.entity).await?;
    let mut draft = checked(app, principal, writing, found, asked).await?;
    draft.run.is_test = true;
    Ok(draft)
}

/// A run of an action, checked.
///
/// # Errors
/// 422 with a pointer for what is wrong, 403 with the rule that forbids it.
pub async fn drafted(app: &App, principal: &Principal, writing: &Writing, asked: Asked<'_>) -> ApiResult<Draft> {
    let snapshot = app.catalog.snapshot();
    let visibility = snapshot.visibility(principal);
    let named = (asked.action, "/action");
    let mut found = find::find(app, principal, &snapshot, &visibility, named, asked.entity).await?;
    found.template.ask_source(app).await?;
    checked(app, principal, writing, found, asked).await
}

async fn checked(
    app: &App,
    principal: &Principal,
    writing: &Writing,
    mut found: Found,
    asked: Asked<'_>,
) -> ApiResult<Draft> {
    let snapshot = app.catalog.snapshot();
    let visibility = snapshot.visibility(principal);
    if let Some(finding) = found.findings.iter().find(|finding| finding.is_error) {
        let detail = format!("the action cannot run: {}: {}", finding.pointer, finding.message);
        return Err(ApiError::invalid("invalid_action", detail, Vec::new()));
    }
    found.compute(&snapshot, &visibility, asked.values);
    let uncomputed = found
        .uncomputed
        .iter()
        .map(|fault| FieldError { pointer: format!("/values{}", fault.pointer), message: fault.message.clone() });
    service::check(uncomputed.collect(), asked.values)?;
    let user = templates::handlers::user(app, principal).await?;
    let judge = |definition: &_, answers: &_| templates::handlers::faults(&snapshot, &visibility, definition, answers);
    let mut draft = service::draft(&found.template, asked.values, asked.secrets, principal, user, writing, judge)?;
    let answers = draft.run.answers.clone();
    if let Some(reason) = found.action.does_not_fit(&found.asked(&answers)) {
        return Err(ApiError::field("/entity", reason));
    }
    if let Some(reason) = found.action.is_forbidden(&found.asked(&answers)) {
        return Err(ApiError::Forbidden(reason));
    }
    let Found { action, target, .. } = &found;
    if let Some(words) = action.confirmed(&found.asked(&answers), &service::hosts(app)) {
        draft.run.title = words.chars().filter(|sign| *sign != '`').take(200).collect();
    }
    if let Some(target) = target {
        draft.run.target = Some(target.entity_ref.clone());
        draft.run.spec["portal"]["entity"] = target.entity.clone();
    }
    draft.run.spec["portal"]["action"] = json!(found.template.title());
    if let Some((approval, ask)) = found.ask(&answers).filter(|_| !asked.asks_nobody) {
        if ask.approvers.is_empty() {
            let reason = "somebody has to agree to this, and the entity has no owner who could";
            return Err(ApiError::invalid("no_approver", reason.to_owned(), Vec::new()));
        }
        draft.ask = Some((ask, approval.expires));
        draft.run.state = portal_core::runs::RunState::PendingApproval;
    }
    Ok(draft)
}

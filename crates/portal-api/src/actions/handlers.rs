//! Actions over HTTP: what there is, and the form of one.

use axum::Json;
use axum::extract::{Path, State};
use portal_core::access::{Decision, Resource, Verb, decide};
use portal_core::actions::definition::{self, Asked};
use portal_core::actions::wire::{ActionForm, ActionList, ActionQuestion, ActionView};
use portal_core::catalog::index::Visibility;
use portal_core::catalog::query::{Filter, Selection};
use portal_core::templates::wire::TemplateProblem;
use serde_json::{Map, Value};

use super::find::{self, Found};
use crate::catalog::permission::owners;
use crate::catalog::view::Snapshot;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::body::JsonBody;
use crate::http::params::Params;
use crate::runs::service;
use crate::state::App;
use crate::templates;

/// Actions that are listed, at most.
const ACTIONS: usize = 1000;

/// Actions that the caller sees, by category and title. With an entity: those for its kind,
/// each with the reason where it cannot be run on it.
#[utoipa::path(
    get, path = "/actions", tag = "actions", operation_id = "list_actions",
    params(("entity" = Option<String>, Query, description = "Reference of an entity", example = "component:default/booking-api")),
    responses((status = 200, description = "All of them", body = ActionList)),
)]
pub async fn list_actions(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    mut params: Params,
) -> ApiResult<Json<ActionList>> {
    let entity = params.chosen("entity")?;
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let usage = templates::handlers::usage(&app).await?;
    let mut items = Vec::new();
    for entity_ref in references(&snapshot, &visibility)? {
        let named = (entity_ref.as_str(), "");
        let found = find::find(&app, &auth.principal, &snapshot, &visibility, named, entity.as_deref()).await?;
        let kind = found.target.as_ref().and_then(|target| target.entity["kind"].as_str()).map(str::to_lowercase);
        // What is for other kinds is nothing that one would look for here.
        if kind.is_some_and(|kind| !found.action.kinds.contains(&kind)) {
            continue;
        }
        let mut view = view(&auth, &snapshot, &visibility, &found);
        view.usage = usage.get(&entity_ref).cloned().unwrap_or_default();
        items.push(view);
    }
    items.sort_by_cached_key(|action| (action.category.to_lowercase(), action.title.to_lowercase()));
    let total = items.len() as u64;
    Ok(Json(ActionList { items, next_cursor: None, total }))
}

fn references(snapshot: &Snapshot, visibility: &Visibility) -> ApiResult<Vec<String>> {
    let filter = Filter::parse(&["kind=action"]).map_err(|error| ApiError::Internal(error.to_string()))?;
    let rows = snapshot.index.select(&Selection { filter, ..Selection::default() }, visibility);
    let names = rows.into_iter().take(ACTIONS).filter_map(|row| snapshot.index.canonical(row).map(str::to_owned));
    Ok(names.collect())
}

/// One action.
#[utoipa::path(
    get, path = "/actions/{namespace}/{name}", tag = "actions", operation_id = "find_action",
    params(
        ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "provision-database"),
        ("entity" = Option<String>, Query, description = "Reference of the entity that it would be run on"),
    ),
    responses((status = 200, description = "The action", body = ActionView)),
)]
pub async fn find_action(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path((namespace, name)): Path<(String, String)>,
    mut params: Params,
) -> ApiResult<Json<ActionView>> {
    let entity = params.chosen("entity")?;
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let name = format!("action:{namespace}/{name}");
    let named = (name.as_str(), "");
    let found = find::find(&app, &auth.principal, &snapshot, &visibility, named, entity.as_deref()).await?;
    let mut view = view(&auth, &snapshot, &visibility, &found);
    view.usage = templates::handlers::usage(&app).await?.get(&found.template.entity_ref).cloned().unwrap_or_default();
    Ok(Json(view))
}

fn view(auth: &Authorized<ReadCatalog>, snapshot: &Snapshot, visibility: &Visibility, found: &Found) -> ActionView {
    let Found { template, action, findings, target, .. } = found;
    let metadata = &template.entity["metadata"];
    let row = snapshot.index.row_of(&template.entity_ref).unwrap_or_default();
    let owners = owners(&snapshot.index, row);
    let general = match decide(&auth.principal, Verb::RunTemplates, Resource::Any) {
        Decision::Allow => None,
        Decision::SignIn => Some("sign in to run actions".to_owned()),
        Decision::Deny(reason) => Some(reason),
    };
    let nothing = Map::new();
    let asked = found.asked(&nothing);
    // Without an entity there is nothing to judge yet; with one, all that needs no answers.
    let fit = target.as_ref().and_then(|_| action.does_not_fit(&asked));
    let broken = findings.iter().any(|finding| finding.is_error);
    ActionView {
        entity_ref: template.entity_ref.clone(),
        title: template.title(),
        description: metadata["description"].as_str().map(str::to_owned),
        category: action.category.clone(),
        icon: action.icon.clone(),
        owner: owners.first().map(|owner| snapshot.index.link_of(owner, visibility)),
        tags: metadata["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        kinds: action.kinds.clone(),
        condition: action.condition.as_ref().map(|rule| rule.expression.source().to_owned()),
        approval: action.approval.as_ref().map(words),
        expected_seconds: action.expected_seconds,
        usage: Default::default(),
        refusal: general
            .or(fit)
            .or_else(|| forbidden(found, &asked))
            .or_else(|| broken.then(|| "its author has to mend it first".to_owned())),
        problems: findings.iter().cloned().map(TemplateProblem::from).collect(),
        broken,
    }
}

/// A policy that speaks of the answers is judged when there are some.
fn forbidden(found: &Found, asked: &Asked<'_>) -> Option<String> {
    let policy = found.action.policy.as_ref()?;
    let source = policy.expression.source();
    let has_all = !source.contains("parameters") && (found.target.is_some() || !source.contains("entity"));
    if has_all { found.action.is_forbidden(asked) } else { None }
}

fn words(approval: &definition::Approval) -> String {
    let named = approval.by.iter().map(|by| if by == "owner" { "its owner".to_owned() } else { by.clone() });
    let ask = portal_core::actions::approval::Ask {
        approvers: named.collect(),
        need: approval.need,
        four_eyes: approval.four_eyes,
    };
    let when = approval.when.as_ref().map_or(String::new(), |when| format!(", when `{}`", when.expression.source()));
    format!("{}{when}", ask.words())
}

/// The form of an action for an entity and the answers given so far: its fields, what is
/// wrong, what is about to happen, and who has to agree.
#[utoipa::path(
    post, path = "/actions/{namespace}/{name}/form", tag = "actions", operation_id = "fill_action_form",
    params(("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "provision-database")),
    request_body(content = ActionQuestion, example = json!({"values": {"name": "ledger"}})),
    responses((status = 200, description = "The form", body = ActionForm)),
)]
pub async fn fill_action_form(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path((namespace, name)): Path<(String, String)>,
    params: Params,
    JsonBody(ActionQuestion { entity, values }): JsonBody<ActionQuestion>,
) -> ApiResult<Json<ActionForm>> {
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let name = format!("action:{namespace}/{name}");
    let named = (name.as_str(), "");
    let mut found = find::find(&app, &auth.principal, &snapshot, &visibility, named, entity.as_deref()).await?;
    found.compute(&snapshot, &visibility, &values);
    let mut form = templates::handlers::form_view(&snapshot, &visibility, &found.template, &found.action.run, &values);
    found.tell(&mut form);
    if !found.action.run.labels.contains_key("createButtonText") {
        form.create_label = "Run".to_owned();
    }
    let confirmation = found.action.confirmed(&found.asked(&form.values), &service::hosts(&app));
    let target = found.target.as_ref().map(|target| snapshot.index.link_of(&target.entity_ref, &visibility));
    Ok(Json(ActionForm {
        target,
        confirmation,
        approval: found.ask(&form.values).map(|(_, ask)| ask.words()),
        refusal: found.refusal(&form.values),
        form,
    }))
}

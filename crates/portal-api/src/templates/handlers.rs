//! Templates over HTTP: what there is, its form, and what a run of it would do.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use portal_core::access::Principal;
use portal_core::catalog::EntityRef;
use portal_core::catalog::index::Visibility;
use portal_core::catalog::query::{Filter, Selection};
use portal_core::catalog::wire::EntityLink;
use portal_core::problem::FieldError;
use portal_core::runs::StepState;
use portal_core::runs::wire::RunError;
use portal_core::templates::definition::Definition;
use portal_core::templates::plan::Scope;
use portal_core::templates::wire::{
    Control, DryRunFile, DryRunRepository, DryRunStep, DryRunView, FileChange, FormField, FormPage, FormQuestion,
    FormView, TemplateActionList, TemplateActionView, TemplateList, TemplateProblem, TemplateUsage, TemplateView,
};
use portal_core::templates::workspace::{File, FilePath, Workspace};
use portal_core::templates::{actions, definition, form, secrets};
use serde_json::{Map, Value, json};

use super::dry_run::{self, Became, Compared};
use crate::catalog::handlers::document;
use crate::catalog::permission::owners;
use crate::catalog::view::Snapshot;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog, RunTemplates};
use crate::http::body::JsonBody;
use crate::http::context::RequestId;
use crate::http::params::Params;
use crate::runs::live::Live;
use crate::runs::service::{self, Template};
use crate::runs::store;
use crate::state::App;

/// Templates that are listed, at most.
const TEMPLATES: usize = 1000;
/// Bytes of all files that a dry run shows.
const SHOWN: usize = 2 << 20;

/// The template of a reference, if it is theirs to see.
///
/// # Errors
/// 404, or a fault at `pointer`: not a reference, or of another kind.
pub async fn find(app: &App, visibility: &Visibility, text: &str, pointer: &str) -> ApiResult<Template> {
    let entity_ref = EntityRef::parse(text, Some("template"), EntityRef::DEFAULT_NAMESPACE);
    let entity_ref = entity_ref.map_err(|error| ApiError::field(pointer, error.to_string()))?;
    if entity_ref.kind() != "template" {
        return Err(ApiError::field(pointer, format!("`{entity_ref}` is not a template")));
    }
    let snapshot = app.catalog.snapshot();
    let (_, found) = document(app, &snapshot, &entity_ref, visibility).await?;
    Ok(Template {
        entity_ref: entity_ref.to_string(),
        entity: serde_json::from_slice(&found.json).unwrap_or_default(),
        source_id: found.source_id,
        location: found.location.clone(),
        revision: None,
        is_trusted: false,
    })
}

/// The entity of the caller, where the catalog has one.
///
/// # Errors
/// The database.
pub async fn user(app: &App, principal: &Principal) -> ApiResult<Option<Value>> {
    let Some(Ok(user)) = principal.user.as_deref().map(str::parse::<EntityRef>) else { return Ok(None) };
    let snapshot = app.catalog.snapshot();
    match document(app, &snapshot, &user, &Visibility::All).await {
        Ok((_, found)) => Ok(serde_json::from_slice(&found.json).ok()),
        Err(ApiError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Faults of fields that only take what the catalog has.
pub fn unknown_entities(
    snapshot: &Snapshot,
    visibility: &Visibility,
    fields: &[FormField],
    faults: &mut Vec<FieldError>,
) {
    for field in fields {
        unknown_entities(snapshot, visibility, &field.fields, faults);
        let is_picker = matches!(field.control, Control::Entity | Control::Entities);
        if !is_picker || field.options["allowArbitraryValues"] != false {
            continue;
        }
        // What cannot be read as a filter narrows nothing, here as in the list that is offered.
        let within = Filter::parse(&field.filters)
            .ok()
            .filter(|_| !field.filters.is_empty())
            .map(|filter| snapshot.index.select(&Selection { filter, ..Selection::default() }, visibility));
        let given = match &field.value {
            Some(Value::String(text)) if text.is_empty() => continue,
            Some(Value::String(text)) => vec![text.as_str()],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => continue,
        };
        let default = field.options["defaultKind"].as_str().or(field.options["catalogFilter"]["kind"].as_str());
        let kind = default.or((field.extension.as_deref() == Some("OwnerPicker")).then_some("Group"));
        let is_known = |text: &str| {
            let entity_ref = EntityRef::parse(text, kind, EntityRef::DEFAULT_NAMESPACE).ok();
            let fitting =
                entity_ref.filter(|one| field.kinds.is_empty() || field.kinds.iter().any(|kind| kind == one.kind()));
            let row = fitting.and_then(|one| snapshot.index.row(&one)).filter(|row| visibility.admits(*row));
            row.is_some_and(|row| within.as_ref().is_none_or(|rows| rows.contains(row)))
        };
        if let Some(unknown) = given.into_iter().find(|text| !is_known(text)) {
            let message = format!("is not in the catalog, or not offered here: `{unknown}`; choose one that is");
            faults.push(FieldError { pointer: field.pointer.clone(), message });
        }
    }
}

fn mark(fields: &mut [FormField], faults: &[FieldError]) {
    for field in fields {
        if let Some(fault) = faults.iter().find(|fault| fault.pointer == field.pointer) {
            field.error.get_or_insert_with(|| fault.message.clone());
        }
        mark(&mut field.fields, faults);
    }
}

/// The form with what the catalog says of its answers.
fn filled(
    snapshot: &Snapshot,
    visibility: &Visibility,
    definition: &Definition,
    values: &Map<String, Value>,
) -> (Vec<FormPage>, Vec<FieldError>) {
    let mut pages = form::pages(&definition.pages, values);
    let mut faults = form::faults_of(&definition.pages, values);
    let mut unknown = Vec::new();
    for page in &pages {
        unknown_entities(snapshot, visibility, &page.fields, &mut unknown);
    }
    pages.iter_mut().for_each(|page| mark(&mut page.fields, &unknown));
    faults.extend(unknown);
    (pages, faults)
}

/// What is wrong with answers, secrets among them.
pub fn faults(
    snapshot: &Snapshot,
    visibility: &Visibility,
    definition: &Definition,
    answers: &Map<String, Value>,
) -> Vec<FieldError> {
    filled(snapshot, visibility, definition, answers).1
}

/// The answers of a run that is tried out: with defaults, without secrets, which a form asks
/// for when the run is started.
///
/// # Errors
/// 422 with a pointer for each answer that is wrong.
pub fn answered(
    snapshot: &Snapshot,
    visibility: &Visibility,
    definition: &Definition,
    values: &Map<String, Value>,
) -> ApiResult<Map<String, Value>> {
    let (values, _) = secrets::part(&definition.pages, values);
    let answers = form::with_defaults(&definition.pages, &values);
    let all = secrets::fields(&definition.pages, &answers);
    let faults = secrets::without(&all, faults(snapshot, visibility, definition, &answers));
    service::check(secrets::told(&all, &Map::new(), faults), &answers)?;
    Ok(answers)
}

fn rows(snapshot: &Snapshot, visibility: &Visibility) -> ApiResult<Vec<u32>> {
    let filter = Filter::parse(&["kind=template"]).map_err(|error| ApiError::Internal(error.to_string()))?;
    let selection = Selection { filter, ..Selection::default() };
    Ok(snapshot.index.select(&selection, visibility).into_iter().take(TEMPLATES).collect())
}

/// References of the templates that somebody owns.
pub fn owned_by(snapshot: &Snapshot, principal: &Principal) -> Vec<String> {
    let rows = rows(snapshot, &Visibility::All).unwrap_or_default();
    let own = rows
        .into_iter()
        .filter(|row| owners(&snapshot.index, *row).iter().any(|owner| principal.is_or_belongs_to(owner)));
    own.filter_map(|row| snapshot.index.canonical(row).map(str::to_owned)).collect()
}

/// All templates that the caller sees, by title, with how they are used and what is
/// wrong with them.
#[utoipa::path(
    get, path = "/templates", tag = "templates", operation_id = "list_templates",
    responses((status = 200, description = "All templates", body = TemplateList)),
)]
pub async fn list_templates(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<TemplateList>> {
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let rows = rows(&snapshot, &visibility)?;
    let documents = app.catalog.documents.get(&app.db, &snapshot.index, &visibility, &rows).await?;
    let usage = usage(&app).await?;
    let view = |(row, found): (u32, Option<Arc<crate::catalog::documents::Document>>)| {
        let found = found?;
        let entity: Value = serde_json::from_slice(&found.json).ok()?;
        Some(view(&snapshot, &visibility, row, &found.entity_ref, &entity, &usage))
    };
    let mut items: Vec<TemplateView> = rows.iter().copied().zip(documents).filter_map(view).collect();
    items.sort_by_cached_key(|template| template.title.to_lowercase());
    let total = items.len() as u64;
    Ok(Json(TemplateList { items, next_cursor: None, total }))
}

pub async fn usage(app: &App) -> ApiResult<HashMap<String, TemplateUsage>> {
    let mut all: HashMap<String, (TemplateUsage, u64, u64)> = HashMap::new();
    for (definition, state, count, last) in store::usage(app.db.reader()).await? {
        let (usage, good, bad) = all.entry(definition).or_default();
        let count = count.unsigned_abs();
        usage.runs += count;
        usage.last_run_at = usage.last_run_at.max(Some(last));
        match state.as_str() {
            "succeeded" => *good += count,
            "failed" | "unknown" => *bad += count,
            _ => {}
        }
    }
    let rated = all.into_iter().map(|(definition, (mut usage, good, bad))| {
        usage.success_rate = (good + bad > 0).then(|| good as f64 / (good + bad) as f64);
        (definition, usage)
    });
    Ok(rated.collect())
}

fn view(
    snapshot: &Snapshot,
    visibility: &Visibility,
    row: u32,
    entity_ref: &str,
    entity: &Value,
    usage: &HashMap<String, TemplateUsage>,
) -> TemplateView {
    let (_, findings) = definition::read(entity);
    let metadata = &entity["metadata"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let owner: Option<EntityLink> =
        owners(&snapshot.index, row).first().map(|owner| snapshot.index.link_of(owner, visibility));
    TemplateView {
        entity_ref: entity_ref.to_owned(),
        title: text(&metadata["title"]).or_else(|| text(&metadata["name"])).unwrap_or_default(),
        description: text(&metadata["description"]),
        template_type: text(&entity["spec"]["type"]).unwrap_or_default(),
        owner,
        tags: metadata["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        usage: usage.get(entity_ref).cloned().unwrap_or_default(),
        broken: findings.iter().any(|finding| finding.is_error),
        problems: findings.into_iter().map(TemplateProblem::from).collect(),
    }
}

/// One template.
#[utoipa::path(
    get, path = "/templates/{namespace}/{name}", tag = "templates", operation_id = "find_template",
    params(("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "rust-service")),
    responses((status = 200, description = "The template", body = TemplateView)),
)]
pub async fn find_template(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path((namespace, name)): Path<(String, String)>,
    params: Params,
) -> ApiResult<Json<TemplateView>> {
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let template = find(&app, &visibility, &format!("template:{namespace}/{name}"), "").await?;
    let row = snapshot.index.row_of(&template.entity_ref).unwrap_or_default();
    let usage = usage(&app).await?;
    Ok(Json(view(&snapshot, &visibility, row, &template.entity_ref, &template.entity, &usage)))
}

/// The form of a template for the answers given so far: which fields there are, their
/// choices and defaults, and what is wrong.
#[utoipa::path(
    post, path = "/templates/{namespace}/{name}/form", tag = "templates", operation_id = "fill_template_form",
    params(("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "rust-service")),
    request_body(content = FormQuestion, example = json!({"values": {"name": "ledger"}})),
    responses((status = 200, description = "The form", body = FormView)),
)]
pub async fn fill_template_form(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path((namespace, name)): Path<(String, String)>,
    params: Params,
    JsonBody(FormQuestion { entity, values }): JsonBody<FormQuestion>,
) -> ApiResult<Json<FormView>> {
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let template = find(&app, &visibility, &format!("template:{namespace}/{name}"), "").await?;
    let (definition, _) = definition::read(&template.entity);
    let values = with_entity(&app, &visibility, &definition, entity, values).await?;
    Ok(Json(form_view(&snapshot, &visibility, &template, &definition, &values)))
}

/// The answers, and those that an entity gives.
async fn with_entity(
    app: &App,
    visibility: &Visibility,
    definition: &Definition,
    entity: Option<String>,
    mut values: Map<String, Value>,
) -> ApiResult<Map<String, Value>> {
    let Some(entity) = entity else { return Ok(values) };
    let entity_ref = EntityRef::parse(&entity, None, EntityRef::DEFAULT_NAMESPACE)
        .map_err(|error| ApiError::field("/entity", error.to_string()))?;
    let found = document(app, &app.catalog.snapshot(), &entity_ref, visibility).await;
    let (_, found) = found.map_err(|error| match error {
        ApiError::NotFound { .. } => ApiError::field("/entity", format!("the catalog has no `{entity_ref}`")),
        error => error,
    })?;
    let document = serde_json::from_slice(&found.json).unwrap_or_default();
    for (name, value) in form::answered_by(&definition.pages, &found.entity_ref, &document) {
        values.entry(name).or_insert(value);
    }
    Ok(values)
}

pub fn form_view(
    snapshot: &Snapshot,
    visibility: &Visibility,
    template: &Template,
    definition: &Definition,
    values: &Map<String, Value>,
) -> FormView {
    let (values, _) = secrets::part(&definition.pages, values);
    let (pages, errors) = filled(snapshot, visibility, definition, &values);
    let values = form::with_defaults(&definition.pages, &values);
    let errors = secrets::without(&secrets::fields(&definition.pages, &values), errors);
    let label =
        |name: &str, usual: &str| definition.labels.get(name).and_then(Value::as_str).unwrap_or(usual).to_owned();
    FormView {
        title: template.title(),
        description: template.entity["metadata"]["description"].as_str().map(str::to_owned),
        pages,
        errors,
        values,
        create_label: label("createButtonText", "Create"),
        back_label: label("backButtonText", "Back"),
        review_label: label("reviewButtonText", "Continue"),
    }
}

/// What a run with these answers would do: the files with their content, the log of each
/// step, the outputs. Skeletons are read; nothing is written anywhere.
#[utoipa::path(
    post, path = "/templates/{namespace}/{name}/dry-run", tag = "templates", operation_id = "dry_run_template",
    params(("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "rust-service")),
    request_body(content = FormQuestion, example = json!({"values": {"name": "ledger"}})),
    responses((status = 200, description = "What would happen", body = DryRunView)),
)]
pub async fn dry_run_template(
    auth: Authorized<RunTemplates>,
    State(app): State<App>,
    request_id: RequestId,
    Path((namespace, name)): Path<(String, String)>,
    params: Params,
    JsonBody(FormQuestion { entity, values }): JsonBody<FormQuestion>,
) -> ApiResult<Json<DryRunView>> {
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let template = find(&app, &visibility, &format!("template:{namespace}/{name}"), "").await?;
    let (definition, findings) = definition::read(&template.entity);
    if let Some(finding) = findings.iter().find(|finding| finding.is_error) {
        let detail = format!("the template cannot run: {}: {}", finding.pointer, finding.message);
        return Err(ApiError::invalid("invalid_template", detail, Vec::new()));
    }
    let values = with_entity(&app, &visibility, &definition, entity, values).await?;
    let answers = answered(&snapshot, &visibility, &definition, &values)?;
    let place = template.source_id.map(|id| (id, template.location.clone()));
    let what = Tried { definition: &definition, answers, entity: Value::Null, place, anonymous: false };
    Ok(Json(tried(&app, &auth, &request_id, what).await?))
}

/// What is tried out.
pub(super) struct Tried<'t> {
    pub definition: &'t Definition,
    pub answers: Map<String, Value>,
    /// What an action is run on.
    pub entity: Value,
    pub place: Option<(i64, String)>,
    pub anonymous: bool,
}

/// What a run with these answers would do.
pub(super) async fn tried(
    app: &App,
    auth: &Authorized<RunTemplates>,
    request_id: &RequestId,
    what: Tried<'_>,
) -> ApiResult<DryRunView> {
    let Tried { definition, answers, entity, place, anonymous } = what;
    let writing = auth.writing(app, request_id);
    let user = user(app, &auth.principal).await?;
    let live = Live::dry(app, &auth.principal, writing, place, anonymous);
    let fields = secrets::fields(&definition.pages, &answers);
    // What stands for a secret that is given later.
    let shown = fields.iter().map(|field| (field.name.clone(), format!("‹secret {}›", field.name).into())).collect();
    let scope = Scope {
        parameters: secrets::put(&fields, &answers, &shown),
        secrets: shown,
        entity,
        user: json!({ "ref": auth.principal.user, "entity": user }),
        run: "dry-run".to_owned(),
        hosts: service::hosts(app),
        ..Scope::default()
    };
    let report = dry_run::run(definition, scope, &live, &BTreeSet::new()).await;
    let step = |step: dry_run::StepReport| DryRunStep {
        state: match step.became {
            Became::Done | Became::Stubbed => StepState::Succeeded,
            Became::Skipped => StepState::Skipped,
            Became::Failed => StepState::Failed,
        },
        id: step.id,
        name: step.name,
        action: step.action,
        log: step.log,
    };
    Ok(DryRunView {
        files: files(&report.workspace, report.compared.as_ref()),
        repository: report.compared.map(|compared| DryRunRepository {
            address: compared.repository.address,
            branch: compared.repository.branch,
        }),
        steps: report.steps.into_iter().map(step).collect(),
        output: report.output,
        error: report.failure.map(|(step, trouble)| RunError {
            code: trouble.code.to_owned(),
            message: trouble.message,
            step: Some(step),
        }),
    })
}

fn files(workspace: &Workspace, compared: Option<&Compared>) -> Vec<DryRunFile> {
    let mut room = SHOWN;
    let mut shown = |file: &File| {
        let text = file.as_text().filter(|text| text.len() <= room).map(str::to_owned);
        room -= text.as_ref().map_or(0, String::len);
        text
    };
    let view = |(path, file): (&FilePath, &File)| {
        let before = compared.and_then(|compared| compared.before(path));
        let change = before.map(|before| match before {
            None => FileChange::Added,
            Some(before) if before == file => FileChange::Unchanged,
            Some(_) => FileChange::Changed,
        });
        DryRunFile {
            path: path.to_string(),
            text: shown(file),
            bytes: file.content.len() as u64,
            executable: file.executable,
            before: before.flatten().filter(|before| *before != file).and_then(&mut shown),
            change,
        }
    };
    workspace.files().map(view).collect()
}

/// The kinds of steps that templates can use, with what goes in and comes out.
#[utoipa::path(
    get, path = "/template-actions", tag = "templates", operation_id = "list_template_actions",
    responses((status = 200, description = "All kinds of steps", body = TemplateActionList)),
)]
pub async fn list_template_actions(
    _auth: Authorized<ReadCatalog>,
    params: Params,
) -> ApiResult<Json<TemplateActionList>> {
    params.finish()?;
    let view = |action: &actions::Action| TemplateActionView {
        id: action.id.to_owned(),
        description: action.description.to_owned(),
        effect: action.effect.as_str().to_owned(),
        input: action.input_schema(),
        output: action.output_schema(),
    };
    let items: Vec<TemplateActionView> = actions::ACTIONS.iter().map(view).collect();
    let total = items.len() as u64;
    Ok(Json(TemplateActionList { items, next_cursor: None, total }))
}

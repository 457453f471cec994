//! A template or an action that is being written: what is wrong with it, its form, and what a run of it
//! would do.

use axum::Json;
use axum::extract::State;
use portal_core::access::Verb;
use portal_core::catalog::index::Visibility;
use portal_core::catalog::validate;
use portal_core::catalog::wire::{DocumentVerdict, Fault};
use portal_core::document::{self, Budget, Document};
use portal_core::templates::definition;
use portal_core::templates::wire::{TemplateDraft, TemplatePreview};

use super::absent;
use super::handlers::{self, Tried};
use crate::actions::find::{self, Found};
use crate::catalog::permission::owners;
use crate::catalog::view::Snapshot;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, RunTemplates};
use crate::http::body::JsonBody;
use crate::http::context::RequestId;
use crate::http::params::Params;
use crate::runs::service::{self, Template};
use crate::state::App;

/// What a template or an action would be that is not in the catalog yet: its faults with their lines,
/// its form for these answers, and a dry run once they are right.
///
/// Nobody has vetted it, so what it reads elsewhere is read without the portal's
/// credentials. Files beside it are those of the template that is named as its `place`, for
/// whoever owns that one.
#[utoipa::path(
    post, path = "/template-preview", tag = "templates", operation_id = "preview_template",
    request_body(content = TemplateDraft, example = json!({"text": "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata:\n  name: hello\nspec:\n  type: service\n  owner: team-a\n  steps:\n    - action: debug:log\n      input: { message: hello }\n"})),
    responses((status = 200, description = "What it would be", body = TemplatePreview)),
)]
pub async fn preview_template(
    auth: Authorized<RunTemplates>,
    State(app): State<App>,
    request_id: RequestId,
    params: Params,
    JsonBody(draft): JsonBody<TemplateDraft>,
) -> ApiResult<Json<TemplatePreview>> {
    params.finish()?;
    let TemplateDraft { text, values, place, entity: on, dry_run } = draft;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let beside = match place {
        Some(place) => Some(template_beside(&app, &auth, &snapshot, &visibility, &place).await?),
        None => None,
    };
    let mut faults = faults(&snapshot, &text);
    let documents = document::read(text.as_bytes(), &Budget::default()).documents;
    let is_meant = |document: &Document| document.value["kind"] == "Template" || document.value["kind"] == "Action";
    let Some(meant) = documents.into_iter().find(is_meant) else {
        return Ok(Json(TemplatePreview { faults, ..TemplatePreview::default() }));
    };
    faults.extend(absent::remarks(&app, &snapshot, &visibility, &meant).await?);
    let entity = meant.value;
    let is_action = entity["kind"] == "Action";
    let entity_ref = portal_core::catalog::Entity(entity.clone()).entity_ref();
    let template = Template {
        entity_ref: entity_ref.map_or_else(String::new, |entity_ref| entity_ref.to_string()),
        entity,
        source_id: None,
        location: String::new(),
        revision: None,
        is_trusted: false,
    };
    let on = on.as_deref().filter(|_| is_action);
    let mut found = find::judged(&app, &auth.principal, &snapshot, &visibility, template, on).await?;
    found.compute(&snapshot, &visibility, &values);
    let Found { template, action, target, .. } = &found;
    // A template says things that mean nothing in an action.
    let findings = if is_action { found.findings.clone() } else { definition::read(&template.entity).1 };
    let mut form = handlers::form_view(&snapshot, &visibility, template, &action.run, &values);
    found.tell(&mut form);
    let has_target = action.kinds.is_empty() || target.is_some();
    let runs = dry_run && has_target && form.errors.is_empty() && !findings.iter().any(|finding| finding.is_error);
    let report = if runs {
        let place = beside.and_then(|beside| beside.source_id.map(|id| (id, beside.location)));
        let entity = target.as_ref().map(|target| target.entity.clone()).unwrap_or_default();
        let what = Tried { definition: &action.run, answers: form.values.clone(), entity, place, anonymous: true };
        Some(handlers::tried(&app, &auth, &request_id, what).await?)
    } else {
        None
    };
    Ok(Json(TemplatePreview {
        // Without an entity it has holes.
        confirmation: action
            .confirmed(&found.asked(&form.values), &service::hosts(&app))
            .filter(|_| is_action && has_target),
        approval: found.ask(&form.values).filter(|_| is_action).map(|(_, ask)| ask.words()),
        refusal: found.refusal(&form.values).filter(|_| is_action && has_target),
        kinds: if is_action { action.kinds.clone() } else { Vec::new() },
        faults,
        form: Some(form),
        entity_ref: Some(template.entity_ref.clone()).filter(|reference| !reference.is_empty()),
        report,
    }))
}

/// The template whose files are used; only an owner learns what lies beside it.
async fn template_beside(
    app: &App,
    auth: &Authorized<RunTemplates>,
    snapshot: &Snapshot,
    visibility: &Visibility,
    place: &str,
) -> ApiResult<Template> {
    let template = if place.starts_with("action:") {
        find::find(app, &auth.principal, snapshot, visibility, (place, "/place"), None).await?.template
    } else {
        handlers::find(app, visibility, place, "/place").await?
    };
    let row = snapshot.index.row_of(&template.entity_ref);
    let owns =
        row.is_some_and(|row| owners(&snapshot.index, row).iter().any(|owner| auth.principal.is_or_belongs_to(owner)));
    if owns || auth.principal.role.may_everywhere(Verb::WriteSources) {
        return Ok(template);
    }
    let reason = format!("only owners of `{}` and maintainers may use the files beside it", template.entity_ref);
    Err(ApiError::Forbidden(reason))
}

/// What is wrong, in the order of its lines; what keeps it from running among it.
fn faults(snapshot: &Snapshot, text: &str) -> Vec<Fault> {
    let verdicts = validate::verdicts("template.yaml", text.as_bytes(), &snapshot.kinds, &Budget::default());
    let mut faults: Vec<_> = verdicts
        .into_iter()
        .flat_map(|DocumentVerdict { errors, warnings, .. }| errors.into_iter().chain(warnings))
        .collect();
    faults.sort_by_key(|fault| (fault.rule == validate::REMARK, fault.line));
    faults
}

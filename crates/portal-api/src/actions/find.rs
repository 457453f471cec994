//! Which actions there are, and what one says of an entity and a caller.

use std::sync::Arc;

use portal_core::access::Principal;
use portal_core::actions::approval::Ask;
use portal_core::actions::computed;
use portal_core::actions::definition::{self, Action, Approval, Asked};
use portal_core::catalog::EntityRef;
use portal_core::catalog::index::Visibility;
use portal_core::catalog::query::{Filter, Selection};
use portal_core::cel::Lookup;
use portal_core::problem::FieldError;
use portal_core::templates::definition::Finding;
use portal_core::templates::form;
use portal_core::templates::wire::{FormField, FormView};
use serde_json::{Map, Value, json};

use crate::catalog::handlers::document;
use crate::catalog::permission::owners;
use crate::catalog::view::Snapshot;
use crate::error::{ApiError, ApiResult};
use crate::runs::service::Template;
use crate::state::App;

/// Entities that an expression gets of one question, at most.
const ENTITIES: u64 = 1000;

/// An action and the entity that it is to be run on.
pub struct Found {
    pub template: Template,
    pub action: Action,
    pub findings: Vec<Finding>,
    pub target: Option<Target>,
    /// The caller, as rules see them.
    pub caller: Value,
    /// Choices of fields that could not be computed.
    pub uncomputed: Vec<FieldError>,
}

/// An entity that an action is run on.
#[derive(Debug, Clone)]
pub struct Target {
    pub entity_ref: String,
    pub entity: Value,
    pub owners: Vec<String>,
}

impl Found {
    pub fn asked<'a>(&'a self, parameters: &'a Map<String, Value>) -> Asked<'a> {
        let entity = self.target.as_ref().map(|target| &target.entity);
        Asked { entity, parameters, caller: &self.caller }
    }

    /// Why the caller cannot run it; nothing where they can.
    pub fn refusal(&self, parameters: &Map<String, Value>) -> Option<String> {
        let asked = self.asked(parameters);
        self.action.does_not_fit(&asked).or_else(|| self.action.is_forbidden(&asked))
    }

    /// Computes what its form offers for these answers. Whoever shows no form needs none of it.
    pub fn compute(&mut self, snapshot: &Snapshot, visibility: &Visibility, values: &Map<String, Value>) {
        if !computed::computes(&self.template.entity) {
            return;
        }
        let (written, look) = (self.template.entity.clone(), lookup(snapshot, visibility));
        let entity = self.target.as_ref().map(|target| &target.entity);
        // What is computed may speak of answers, and of defaults that were computed themselves.
        for _ in 0..2 {
            let parameters = form::with_defaults(&self.action.run.pages, values);
            let asked = Asked { entity, parameters: &parameters, caller: &self.caller };
            self.template.entity = written.clone();
            self.uncomputed = computed::put_in(&mut self.template.entity, &asked, &look);
            self.action.run = definition::read(&self.template.entity).0.run;
        }
    }

    /// Tells a form of what could not be computed.
    pub fn tell(&self, form: &mut FormView) {
        for fault in &self.uncomputed {
            let fields = form.pages.iter_mut().flat_map(|page| &mut page.fields);
            if let Some(field) = field_of(fields, &fault.pointer) {
                field.error = Some(fault.message.clone());
            }
            form.errors.retain(|known| known.pointer != fault.pointer);
            form.errors.push(fault.clone());
        }
    }

    /// What is asked of approvers, where somebody has to agree.
    pub fn ask(&self, parameters: &Map<String, Value>) -> Option<(&Approval, Ask)> {
        let approval = self.action.needs_approval(&self.asked(parameters))?;
        let owners = self.target.as_ref().map_or(&[][..], |target| &target.owners);
        let (need, four_eyes) = (approval.need, approval.four_eyes);
        Some((approval, Ask { approvers: approval.approvers(owners), need, four_eyes }))
    }
}

fn field_of<'f>(mut fields: impl Iterator<Item = &'f mut FormField>, pointer: &str) -> Option<&'f mut FormField> {
    let field = fields.find(|field| pointer == field.pointer || pointer.starts_with(&format!("{}/", field.pointer)))?;
    if field.pointer == pointer {
        return Some(field);
    }
    field_of(&mut field.fields.iter_mut() as &mut dyn Iterator<Item = &'f mut FormField>, pointer)
}

/// The action of a reference, if it is theirs to see, with the entity that is named.
///
/// # Errors
/// 404, or a fault at a pointer: not a reference, or of another kind.
pub async fn find(
    app: &App,
    principal: &Principal,
    snapshot: &Snapshot,
    visibility: &Visibility,
    (text, pointer): (&str, &str),
    entity: Option<&str>,
) -> ApiResult<Found> {
    let entity_ref = EntityRef::parse(text, Some("action"), EntityRef::DEFAULT_NAMESPACE);
    let entity_ref = entity_ref.map_err(|error| ApiError::field(pointer, error.to_string()))?;
    if entity_ref.kind() != "action" {
        return Err(ApiError::field(pointer, format!("`{entity_ref}` is not an action")));
    }
    let (_, found) = document(app, snapshot, &entity_ref, visibility).await?;
    let whole: Value = serde_json::from_slice(&found.json).unwrap_or_default();
    let template = Template {
        entity_ref: entity_ref.to_string(),
        entity: whole,
        source_id: found.source_id,
        location: found.location.clone(),
        // Whoever runs it asks for its source.
        revision: None,
        is_trusted: false,
    };
    judged(app, principal, snapshot, visibility, template, entity).await
}

/// An action as the caller would run it, wherever its text comes from.
///
/// # Errors
/// A fault at `/entity`.
pub async fn judged(
    app: &App,
    principal: &Principal,
    snapshot: &Snapshot,
    visibility: &Visibility,
    template: Template,
    entity: Option<&str>,
) -> ApiResult<Found> {
    let (action, findings) = definition::read(&template.entity);
    let target = match entity.filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => Some(target(app, snapshot, visibility, text).await?),
    };
    let caller = definition::caller(principal, target.as_ref().map_or(&[][..], |target| &target.owners));
    Ok(Found { template, action, findings, target, caller, uncomputed: Vec::new() })
}

/// Entities that the caller sees, as expressions see them; in the order of their names.
fn lookup(snapshot: &Snapshot, visibility: &Visibility) -> Lookup {
    let (index, visibility) = (snapshot.index.clone(), visibility.clone());
    Arc::new(move |filter: &str| {
        let filter = Filter::parse(&[filter]).map_err(|error| error.to_string())?;
        let rows = index.select(&Selection { filter, ..Selection::default() }, &visibility);
        if rows.len() > ENTITIES {
            return Err(format!("{} entities fit; narrow it to {ENTITIES} at most", rows.len()));
        }
        let mut found: Vec<_> = rows.into_iter().filter_map(|row| index.summary(row)).collect();
        found.sort_by_cached_key(|summary| summary.entity_ref.to_string());
        let text = |reference: Option<EntityRef>| reference.map(|reference| reference.to_string());
        let seen = found.into_iter().map(|summary| {
            json!({
                "ref": summary.entity_ref.to_string(), "kind": summary.kind, "namespace": summary.namespace,
                "name": summary.name, "title": summary.title, "type": summary.subtype,
                "lifecycle": summary.lifecycle, "owner": text(summary.owner), "system": text(summary.system),
            })
        });
        Ok(seen.collect())
    })
}

/// The entity that an action is run on.
async fn target(app: &App, snapshot: &Snapshot, visibility: &Visibility, text: &str) -> ApiResult<Target> {
    let reference = EntityRef::parse(text, None, EntityRef::DEFAULT_NAMESPACE);
    let reference = reference.map_err(|error| ApiError::field("/entity", error.to_string()))?;
    let unknown = || ApiError::field("/entity", format!("`{reference}` is not in the catalog"));
    let row = snapshot.index.row(&reference).filter(|row| visibility.admits(*row)).ok_or_else(unknown)?;
    let (_, found) = document(app, snapshot, &reference, visibility).await?;
    let entity = serde_json::from_slice(&found.json).unwrap_or_default();
    Ok(Target { entity_ref: reference.to_string(), entity, owners: owners(&snapshot.index, row) })
}

//! Verdicts on descriptors, as Backstage's own validators give them.
//!
//! The stages are those of its pipeline: the envelope (is this an entity at
//! all), the policy (fields of every entity), the kind (fields of `spec`), the
//! relations (references). Backstage stops at the first fault; here all are
//! told, the earlier stages first.

mod envelope;
mod finding;
pub(crate) mod formats;
pub(crate) mod hints;
mod kind;
mod policy;
mod references;
mod spec;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use super::entity::Entity;
use super::kinds::KindRegistry;
use super::wire::{DocumentVerdict, Fault};
use crate::actions;
use crate::document::{self, Budget, Document, Spot};
use crate::templates::definition;

use finding::Finding;
pub use finding::Stage;

/// All faults of a descriptor, with the place of each; empty means valid.
///
/// `place` answers line and column of a JSON pointer; use [`nowhere`] for a
/// value that has no text. A placeholder such as `{ $text: … }` fits wherever
/// its content would: put the content in before the last verdict.
pub fn validate(value: &Value, kinds: &KindRegistry, place: &dyn Fn(&str, Spot) -> (u32, u32)) -> Vec<Fault> {
    findings(value, kinds).into_iter().map(|finding| finding.at(place)).collect()
}

/// The stage at which Backstage would reject the descriptor.
pub fn stage(value: &Value, kinds: &KindRegistry) -> Option<Stage> {
    findings(value, kinds).first().map(|finding| finding.stage)
}

/// The place of everything in a value that has no text: line 1, column 1.
pub fn nowhere(_pointer: &str, _spot: Spot) -> (u32, u32) {
    (1, 1)
}

/// Reads a file and judges each of its documents; empty documents have no verdict.
pub fn verdicts(file: &str, bytes: &[u8], kinds: &KindRegistry, budget: &Budget) -> Vec<DocumentVerdict> {
    let reading = document::read(bytes, budget);
    let mut verdicts: BTreeMap<u32, DocumentVerdict> = BTreeMap::new();
    let empty = |document, entity_ref, kind, errors: Vec<Fault>| DocumentVerdict {
        file: file.to_owned(),
        document,
        entity_ref,
        kind,
        valid: errors.is_empty(),
        errors,
        warnings: Vec::new(),
    };
    for (document, fault) in reading.faults {
        let verdict = verdicts.entry(document).or_insert_with(|| empty(document, None, None, Vec::new()));
        verdict.valid = false;
        verdict.errors.push(fault);
    }
    for document in reading.documents {
        let faults = validate(&document.value, kinds, &|pointer, spot| document.place(pointer, spot));
        let warnings = template_faults(&document);
        let entity = Entity(document.value);
        let entity_ref = entity
            .entity_ref()
            .filter(|_| !faults.iter().any(|fault| fault.rule == "not_an_object"))
            .map(|entity_ref| entity_ref.to_string());
        let kind = entity.kind().map(str::to_owned);
        let verdict = empty(document.index, entity_ref, kind, faults);
        verdicts.insert(document.index, DocumentVerdict { warnings, ..verdict });
    }
    verdicts.into_values().collect()
}

/// The rule of what keeps a template from running.
pub const CANNOT_RUN: &str = "template_cannot_run";
/// The rule of what is probably not meant in a template that runs.
pub const REMARK: &str = "template_remark";

/// What is wrong with a template or an action as such.
fn template_faults(document: &Document) -> Vec<Fault> {
    let (kind, version) = (&document.value["kind"], &document.value["apiVersion"]);
    let findings = match kind.as_str() {
        Some("Template") if is_scaffolder(version) => definition::read(&document.value).1,
        Some("Action") if version == "portal.dev/v1alpha1" => actions::definition::read(&document.value).1,
        _ => return Vec::new(),
    };
    let fault = |finding: definition::Finding| {
        let (line, column) = document.position(&finding.pointer);
        let rule = if finding.is_error { CANNOT_RUN } else { REMARK }.to_owned();
        Fault { line, column, pointer: finding.pointer, rule, message: finding.message, hint: None }
    };
    findings.into_iter().map(fault).collect()
}

fn is_scaffolder(version: &Value) -> bool {
    version.as_str().is_some_and(|version| version.starts_with("scaffolder.backstage.io/v1beta3"))
}

fn findings(value: &Value, kinds: &KindRegistry) -> Vec<Finding> {
    let mut found = Vec::new();
    envelope::check(value, &mut found);
    policy::check(value, &mut found);
    kind::check(value, kinds, &mut found);
    references::check(value, kinds, &mut found);
    found
}

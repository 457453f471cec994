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
use crate::document::{self, Budget, Spot};

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
    };
    for (document, fault) in reading.faults {
        let verdict = verdicts.entry(document).or_insert_with(|| empty(document, None, None, Vec::new()));
        verdict.valid = false;
        verdict.errors.push(fault);
    }
    for document in reading.documents {
        let faults = validate(&document.value, kinds, &|pointer, spot| document.place(pointer, spot));
        let entity = Entity(document.value);
        let entity_ref = entity
            .entity_ref()
            .filter(|_| !faults.iter().any(|fault| fault.rule == "not_an_object"))
            .map(|entity_ref| entity_ref.to_string());
        let kind = entity.kind().map(str::to_owned);
        verdicts.insert(document.index, empty(document.index, entity_ref, kind, faults));
    }
    verdicts.into_values().collect()
}

fn findings(value: &Value, kinds: &KindRegistry) -> Vec<Finding> {
    let mut found = Vec::new();
    envelope::check(value, &mut found);
    policy::check(value, &mut found);
    kind::check(value, kinds, &mut found);
    references::check(value, kinds, &mut found);
    found
}

//! Names of relation types, in pairs: as declared, and seen from the other end.

use std::sync::Arc;

/// The pairs of Backstage's model. The first name reads from the dependent to
/// what it depends on, which is the direction that a graph draws.
const BUILT_IN: [(&str, &str); 7] = [
    ("ownedBy", "ownerOf"),
    ("providesApi", "apiProvidedBy"),
    ("consumesApi", "apiConsumedBy"),
    ("dependsOn", "dependencyOf"),
    ("partOf", "hasPart"),
    ("childOf", "parentOf"),
    ("memberOf", "hasMember"),
];

/// The types in use and the pairs that are known.
#[derive(Debug, Clone, Default)]
pub(super) struct RelationTypes {
    types: Vec<RelationType>,
    declared: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
struct RelationType {
    name: Arc<str>,
    /// The field `relations.<name>`.
    field: u32,
}

impl RelationTypes {
    pub(super) fn declare(&mut self, outgoing: String, incoming: String) {
        let known = |name: &str| self.inverse(name).is_some();
        if !known(&outgoing) && !known(&incoming) {
            self.declared.push((outgoing, incoming));
        }
    }

    /// Types that differ only in case are one, as their search key is.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        let at = self.types.iter().position(|known| known.name.eq_ignore_ascii_case(name))?;
        u32::try_from(at).ok()
    }

    pub(super) fn add(&mut self, name: &str, field: u32) -> u32 {
        self.types.push(RelationType { name: name.into(), field });
        u32::try_from(self.types.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn field(&self, number: u32) -> Option<u32> {
        self.types.get(number as usize).map(|known| known.field)
    }

    /// The type behind a field `relations.<name>`.
    pub(super) fn of_field(&self, field: u32) -> Option<u32> {
        let at = self.types.iter().position(|known| known.field == field)?;
        u32::try_from(at).ok()
    }

    pub(super) fn name(&self, number: u32) -> &str {
        self.types.get(number as usize).map_or("", |known| &known.name)
    }

    /// The other name of the pair, and whether `name` is the declared one.
    pub(super) fn inverse(&self, name: &str) -> Option<(&str, bool)> {
        let declared = self.declared.iter().map(|(outgoing, incoming)| (outgoing.as_str(), incoming.as_str()));
        BUILT_IN.into_iter().chain(declared).find_map(|(outgoing, incoming)| {
            if outgoing.eq_ignore_ascii_case(name) {
                Some((incoming, true))
            } else if incoming.eq_ignore_ascii_case(name) {
                Some((outgoing, false))
            } else {
                None
            }
        })
    }
}

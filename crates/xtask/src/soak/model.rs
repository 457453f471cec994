//! What the driver knows about the catalog that it writes.

use std::collections::{BTreeMap, HashMap};

/// `None` where the entity was deleted.
pub type Version = Option<String>;

/// What each reference may hold, and what was shown of the change feed.
#[derive(Default)]
pub struct Model {
    pub entities: HashMap<String, Expected>,
    /// Subject of each change that any answer has shown.
    pub observed: BTreeMap<i64, String>,
    pub acknowledged: u64,
    versions: u64,
}

/// One entity: what is certain, and what was sent without an answer.
#[derive(Default, Debug, PartialEq)]
pub struct Expected {
    pub certain: Version,
    pub possible: Vec<Version>,
}

impl Model {
    /// A version that was never used before.
    pub fn next_version(&mut self) -> String {
        self.versions += 1;
        format!("v{}", self.versions)
    }

    /// Call it before the write is sent.
    pub fn send(&mut self, entity_ref: &str, version: Version) {
        self.entities.entry(entity_ref.to_owned()).or_default().possible.push(version);
    }

    /// Call it when the write is acknowledged. What was sent before it cannot
    /// come any more: an entity has one writer.
    pub fn acknowledge(&mut self, entity_ref: &str, version: Version) {
        self.acknowledged += 1;
        self.entities.insert(entity_ref.to_owned(), Expected { certain: version, possible: Vec::new() });
    }

    /// Call it with what the catalog shows: from now on it may not be less. A
    /// pass that a kill interrupted may still bring what was sent.
    pub fn confirm(&mut self, entity_ref: &str, version: Version) {
        let expected = self.entities.entry(entity_ref.to_owned()).or_default();
        if let Some(place) = expected.possible.iter().position(|possible| *possible == version) {
            expected.possible.drain(..=place);
        }
        expected.certain = version;
    }
}

impl Expected {
    pub fn allows(&self, version: &Version) -> bool {
        self.certain == *version || self.possible.contains(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unanswered_write_may_or_may_not_be_there() {
        let mut model = Model::default();
        model.send("component:default/a", Some("v1".to_owned()));
        assert!(model.entities["component:default/a"].allows(&None));
        model.acknowledge("component:default/a", Some("v1".to_owned()));
        assert!(!model.entities["component:default/a"].allows(&None));
        model.send("component:default/a", Some("v2".to_owned()));
        model.send("component:default/a", None);
        let expected = &model.entities["component:default/a"];
        assert!(
            expected.allows(&Some("v1".to_owned()))
                && expected.allows(&Some("v2".to_owned()))
                && expected.allows(&None)
        );
        assert!(!expected.allows(&Some("v3".to_owned())));
    }

    #[test]
    fn what_was_shown_stays_and_what_came_before_it_does_not_return() {
        let mut model = Model::default();
        for version in ["v1", "v2", "v3"] {
            model.send("component:default/a", Some(version.to_owned()));
        }
        model.confirm("component:default/a", Some("v2".to_owned()));
        let expected = &model.entities["component:default/a"];
        assert!(!expected.allows(&None) && !expected.allows(&Some("v1".to_owned())));
        assert!(expected.allows(&Some("v2".to_owned())) && expected.allows(&Some("v3".to_owned())));
    }
}

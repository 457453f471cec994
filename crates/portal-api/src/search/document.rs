//! What search knows of an entity.

use portal_core::catalog::entity::Entity;
use portal_core::catalog::reference::EntityRef;
use portal_core::documentation::wire::PageLink;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definition;
use crate::documentation::markdown;
use crate::documentation::store::PageText;

/// Bytes of a detail's value, at most: longer ones are data, not words.
const MAX_DETAIL: usize = 300;
/// Bytes of an entity's documentation that are searched.
pub const MAX_DOCUMENTATION: usize = 128 << 10;
/// Details of an entity, at most.
const MAX_DETAILS: usize = 64;

/// One change of the full text.
#[derive(Debug, Clone)]
pub enum SearchChange {
    /// Adds an entity, or replaces the one of the same reference.
    Upsert(Box<SearchDocument>),
    /// Removes the entity of a reference, in its canonical form.
    Remove(String),
    /// Forgets everything, before all entities are fed again.
    Clear,
}

/// An entity as the full text takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchDocument {
    /// The entity's row in the catalog index.
    pub row: u32,
    pub hit: StoredHit,
    /// What its documentation says, one passage a line.
    pub documentation: Option<String>,
    /// The readable part of an API definition, one passage a line.
    pub definition: Option<String>,
}

/// What a hit shows, kept in the index, so that a page of hits needs no other
/// read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredHit {
    pub entity_ref: String,
    /// As its author wrote it.
    pub kind: String,
    pub name: String,
    pub title: String,
    pub description: Option<String>,
    pub subtype: Option<String>,
    pub lifecycle: Option<String>,
    /// Canonical reference of the owner.
    pub owner: Option<String>,
    pub tags: Vec<String>,
    /// Other values that it is found by.
    pub details: Vec<Detail>,
    /// The pages of its documentation, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<PageMark>,
}

/// Where the passages of a page begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageMark {
    #[serde(flatten)]
    pub page: PageLink,
    /// Line of the documentation, from 0.
    pub line: usize,
}

/// A value beside name, title, tags and description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// `kind`, `type`, `owner`, `system`, `label`, `annotation`, `link`, `profile`, …
    #[serde(rename = "n")]
    pub name: String,
    #[serde(rename = "v")]
    pub value: String,
}

impl SearchDocument {
    /// Reads what search needs of a valid entity; `None` without kind or name.
    ///
    /// `api_definition` is the text of `spec.definition` where the descriptor
    /// does not carry it itself.
    pub fn from_entity(row: u32, entity: &Entity, api_definition: Option<&str>) -> Option<Self> {
        let entity_ref = entity.entity_ref()?;
        let (kind, name) = (entity.kind()?, entity.name()?);
        let subtype = entity.spec_str("type").map(str::to_owned);
        let api_definition = api_definition.or_else(|| entity.spec_str("definition"));
        let hit = StoredHit {
            entity_ref: entity_ref.to_string(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            title: entity.display_title().to_owned(),
            description: entity.description().map(str::to_owned),
            lifecycle: entity.spec_str("lifecycle").map(str::to_owned),
            owner: owner(entity, &entity_ref),
            tags: entity.tags().map(str::to_owned).collect(),
            details: details(entity, &entity_ref),
            pages: Vec::new(),
            subtype: subtype.clone(),
        };
        let definition = api_definition
            .map(|text| definition::passages(subtype.as_deref().unwrap_or_default(), text))
            .filter(|passages| !passages.is_empty());
        Some(Self { row, hit, documentation: None, definition })
    }

    /// Adds the pages of its documentation.
    pub fn document(&mut self, pages: Vec<PageText>) {
        let (mut text, mut lines) = (String::new(), 0);
        for PageText { path, title, text: page } in pages {
            self.hit.pages.push(PageMark { page: PageLink { path, title }, line: lines });
            for passage in markdown::passages(&page) {
                if text.len() + passage.len() > MAX_DOCUMENTATION {
                    break;
                }
                text.push_str(&passage);
                text.push('\n');
                lines += 1;
            }
        }
        self.documentation = Some(text).filter(|text| !text.is_empty());
    }
}

fn owner(entity: &Entity, entity_ref: &EntityRef) -> Option<String> {
    let owner = entity.spec_str("owner")?;
    EntityRef::parse(owner, Some("group"), entity_ref.namespace()).ok().map(|owner| owner.to_string())
}

fn details(entity: &Entity, entity_ref: &EntityRef) -> Vec<Detail> {
    let mut details = Vec::new();
    let mut add = |name: &str, value: &str| {
        if !value.trim().is_empty() && value.len() <= MAX_DETAIL && details.len() < MAX_DETAILS {
            details.push(Detail { name: name.to_owned(), value: value.to_owned() });
        }
    };
    add("kind", entity.kind().unwrap_or_default());
    for field in ["type", "owner", "system", "domain", "lifecycle", "parent", "target"] {
        add(field, entity.spec_str(field).unwrap_or_default());
    }
    if entity_ref.namespace() != EntityRef::DEFAULT_NAMESPACE {
        add("namespace", entity_ref.namespace());
    }
    if let Some(Value::Object(profile)) = entity.spec().and_then(|spec| spec.get("profile")) {
        for field in ["displayName", "email"] {
            add("profile", profile.get(field).and_then(Value::as_str).unwrap_or_default());
        }
    }
    let metadata = |field: &str| entity.metadata().and_then(|metadata| metadata.get(field));
    if let Some(Value::Object(labels)) = metadata("labels") {
        for value in labels.values().filter_map(Value::as_str) {
            add("label", value);
        }
    }
    if let Some(Value::Array(links)) = metadata("links") {
        for link in links {
            for field in ["title", "url"] {
                add("link", link.get(field).and_then(Value::as_str).unwrap_or_default());
            }
        }
    }
    if let Some(Value::Object(annotations)) = metadata("annotations") {
        // Where an entity came from is on its page; here it would make every
        // entity of a repository match the repository's name.
        let told = annotations.iter().filter(|(key, _)| !key.starts_with("backstage.io/"));
        for (_, value) in told {
            add("annotation", value.as_str().unwrap_or_default());
        }
    }
    details
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entity_is_read_for_search() {
        let entity = Entity(json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Component",
            "metadata": {
                "name": "booking-api", "namespace": "EU", "title": "Booking", "tags": ["rust"],
                "labels": {"tier": "one"},
                "annotations": {"github.com/project-slug": "kestrel/booking", "backstage.io/managed-by-location": "url:x"},
                "links": [{"url": "https://grafana.example", "title": "Dashboard"}],
            },
            "spec": {"type": "service", "owner": "team-booking", "lifecycle": "production"},
        }));
        let document = SearchDocument::from_entity(7, &entity, None).unwrap();
        assert_eq!(document.hit.entity_ref, "component:eu/booking-api");
        assert_eq!(document.hit.owner.as_deref(), Some("group:eu/team-booking"));
        let details: Vec<&str> = document.hit.details.iter().map(|detail| detail.value.as_str()).collect();
        let expected = ["Component", "service", "team-booking", "production", "eu", "one", "Dashboard"];
        assert_eq!(details, [&expected[..], &["https://grafana.example", "kestrel/booking"]].concat());
    }

    #[test]
    fn what_has_no_name_is_not_searched() {
        assert_eq!(SearchDocument::from_entity(1, &Entity(json!({"kind": "Component"})), None), None);
        assert_eq!(SearchDocument::from_entity(1, &Entity(json!(null)), None), None);
    }
}

//! The server's side of [`CatalogQuery`]: what it asks the API, and the addresses
//! that lead on from what the list shows.

use super::kinds::facets_of;
use super::query::{CatalogQuery, TYPE};
use crate::paths;

/// Rows on a page.
const LIMIT: &str = "25";
/// Values that a facet offers at most.
const FACET_VALUES: &str = "50";
/// What the table shows; documents stay on the server.
const FIELDS: &str = "kind,metadata.name,metadata.namespace,metadata.title,metadata.description,metadata.tags,\
                      spec.type,spec.lifecycle,spec.profile,spec.parent,spec.domain,spec.memberOf,spec.target";

impl CatalogQuery {
    /// The question to the API.
    pub fn api_path(&self) -> String {
        let which = self.which();
        let mut pairs = vec![("facet", "kind")];
        pairs.extend(facets_of(&self.kind).iter().map(|facet| ("facet", facet.key)));
        pairs.extend(which.iter().map(|(name, value)| (*name, value.as_str())));
        pairs.extend([("facet_limit", FACET_VALUES), ("limit", LIMIT), ("fields", FIELDS)]);
        pairs.extend(self.cursor.as_deref().map(|cursor| ("cursor", cursor)));
        paths::with_query("/api/v1/entities", pairs)
    }

    /// Another kind: facets that it does not have fall away.
    pub fn with_kind(&self, kind: &str) -> Self {
        let mut query = self.first_page();
        let facets = facets_of(kind);
        query.chosen.retain(|(facet, _)| *facet != &TYPE && facets.contains(facet));
        kind.clone_into(&mut query.kind);
        query
    }

    pub fn with_sort(&self, name: &'static str, backwards: bool) -> Self {
        Self { sort: (name, backwards), ..self.first_page() }
    }

    pub fn with_cursor(&self, cursor: &str) -> Self {
        Self { cursor: Some(cursor.to_owned()), ..self.clone() }
    }

    /// Whether anything but the kind narrows the list.
    pub fn is_narrowed(&self) -> bool {
        !self.text.is_empty() || !self.chosen.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use leptos_router::params::ParamsMap;

    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> CatalogQuery {
        CatalogQuery::read(&pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect::<ParamsMap>())
    }

    #[test]
    fn the_question_names_kind_and_facets() {
        let path = read(&[("owner", "group:default/booking"), ("lifecycle", "production")]).api_path();
        assert!(path.contains("filter=kind%3Dcomponent%2Crelations.ownedBy%3Dgroup:default%2Fbooking"), "{path}");
        assert!(path.contains("facet=kind&facet=relations.ownedBy"), "{path}");
        assert!(!read(&[("kind", "all")]).api_path().contains("filter="));
        let file = read(&[("kind", "all"), ("q", "a b"), ("sort", "-type"), ("cursor", "x")]).export_path("csv");
        assert_eq!(file, "/api/v1/entities/export?format=csv&q=a%20b&sort=-spec.type");
    }

    #[test]
    fn another_kind_drops_what_it_does_not_have() {
        let query = read(&[("owner", "group:default/a"), ("type", "service"), ("tag", "go")]);
        assert_eq!(query.with_kind("user").href(), "/catalog?kind=user&tag=go");
        assert_eq!(
            query.with_kind("api").href(),
            "/catalog?kind=api&owner=group%3Adefault%2Fa&tag=go".replace("%3A", ":")
        );
    }
}

//! What the list shows, as its address says it.

use leptos_router::params::ParamsMap;

use super::kinds::facets_of;
use crate::paths;

/// Rows on a page.
const LIMIT: &str = "25";
/// Values that a facet offers at most.
const FACET_VALUES: &str = "50";
/// What the table shows; documents stay on the server.
const FIELDS: &str = "kind,metadata.name,metadata.namespace,metadata.title,metadata.description,metadata.tags,\
                      spec.type,spec.lifecycle,spec.profile,spec.parent,spec.domain,spec.memberOf,spec.target";

/// A way to narrow the list: its name in the address, its label, its key in the index.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Facet {
    pub name: &'static str,
    pub label: &'static str,
    pub key: &'static str,
}

pub(super) const OWNER: Facet = Facet { name: "owner", label: "Owner", key: "relations.ownedBy" };
pub(super) const TYPE: Facet = Facet { name: "type", label: "Type", key: "spec.type" };
pub(super) const LIFECYCLE: Facet = Facet { name: "lifecycle", label: "Lifecycle", key: "spec.lifecycle" };
pub(super) const TAG: Facet = Facet { name: "tag", label: "Tag", key: "metadata.tags" };
const ALL_FACETS: [&Facet; 4] = [&OWNER, &TYPE, &LIFECYCLE, &TAG];

/// A column that the list can be sorted by: its name in the address and its
/// key in the index.
pub(super) const SORTS: [(&str, &str); 5] = [
    ("name", "metadata.name"),
    ("owner", "spec.owner"),
    ("system", "spec.system"),
    ("type", "spec.type"),
    ("lifecycle", "spec.lifecycle"),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CatalogQuery {
    /// Lower case; `all` for every kind.
    pub kind: String,
    pub text: String,
    /// Chosen facet values, in the order of the address.
    pub chosen: Vec<(&'static Facet, String)>,
    /// Name in [`SORTS`], and whether it runs backwards.
    pub sort: (&'static str, bool),
    pub cursor: Option<String>,
}

impl CatalogQuery {
    /// Reads an address; what it does not know, it ignores.
    pub fn read(params: &ParamsMap) -> Self {
        let text = |name: &str| params.get(name).unwrap_or_default();
        let chosen = ALL_FACETS
            .into_iter()
            .flat_map(|facet| {
                let values = params.get_all(facet.name).unwrap_or_default();
                values.into_iter().filter(|value| !value.is_empty()).map(move |value| (facet, value))
            })
            .collect();
        let sort = text("sort");
        let (name, backwards) = sort.strip_prefix('-').map_or((sort.as_str(), false), |name| (name, true));
        let name = SORTS.iter().find(|(known, _)| *known == name).map(|(known, _)| *known);
        let kind = text("kind").to_lowercase();
        Self {
            kind: if kind.is_empty() { "component".to_owned() } else { kind },
            text: text("q"),
            chosen,
            sort: name.map_or(("name", false), |name| (name, backwards)),
            cursor: params.get("cursor").filter(|cursor| !cursor.is_empty()),
        }
    }

    /// The address that shows this.
    pub fn href(&self) -> String {
        paths::with_query(paths::CATALOG, self.pairs().iter().map(|(key, value)| (*key, value.as_str())))
    }

    /// The parameters of the address, without what is usual.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let Self { kind, text, chosen, sort: (sort, backwards), cursor } = self;
        let mut pairs = Vec::new();
        if kind != "component" {
            pairs.push(("kind", kind.clone()));
        }
        if !text.is_empty() {
            pairs.push(("q", text.clone()));
        }
        pairs.extend(chosen.iter().map(|(facet, value)| (facet.name, value.clone())));
        if (*sort, *backwards) != ("name", false) {
            pairs.push(("sort", if *backwards { format!("-{sort}") } else { (*sort).to_owned() }));
        }
        pairs.extend(cursor.clone().map(|cursor| ("cursor", cursor)));
        pairs
    }

    /// The query of the address, without a place in the list.
    pub fn saved(&self) -> String {
        let href = self.first_page().href();
        href.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default()
    }

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

    /// The whole list as a file, `csv` or `ndjson`.
    pub fn export_path(&self, format: &str) -> String {
        let which = self.which();
        let pairs = which.iter().map(|(name, value)| (*name, value.as_str()));
        paths::with_query("/api/v1/entities/export", [("format", format)].into_iter().chain(pairs))
    }

    /// What narrows and sorts the list, in the words of the API.
    fn which(&self) -> Vec<(&'static str, String)> {
        let Self { kind, text, chosen, sort: (sort, backwards), .. } = self;
        let mut filter = Vec::new();
        if kind != "all" {
            filter.push(format!("kind={kind}"));
        }
        filter.extend(chosen.iter().map(|(facet, value)| format!("{}={value}", facet.key)));
        let filter = filter.join(",");
        let sort = SORTS.iter().find(|(name, _)| name == sort).map_or("metadata.name", |(_, key)| *key);
        let sort = if *backwards { format!("-{sort}") } else { sort.to_owned() };
        let narrowing = [("filter", filter), ("q", text.clone())].into_iter().filter(|(_, value)| !value.is_empty());
        narrowing.chain([("sort", sort)]).collect()
    }

    pub fn is_chosen(&self, facet: &Facet, value: &str) -> bool {
        self.chosen.iter().any(|(chosen, known)| *chosen == facet && known.eq_ignore_ascii_case(value))
    }

    /// With a value chosen, or no longer chosen; back on the first page.
    pub fn toggled(&self, facet: &'static Facet, value: &str) -> Self {
        let mut query = self.first_page();
        if self.is_chosen(facet, value) {
            query.chosen.retain(|(chosen, known)| *chosen != facet || !known.eq_ignore_ascii_case(value));
        } else {
            query.chosen.push((facet, value.to_owned()));
        }
        query
    }

    /// Another kind: facets that it does not have fall away.
    pub fn with_kind(&self, kind: &str) -> Self {
        let mut query = self.first_page();
        let facets = facets_of(kind);
        query.chosen.retain(|(facet, _)| *facet != &TYPE && facets.contains(facet));
        kind.clone_into(&mut query.kind);
        query
    }

    pub fn with_text(&self, text: &str) -> Self {
        Self { text: text.to_owned(), ..self.first_page() }
    }

    pub fn with_sort(&self, name: &'static str, backwards: bool) -> Self {
        Self { sort: (name, backwards), ..self.first_page() }
    }

    pub fn with_cursor(&self, cursor: &str) -> Self {
        Self { cursor: Some(cursor.to_owned()), ..self.clone() }
    }

    fn first_page(&self) -> Self {
        Self { cursor: None, ..self.clone() }
    }

    /// Whether anything but the kind narrows the list.
    pub fn is_narrowed(&self) -> bool {
        !self.text.is_empty() || !self.chosen.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> CatalogQuery {
        let mut params = ParamsMap::new();
        for (key, value) in pairs {
            params.insert((*key).to_owned(), (*value).to_owned());
        }
        CatalogQuery::read(&params)
    }

    #[test]
    fn an_address_survives_reading() {
        let query = read(&[("kind", "api"), ("q", "a b"), ("tag", "x"), ("tag", "y"), ("sort", "-type")]);
        assert_eq!(query.href(), "/catalog?kind=api&q=a%20b&tag=x&tag=y&sort=-type");
        assert_eq!(read(&[]).href(), "/catalog");
        assert_eq!(read(&[("sort", "nonsense"), ("other", "1")]).href(), "/catalog");
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
    fn narrowing_goes_back_to_the_first_page() {
        let query = read(&[("cursor", "abc"), ("tag", "Go")]);
        assert_eq!(query.toggled(&TAG, "java").href(), "/catalog?tag=Go&tag=java");
        assert_eq!(query.toggled(&TAG, "go").href(), "/catalog");
        assert_eq!(query.with_text("x").cursor, None);
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

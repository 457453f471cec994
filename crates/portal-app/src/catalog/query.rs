//! What the list shows, as its address says it.

use leptos_router::params::ParamsMap;

use crate::paths;

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
pub(super) const SORTS: [(&str, &str); 6] = [
    ("name", "metadata.name"),
    ("owner", "spec.owner"),
    ("system", "spec.system"),
    ("type", "spec.type"),
    ("lifecycle", "spec.lifecycle"),
    ("changed", "changed_at"),
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
        let kind = text("kind").to_ascii_lowercase();
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

    /// The whole list as a file, `csv` or `ndjson`.
    pub fn export_path(&self, format: &str) -> String {
        let which = self.which();
        let pairs = which.iter().map(|(name, value)| (*name, value.as_str()));
        paths::with_query("/api/v1/entities/export", [("format", format)].into_iter().chain(pairs))
    }

    /// What narrows and sorts the list, in the words of the API.
    pub(super) fn which(&self) -> Vec<(&'static str, String)> {
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

    pub fn with_text(&self, text: &str) -> Self {
        Self { text: text.to_owned(), ..self.first_page() }
    }

    pub(super) fn first_page(&self) -> Self {
        Self { cursor: None, ..self.clone() }
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
    fn narrowing_goes_back_to_the_first_page() {
        let query = read(&[("cursor", "abc"), ("tag", "Go")]);
        assert_eq!(query.toggled(&TAG, "java").href(), "/catalog?tag=Go&tag=java");
        assert_eq!(query.toggled(&TAG, "go").href(), "/catalog");
        assert_eq!(query.with_text("x").cursor, None);
    }
}

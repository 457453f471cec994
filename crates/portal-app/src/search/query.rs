//! What is searched, as the address says it.

use leptos_router::params::ParamsMap;

use crate::paths;

const LIMIT: &str = "20";

/// Facets in the order in which they are shown; the kind has tabs of its own.
pub(super) const FACETS: [(&str, &str); 4] =
    [("owner", "Owner"), ("type", "Type"), ("lifecycle", "Lifecycle"), ("tag", "Tag")];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SearchQuery {
    pub text: String,
    /// Lower case; of every kind when absent.
    pub kind: Option<String>,
    /// Chosen values, by the name of their facet.
    pub chosen: Vec<(&'static str, String)>,
    /// `name` or `title`; the best first when absent.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

impl SearchQuery {
    pub fn read(params: &ParamsMap) -> Self {
        let present = |name: &str| params.get(name).filter(|value| !value.is_empty());
        let chosen = FACETS.iter().flat_map(|(name, _)| {
            let values = params.get_all(name).unwrap_or_default();
            values.into_iter().filter(|value| !value.is_empty()).map(move |value| (*name, value))
        });
        Self {
            text: params.get("q").unwrap_or_default().trim().to_owned(),
            kind: present("kind").map(|kind| kind.to_ascii_lowercase()),
            chosen: chosen.collect(),
            sort: present("sort"),
            cursor: present("cursor"),
        }
    }

    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let Self { text, kind, chosen, sort, cursor } = self;
        let mut pairs = vec![("q", text.clone())];
        pairs.extend(kind.clone().map(|kind| ("kind", kind)));
        pairs.extend(chosen.iter().cloned());
        pairs.extend(sort.clone().map(|sort| ("sort", sort)));
        pairs.extend(cursor.clone().map(|cursor| ("cursor", cursor)));
        pairs
    }

    pub fn href(&self) -> String {
        paths::with_query(paths::SEARCH, self.pairs().iter().map(|(name, value)| (*name, value.as_str())))
    }

    /// The question to the API; nothing is asked before something is typed.
    pub fn api_path(&self) -> Option<String> {
        if self.text.is_empty() {
            return None;
        }
        let pairs = self.pairs();
        let pairs = pairs.iter().map(|(name, value)| (*name, value.as_str()));
        Some(paths::with_query("/api/v1/search", pairs.chain([("limit", LIMIT)])))
    }

    pub fn is_chosen(&self, facet: &str, value: &str) -> bool {
        self.chosen.iter().any(|(name, known)| *name == facet && known.eq_ignore_ascii_case(value))
    }

    pub fn toggled(&self, facet: &'static str, value: &str) -> Self {
        let mut query = self.first_page();
        if self.is_chosen(facet, value) {
            query.chosen.retain(|(name, known)| *name != facet || !known.eq_ignore_ascii_case(value));
        } else {
            query.chosen.push((facet, value.to_owned()));
        }
        query
    }

    pub fn with_kind(&self, kind: Option<&str>) -> Self {
        Self { kind: kind.map(str::to_ascii_lowercase), ..self.first_page() }
    }

    pub fn sorted(&self, sort: Option<&str>) -> Self {
        Self { sort: sort.map(str::to_owned), ..self.first_page() }
    }

    /// Other words, without what narrowed the old ones when `afresh`.
    pub fn with_text(&self, text: &str, afresh: bool) -> Self {
        let mut query = Self { text: text.to_owned(), ..self.first_page() };
        if afresh {
            query.kind = None;
            query.chosen.clear();
        }
        query
    }

    pub fn with_cursor(&self, cursor: &str) -> Self {
        Self { cursor: Some(cursor.to_owned()), ..self.clone() }
    }

    fn first_page(&self) -> Self {
        Self { cursor: None, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_reading() {
        let mut params = ParamsMap::new();
        for (name, value) in [("q", " rate card "), ("kind", "API"), ("owner", "group:default/a"), ("other", "x")] {
            params.insert(name.to_owned(), value.to_owned());
        }
        let query = SearchQuery::read(&params);
        assert_eq!(query.href(), "/search?q=rate%20card&kind=api&owner=group:default%2Fa");
        assert_eq!(query.with_text("x", true).href(), "/search?q=x");
        assert_eq!(SearchQuery::read(&ParamsMap::new()).api_path(), None);
    }
}

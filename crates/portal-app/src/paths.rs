//! Every address: of pages, and of the API.

use portal_core::catalog::EntityRef;
use portal_core::percent;

pub(crate) const HOME: &str = "/";
pub(crate) const CATALOG: &str = "/catalog";
pub(crate) const SEARCH: &str = "/search";
pub(crate) const SOURCES: &str = "/admin/sources";
pub(crate) const NEW_SOURCE: &str = "/admin/sources/new";
pub(crate) const ACCOUNTS: &str = "/admin/accounts";
pub(crate) const POLICIES: &str = "/admin/policies";
pub(crate) const ACCESS: &str = "/access";
pub(crate) const AUDIT: &str = "/admin/audit";
pub(crate) const PROFILE: &str = "/profile";
pub(crate) const SIGN_IN: &str = "/sign-in";
pub(crate) const TEMPLATES: &str = "/templates";
pub(crate) const ACTIONS: &str = "/actions";
pub(crate) const APPROVALS: &str = "/approvals";
pub(crate) const CONNECTORS: &str = "/admin/connectors";
pub(crate) const CHANGES: &str = "/changes";
pub(crate) const RUNS: &str = "/runs";
pub(crate) const NOTIFICATIONS: &str = "/notifications";
pub(crate) const VALIDATE: &str = "/validate";
pub(crate) const API_DOCS: &str = "/api/docs";
#[cfg(feature = "hydrate")]
pub(crate) const CHANGE_STREAM: &str = "/api/v1/changes/stream";
pub(crate) const API_SEARCH_CLICKS: &str = "/api/v1/search/clicks";
pub(crate) const API_SEARCH_GAPS: &str = "/api/v1/search/gaps";
pub(crate) const API_SUGGESTIONS: &str = "/api/v1/suggestions";
pub(crate) const API_ENTITIES: &str = "/api/v1/entities";
pub(crate) const API_VALIDATE: &str = "/api/v1/entities/validate";
#[cfg(feature = "ssr")]
pub(crate) const API_CHANGES: &str = "/api/v1/changes";
#[cfg(feature = "ssr")]
pub(crate) const API_SOURCE_ERRORS: &str = "/api/v1/source-errors";
pub(crate) const API_SOURCES: &str = "/api/v1/sources";
pub(crate) const API_MARKS: &str = "/api/v1/marks";
pub(crate) const API_VIEWS: &str = "/api/v1/views";
#[cfg(feature = "ssr")]
pub(crate) const API_TEMPLATES: &str = "/api/v1/templates";
#[cfg(feature = "ssr")]
pub(crate) const API_ACTIONS: &str = "/api/v1/actions";
#[cfg(feature = "ssr")]
pub(crate) const API_ACTION_DRAFTS: &str = "/api/v1/action-drafts";
#[cfg(feature = "ssr")]
pub(crate) const API_DELEGATIONS: &str = "/api/v1/delegations";
#[cfg(feature = "ssr")]
pub(crate) const API_APPROVALS: &str = "/api/v1/approvals";
#[cfg(feature = "ssr")]
pub(crate) const API_CONNECTORS: &str = "/api/v1/connectors";
#[cfg(feature = "ssr")]
pub(crate) const API_CHANNELS: &str = "/api/v1/channels";
#[cfg(feature = "ssr")]
pub(crate) const API_MESSAGES: &str = "/api/v1/messages";
#[cfg(feature = "ssr")]
pub(crate) const API_RUNS: &str = "/api/v1/runs";
pub(crate) const API_SOURCE_PREVIEW: &str = "/api/v1/sources/preview";

/// The page of an entity.
pub(crate) fn entity(entity_ref: &str) -> String {
    format!("{CATALOG}/{}", ref_path(entity_ref))
}

/// An entity in the API.
pub(crate) fn api_entity(entity_ref: &str) -> String {
    format!("/api/v1/entities/{}", ref_path(entity_ref))
}

/// A mark on an entity in the API.
pub(crate) fn api_mark(mark: &str, entity_ref: &str) -> String {
    format!("{API_MARKS}/{mark}/{}", ref_path(entity_ref))
}

/// Where a template is written; beginning with one of the catalog.
#[cfg(feature = "ssr")]
pub(crate) fn template_editor(from: Option<&str>) -> String {
    with_query(&format!("{TEMPLATES}/editor"), from.map(|from| ("place", from)))
}

/// Where an action is written.
#[cfg(feature = "ssr")]
pub(crate) fn action_editor(from: Option<&str>, entity: &str) -> String {
    let entity = (!entity.is_empty()).then_some(("entity", entity));
    with_query(&format!("{ACTIONS}/editor"), from.map(|from| ("place", from)).into_iter().chain(entity))
}

/// A version of an action, in the editor.
#[cfg(feature = "ssr")]
pub(crate) fn action_version(entity_ref: &str, number: u32) -> String {
    with_query(&format!("{ACTIONS}/editor"), [("place", entity_ref), ("version", &number.to_string())])
}

/// What the API keeps of an action that is written in the portal.
#[cfg(feature = "ssr")]
pub(crate) fn api_action(entity_ref: &str, what: &str) -> String {
    let place = entity_ref.strip_prefix("action:").unwrap_or(entity_ref);
    format!("{API_ACTIONS}/{place}/{what}")
}

/// Where a template is used.
#[cfg(feature = "ssr")]
pub(crate) fn template(entity_ref: &str) -> String {
    let path = ref_path(entity_ref);
    format!("{TEMPLATES}/{}", path.split_once('/').map_or("", |(_, rest)| rest))
}

/// Where an action is run.
#[cfg(feature = "ssr")]
pub(crate) fn action(entity_ref: &str) -> String {
    let path = ref_path(entity_ref);
    format!("{ACTIONS}/{}", path.split_once('/').map_or("", |(_, rest)| rest))
}

/// The actions for an entity.
pub(crate) fn actions_for(entity_ref: &str) -> String {
    with_query(ACTIONS, [("entity", entity_ref)])
}

/// The templates, to be used for an entity.
#[cfg(feature = "ssr")]
pub(crate) fn templates_for(entity_ref: &str) -> String {
    with_query(TEMPLATES, [("for", entity_ref)])
}

/// Where a box finds entities of some kinds; of all when there are none.
#[cfg(feature = "ssr")]
pub(crate) fn suggestions<'k>(kinds: impl IntoIterator<Item = &'k str>) -> String {
    suggestions_within(kinds, &[])
}

/// The same of entities that fit one of these filters.
#[cfg(feature = "ssr")]
pub(crate) fn suggestions_within<'k>(kinds: impl IntoIterator<Item = &'k str>, filters: &'k [String]) -> String {
    let kinds = kinds.into_iter().map(|kind| ("kind", kind));
    let filters = filters.iter().map(|filter| ("filter", filter.as_str()));
    with_query(API_SUGGESTIONS, kinds.chain(filters).chain([("limit", "8")]))
}

/// The page of a run.
pub(crate) fn run(id: i64) -> String {
    format!("{RUNS}/{id}")
}

/// The runs of a template.
#[cfg(feature = "ssr")]
pub(crate) fn runs_of(entity_ref: &str) -> String {
    with_query(RUNS, [("template", entity_ref)])
}

pub(crate) fn source(id: i64) -> String {
    format!("{SOURCES}/{id}")
}

pub(crate) fn api_source(id: i64) -> String {
    format!("{API_SOURCES}/{id}")
}

/// `kind/namespace/name`, escaped.
fn ref_path(entity_ref: &str) -> String {
    match entity_ref.parse::<EntityRef>() {
        Ok(parsed) => format!("{}/{}/{}", escape(parsed.kind()), escape(parsed.namespace()), escape(parsed.name())),
        Err(_) => escape(entity_ref),
    }
}

/// A path or query with parameters, in the order given.
pub(crate) fn with_query<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut address = path.to_owned();
    let mut separator = '?';
    for (key, value) in pairs {
        address.push(separator);
        address.push_str(key);
        address.push('=');
        address.push_str(&escape(value));
        separator = '&';
    }
    address
}

/// Percent-encodes all but the characters that stand for themselves in a path
/// segment and in a query value alike.
pub(crate) fn escape(text: &str) -> String {
    percent::encode(text, b":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_paths() {
        assert_eq!(entity("component:default/booking-api"), "/catalog/component/default/booking-api");
        assert_eq!(api_entity("user:a b/ä"), "/api/v1/entities/user/a%20b/%C3%A4");
    }

    #[test]
    fn queries_escape_their_values() {
        let address = with_query("/search", [("q", "a&b = c"), ("kind", "api")]);
        assert_eq!(address, "/search?q=a%26b%20%3D%20c&kind=api");
        assert_eq!(with_query("/search", []), "/search");
    }
}

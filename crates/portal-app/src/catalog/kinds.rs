//! How kinds are named and drawn, and by what their lists can be narrowed.

#[cfg(feature = "ssr")]
use super::query::{Facet, LIFECYCLE, OWNER, TAG, TYPE};
use crate::ui::capitalised;

/// `Components` for `component`; a kind that is not built in by its own name.
pub(crate) fn kind_plural(kind: &str) -> String {
    let plural = match kind {
        "component" => "Components",
        "api" => "APIs",
        "resource" => "Resources",
        "system" => "Systems",
        "domain" => "Domains",
        "group" => "Groups",
        "user" => "Users",
        "template" => "Templates",
        "location" => "Locations",
        "all" => "Entities",
        other => return format!("{}s", kind_name(other)),
    };
    plural.to_owned()
}

/// `412 components`, `1 API`.
#[cfg(feature = "ssr")]
pub(crate) fn kind_count(kind: &str, count: u64) -> String {
    let word =
        if count == 1 { if kind == "all" { "Entity".to_owned() } else { kind_name(kind) } } else { kind_plural(kind) };
    let word = if kind == "api" { word } else { word.to_ascii_lowercase() };
    format!("{} {word}", crate::ui::number(count))
}

/// `Component` for `component`.
pub(crate) fn kind_name(kind: &str) -> String {
    if kind.eq_ignore_ascii_case("api") {
        return "API".to_owned();
    }
    capitalised(kind)
}

/// The symbol for an entity: by its type where that tells more than its kind.
pub(crate) fn kind_icon(kind: &str, subtype: Option<&str>) -> &'static str {
    match (kind, subtype) {
        ("component", Some("website")) => "website",
        ("component", Some("library")) => "library",
        ("component", Some("worker" | "job" | "cron")) => "worker",
        ("component", _) => "service",
        ("api", _) => "api",
        ("resource", _) => "resource",
        ("system", _) => "system",
        ("domain", _) => "target",
        ("group", _) => "group",
        ("user", _) => "user",
        ("template", _) => "template",
        ("location", _) => "source",
        _ => "file",
    }
}

/// Whether somebody should answer for entities of a kind. People and teams
/// answer for themselves, a location for nothing.
pub(crate) fn has_owner(kind: &str) -> bool {
    !matches!(kind, "user" | "group" | "location")
}

/// The facets that make sense for a kind.
#[cfg(feature = "ssr")]
pub(super) fn facets_of(kind: &str) -> &'static [&'static Facet] {
    match kind {
        "resource" => &[&OWNER, &TYPE, &TAG],
        "system" | "domain" => &[&OWNER, &TAG],
        "group" | "location" => &[&TYPE, &TAG],
        "user" => &[&TAG],
        _ => &[&OWNER, &TYPE, &LIFECYCLE, &TAG],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_in_words() {
        assert_eq!(kind_count("component", 1), "1 component");
        assert_eq!(kind_count("api", 2), "2 APIs");
        assert_eq!(kind_count("all", 1), "1 entity");
        assert_eq!(kind_count("cluster", 3), "3 clusters");
    }
}

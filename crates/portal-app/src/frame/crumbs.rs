//! Breadcrumbs, derived from the address alone: the top bar is written before
//! the page below it has loaded anything.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use portal_core::percent;

use crate::catalog::kind_plural;
use crate::paths;
use crate::served::served_title;
use crate::ui::Erase;

#[derive(Debug, PartialEq)]
struct Crumb {
    text: String,
    /// None for the page itself.
    href: Option<String>,
}

pub(super) fn breadcrumbs() -> AnyView {
    let path = use_location().pathname;
    let items = move || {
        let crumbs = path.with(|path| crumbs(path));
        crumbs
            .into_iter()
            .map(|Crumb { text, href }| match href {
                Some(href) => view! {
                    <li>
                        <a href=href>{text}</a>
                    </li>
                }
                .erase(),
                None => view! {
                    <li>
                        <span aria-current="page">{text}</span>
                    </li>
                }
                .erase(),
            })
            .collect_view()
    };
    view! {
        <nav class="breadcrumbs" aria-label="Breadcrumb">
            <ol>{items}</ol>
        </nav>
    }
    .erase()
}

fn crumbs(path: &str) -> Vec<Crumb> {
    let link = |text: &str, href: String| Crumb { text: text.to_owned(), href: Some(href) };
    let here = |text: &str| Crumb { text: text.to_owned(), href: None };
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["catalog", kind, _, name] => vec![
            link("Catalog", paths::CATALOG.to_owned()),
            link(&kind_plural(kind), paths::with_query(paths::CATALOG, [("kind", *kind)])),
            here(&percent::decode(name)),
        ],
        [] => vec![here("Home")],
        ["catalog"] => vec![here("Catalog")],
        ["search"] => vec![here("Search")],
        ["validate"] => vec![here("Check a descriptor")],
        ["templates", "editor"] => vec![link("Templates", paths::TEMPLATES.to_owned()), here("Editor")],
        ["actions", "editor"] => vec![link("Actions", paths::ACTIONS.to_owned()), here("Editor")],
        ["templates", _, name] => vec![link("Templates", paths::TEMPLATES.to_owned()), here(&percent::decode(name))],
        ["actions", _, name] => vec![link("Actions", paths::ACTIONS.to_owned()), here(&percent::decode(name))],
        ["runs", id] => vec![link("Runs", paths::RUNS.to_owned()), here(id)],
        ["admin", "sources"] => vec![here("Sources")],
        ["admin", "sources", "new"] => vec![link("Sources", paths::SOURCES.to_owned()), here("Add source")],
        ["admin", "sources", id] => vec![link("Sources", paths::SOURCES.to_owned()), here(&format!("Source {id}"))],
        _ => vec![here(served_title(path).unwrap_or("Not found"))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_leads_back_to_its_kind() {
        let crumbs = crumbs("/catalog/api/default/b%C3%A4r");
        let texts: Vec<&str> = crumbs.iter().map(|crumb| crumb.text.as_str()).collect();
        assert_eq!(texts, ["Catalog", "APIs", "bär"]);
        assert_eq!(crumbs[1].href.as_deref(), Some("/catalog?kind=api"));
    }
}

//! Breadcrumbs, derived from the address alone: the top bar is written before
//! the page below it has loaded anything.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::catalog::kind_plural;
use crate::paths;
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
            here(&decode(name)),
        ],
        [] => vec![here("Home")],
        ["catalog"] => vec![here("Catalog")],
        ["search"] => vec![here("Search")],
        ["validate"] => vec![here("Check a descriptor")],
        ["admin", "sources"] => vec![here("Sources")],
        ["admin", "sources", "new"] => vec![link("Sources", paths::SOURCES.to_owned()), here("Add source")],
        ["admin", "sources", id] => vec![link("Sources", paths::SOURCES.to_owned()), here(&format!("Source {id}"))],
        _ => vec![here("Not found")],
    }
}

/// Undoes percent encoding; what is not valid stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()))
            .flatten();
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
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

    #[test]
    fn broken_escapes_stay() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%ff"), "%zz%ff");
    }
}

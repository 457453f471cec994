//! Links to entities, teams and people.

use maud::html;
use portal_core::catalog::EntityRef;
use portal_core::catalog::wire::EntityLink;
use portal_core::search::letters;

use super::kinds::kind_icon;
use crate::paths;
use crate::ui::{Content, icon, small_icon};

/// A link with the symbol of the entity; a dangling reference says so.
pub(crate) fn entity_link(link: &EntityLink) -> Content {
    let EntityLink { entity_ref, title, subtype, exists } = link;
    if !exists {
        return missing(title, entity_ref);
    }
    let symbol = kind_icon(kind_of(entity_ref), subtype.as_deref());
    Content::from(html! {
        a class="entity-link" href=(paths::entity(entity_ref)) {
            (icon(symbol))
            span class="truncate" title=(&title) { (title.clone()) }
        }
    })
}

/// Who answers for something. Nobody is worth a warning.
pub(crate) fn owner_link(owner: Option<&EntityLink>) -> Content {
    let Some(EntityLink { entity_ref, title, exists, .. }) = owner else {
        return Content::from(html! {
            span class="missing" data-tone="warning" {
                (small_icon("alert"))
                "No owner"
            }
        });
    };
    if !exists {
        return missing(title, entity_ref);
    }
    let class = if kind_of(entity_ref) == "user" { "person" } else { "team" };
    Content::from(html! {
        a class=(class) href=(paths::entity(entity_ref)) {
            (avatar(entity_ref, title))
            span class="truncate" title=(&title) { (title.clone()) }
        }
    })
}

fn missing(title: &str, entity_ref: &str) -> Content {
    Content::from(html! {
        span class="missing" data-tone="warning" title=(format!("{entity_ref} is not in the catalog")) {
            (small_icon("alert"))
            span class="truncate" { (title.to_owned()) }
            span class="visually-hidden" { ", not found" }
        }
    })
}

/// Initials on a colour that is always the same for the same entity.
pub(crate) fn avatar(entity_ref: &str, title: &str) -> Content {
    const HUES: u32 = 12;
    let hue = entity_ref.bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte))) % HUES;
    let kind = if kind_of(entity_ref) == "user" { "person" } else { "team" };
    Content::from(html! {
        span class="avatar" data-kind=(kind) data-hue=(hue.to_string()) aria-hidden="true" {
            (initials(title))
        }
    })
}

/// The style sheet writes them in upper case.
fn initials(title: &str) -> String {
    let words: Vec<&str> = title.split(letters::is_separator).filter(|word| !word.is_empty()).take(2).collect();
    match words.as_slice() {
        [word] => word.chars().take(2).collect(),
        words => words.iter().filter_map(|word| word.chars().next()).collect(),
    }
}

/// The kind of a canonical reference.
pub(crate) fn kind_of(entity_ref: &str) -> &str {
    entity_ref.split_once(':').map_or("", |(kind, _)| kind)
}

/// A reference as an author may have written it, as a link of which nothing but
/// the name is known.
pub(super) fn written_ref(text: &str, kind: &str, namespace: &str) -> Option<EntityLink> {
    let parsed = EntityRef::parse(text, Some(kind), namespace).ok()?;
    Some(EntityLink { title: parsed.name().to_owned(), entity_ref: parsed.to_string(), subtype: None, exists: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_two_letters() {
        assert_eq!(initials("Pricing & Yield"), "PY");
        assert_eq!(initials("Éva Nagy"), "ÉN");
        assert_eq!(initials("booking"), "bo");
        assert_eq!(initials("Track-and-trace team"), "Ta");
        assert_eq!(initials(""), "");
    }
}

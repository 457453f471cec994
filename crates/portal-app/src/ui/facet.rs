//! Facets: named groups of choices with counts.

use maud::html;

use super::{Content, number};

/// Choices that are shown before the rest is folded away.
const SHOWN: usize = 8;

/// One choice, as a link that makes or undoes it.
pub(crate) fn facet_choice(label: String, count: u64, chosen: bool, href: String) -> Content {
    Content::from(html! {
        li {
            a class="choice" href=(href) data-noscroll data-zero[count == 0] aria-current=[chosen.then_some("true")] {
                span class="box" aria-hidden="true" {}
                span class="truncate" title=(&label) { (label.clone()) }
                span class="n" { (number(count)) }
            }
        }
    })
}

/// A group of choices; many fold.
pub(crate) fn facet_group(label: &'static str, mut choices: Vec<Content>) -> Content {
    let rest = if choices.len() > SHOWN + 1 { choices.split_off(SHOWN) } else { Vec::new() };
    let empty = choices.is_empty().then(|| {
        Content::from(html! {
            li class="missing" { "None here" }
        })
    });
    let more = (!rest.is_empty()).then(|| {
        Content::from(html! {
            details class="more" {
                summary { (format!("Show {} more", rest.len())) }
                ul { @for item in &rest { (item) } }
            }
        })
    });
    Content::from(html! {
        section class="facet" {
            h2 { (label) }
            ul {
                @for choice in &choices { (choice) }
                @if let Some(empty) = &empty { (empty) }
            }
            @if let Some(more) = &more { (more) }
        }
    })
}

//! Facets: named groups of choices with counts.

use leptos::prelude::*;

use super::{Erase, number};

/// Choices that are shown before the rest is folded away.
const SHOWN: usize = 8;

/// One choice, as a link that makes or undoes it.
pub(crate) fn facet_choice(label: String, count: u64, chosen: bool, href: String) -> AnyView {
    view! {
        <li>
            <a
                class="choice"
                href=href
                data-noscroll
                data-zero={count == 0}
                aria-current=chosen.then_some("true")
            >
                <span class="box" aria-hidden="true"></span>
                <span class="truncate" title=label.clone()>
                    {label.clone()}
                </span>
                <span class="n">{number(count)}</span>
            </a>
        </li>
    }
    .erase()
}

/// A group of choices; many fold.
pub(crate) fn facet_group(label: &'static str, mut choices: Vec<AnyView>) -> AnyView {
    let rest = if choices.len() > SHOWN + 1 { choices.split_off(SHOWN) } else { Vec::new() };
    let empty = choices.is_empty().then(|| view! { <li class="missing">"None here"</li> });
    let more = (!rest.is_empty()).then(|| {
        view! {
            <details class="more">
                <summary>{format!("Show {} more", rest.len())}</summary>
                <ul>{rest}</ul>
            </details>
        }
    });
    view! {
        <section class="facet">
            <h2>{label}</h2>
            <ul>{choices} {empty}</ul>
            {more}
        </section>
    }
    .erase()
}

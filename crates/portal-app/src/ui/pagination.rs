//! Pages of a list, as links.

use leptos::prelude::*;

use super::{Erase, icon, number};

/// `1–25 of 412`, and the ways on and back where there are any.
pub(crate) fn pagination(
    offset: Option<u64>,
    shown: usize,
    total: u64,
    previous: Option<String>,
    next: Option<String>,
) -> AnyView {
    let range = match offset {
        Some(offset) if shown > 0 => {
            format!("{}–{} of {}", number(offset + 1), number(offset + shown as u64), number(total))
        }
        _ => format!("{} of {}", number(shown as u64), number(total)),
    };
    let steps = (previous.is_some() || next.is_some()).then(|| {
        let previous = step(previous, "Previous", || icon("chevron-left"), true);
        let next = step(next, "Next", || icon("chevron-right"), false);
        view! { <div class="push">{previous} {next}</div> }
    });
    view! {
        <nav class="pagination" aria-label="Pages">
            <span class="num">{range}</span>
            {steps}
        </nav>
    }
    .erase()
}

fn step(href: Option<String>, label: &'static str, symbol: impl Fn() -> AnyView, before: bool) -> AnyView {
    let left = before.then(&symbol);
    let right = (!before).then(&symbol);
    match href {
        Some(href) => view! {
            <a class="button" data-size="sm" href=href>
                {left}
                {label}
                {right}
            </a>
        }
        .erase(),
        None => view! {
            <span class="button" data-size="sm" aria-disabled="true" role="link">
                {left}
                {label}
                {right}
            </span>
        }
        .erase(),
    }
}

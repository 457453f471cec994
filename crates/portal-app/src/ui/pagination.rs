//! Pages of a list, as links.

use maud::html;

use super::{Content, icon, number};

/// `1–25 of 412`, and the ways on and back where there are any.
pub(crate) fn pagination(
    offset: Option<u64>,
    shown: usize,
    total: u64,
    previous: Option<String>,
    next: Option<String>,
) -> Content {
    let range = match offset {
        Some(offset) if shown > 0 => {
            format!("{}–{} of {}", number(offset + 1), number(offset + shown as u64), number(total))
        }
        _ => format!("{} of {}", number(shown as u64), number(total)),
    };
    let steps = (previous.is_some() || next.is_some()).then(|| {
        let previous = step(previous, "Previous", || icon("chevron-left"), true);
        let next = step(next, "Next", || icon("chevron-right"), false);
        Content::from(html! {
            div class="push" {
                (previous)
                (next)
            }
        })
    });
    Content::from(html! {
        nav class="pagination" aria-label="Pages" {
            span class="num" { (range) }
            @if let Some(steps) = &steps { (steps) }
        }
    })
}

fn step(href: Option<String>, label: &'static str, symbol: impl Fn() -> Content, before: bool) -> Content {
    let left = before.then(&symbol);
    let right = (!before).then(&symbol);
    match href {
        Some(href) => Content::from(html! {
            a class="button" data-size="sm" href=(href) {
                @if let Some(left) = &left { (left) }
                (label)
                @if let Some(right) = &right { (right) }
            }
        }),
        None => Content::from(html! {
            span class="button" data-size="sm" aria-disabled="true" role="link" {
                @if let Some(left) = &left { (left) }
                (label)
                @if let Some(right) = &right { (right) }
            }
        }),
    }
}

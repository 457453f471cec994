//! The facets beside the list: links, so that they work without JavaScript.

use std::collections::BTreeMap;

use maud::html;
use portal_core::catalog::wire::FacetValue;

use super::kinds::{facets_of, kind_count, kind_plural};
use super::links::kind_of;
use super::query::{CatalogQuery, Facet};
use crate::ui::{Content, facet_choice, facet_group};

pub(super) fn facets(query: &CatalogQuery, facets: &BTreeMap<String, Vec<FacetValue>>, total: u64) -> Content {
    let groups = facets_of(&query.kind)
        .iter()
        .map(|facet| value_facet(query, facet, facets.get(facet.key).map_or(&[], Vec::as_slice)))
        .collect::<Vec<Content>>();
    Content::from(html! {
        aside class="facets" id="facets" popover="auto" aria-label="Filters" data-later {
            (kind_facet(query, facets.get("kind").map_or(&[], Vec::as_slice)))
            @for group in &groups { (group) }
            div class="sheet-foot" {
                button class="button" type="button" data-variant="primary" popovertarget="facets" popovertargetaction="hide" {
                    (format!("Show {}", kind_count(&query.kind, total)))
                }
            }
        }
    })
}

fn kind_facet(query: &CatalogQuery, values: &[FacetValue]) -> Content {
    let all = values.iter().map(|value| value.count).sum();
    let listed = query.kind == "all" || values.iter().any(|value| value.value.eq_ignore_ascii_case(&query.kind));
    // The kind that is shown stays in sight, also when nothing of it matches.
    let current = (!listed).then(|| facet_choice(kind_plural(&query.kind), 0, true, query.href()));
    let mut choices: Vec<Content> = current.into_iter().collect();
    choices.extend(values.iter().map(|FacetValue { value, count, .. }| {
        let kind = value.to_ascii_lowercase();
        facet_choice(kind_plural(&kind), *count, kind == query.kind, query.with_kind(&kind).href())
    }));
    choices.push(facet_choice("All kinds".to_owned(), all, query.kind == "all", query.with_kind("all").href()));
    facet_group("Kind", choices)
}

fn value_facet(query: &CatalogQuery, facet: &'static Facet, values: &[FacetValue]) -> Content {
    let mut choices: Vec<Content> = Vec::new();
    // What is chosen stays in sight, also when nothing has it any more.
    for (_, value) in query.chosen.iter().filter(|(chosen, _)| *chosen == facet) {
        if !values.iter().any(|known| known.value.eq_ignore_ascii_case(value)) {
            choices.push(facet_choice(value_label(value, None), 0, true, query.toggled(facet, value).href()));
        }
    }
    for FacetValue { value, count, title } in values {
        let label = value_label(value, title.as_deref());
        choices.push(facet_choice(label, *count, query.is_chosen(facet, value), query.toggled(facet, value).href()));
    }
    facet_group(facet.label, choices)
}

/// The title of what is referred to, else the name in the reference.
pub(super) fn value_label(value: &str, title: Option<&str>) -> String {
    let name = || if kind_of(value).is_empty() { value } else { value.rsplit('/').next().unwrap_or(value) };
    title.unwrap_or_else(name).to_owned()
}

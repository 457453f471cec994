//! The search page: the best hits for some words, and ways to narrow them.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use portal_core::percent;
use portal_core::search::wire::SearchResults;

use super::query::SearchQuery;
use super::results::{SEARCHES, last_searches, record_click, report_gap, results_region};
use crate::api::{Fetched, Live, read_json, use_api, use_load, use_load_after};
use crate::paths;
use crate::served::{FRAGMENTS, WHOLE, served_part};
use crate::ui::{Erase, Toasts, effect, live_field, loaded, loaded_quietly, page_title, skeleton_rows, use_typed};

#[component]
pub(crate) fn SearchPage() -> impl IntoView {
    let params = use_query_map();
    let typed = use_typed();
    let query = Memo::new(move |_| {
        let query = params.with(SearchQuery::read);
        typed.text().map(|text| query.with_text(text.trim(), false)).unwrap_or(query)
    });
    let load = use_load(Memo::new(move |_| query.with(SearchQuery::api_path)));
    Live::refresh_on_entities(load);
    let unread = use_load_after(load, unread);
    Live::refresh_on_sources(unread);
    let address = move |text: &str| query.with_untracked(|query| query.with_text(text.trim(), false).href());
    let hidden = Signal::derive(move || {
        let pairs = query.with(SearchQuery::pairs);
        pairs.into_iter().filter(|(name, _)| !matches!(*name, "q" | "cursor")).collect()
    });
    let text = Memo::new(move |_| query.with(|query| query.text.clone()));
    let title =
        move || text.with(|text| if text.is_empty() { "Search".to_owned() } else { format!("{text} · Search") });
    let api = use_api();
    let toasts = expect_context::<Toasts>();
    // What was searched for is known in the browser only.
    let searches = RwSignal::new(Vec::new());
    effect(move |_| searches.set(SEARCHES.read()));
    let searched = move || {
        let text = text.get_untracked();
        if !text.is_empty() {
            SEARCHES.add(&text);
            searches.set(SEARCHES.read());
        }
    };
    // Come here with words, from the palette or from a link.
    effect(move |_| searched());
    let last = move || searches.with(|searches| (!searches.is_empty()).then(|| last_searches(searches)));
    // Hidden, not taken away: the text is gone, too, when the page is left, and
    // nothing can be put into a page that is on its way out.
    let searching = move || text.with(|text| !text.is_empty());
    let opened = move |event: leptos::ev::MouseEvent| {
        record_click(&api, text.get_untracked(), &event);
        report_gap(&api, text.get_untracked(), toasts, &event);
    };
    view! {
        {page_title(title)}
        <header class="stack search-head" data-gap="3" on:submit=move |_| searched()>
            <h1 class="visually-hidden" tabindex="-1">
                "Search"
            </h1>
            {live_field("Search", "Names, descriptions, API definitions, tags…", paths::SEARCH, text, hidden, typed, address)}
        </header>
        <div class="stack" aria-busy=move || load.pending.get().then_some("true") on:click=opened>
            {loaded_quietly(move || served_part(unread, WHOLE))}
            {loaded(|| skeleton_rows(8), move || results_region(load, query))}
            <div hidden=searching>{last}</div>
        </div>
    }
    .erase()
}

/// Where no hit is called like this, the reason may be a document with an error.
fn unread(answer: &Fetched) -> Option<String> {
    let (_, query) = answer.question.split_once('?')?;
    let text = query.strip_prefix("q=")?.split('&').next()?;
    let name = percent::decode(text).to_ascii_lowercase().replace(' ', "-");
    let found: SearchResults = read_json(&answer.body).ok()?;
    let is_found = found.items.iter().any(|hit| hit.link.entity_ref.contains(&name));
    (!is_found).then(|| format!("{FRAGMENTS}/unread?q={text}"))
}

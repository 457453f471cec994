//! The frame of a served page.

use std::sync::OnceLock;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use maud::PreEscaped;
use serde_json::Value;

use super::{EDITORS, FRAGMENTS, PAGES, TITLE, WHOLE};
use crate::api::{Failure, Live, Load, sentence, use_load};
use crate::frame::not_found;
use crate::ui::{Content, Erase, failed, loaded, skeleton_rows};

#[component]
pub(crate) fn ServedPage() -> impl IntoView {
    let location = use_location();
    let path = location.pathname.get_untracked();
    let (own, title, lead) = PAGES.into_iter().find(|(own, ..)| *own == path).unwrap_or(PAGES[0]);
    // The address changes before the page does; its own part of it is what counts.
    let question = Memo::new(move |_| Some(format!("{FRAGMENTS}{own}{}", query(&location.search.get()))));
    let load = use_load(question);
    Live::refresh_on_entities(load);
    view! {
        <Title text=title />
        <header class="page-head">
            <div class="lead">
                <h1 tabindex="-1">{title}</h1>
                <p class="sub">{lead}</p>
            </div>
        </header>
        {loaded(|| skeleton_rows(6), move || served_region(title, load))}
    }
    .erase()
}

/// A page whose heading is in what the server writes: one template, one run.
#[component]
pub(crate) fn ServedWhole() -> impl IntoView {
    let location = use_location();
    let first = location.pathname.get_untracked();
    let place = first.rsplit_once('/').map_or_else(String::new, |(place, _)| place.to_owned());
    let question = Memo::new(move |before: Option<&Option<String>>| {
        // The address changes before the page does; what is of another page is not asked for.
        let path = location.pathname.get();
        if !path.starts_with(&place) {
            return before.cloned().flatten();
        }
        Some(format!("{FRAGMENTS}{path}{}", query(&location.search.get())))
    });
    let load = use_load(question);
    // What is being written there is not in its address, so that a second answer would be of another text.
    if !EDITORS.contains(&first.as_str()) {
        Live::refresh_on_entities(load);
    }
    let name = first.rsplit('/').next().unwrap_or_default().to_owned();
    let content = move || {
        let title = match load.read_shared::<Value>()? {
            Ok((parts, _)) => parts[TITLE].as_str().map_or_else(titled_already, plain),
            Err(Failure { status: 404, detail, .. }) => return Some(not_found("Nothing is here", sentence(&detail))),
            Err(_) => name.clone(),
        };
        let region = served_region("This page", load);
        Some(
            view! {
                <Title text=title />
                {region}
            }
            .erase(),
        )
    };
    loaded(|| skeleton_rows(6), content)
}

/// The title that the server has written; what comes to life first, writes over it.
static TITLED: OnceLock<String> = OnceLock::new();

/// Keeps the title of the page before it comes to life.
#[cfg(feature = "hydrate")]
pub(crate) fn keep_title() {
    let _ = TITLED.set(document().title());
}

/// What the server has written comes to life without its data: the title was in the page.
fn titled_already() -> String {
    TITLED.get().map(|title| title.trim_end_matches(" · Portal").to_owned()).unwrap_or_default()
}

/// The text of an element without others in it.
fn plain(html: &str) -> String {
    let inner = html.split_once('>').map_or(html, |(_, rest)| rest);
    let inner = inner.rsplit_once("</").map_or(inner, |(text, _)| text);
    inner.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// A part of another page that the server writes, by its name; nothing when it
/// cannot. The browser finds it in the page, and puts the next one in its place.
pub(crate) fn served_part(load: Load, name: &str) -> Option<AnyView> {
    let (parts, _) = load.read_shared::<Value>()?.ok()?;
    Some(element(&parts, name).erase())
}

fn element(parts: &Value, name: &str) -> Content {
    let html = parts[name].as_str().map_or_else(|| standing(name), str::to_owned);
    Content::from(PreEscaped(html))
}

/// What the server has written stands in the page only. Where what is around it is made
/// anew, it is taken from there, until its own next answer comes.
fn standing(name: &str) -> String {
    #[cfg(feature = "hydrate")]
    if let Ok(Some(element)) = document().query_selector(&format!("[data-part={name}]")) {
        return element.outer_html();
    }
    let _ = name;
    String::new()
}

fn query(search: &str) -> String {
    let search = search.trim_start_matches('?');
    if search.is_empty() { String::new() } else { format!("?{search}") }
}

/// The whole of what the server writes for a place within another page.
pub(crate) fn served_region(title: &'static str, load: Load) -> Option<AnyView> {
    Some(match load.read_shared::<Value>()? {
        Err(failure) => failed(title, &failure, load),
        Ok((parts, _)) => element(&parts, WHOLE).erase(),
    })
}

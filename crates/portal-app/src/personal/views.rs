//! Saved views: lists under a name, one's own and shared ones.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use maud::html;
use portal_core::access::Verb;
use portal_core::personal::wire::{SavedView, SavedViewCreate, SavedViewList};

use crate::api::{Load, Method, send, use_api, use_load};
use crate::paths;
use crate::ui::{Content, Erase, Toasts, closest, denied, icon, loaded_quietly, small_icon};

/// A menu of the views, with a form that saves what `query` says.
pub(crate) fn views_menu(query: Signal<String>) -> AnyView {
    let load = use_load(Memo::new(|_| Some(paths::API_VIEWS.to_owned())));
    let (api, toasts) = (use_api(), expect_context::<Toasts>());
    let (name, shared) = (RwSignal::new(String::new()), RwSignal::new(false));
    let (disabled, reason) = denied(Verb::Personalise);
    let save = {
        let api = api.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            let create = SavedViewCreate {
                name: name.get_untracked(),
                query: query.get_untracked(),
                shared: shared.get_untracked(),
            };
            let api = api.clone();
            spawn_local(async move {
                let path = paths::API_VIEWS.to_owned();
                match send::<SavedView>(&api, Method::Post, path, Some(&create), None).await {
                    Ok(_) => {
                        toasts.success(format!("Saved the view {}", create.name));
                        name.set(String::new());
                        load.refresh();
                    }
                    Err(failure) => toasts.failure(failure.detail),
                }
            });
        }
    };
    let remove = move |event| {
        let Some(button) = closest(&event, "[data-remove-view]") else { return };
        let path = format!("{}/{}", paths::API_VIEWS, button.get_attribute("data-remove-view").unwrap_or_default());
        let api = api.clone();
        spawn_local(async move {
            match send::<()>(&api, Method::Delete, path, None::<&()>, None).await {
                Ok(_) => load.refresh(),
                Err(failure) => toasts.failure(failure.detail),
            }
        });
    };
    view! {
        <button class="button" type="button" popovertarget="views">
            {icon("pin")}
            "Views"
        </button>
        <div class="menu" id="views" popover="auto" on:click=move |event| remove(event.into())>
            {loaded_quietly(move || list(load))}
            <form class="menu-form needs-script" on:submit=save>
                <label class="label" for="view-name">
                    "Save this list as"
                </label>
                <input
                    class="input"
                    id="view-name"
                    autocomplete="off"
                    maxlength="80"
                    required
                    prop:value=move || name.get()
                    on:input:target=move |event| name.set(event.target().value())
                />
                <label class="check">
                    <input
                        type="checkbox"
                        prop:checked=move || shared.get()
                        on:change:target=move |event| shared.set(event.target().checked())
                    />
                    "Everybody sees it"
                </label>
                <button class="button" data-size="sm" aria-disabled=disabled title=reason>
                    "Save"
                </button>
            </form>
        </div>
    }
    .erase()
}

fn list(load: Load) -> Option<Content> {
    let (list, _) = load.read::<SavedViewList>()?.ok()?;
    Some(Content::from(html! {
        ul class="menu-list" {
            @if list.items.is_empty() { li class="menu-title" { "No views yet" } }
            @for view in &list.items { (line(view)) }
        }
    }))
}

fn line(view: &SavedView) -> Content {
    let SavedView { id, name, query, shared, own, .. } = view;
    let href = if query.is_empty() { paths::CATALOG.to_owned() } else { format!("{}?{query}", paths::CATALOG) };
    Content::from(html! {
        li {
            a class="menu-item" href=(href) {
                span { (name) @if *shared { small { "shared" } } }
            }
            @if *own {
                button class="button needs-script" data-variant="quiet" data-size="sm" type="button"
                    data-remove-view=(id) aria-label=(format!("Remove the view {name}")) { (small_icon("x")) }
            }
        }
    })
}

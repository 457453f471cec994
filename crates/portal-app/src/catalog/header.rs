//! The head of the page of an entity: name, state, facts, warnings.

use leptos::prelude::*;
use portal_core::catalog::Entity;
use portal_core::catalog::wire::EntityView;

use super::entity_page::{Place, Tab};
use super::kinds::{has_owner, kind_icon, kind_name};
use super::links::{kind_of, owner_link};
use crate::paths;
use crate::ui::{Erase, Toasts, ago, icon, safe_url, small_icon};

pub(super) fn header(view: &EntityView, entity: &Entity) -> AnyView {
    let kind = kind_of(&view.entity_ref);
    let subtype = entity.spec_str("type");
    let description = match entity.description() {
        Some(description) => view! { <p class="sub">{description.to_owned()}</p> }.erase(),
        None => view! {
            <p class="sub">
                <span class="missing">"No description"</span>
            </p>
        }
        .erase(),
    };
    let owner = has_owner(kind).then(|| view! { <span>{owner_link(view.owner.as_ref())}</span> });
    let system = view.system.as_ref().map(|system| {
        let link = if system.exists {
            view! { <a href=paths::entity(&system.entity_ref)>{system.title.clone()}</a> }.erase()
        } else {
            view! { <span class="missing">{system.title.clone()} ", not found"</span> }.erase()
        };
        view! { <span>{small_icon("system")} {link}</span> }
    });
    let what = subtype.map_or_else(|| kind_name(kind), |subtype| format!("{} · {subtype}", kind_name(kind)));
    view! {
        <header class="page-head">
            <div class="lead">
                <h1 tabindex="-1">
                    <span class="entity-mark">{icon(kind_icon(kind, subtype))}</span>
                    <span class="name">{entity.display_title().to_owned()}</span>
                    {lifecycle_chip(entity)}
                </h1>
                {description}
                <div class="facts-strip">
                    <span>{what}</span>
                    {owner}
                    {system}
                </div>
            </div>
            <div class="page-actions">{copy_button(view.entity_ref.clone())} {repository(entity)}</div>
        </header>
    }
    .erase()
}

/// The one state that deserves a box.
fn lifecycle_chip(entity: &Entity) -> Option<AnyView> {
    let lifecycle = entity.spec_str("lifecycle")?;
    let (tone, symbol) = match lifecycle {
        "production" => ("neutral", "check"),
        "deprecated" => ("warning", "flag"),
        "experimental" => ("info", "clock"),
        _ => ("neutral", "info"),
    };
    let chip = view! {
        <span class="chip" data-tone=tone>
            {icon(symbol)}
            {lifecycle.to_owned()}
        </span>
    };
    Some(chip.erase())
}

fn copy_button(entity_ref: String) -> AnyView {
    let toasts = expect_context::<Toasts>();
    let copy = move |_| {
        let clipboard = window().navigator().clipboard();
        // Browsers offer the clipboard to secure pages only.
        if AsRef::<wasm_bindgen::JsValue>::as_ref(&clipboard).is_undefined() {
            toasts.failure(format!("The browser does not let this page copy. The reference is {entity_ref}"));
        } else {
            let _ = clipboard.write_text(&entity_ref);
            toasts.success(format!("Copied {entity_ref}"));
        }
    };
    view! {
        <button class="button" type="button" on:click=copy>
            {icon("copy")}
            "Copy reference"
        </button>
    }
    .erase()
}

/// Where the code is, when the entity says so in one of the usual places.
fn repository(entity: &Entity) -> Option<AnyView> {
    let location = entity.annotation("backstage.io/source-location").and_then(|text| text.strip_prefix("url:"));
    let url = safe_url(location.or_else(|| entity.annotation("backstage.io/view-url"))?)?;
    let button = view! {
        <a class="button" href=url rel="external noreferrer">
            {icon("external")}
            "Open repository"
        </a>
    };
    Some(button.erase())
}

pub(super) fn tabs(place: &Place, entity: &Entity, relations: usize, errors: usize) -> AnyView {
    let has_definition =
        kind_of(&place.entity_ref) == "api" || entity.spec().is_some_and(|spec| spec.contains_key("definition"));
    let items = [Tab::Overview, Tab::Definition, Tab::Graph, Tab::History, Tab::Source]
        .into_iter()
        .filter(|tab| *tab != Tab::Definition || has_definition)
        .map(|tab| {
            let count = match tab {
                Tab::Graph => Some(relations),
                Tab::Source => Some(errors).filter(|errors| *errors > 0),
                _ => None,
            };
            let count = count.map(|count| view! { <span class="count">{count}</span> });
            view! {
                <li>
                    <a
                        class="tab"
                        href=tab.href(&place.entity_ref)
                        aria-current=(place.tab == tab).then_some("page")
                        data-noscroll
                    >
                        {tab.label()}
                        {count}
                    </a>
                </li>
            }
            .erase()
        })
        .collect_view();
    view! {
        <nav class="tabs" aria-label="Views of this entity">
            <ul>{items}</ul>
        </nav>
    }
    .erase()
}

/// What is wrong with where the entity comes from.
pub(super) fn callouts(view: &EntityView, errors: usize, now_ms: i64) -> AnyView {
    let provenance = &view.provenance;
    let source = Tab::Source.href(&view.entity_ref);
    let stale = provenance.stale.then(|| {
        view! {
            <div class="callout" data-tone="warning">
                {icon("alert")}
                <div>
                    <p class="title">"This is the last good version"</p>
                    <p>
                        "Its document has errors since. What you see was read " {ago(provenance.read_at, now_ms)}
                        " and is kept until they are fixed."
                    </p>
                </div>
                <div class="actions">
                    <a class="button" data-size="sm" href=source.clone()>
                        "See the errors"
                    </a>
                </div>
            </div>
        }
    });
    let orphan = provenance.orphan_since.map(|since| {
        view! {
            <div class="callout" data-tone="warning">
                {icon("alert")}
                <div>
                    <p class="title">"No source declares this any more"</p>
                    <p>
                        "It was last declared in " <code>{provenance.location.clone()}</code> ", and is an orphan since "
                        {ago(since, now_ms)} ". Declare it again to keep it."
                    </p>
                </div>
            </div>
        }
    });
    let faulty = (errors > 0 && !provenance.stale).then(|| {
        view! {
            <div class="callout" data-tone="danger">
                {icon("fail")}
                <div>
                    <p class="title">"The last reading found errors in its document"</p>
                </div>
                <div class="actions">
                    <a class="button" data-size="sm" href=source>
                        "See the errors"
                    </a>
                </div>
            </div>
        }
    });
    view! {
        {stale}
        {orphan}
        {faulty}
    }
    .erase()
}

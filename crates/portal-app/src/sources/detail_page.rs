//! One source: its state, its errors, its log, its settings.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};
use maud::html;
use portal_core::access::Verb;
use portal_core::sources::wire::{SourceOrigin, SourceState, SourceType, SourceView};

use super::actions::{refresh_button, remove_button, trust_switch};
use super::badge::{interval, state_badge, type_icon, type_name};
use super::list_page::title;
use super::report::{passes_region, problems_region};
use crate::api::{Failure, Live, Load, Method, sentence, use_load};
use crate::frame::not_found;
use crate::paths;
use crate::ui::{Act, Content, Erase, act_button, ago, failed, icon, loaded, moment, number, skeleton_rows, whole};

#[component]
pub(crate) fn SourcePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get_str("id").and_then(|id| id.parse::<i64>().ok())));
    let load = use_load(Memo::new(move |_| id.get().map(paths::api_source)));
    let errors = use_load(Memo::new(move |_| id.get().map(|id| format!("{}/errors", paths::api_source(id)))));
    let passes = use_load(Memo::new(move |_| id.get().map(|id| format!("{}/passes?limit=20", paths::api_source(id)))));
    for load in [load, errors, passes] {
        Live::refresh_on_sources(load);
    }
    let live = expect_context::<Live>();
    on_cleanup(move || live.hold(false));
    let loading = || {
        view! {
            <header class="page-head">
                <div class="lead">
                    <h1 tabindex="-1">"Source"</h1>
                </div>
            </header>
            {skeleton_rows(6)}
        }
        .erase()
    };
    loaded(loading, move || region(id, load, errors, passes).map(whole))
}

fn region(id: Memo<Option<i64>>, load: Load, errors: Load, passes: Load) -> Option<AnyView> {
    let answer = load.read_current::<SourceView>();
    let missing = || {
        let detail = "It may have been removed. The entities that it declared are kept as orphans for a while.";
        not_found("This source does not exist", detail.to_owned())
    };
    if id.get().is_none() {
        return Some(missing());
    }
    Some(match answer? {
        Ok((source, now_ms)) => page(&source, now_ms, load, errors, passes),
        Err(Failure { status: 404, .. }) => missing(),
        Err(failure) => view! {
            <Title text="Source" />
            <h1 tabindex="-1">"Source"</h1>
            {failed("The source", &failure, load)}
        }
        .erase(),
    })
}

fn page(source: &SourceView, now_ms: i64, load: Load, errors: Load, passes: Load) -> AnyView {
    let name = title(source);
    let navigate = use_navigate();
    let removed = move || navigate(paths::SOURCES, NavigateOptions { replace: true, ..NavigateOptions::default() });
    let failure = source.failure.as_ref().map(|failure| {
        view! {
            <div class="callout" data-tone="warning" role="status">
                {icon("alert")}
                <div>
                    <p class="title">"The last pass could not read it"</p>
                    <p>{sentence(failure)} " What it declared before is kept."</p>
                </div>
            </div>
        }
    });
    let clean = (source.state == SourceState::Ok).then(|| {
        view! {
            <div class="callout">
                {icon("pass")}
                <p>"The last pass read every document without an error."</p>
            </div>
        }
    });
    let catalog = (source.entity_count > 0).then(|| {
        let text = if source.entity_count == 1 {
            "1 entity".to_owned()
        } else {
            format!("{} entities", number(source.entity_count))
        };
        view! { <span>{icon("catalog")} {text}</span> }
    });
    view! {
        <Title text=name.clone() />
        <header class="page-head">
            <div class="lead">
                <h1 tabindex="-1">
                    <span class="entity-mark">{icon(type_icon(source.source_type))}</span>
                    <span class="name">{name}</span>
                </h1>
                <div class="facts-strip">
                    <span>{type_name(source.source_type)}</span>
                    <span>{state_badge(source)}</span>
                    {catalog}
                </div>
            </div>
            <div class="page-actions">{refresh_button(source, load)} {remove_button(source, removed)}</div>
        </header>
        <div class="split">
            <div class="stack">
                {failure} {clean} {move || problems_region(errors, "Errors".to_owned())}
                {move || passes_region(passes)}
            </div>
            <aside class="stack" aria-label="Settings of this source">
                {settings(source, now_ms, load)}
            </aside>
        </div>
    }
    .erase()
}

/// How a git host is told, and whether it would be heard.
fn webhook(source: &SourceView) -> Content {
    let test = source.webhook_secret.is_some().then(|| {
        act_button(Act {
            method: Method::Post,
            path: format!("{}/webhook/test", paths::api_source(source.id)),
            needs: Verb::WriteSources,
            label: "Send a test push",
            about: String::new(),
            confirm: "",
            done: "A signed push was accepted; the source is read".to_owned(),
        })
    });
    Content::from(html! {
        div class="webhook" {
            @if let Some(test) = test { (test) }
            details {
                summary { "Set it up" }
                ul {
                    li { "GitHub: Settings, Webhooks. Payload URL: this portal's address with the path above; content type " code { "application/json" } "; just the push event." }
                    li { "GitLab: Settings, Webhooks. The same URL; the secret as " em { "Secret token" } "; push events." }
                    li { "Gitea and Forgejo: Settings, Webhooks, Gitea. The same URL and secret; push events." }
                    li { "The secret is what " code { (source.webhook_secret.as_deref().unwrap_or("env:NAME or file:PATH")) } " leads to on the server." }
                }
            }
        }
    })
}

fn settings(source: &SourceView, now_ms: i64, load: Load) -> AnyView {
    let unset = |text: &'static str| view! { <span class="missing">{text}</span> }.erase();
    let code = |text: &str| view! { <code class="breakable">{text.to_owned()}</code> }.erase();
    let git = (source.source_type == SourceType::Git).then(|| {
        let globs = if source.globs.is_empty() { "**/catalog-info.yaml".to_owned() } else { source.globs.join(", ") };
        view! {
            <dt>"Branch"</dt>
            <dd>{source.branch.as_deref().map_or_else(|| unset("The default"), code)}</dd>
            <dt>"Files"</dt>
            <dd>{code(&globs)}</dd>
            <dt>"Webhook"</dt>
            <dd>
                {code(&source.webhook_path)}
                <span class="source-note">
                    {if source.webhook_secret.is_some() { "Signed pushes are read at once" } else { "Set a secret to have pushes read at once" }}
                </span>
                {webhook(source)}
            </dd>
        }
    });
    let next = source.next_pass_at.map_or_else(|| unset("Not planned"), |at| moment(at).erase());
    let origin = match source.origin {
        SourceOrigin::Config => "Command line or portal.toml",
        SourceOrigin::Api => "Added here or by the API",
    };
    let trusted =
        if source.trusted { "Yes, it may declare users and groups" } else { "No, its users and groups are refused" };
    let switch = (source.origin == SourceOrigin::Api).then(|| trust_switch(source, load));
    view! {
        <section class="card" aria-labelledby="settings">
            <header class="card-head">
                <h2 id="settings">"Settings"</h2>
            </header>
            <div class="card-body">
                <dl class="kv">
                    <dt>"Target"</dt>
                    <dd>{code(&source.target)}</dd>
                    {git}
                    <dt>"Full pass"</dt>
                    <dd>{interval(source.interval_seconds)}</dd>
                    <dt>"Next"</dt>
                    <dd>{next}</dd>
                    <dt id="trusted">"Trusted"</dt>
                    <dd class="with-switch">
                        <span>{trusted}</span>
                        {switch}
                    </dd>
                    <dt>"Credential"</dt>
                    <dd>{source.credential.as_deref().map_or_else(|| unset("None"), code)}</dd>
                    <dt>"Set in"</dt>
                    <dd>{origin}</dd>
                    <dt>"Added"</dt>
                    <dd>{ago(source.created_at, now_ms)}</dd>
                </dl>
            </div>
        </section>
    }
    .erase()
}

//! What one operates, what says how things are, what holds other things.

use maud::html;

use super::specimens;
use crate::ui::{Content, empty, icon, pagination, small_icon};

pub(super) fn controls() -> Content {
    let buttons = Content::from(html! {
        div class="stack" data-gap="3" {
            div class="row" data-wrap {
                button class="button" type="button" data-variant="primary" { "Primary" }
                button class="button" type="button" { "Default" }
                button class="button" type="button" data-variant="quiet" { "Quiet" }
                button class="button" type="button" data-variant="danger" { "Remove" }
            }
            div class="row" data-wrap {
                button class="button" type="button" data-size="sm" { "Small" }
                button class="button" type="button" { (icon("refresh")) "With icon" }
                button class="button" type="button" aria-busy="true" { "Working" }
                button class="button" type="button" aria-pressed="true" { (icon("star")) "Starred" }
            }
            div class="row" data-wrap {
                button class="button" type="button" aria-disabled="true" aria-describedby="why" { (icon("lock")) "Remove" }
                span class="reason" id="why" { "Only its owner may." }
            }
        }
    });
    let fields = Content::from(html! {
        div class="stack" {
            div class="field" {
                label for="f-name" { "Name" }
                span class="hint" id="f-name-hint" { "Lower case, digits, dashes" }
                input class="input" id="f-name" value="booking-api" aria-describedby="f-name-hint";
            }
            div class="field" {
                label for="f-memory" { "Memory" }
                input class="input" id="f-memory" value="128Mi" aria-invalid="true" aria-describedby="f-memory-error";
                span class="error" id="f-memory-error" { (small_icon("fail")) "Less than it uses now; 256Mi would do." }
            }
            div class="field" {
                label for="f-life" { "Lifecycle" }
                select class="select" id="f-life" { option { "production" } option { "experimental" } option { "deprecated" } }
            }
            div class="field" {
                label for="f-text" { "Description" span class="optional" { " optional" } }
                textarea class="textarea" id="f-text" { "Prices by lane and season." }
            }
        }
    });
    let choices = Content::from(html! {
        div class="stack" data-gap="2" {
            label class="check" { input type="checkbox" checked; span { "Expose to partners" span class="note" { "Needs an approval" } } }
            label class="check" { input type="checkbox"; span { "Add a database" } }
            label class="check" { input type="radio" name="r" checked; span { "Staging" } }
            label class="check" { input type="radio" name="r"; span { "Production" } }
            label { input class="switch" type="checkbox" role="switch" checked; " Trusted" }
            div class="choice-cards" {
                label class="choice-card" { input type="radio" name="c" checked; b { "Git repository" } span { "Every descriptor of a branch" } }
                label class="choice-card" { input type="radio" name="c"; b { "Folder" } span { "As the portal sees it" } }
            }
        }
    });
    let combobox = Content::from(html! {
        div class="field" {
            label for="cb" { "Owner" }
            div class="input-group" {
                (icon("search"))
                input class="input" id="cb" role="combobox" aria-expanded="true" aria-controls="cb-list" aria-activedescendant="cb-1" value="pri" autocomplete="off";
            }
            div class="listbox" id="cb-list" role="listbox" aria-label="Owner" {
                div class="option" id="cb-1" role="option" aria-selected="true" { span { mark { "Pri" } "cing & Yield" } span class="meta" { "31 entities" } }
                div class="option" role="option" aria-selected="false" { span { mark { "Pri" } "ya Raghunathan" } span class="meta" { "person" } }
            }
        }
    });
    let menu = Content::from(html! {
        div class="menu" {
            div class="menu-title" { "booking-api" }
            a class="menu-item" href="#menu" { (icon("copy")) "Copy reference" kbd class="kbd" { "C" } }
            a class="menu-item" href="#menu" { (icon("external")) span { "Open repository" small { "github.com" } } }
            hr;
            a class="menu-item" href="#menu" aria-disabled="true" { (icon("lock")) "Rename" }
            a class="menu-item" href="#menu" data-tone="danger" { (icon("x")) "Remove" }
        }
    });
    let small = Content::from(html! {
        div class="stack" data-gap="3" {
            div class="row" data-wrap { span class="tooltip" role="tooltip" { "Copy reference" kbd class="kbd" { "C" } } }
            div class="row" data-wrap { kbd class="kbd" { "Ctrl" } kbd class="kbd" { "K" } a class="tag" href="#tag" { "tier-1" } span class="tag" { "kotlin" } span class="count" { "412" } }
            div class="row" data-wrap {
                span class="filter" { span { "Owner" } span class="op" { "is" } span { "Customs" } a href="#filter" aria-label="Remove the filter" { (small_icon("x")) } }
            }
            div class="button-group" role="group" aria-label="Steps" {
                a class="button" data-size="sm" href="#1" aria-current="true" { "1" } a class="button" data-size="sm" href="#2" { "2" } a class="button" data-size="sm" href="#3" { "3" }
            }
        }
    });
    specimens(&[
        ("Button", buttons),
        ("Field", fields),
        ("Choice", choices),
        ("Combobox", combobox),
        ("Menu", menu),
        ("Tooltip, key, tag, filter", small),
    ])
}

pub(super) fn status() -> Content {
    let tones = [
        ("success", "pass", "Succeeded"),
        ("info", "running", "Running"),
        ("warning", "alert", "Stale"),
        ("danger", "fail", "Failed"),
        ("neutral", "clock", "Waiting"),
    ];
    let chips = Content::from(html! {
        div class="stack" data-gap="3" {
            div class="row" data-wrap { @for (tone, symbol, text) in tones { span class="chip" data-tone=(tone) { (icon(symbol)) (text) } } }
            div class="row" data-wrap { @for (tone, symbol, text) in tones { span class="status" data-tone=(tone) { (small_icon(symbol)) (text) } } }
        }
    });
    let people = Content::from(html! {
        div class="stack" data-gap="3" {
            div class="row" data-wrap {
                span class="team" { span class="avatar" data-kind="team" data-hue="3" aria-hidden="true" { "BK" } span { "Booking" } }
                span class="person" { span class="avatar" data-hue="7" aria-hidden="true" { "TW" } span { "Tomasz Wieczorek" } }
                span class="avatar" data-size="lg" data-hue="9" aria-hidden="true" { "AO" }
            }
            span class="avatar-stack" { @for (hue, name) in [("1", "AO"), ("4", "JW"), ("8", "ML")] { span class="avatar" data-size="lg" data-hue=(hue) aria-hidden="true" { (name) } } }
        }
    });
    let stepper = Content::from(html! {
        ol class="stepper" aria-label="Progress, step 2 of 4" {
            li data-state="done" { span class="dot" { (small_icon("check")) } "Template" span class="visually-hidden" { " done" } }
            li data-state="todo" aria-current="step" { span class="dot" { "2" } "Service" }
            li data-state="error" { span class="dot" { "3" } "Access" span class="visually-hidden" { " has an error" } }
            li data-state="todo" { span class="dot" { "4" } "Review" }
        }
    });
    let progress = Content::from(html! {
        div class="stack" data-gap="2" {
            progress class="progress" max="100" value="64" aria-label="64 percent" {}
            progress class="progress" max="100" value="100" aria-label="All of it" {}
        }
    });
    specimens(&[("Chip and status", chips), ("People and teams", people), ("Stepper", stepper), ("Progress", progress)])
}

pub(super) fn containers() -> Content {
    let crumbs = Content::from(html! {
        nav class="breadcrumbs" aria-label="Example of a path" {
            ol { li { a href="#crumb" { "Catalog" } } li { a href="#crumb" { "APIs" } } li { span aria-current="page" { "Booking REST v3" } } }
        }
    });
    let tabs = Content::from(html! {
        nav class="tabs" aria-label="Example of views" {
            ul {
                li { a class="tab" href="#tab" aria-current="page" { "Overview" } }
                li { a class="tab" href="#tab" { "Graph" span class="count" { "9" } } }
                li { a class="tab" href="#tab" { "History" } }
            }
        }
    });
    let callout = |tone: &'static str, symbol: &str, text: &'static str| {
        Content::from(html! {
            div class="callout" data-tone=(tone) {
                (icon(symbol))
                div { p class="title" { (text) } p { "Its document has errors since Tuesday." } }
                div class="actions" { a class="button" data-size="sm" href="#callout" { "See the errors" } }
            }
        })
    };
    let callouts = Content::from(html! {
        div class="stack" data-gap="2" {
            (callout("info", "info", "There is a newer version"))
            (callout("warning", "alert", "This is the last good version"))
            (callout("danger", "fail", "The last reading found errors"))
            (callout("success", "pass", "Everything was read"))
        }
    });
    let dialog = Content::from(html! {
        dialog class="dialog" open aria-labelledby="dialog-title" {
            div class="dialog-head" { h4 id="dialog-title" { "Remove booking-web?" } }
            div class="dialog-body" { p { "It leaves the catalog. Its history stays, and its source may declare it again." } }
            div class="dialog-foot" { button class="button" type="button" data-variant="quiet" { "Keep it" } button class="button" type="button" data-variant="danger" { "Remove" } }
        }
    });
    let toasts = Content::from(html! {
        div class="stack" data-gap="2" {
            div class="toast" data-tone="success" { (icon("pass")) div class="body" { div class="title" { "Copied component:default/booking-api" } } }
            div class="toast" data-tone="danger" { (icon("fail")) div class="body" { div class="title" { "The source was not added" } "Its address does not resolve." } }
        }
    });
    let pages = pagination(Some(25), 25, 412, Some("#previous".to_owned()), Some("#next".to_owned()));
    specimens(&[
        ("Breadcrumbs", crumbs),
        ("Tabs", tabs),
        ("Callout", callouts),
        ("Dialog", dialog),
        ("Toast", toasts),
        ("Pagination", pages),
    ])
}

pub(super) fn states() -> Content {
    let loading = Content::from(html! {
        div class="skeleton-card" aria-hidden="true" {
            ul class="list" data-compact { @for _ in 0..4 { li { span class="skeleton" {} } } }
        }
    });
    let action = Content::from(html! { a class="button" href="#empty" { "Add source" } });
    let failed = Content::from(html! {
        div class="state" data-tone="danger" {
            (icon("fail"))
            strong class="title" { "The catalog could not be loaded" }
            p { "The server did not answer." }
            p class="subtle" { "Request " code { "req_4f1c" } }
            div class="actions" { button class="button" data-size="sm" type="button" { "Try again" } }
        }
    });
    let denied = Content::from(html! {
        div class="state" data-tone="warning" {
            (icon("lock"))
            strong class="title" { "You may not see this" }
            p { "Sources are for maintainers. Ask Developer Platform, who own the portal." }
        }
    });
    specimens(&[
        ("Loading", loading),
        ("Empty", empty("catalog", "No components yet".to_owned(), "They come from sources.", action)),
        ("Failed", failed),
        ("No permission", denied),
    ])
}

//! The pages of somebody who is not signed in. They are plain forms, and work
//! without JavaScript.

use maud::{DOCTYPE, Markup, html};

use crate::document::SiteInfo;
use crate::paths;
use crate::ui::{icon, public_file, small_icon};

/// What the sign-in page shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignInPage {
    /// Where it leads afterwards: a path on this portal.
    pub return_to: String,
    /// What was typed before.
    pub name: String,
    /// Why that was refused.
    pub error: Option<String>,
    /// Nobody has signed in yet; the link is in the log.
    pub first_start: bool,
    /// Whether one may look around instead.
    pub guests: bool,
    /// Providers to sign in with: name and title.
    pub providers: Vec<(String, String)>,
}

/// What the page of a link shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInLinkPage {
    /// The path of the link.
    pub path: String,
    /// Whom it signs in; nobody when it is used up or too old.
    pub title: Option<String>,
}

pub fn sign_in_page(site: &SiteInfo, nonce: &str, page: &SignInPage) -> String {
    let SignInPage { return_to, name, error, first_start, guests, providers } = page;
    // What a provider refuses is not about the fields.
    let invalid = (error.is_some() && !name.is_empty()).then_some("true");
    document(
        site,
        nonce,
        "Sign in",
        &html! {
            h1 { "Sign in to Portal" }
            @if *first_start {
                div class="callout" data-tone="info" {
                    (icon("info"))
                    div {
                        p class="title" { "Nobody has signed in yet" }
                        p {
                            "The portal printed a link for its administrator when it started. "
                            code { "portal token admin-link" }
                            " prints another one."
                        }
                    }
                }
            }
            @if let Some(error) = error {
                div class="callout" data-tone="danger" role="alert" id="error" {
                    (icon("alert"))
                    div { p { (error) } }
                }
            }
            @if !providers.is_empty() {
                div class="stack" data-gap="2" {
                    @for (name, title) in providers {
                        a class="button" href=(with_provider(name, return_to)) { (icon("key")) "Sign in with " (title) }
                    }
                }
                p class="door-or" { "or with a password" }
            }
            form class="stack" method="post" action="/sign-in" {
                input type="hidden" name="return_to" value=(return_to);
                div class="field" {
                    label for="name" { "Name" }
                    input class="input" id="name" name="name" type="text" value=(name) required maxlength="63"
                        autocomplete="username" autocapitalize="none" spellcheck="false"
                        aria-invalid=[invalid] aria-describedby=[invalid.map(|_| "error")];
                }
                div class="field" {
                    label for="password" { "Password" }
                    input class="input" id="password" name="password" type="password" required maxlength="200"
                        autocomplete="current-password"
                        aria-invalid=[invalid] aria-describedby=[invalid.map(|_| "error")];
                }
                button class="button" data-variant="primary" { "Sign in" }
            }
            p class="muted" {
                "New here, or the password is gone? An administrator makes you a link."
            }
            @if *guests {
                p { a class="underlined" href="/" { "Look around without signing in" } }
            }
        },
    )
}

fn with_provider(name: &str, return_to: &str) -> String {
    paths::with_query(&format!("{}/with/{name}", paths::SIGN_IN), [("return_to", return_to)])
}

pub fn sign_in_link_page(site: &SiteInfo, nonce: &str, page: &SignInLinkPage) -> String {
    let SignInLinkPage { path, title } = page;
    let content = match title {
        Some(title) => html! {
            h1 { "Welcome" }
            p { "This link signs you in as " strong { (title) } ". It works once." }
            form class="stack" method="post" action=(path) {
                button class="button" data-variant="primary" { (small_icon("key")) "Sign in" }
            }
        },
        None => html! {
            h1 { "This link does not work" }
            p { "It was used already, or is older than 15 minutes. An administrator makes a new one; on the server " code { "portal token admin-link" } " does." }
            p { a class="underlined" href="/sign-in" { "Sign in with a password" } }
        },
    };
    document(site, nonce, "Sign in", &content)
}

fn document(site: &SiteInfo, nonce: &str, title: &str, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · Portal" }
                link rel="icon" href=(public_file("favicon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(site.styles);
                script src=(public_file("theme.js")) nonce=(nonce) {}
            }
            body class="door" data-hydrated {
                main class="card door-card" id="content" {
                    div class="card-body stack" {
                        p class="door-brand" { (icon("mark")) "Portal" }
                        (content)
                    }
                }
            }
        }
    };
    page.into_string()
}

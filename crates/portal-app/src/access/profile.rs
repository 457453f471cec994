//! Who one is here, where one is signed in, and one's tokens.

use maud::html;
use portal_core::access::wire::{Caller, SessionList, SessionView, TokenList, TokenView};
use portal_core::access::{Role, Verb};

use crate::api::Method;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Act, Content, act_button, ago, day, empty, icon};

pub(crate) async fn profile(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let caller = asking.caller().await?;
    if caller.known == "guest" {
        return Ok(guest());
    }
    let sessions: SessionList = asking.get("/api/v1/sessions").await?;
    let tokens: TokenList = asking.get("/api/v1/tokens").await?;
    let now_ms = asking.now_ms();
    Ok(Content::from(html! {
        div class="stack" {
            (about(&caller))
            (token_card(&caller, &tokens, now_ms))
            (session_card(&sessions, now_ms))
            (password_card())
        }
    }))
}

fn guest() -> Content {
    let actions = Content::from(html! {
        a class="button" data-variant="primary" href="/sign-in?return_to=/profile" rel="external" { "Sign in" }
    });
    let text = "You look around as a guest: you see everything that is public here, and change nothing.";
    Content::from(html! { div class="card" { (empty("user", "You are not signed in".to_owned(), text, actions)) } })
}

fn about(caller: &Caller) -> Content {
    let Caller { name, title, role, user, groups, can, .. } = caller;
    let refused = Verb::ALL.into_iter().filter(|verb| can.get(verb.as_str()).is_some_and(|can| !can.allowed));
    let refused: Vec<&str> = refused.map(Verb::words).collect();
    Content::from(html! {
        section class="card" aria-labelledby="you" {
            header class="card-head" {
                h2 id="you" { (title) }
                form class="push" method="post" action="/sign-out" {
                    button class="button" data-size="sm" { "Sign out" }
                }
            }
            div class="card-body" {
                dl class="kv" {
                    dt { "Name" }
                    dd { code { (name) } }
                    dt { "Role" }
                    dd { span class="tag" { (role.as_str()) } }
                    dt { "In the catalog" }
                    dd {
                        @match user {
                            Some(user) => a class="underlined" href=(paths::entity(user)) { (user) },
                            None => span class="muted" { "No user " code { "user:default/" (name) } " in the catalog yet" },
                        }
                    }
                    dt { "Groups" }
                    dd {
                        @if groups.is_empty() { span class="muted" { "None" } }
                        @for (index, group) in groups.iter().enumerate() {
                            @if index > 0 { ", " }
                            a class="underlined" href=(paths::entity(group)) { (group) }
                        }
                    }
                    @if !refused.is_empty() {
                        dt { "Not allowed" }
                        dd { (refused.join(", ")) }
                    }
                }
            }
        }
    })
}

fn session_card(sessions: &SessionList, now_ms: i64) -> Content {
    Content::from(html! {
        section class="card" aria-labelledby="sessions" {
            header class="card-head" {
                h2 id="sessions" { "Sessions " span class="count" { (sessions.total) } }
            }
            ul class="list" data-compact { @for session in &sessions.items { (session_line(session, now_ms)) } }
        }
    })
}

fn session_line(session: &SessionView, now_ms: i64) -> Content {
    let SessionView { id, seen_at, expires_at, address, agent, current, .. } = session;
    let end = Act {
        method: Method::Delete,
        path: format!("/api/v1/sessions/{id}"),
        needs: Verb::ManageOwnAccess,
        label: "End",
        about: format!("the session of {}", browser(agent)),
        confirm: "End it",
        done: "The session has ended".to_owned(),
    };
    Content::from(html! {
        li class="access-line" data-key=(id) {
            (icon("website"))
            div class="lines" {
                span { (browser(agent)) @if *current { " " span class="tag" { "this one" } } }
                span class="muted" {
                    @if !address.is_empty() { "from " code { (address) } ", " }
                    "used " (ago(*seen_at, now_ms)) ", until " (day(*expires_at))
                }
            }
            div class="actions" { @if !current { (act_button(end)) } }
        }
    })
}

/// A browser as people call it.
fn browser(agent: &str) -> String {
    let names =
        [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let first =
        |pairs: &[(&str, &'static str)]| pairs.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name);
    match (first(&names), first(&systems)) {
        (Some(name), Some(system)) => format!("{name} on {system}"),
        (Some(name), None) => name.to_owned(),
        _ if agent.is_empty() => "A program".to_owned(),
        _ => agent.chars().take(60).collect(),
    }
}

fn token_card(caller: &Caller, tokens: &TokenList, now_ms: i64) -> Content {
    Content::from(html! {
        section class="card" aria-labelledby="tokens" {
            header class="card-head" {
                h2 id="tokens" { "API tokens " span class="count" { (tokens.total) } }
                div class="push muted" { "Sent as " code { "Authorization: Bearer …" } }
            }
            @if !tokens.items.is_empty() {
                ul class="list" data-compact { @for token in &tokens.items { (token_line(token, now_ms)) } }
            }
            div class="card-body stack" { (token_form(caller)) (short_token_form()) }
        }
    })
}

fn token_line(token: &TokenView, now_ms: i64) -> Content {
    let TokenView { id, name, hint, role, scopes, expires_at, used_at, .. } = token;
    let revoke = Act {
        method: Method::Delete,
        path: format!("/api/v1/tokens/{id}"),
        needs: Verb::ManageOwnAccess,
        label: "Revoke",
        about: name.clone(),
        confirm: "Revoke it",
        done: format!("{name} is revoked"),
    };
    let scopes = scopes.as_ref().map(|scopes| scopes.iter().map(|verb| verb.as_str()).collect::<Vec<_>>().join(", "));
    Content::from(html! {
        li class="access-line" data-key=(id) {
            (icon("key"))
            div class="lines" {
                span { (name) " " code { (hint) "…" } " " span class="tag" { (role.as_str()) } }
                span class="muted" {
                    @match &scopes {
                        Some(scopes) => { "may " code { (scopes) } },
                        None => "may all that the role may",
                    }
                    ", until " (day(*expires_at)) ", "
                    @match used_at { Some(used) => { "used " (ago(*used, now_ms)) }, None => "never used" }
                }
            }
            div class="actions" { (act_button(revoke)) }
        }
    })
}

fn token_form(caller: &Caller) -> Content {
    let roles = Role::ALL.into_iter().filter(|role| caller.role.covers(*role));
    let roles: Vec<Role> = roles.collect();
    let verbs = Verb::ALL.into_iter().filter(|verb| caller.can.get(verb.as_str()).is_some_and(|can| can.allowed));
    let verbs: Vec<Verb> = verbs.collect();
    Content::from(html! {
        form class="stack needs-script" data-send="/api/v1/tokens" data-reveal="token" aria-labelledby="new-token" {
            h3 id="new-token" { "New token" }
            div class="form-row" {
                div class="field" {
                    label for="token-name" { "What it is for" }
                    input class="input" id="token-name" name="name" type="text" required maxlength="80" autocomplete="off";
                }
                div class="field" {
                    label for="token-role" { "Role" }
                    select class="select" id="token-role" name="role" {
                        @for role in &roles {
                            option value=(role.as_str()) selected[*role == caller.role] { (role.as_str()) }
                        }
                    }
                }
                div class="field" {
                    label for="token-days" { "Days" }
                    input class="input" id="token-days" name="expires_days" data-type="number" type="number" value="90" min="1" max="366";
                }
            }
            details class="disclosure" {
                summary { "Limit what it may do" }
                fieldset class="check-grid" {
                    legend class="visually-hidden" { "Scopes" }
                    @for verb in &verbs {
                        label class="check" {
                            input type="checkbox" name="scopes" data-type="list" value=(verb.as_str());
                            (verb.words())
                        }
                    }
                }
            }
            div { button class="button" data-variant="primary" { "Make a token" } }
        }
    })
}

/// A token that is signed and lives for minutes, for a script or another system.
fn short_token_form() -> Content {
    Content::from(html! {
        details class="disclosure needs-script" {
            summary { "A token for a few minutes" }
            form class="stack" data-send="/api/v1/access-tokens" data-reveal="access_token" aria-label="Short-lived token" {
                p class="muted" {
                    "It is signed, and other systems check it with the keys at " a class="underlined" href="/.well-known/jwks.json" rel="external" { "/.well-known/jwks.json" }
                    ". It ends when you sign out."
                }
                div class="form-row" {
                    div class="field" {
                        label for="audience" { "For which system" span class="optional" { " this portal when empty" } }
                        input class="input" id="audience" name="audience" type="text" maxlength="255" placeholder="https://deploy.example.com" autocomplete="off" spellcheck="false";
                    }
                    div class="field" {
                        label for="seconds" { "Seconds" }
                        input class="input" id="seconds" name="expires_seconds" data-type="number" type="number" value="300" min="30" max="600";
                    }
                }
                div { button class="button" { "Make a short-lived token" } }
            }
        }
    })
}

fn password_card() -> Content {
    Content::from(html! {
        section class="card" aria-labelledby="password-card" {
            header class="card-head" { h2 id="password-card" { "Password" } }
            div class="card-body" {
                form class="stack needs-script" data-send="/api/v1/session/password" data-method="PUT"
                    data-done="The password is changed; other sessions have ended" aria-labelledby="password-card" {
                    input type="text" autocomplete="username" hidden;
                    div class="form-row" {
                        div class="field" {
                            label for="current" { "Until now" span class="optional" { " if you have one" } }
                            input class="input" id="current" name="current" type="password" autocomplete="current-password" maxlength="200";
                        }
                        div class="field" {
                            label for="new" { "New, 12 characters or more" }
                            input class="input" id="new" name="new" type="password" required autocomplete="new-password" minlength="12" maxlength="200";
                        }
                    }
                    div { button class="button" { "Change the password" } }
                }
            }
        }
    })
}

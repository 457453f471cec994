//! Everybody's accounts.

use maud::html;
use portal_core::access::wire::{
    AccountList, AccountView, Caller, CiIssuerList, CiIssuerView, ProviderList, ProviderView,
};
use portal_core::access::{Role, Verb};

use crate::api::Method;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Act, Content, act_button, ago, icon, with_code};

/// What the roles are, in the words of the page.
const ROLES: [(Role, &str); 6] = [
    (Role::Viewer, "reads everything, stars and follows"),
    (Role::Developer, "changes what their groups own, adds sources, calls APIs"),
    (Role::Maintainer, "changes the whole catalog and its sources"),
    (Role::Admin, "everything, accounts included"),
    (Role::Auditor, "reads everything, the audit log included"),
    (Role::Agent, "a program that reads the catalog"),
];

pub(crate) async fn accounts(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let caller = asking.caller().await?;
    let list: AccountList = asking.get("/api/v1/accounts").await?;
    let providers: ProviderList = asking.get("/api/v1/identity-providers").await?;
    let jobs: CiIssuerList = asking.get("/api/v1/ci-issuers").await?;
    let now_ms = asking.now_ms();
    Ok(Content::from(html! {
        div class="stack" {
            section class="card" aria-labelledby="accounts" {
                header class="card-head" {
                    h2 id="accounts" { "Accounts " span class="count" { (list.total) } }
                }
                ul class="list" data-compact { @for account in &list.items { (line(account, &caller, now_ms)) } }
            }
            (new_account())
            (providers_card(&providers))
            (jobs_card(&jobs))
            (roles())
        }
    }))
}

fn line(account: &AccountView, caller: &Caller, now_ms: i64) -> Content {
    let AccountView { name, title, role, user, disabled, has_password, issuer, signed_in_at, .. } = account;
    let path = format!("/api/v1/accounts/{name}");
    let own = *name == caller.name;
    let remove = Act {
        method: Method::Delete,
        path: path.clone(),
        needs: Verb::ManageAccess,
        label: "Remove",
        about: name.clone(),
        confirm: "Remove for good",
        done: format!("Removed {name}"),
    };
    Content::from(html! {
        li class="access-line" data-key=(name) {
            (icon("user"))
            div class="lines" {
                span {
                    strong { (title) } " " code { (name) }
                    @if own { " " span class="tag" { "you" } }
                    @if *disabled { " " span class="status" data-tone="warning" { (icon("lock")) "disabled" } }
                }
                span class="muted" {
                    @match signed_in_at { Some(at) => { "signed in " (ago(*at, now_ms)) }, None => "never signed in" }
                    @match issuer {
                        Some(issuer) => { ", with " code { (issuer) } }
                        None => { @if !has_password { ", no password" } }
                    }
                    @if let Some(user) = user { ", " a class="underlined" href=(paths::entity(user)) { (user) } }
                }
            }
            div class="actions" {
                form class="needs-script inline-form" data-send=(path) data-method="PATCH" data-done=(format!("{name} has another role now")) {
                    label class="visually-hidden" for=(format!("role-{name}")) { "Role of " (name) }
                    select class="select" data-size="sm" id=(format!("role-{name}")) name="role" {
                        @for other in Role::ALL { option value=(other.as_str()) selected[other == *role] { (other.as_str()) } }
                    }
                    button class="button" data-size="sm" { "Set" span class="visually-hidden" { " the role of " (name) } }
                }
                noscript { span class="tag" { (role.as_str()) } }
                form class="needs-script" data-send=(format!("{path}/sign-in-link")) data-reveal="path" {
                    button class="button" data-size="sm" { "Sign-in link" span class="visually-hidden" { " for " (name) } }
                }
                @if !own { (act_button(remove)) }
            }
        }
    })
}

fn new_account() -> Content {
    Content::from(html! {
        section class="card" aria-labelledby="new-account" {
            header class="card-head" { h2 id="new-account" { "New account" } }
            div class="card-body" {
                form class="stack needs-script" data-send="/api/v1/accounts" data-done="The account is there; make it a sign-in link" aria-labelledby="new-account" {
                    div class="form-row" {
                        div class="field" {
                            label for="account-name" { "Name" }
                            input class="input" id="account-name" name="name" type="text" required maxlength="63" autocomplete="off" autocapitalize="none" spellcheck="false";
                        }
                        div class="field" {
                            label for="account-title" { "Full name" span class="optional" { " optional" } }
                            input class="input" id="account-title" name="title" type="text" maxlength="80" autocomplete="off";
                        }
                        div class="field" {
                            label for="account-role" { "Role" }
                            select class="select" id="account-role" name="role" {
                                @for role in Role::ALL { option value=(role.as_str()) selected[role == Role::Developer] { (role.as_str()) } }
                            }
                        }
                        div class="field" {
                            label for="account-user" { "User in the catalog" span class="optional" { " optional" } }
                            input class="input" id="account-user" name="user" type="text" placeholder="user:default/kim" autocomplete="off" spellcheck="false";
                        }
                    }
                    div { button class="button" data-variant="primary" { "Add the account" } }
                }
            }
        }
    })
}

/// With what people sign in beside passwords. It is set in the configuration, where
/// nobody who has taken over an administrator can change it.
fn providers_card(list: &ProviderList) -> Content {
    Content::from(html! {
        section class="card" aria-labelledby="providers" {
            header class="card-head" {
                h2 id="providers" { "Identity providers " span class="count" { (list.total) } }
            }
            @if list.items.is_empty() {
                div class="card-body" {
                    p class="muted" {
                        "People sign in with passwords only. " code { "[[access.oidc]]" } " in "
                        code { "portal.toml" } " lets them sign in with the organisation's login."
                    }
                }
            } @else {
                ul class="list" data-compact { @for provider in &list.items { (provider_line(provider)) } }
            }
        }
    })
}

fn provider_line(provider: &ProviderView) -> Content {
    let ProviderView { name, title, issuer, redirect_uri, roles, role, problem, .. } = provider;
    Content::from(html! {
        li class="access-line" data-key=(name) {
            (icon("key"))
            div class="lines" {
                span {
                    strong { (title) } " "
                    @match problem {
                        None => { span class="status" data-tone="success" { (icon("pass")) "ready" } }
                        Some(_) => { span class="status" data-tone="danger" { (icon("fail")) "not working" } }
                    }
                }
                @if let Some(problem) = problem { (with_code(problem)) }
                span class="muted breakable" { code { (issuer) } " sends people back to " code { (redirect_uri) } }
                span class="muted" {
                    @for (group, role) in roles { "the group " code { (group) } " is " (role.as_str()) ", " }
                    "everybody else " @if roles.is_empty() { "new " } (role.as_str())
                }
            }
        }
    })
}

/// Whose CI jobs come in with their own tokens.
fn jobs_card(list: &CiIssuerList) -> Content {
    Content::from(html! {
        section class="card" aria-labelledby="jobs" {
            header class="card-head" { h2 id="jobs" { "CI jobs " span class="count" { (list.total) } } }
            @if list.items.is_empty() {
                div class="card-body" {
                    p class="muted" {
                        "Jobs send API tokens. " code { "[[access.ci]]" } " in " code { "portal.toml" }
                        " lets them come in with the tokens of their own CI, without a secret."
                    }
                }
            } @else {
                ul class="list" data-compact { @for issuer in &list.items { (jobs_line(issuer)) } }
            }
        }
    })
}

fn jobs_line(issuer: &CiIssuerView) -> Content {
    let CiIssuerView { name, issuer, audience, claims, account, role, scopes } = issuer;
    let scopes: Option<Vec<&str>> = scopes.as_ref().map(|scopes| scopes.iter().map(|verb| verb.words()).collect());
    Content::from(html! {
        li class="access-line" data-key=(name) {
            (icon("terminal"))
            div class="lines" {
                span { strong { (name) } " as " code { (account) } span class="muted" { ", " (role.as_str()) } }
                span class="muted breakable" { code { (issuer) } " for " code { (audience) } }
                span class="muted breakable" {
                    @for (position, (claim, rule)) in claims.iter().enumerate() {
                        @if position > 0 { ", " }
                        code { (claim) } " is " code { (rule) }
                    }
                    @if let Some(scopes) = scopes { "; may " (scopes.join(", ")) }
                }
            }
        }
    })
}

fn roles() -> Content {
    Content::from(html! {
        section class="card" aria-labelledby="roles" {
            header class="card-head" { h2 id="roles" { "Roles" } }
            div class="card-body" {
                dl class="kv" {
                    @for (role, words) in ROLES { dt { code { (role.as_str()) } } dd { (words) } }
                }
            }
        }
    })
}

//! Why somebody may or may not do something, and who could.

use maud::html;
use portal_core::access::Verb;
use portal_core::access::wire::{Caller, Effect, Explanation, RuleSays};

use super::question::Question;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Content, icon, with_code};

pub(crate) async fn explain(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let caller = asking.caller().await?;
    let question = Question::of(asking.query);
    let answer = match question.value("verb").is_empty() {
        true => None,
        false => Some(asking.ask::<Explanation>(&paths::with_query("/api/v1/access/explain", question.pairs())).await?),
    };
    Ok(Content::from(html! {
        div class="stack" {
            (form(&question, &caller))
            @match &answer {
                None => {},
                Some(Err(problem)) => { p class="error" role="alert" { (with_code(&problem.detail)) } },
                Some(Ok(explanation)) => { (decision(explanation, &caller)) (who_could(explanation)) },
            }
        }
    }))
}

fn form(question: &Question, caller: &Caller) -> Content {
    let manages = caller.can.get(Verb::ManageAccess.as_str()).is_some_and(|can| can.allowed);
    let verb = question.value("verb");
    Content::from(html! {
        section class="card" aria-labelledby="ask" {
            header class="card-head" { h2 id="ask" { "Who may do what" } }
            div class="card-body" {
                form class="stack" action=(paths::ACCESS) aria-labelledby="ask" {
                    div class="form-row" {
                        div class="field" {
                            label for="verb" { "Do what" }
                            select class="select" id="verb" name="verb" {
                                @for other in Verb::ALL {
                                    option value=(other.as_str()) selected[other.as_str() == verb] { (other.words()) }
                                }
                            }
                        }
                        div class="field" {
                            label for="entity" { "To which entity" span class="optional" { " optional" } }
                            input class="input" id="entity" name="entity" type="text" value=(question.value("entity"))
                                placeholder="component:default/booking-api" autocomplete="off" spellcheck="false";
                        }
                        @if manages {
                            div class="field" {
                                label for="account" { "Who" span class="optional" { " you when empty" } }
                                input class="input" id="account" name="account" type="text" value=(question.value("account"))
                                    placeholder="guest, or the name of an account" autocomplete="off" autocapitalize="none" spellcheck="false";
                            }
                        }
                    }
                    div { button class="button" data-variant="primary" { "Explain" } }
                }
            }
        }
    })
}

fn decision(explanation: &Explanation, caller: &Caller) -> Content {
    let Explanation { account, verb, entity, allowed, reason, rules, .. } = explanation;
    let who = if *account == caller.name { "You".to_owned() } else { account.clone() };
    Content::from(html! {
        section class="card" aria-labelledby="decision" {
            header class="card-head" {
                h2 id="decision" {
                    (who) " may " @if !allowed { "not " } (verb.words())
                    @if let Some(entity) = entity { ": " a href=(paths::entity(&entity.entity_ref)) { (entity.title) } }
                }
                span class="push" { span class="status" data-tone=(if *allowed { "success" } else { "danger" }) {
                    @if *allowed { (icon("pass")) "allowed" } @else { (icon("lock")) "refused" }
                } }
            }
            @if !allowed { div class="card-body" { p { (with_code(reason)) } } }
            ul class="list" data-compact { @for rule in rules { (line(rule)) } }
        }
    })
}

fn line(rule: &RuleSays) -> Content {
    let RuleSays { rule, effect, words } = rule;
    let (tone, symbol, says) = match effect {
        Some(Effect::Allow) => ("success", "pass", "allows"),
        Some(Effect::Deny) => ("danger", "lock", "refuses"),
        None => ("neutral", "minus", "says nothing"),
    };
    Content::from(html! {
        li class="access-line ruling" data-key=(rule) {
            span class="status" data-tone=(tone) { (icon(symbol)) (says) }
            div class="lines" { strong { (rule) } span class="muted" { (with_code(words)) } }
        }
    })
}

fn who_could(explanation: &Explanation) -> Content {
    let Explanation { roles, owners, accounts, .. } = explanation;
    Content::from(html! {
        section class="card" aria-labelledby="could" {
            header class="card-head" { h2 id="could" { "Who could" } }
            div class="card-body" {
                dl class="kv" {
                    dt { "Roles" }
                    dd { @if roles.is_empty() { "none for everything" } @for role in roles { span class="tag" { (role.as_str()) } " " } }
                    @if !owners.is_empty() {
                        dt { "Owners" }
                        dd { @for owner in owners { a class="underlined" href=(paths::entity(&owner.entity_ref)) { (owner.title) } " " } }
                    }
                    @if !accounts.is_empty() {
                        dt { "Accounts" }
                        dd { (accounts.join(", ")) }
                    }
                }
            }
        }
    })
}

//! Rules on top of roles and ownership: what there is, and a form that shows whom a
//! rule would affect before it is in force.

use maud::html;
use portal_core::access::Verb;
use portal_core::access::wire::{Effect, PolicyList, PolicyPreview, PolicyReach, PolicyView};
use portal_core::problem::Problem;
use serde_json::json;

use super::question::Question;
use crate::api::Method;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Act, Content, act_button, counted, icon, number, with_code};

const VERBS: [Verb; 2] = [Verb::ReadCatalog, Verb::WriteCatalog];
const EXAMPLES: [(&str, &str); 3] = [
    ("entity.metadata.labels.visibility == 'private' && !caller.owns", "private to its owners"),
    ("entity.spec.lifecycle == 'production' && caller.role == 'developer'", "production is for maintainers"),
    ("!caller.signed_in && 'internal' in entity.metadata.tags", "nothing internal for guests"),
];

/// What stands in the form.
#[derive(Default)]
struct Draft {
    /// There is a policy of this name already.
    edited: bool,
    name: String,
    allows: bool,
    verbs: Vec<String>,
    condition: String,
    message: String,
    off: bool,
}

pub(crate) async fn policies(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let list: PolicyList = asking.get("/api/v1/policies").await?;
    let question = Question::of(asking.query);
    let draft = Draft::of(&question, &list);
    let preview = match question.value("preview").is_empty() {
        true => None,
        false => Some(asking.post::<PolicyPreview>("/api/v1/policies/preview", &draft.body()).await?),
    };
    let fault = preview.as_ref().and_then(|preview| preview.as_ref().err());
    Ok(Content::from(html! {
        div class="stack" {
            section class="card" aria-labelledby="policies" {
                header class="card-head" {
                    h2 id="policies" { "Policies " span class="count" { (list.total) } }
                    a class="push underlined" href=(paths::ACCESS) { "Who may do what" }
                }
                @if list.items.is_empty() {
                    div class="card-body" {
                        p class="muted" {
                            "Roles and ownership decide alone. A policy hides entities from some, keeps some from changing them, or lets others."
                        }
                    }
                } @else {
                    ul class="list" data-compact { @for policy in &list.items { (line(policy)) } }
                }
            }
            (form(&draft, fault))
            @if let Some(Ok(preview)) = &preview { (reach(&draft, preview)) }
        }
    }))
}

impl Draft {
    fn of(question: &Question, list: &PolicyList) -> Self {
        let edited = list.items.iter().find(|policy| policy.name == question.value("edit"));
        if let Some(PolicyView { name, effect, verbs, condition, message, enabled, .. }) = edited {
            return Self {
                edited: true,
                name: name.clone(),
                allows: *effect == Effect::Allow,
                verbs: verbs.iter().map(|verb| verb.as_str().to_owned()).collect(),
                condition: condition.clone(),
                message: message.clone().unwrap_or_default(),
                off: !enabled,
            };
        }
        let asked = !question.value("preview").is_empty();
        let name = question.value("name").to_owned();
        Self {
            edited: list.items.iter().any(|policy| policy.name == name),
            allows: question.value("effect") == Effect::Allow.as_str(),
            verbs: if asked { question.values("verbs") } else { vec![Verb::ReadCatalog.as_str().to_owned()] },
            condition: question.value("condition").to_owned(),
            message: question.value("message").to_owned(),
            off: asked && question.value("enabled").is_empty(),
            name,
        }
    }

    fn body(&self) -> serde_json::Value {
        let effect = if self.allows { Effect::Allow } else { Effect::Deny };
        json!({ "effect": effect, "verbs": self.verbs, "condition": self.condition, "enabled": !self.off })
    }
}

fn line(policy: &PolicyView) -> Content {
    let PolicyView { name, effect, verbs, condition, message, enabled, .. } = policy;
    let remove = Act {
        method: Method::Delete,
        path: format!("/api/v1/policies/{name}"),
        needs: Verb::ManageAccess,
        label: "Remove",
        about: name.clone(),
        confirm: "Remove for good",
        done: format!("Removed {name}"),
    };
    let words: Vec<&str> = verbs.iter().map(|verb| verb.words()).collect();
    let edit = paths::with_query(paths::POLICIES, [("edit", name.as_str())]);
    Content::from(html! {
        li class="access-line" data-key=(name) {
            (icon("shield"))
            div class="lines" {
                span {
                    strong { (name) } " "
                    @match effect {
                        Effect::Deny => { span class="status" data-tone="danger" { (icon("lock")) "refuses" } },
                        Effect::Allow => { span class="status" data-tone="success" { (icon("pass")) "allows" } },
                    }
                    span class="muted" { " to " (words.join(" and ")) }
                    @if !enabled { " " span class="tag" { "off" } }
                }
                code class="breakable" { (condition) }
                @if let Some(message) = message { span class="muted" { (message) } }
            }
            div class="actions" {
                a class="button" data-size="sm" href=(edit) { "Edit" span class="visually-hidden" { " " (name) } }
                (act_button(remove))
            }
        }
    })
}

fn form(draft: &Draft, fault: Option<&Problem>) -> Content {
    let Draft { edited, name, allows, verbs, condition, message, off } = draft;
    let faulty = |field: &str| {
        let errors = fault.into_iter().flat_map(|problem| &problem.errors);
        errors
            .filter(move |error| error.pointer.trim_start_matches('/') == field)
            .map(|error| error.message.as_str())
            .next()
    };
    let at_condition = faulty("condition");
    Content::from(html! {
        section class="card" aria-labelledby="policy" {
            header class="card-head" {
                h2 id="policy" { @if *edited { "Policy " code { (name) } } @else { "New policy" } }
                @if *edited { a class="push underlined" href=(paths::POLICIES) { "New policy" } }
            }
            div class="card-body" {
                form class="stack" data-send="/api/v1/policies/{name}" data-method="PUT" aria-labelledby="policy"
                    data-done=(if *edited { "The policy is changed" } else { "The policy is in force" }) {
                    @if let Some(problem) = fault.filter(|problem| problem.errors.is_empty()) { p class="error" { (problem.detail) } }
                    div class="form-row" {
                        div class="field" {
                            label for="policy-name" { "Name" }
                            input class="input" id="policy-name" name="name" type="text" required maxlength="63" value=(name)
                                readonly[*edited] autocomplete="off" autocapitalize="none" spellcheck="false";
                        }
                        div class="field" {
                            label for="policy-effect" { "What it does" }
                            select class="select" id="policy-effect" name="effect" {
                                option value=(Effect::Deny.as_str()) selected[!allows] { "refuses" }
                                option value=(Effect::Allow.as_str()) selected[*allows] { "allows" }
                            }
                        }
                        fieldset class="field" {
                            legend { "To do what" }
                            @for verb in VERBS {
                                label class="check" {
                                    input type="checkbox" name="verbs" data-type="list" value=(verb.as_str())
                                        checked[verbs.iter().any(|other| other == verb.as_str())];
                                    (verb.words())
                                }
                            }
                            @if let Some(message) = faulty("verbs") { span class="error" { (message) } }
                        }
                    }
                    div class="field" {
                        label for="policy-condition" { "Where this holds" }
                        textarea class="textarea code-input" id="policy-condition" name="condition" rows="3" required maxlength="2000"
                            spellcheck="false" autocapitalize="none" aria-describedby="condition-error condition-hint"
                            aria-invalid=[at_condition.map(|_| "true")] { (condition) }
                        @if let Some(message) = at_condition { span class="error" id="condition-error" { (with_code(message)) } }
                        span class="hint" id="condition-hint" {
                            "CEL over " code { "entity" } ", " code { "relations" } " and " code { "caller" } ", e.g. "
                            @for (position, (example, words)) in EXAMPLES.iter().enumerate() {
                                @if position > 0 { "; " }
                                code { (example) } ": " (words)
                            }
                        }
                    }
                    div class="field" {
                        label for="policy-message" { "What the refused are told" span class="optional" { " optional" } }
                        input class="input" id="policy-message" name="message" type="text" maxlength="300" value=(message) autocomplete="off";
                    }
                    label class="check" {
                        input type="checkbox" name="enabled" data-type="flag" value="on" checked[!off];
                        "In force"
                    }
                    div class="button-row" {
                        button class="button needs-script" data-variant="primary" { "Save" }
                        button class="button" name="preview" value="yes" formaction=(paths::POLICIES) formmethod="get" formnovalidate { "Preview" }
                    }
                }
            }
        }
    })
}

fn reach(draft: &Draft, preview: &PolicyPreview) -> Content {
    let what = if draft.allows { "allowed" } else { "refused" };
    Content::from(html! {
        section class="card" aria-labelledby="reach" {
            header class="card-head" { h2 id="reach" { "Whom it affects" } }
            @if !preview.answered {
                div class="card-body" {
                    p class="muted" { "This condition is answered for one entity at a time, when somebody is about to change it." }
                }
            } @else {
                div class="table-wrap" {
                    table class="table" {
                        caption class="visually-hidden" { "Callers, and how many entities are " (what) " to them" }
                        thead { tr { th scope="col" { "Who" } th scope="col" { "Role" } th scope="col" class="num" { "Entities " (what) } th scope="col" class="p2" { "Such as" } } }
                        tbody { @for caller in &preview.callers { (caller_row(caller, preview.total)) } }
                    }
                }
            }
        }
    })
}

fn caller_row(caller: &PolicyReach, total: u64) -> Content {
    let PolicyReach { name, title, role, entities, examples } = caller;
    Content::from(html! {
        tr data-key=(name) {
            td { div class="cell" { (title) @if title != name { " " span class="muted" { (name) } } } }
            td { (role.as_str()) }
            td class="num" title=(format!("of {}", counted(total, "entity", "entities"))) { (number(*entities)) }
            td class="p2" {
                div class="truncate" {
                    @for (position, link) in examples.iter().enumerate() {
                        @if position > 0 { ", " }
                        a href=(paths::entity(&link.entity_ref)) { (link.title) }
                    }
                    @if *entities > examples.len() as u64 { " …" }
                }
            }
        }
    })
}

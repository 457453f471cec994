//! What can be done with the text of an action: keep it as a draft, publish it, try it out in
//! earnest, and go back to an earlier version.

use maud::{Markup, html};
use portal_core::access::Verb;
use portal_core::actions::wire::{ActionVersion, ActionVersionList, VersionState};
use portal_core::problem::Problem;
use portal_core::runs::wire::RunView;
use serde_json::{Map, Value, json};

use crate::access::Question;
use crate::api::Method;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Content, ago, denied, icon, with_code};

/// What came of a button.
pub(super) enum Done {
    Stored(ActionVersion),
    Published(ActionVersion),
    Discarded,
    Started(i64),
    Refused(Problem),
}

/// An action that is written: what it is called, and what the portal keeps of it.
#[derive(Default)]
pub(super) struct Kept {
    pub entity_ref: Option<String>,
    pub versions: Vec<ActionVersion>,
    pub done: Option<Done>,
    /// The draft that the text began as, for `If-Match`.
    pub etag: String,
}

/// The text that the editor begins with: a version, the draft, or what is in force; nothing when
/// the portal keeps none.
pub(super) async fn text_of(
    asking: &Asking<'_>,
    place: &str,
    version: &str,
) -> Result<Option<(String, String)>, Refusal> {
    if !place.starts_with("action:") {
        return Ok(None);
    }
    let versions = versions(asking, place).await?;
    let draft = || versions.iter().find(|one| one.state == VersionState::Draft);
    let chosen = match version {
        "" => draft().or_else(|| versions.iter().find(|one| one.current)).map(|one| one.number.to_string()),
        number => Some(number.to_owned()),
    };
    let Some(number) = chosen else { return Ok(None) };
    let one: ActionVersion = asking.get(&paths::api_action(place, &format!("versions/{number}"))).await?;
    let etag = draft().map(|draft| draft.etag.clone()).unwrap_or_default();
    Ok(one.text.map(|text| (text, etag)))
}

async fn versions(asking: &Asking<'_>, entity_ref: &str) -> Result<Vec<ActionVersion>, Refusal> {
    // Of what does not exist yet, or is somebody else's, there are none.
    let path = paths::api_action(entity_ref, "versions");
    let list = asking.act::<ActionVersionList>(Method::Get, &path, &Value::Null, None).await?;
    Ok(list.map(|list| list.items).unwrap_or_default())
}

/// Does what a button asked for.
pub(super) async fn kept(
    asking: &Asking<'_>,
    question: &Question,
    entity_ref: Option<String>,
    (text, values): (&str, &Map<String, Value>),
    etag: String,
) -> Result<Kept, Refusal> {
    let Some(reference) = entity_ref.filter(|reference| reference.starts_with("action:")) else {
        return Ok(Kept { etag, ..Kept::default() });
    };
    let done = done(asking, question, &reference, (text, values), &etag).await?;
    let etag = match &done {
        Some(Done::Stored(version)) => version.etag.clone(),
        Some(Done::Published(_) | Done::Discarded) => String::new(),
        _ => etag,
    };
    let versions = versions(asking, &reference).await?;
    Ok(Kept { entity_ref: Some(reference), versions, done, etag })
}

async fn done(
    asking: &Asking<'_>,
    question: &Question,
    reference: &str,
    (text, values): (&str, &Map<String, Value>),
    etag: &str,
) -> Result<Option<Done>, Refusal> {
    if !asking.is_sent {
        return Ok(None);
    }
    let (what, number) = question.value("do").split_once(':').unwrap_or((question.value("do"), ""));
    let etag = Some(etag).filter(|etag| !etag.is_empty());
    let store = async || {
        let path = paths::api_action(reference, "draft");
        asking.act::<ActionVersion>(Method::Put, &path, &json!({ "text": text }), etag).await
    };
    let publish = async |number: &str| {
        let path = paths::api_action(reference, &format!("versions/{number}/publish"));
        asking.act::<ActionVersion>(Method::Post, &path, &json!({}), None).await
    };
    let answer = match what {
        "draft" => store().await?.map(Done::Stored),
        "publish" if number.is_empty() => match store().await? {
            Ok(draft) => publish(&draft.number.to_string()).await?.map(Done::Published),
            Err(problem) => Err(problem),
        },
        "publish" => publish(number).await?.map(Done::Published),
        "discard" => {
            let path = paths::api_action(reference, "draft");
            asking.act::<Value>(Method::Delete, &path, &Value::Null, None).await?.map(|_| Done::Discarded)
        }
        "test" => {
            let entity = Some(question.value("entity")).filter(|entity| !entity.is_empty());
            let body = json!({ "text": text, "entity": entity, "values": values });
            asking.act::<RunView>(Method::Post, "/api/v1/runs", &body, None).await?.map(|run| Done::Started(run.id))
        }
        _ => return Ok(None),
    };
    Ok(Some(answer.unwrap_or_else(Done::Refused)))
}

impl Kept {
    /// Above the text: how it stands, and what can be done with it.
    pub(super) fn tools(&self, now: i64) -> Markup {
        let (disabled, reason) = denied(Verb::WriteCatalog);
        let button = |what: &'static str,
                      label: &'static str,
                      symbol: &'static str,
                      sure: &'static str,
                      variant: Option<&'static str>| {
            html! {
                button class="button needs-script" data-size="sm" type="button" data-do=(what) data-sure=[(!sure.is_empty()).then_some(sure)]
                    data-variant=[variant] aria-disabled=[disabled] title=[reason.clone()] { (icon(symbol)) (label) }
            }
        };
        html! {
            div class="editor-tools" {
                input type="hidden" name="etag" value=(self.etag);
                p class="muted with-icon" { (icon("clock")) span { (self.standing(now)) } }
                @if self.entity_ref.is_some() {
                    (button("test", "Test run", "play", "Really run it?", None))
                    (button("draft", "Save draft", "file", "", None))
                    (button("publish", "Publish", "check", "Publish it?", Some("primary")))
                }
            }
            div class="editor-done" role="status" {
                @if let Some(done) = &self.done { (done.told(self.entity_ref.as_deref().unwrap_or_default())) }
            }
        }
    }

    fn standing(&self, now: i64) -> Markup {
        let draft = self.versions.iter().find(|one| one.state == VersionState::Draft);
        let current = self.versions.iter().find(|one| one.current);
        html! {
            @match (draft, current) {
                (Some(draft), _) => { "Draft of " (draft.author) ", " (ago(draft.changed_at, now)) @if let Some(current) = current { "; version " (current.number) " is in force" } },
                (None, Some(current)) => { "Version " (current.number) " is in force" },
                (None, None) => { "The portal keeps no version of this" },
            }
        }
    }

    /// Every version, newest first.
    pub(super) fn list(&self, now: i64) -> Markup {
        let Some(reference) = self.entity_ref.as_deref().filter(|_| !self.versions.is_empty()) else { return html! {} };
        let (disabled, reason) = denied(Verb::WriteCatalog);
        html! {
            section class="card" aria-labelledby="versions" {
                header class="card-head" { h2 id="versions" { "Versions " span class="count" { (self.versions.len()) } } }
                ul class="list" {
                    @for one in &self.versions {
                        @let is_draft = one.state == VersionState::Draft;
                        li data-key=(one.number) {
                            div {
                                p { a class="underlined" href=(paths::action_version(reference, one.number)) { "Version " (one.number) } " "
                                    @if is_draft { span class="chip" data-tone="warning" { "Draft" } }
                                    @else if one.current { span class="chip" data-tone="success" { "In force" } } }
                                p class="muted" { (one.author) ", " (ago(one.changed_at, now))
                                    @if !is_draft && !one.trusted { "; uses no connectors, since no maintainer published it" } }
                            }
                            @if is_draft {
                                button class="button needs-script push" data-size="sm" data-variant="danger-quiet" type="button" data-do="discard" data-sure="Throw it away?"
                                    aria-disabled=[disabled] title=[reason.clone()] { "Discard" span class="visually-hidden" { " version " (one.number) } }
                            } @else if !one.current {
                                button class="button needs-script push" data-size="sm" type="button" data-do=(format!("publish:{}", one.number)) data-sure="Publish it again?"
                                    aria-disabled=[disabled] title=[reason.clone()] { "Publish again" span class="visually-hidden" { " version " (one.number) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

impl Done {
    fn told(&self, reference: &str) -> Content {
        let good = |words: Markup| html! { div class="callout" data-tone="success" { (icon("check")) p { (words) } } };
        Content::from(match self {
            Self::Stored(version) => {
                good(html! { "Draft " (version.number) " is stored. Nobody else runs it until it is published." })
            }
            Self::Published(version) => good(
                html! { "Version " (version.number) " is in force: " a class="underlined" href=(paths::action(reference)) { "open the action" } "." },
            ),
            Self::Discarded => good(html! { "The draft is gone; the text is still here." }),
            Self::Started(id) => {
                good(html! { "A test run has begun: " a class="underlined" href=(paths::run(*id)) { "run " (id) } "." })
            }
            Self::Refused(Problem { detail, errors, .. }) => html! {
                div class="callout" data-tone="danger" {
                    (icon("fail"))
                    div {
                        p { (with_code(detail)) }
                        @if errors.len() > 1 { ul { @for error in errors { li { code { (error.pointer) } " " (with_code(&error.message)) } } } }
                    }
                }
            },
        })
    }
}

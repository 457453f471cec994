//! One run: its steps, its log as it is written, and what came of it.

use maud::{Markup, html};
use portal_core::access::Verb;
use portal_core::actions::wire::ApprovalList;
use portal_core::runs::wire::{LogPage, RunStepView, RunTrigger, RunView};
use portal_core::runs::{RunState, StepState};
use serde_json::{Map, Value};

use super::{of_run, step_status};
use crate::access::Question;
use crate::actions::decision;
use crate::api::Method;
use crate::catalog::entity_link;
use crate::paths;
use crate::served::{Asking, Parts, Refusal, WHOLE};
use crate::ui::{Act, Content, act_button, ago, counted, duration, icon, markdown, safe_url, with_code};

/// What stands for an answer that is not shown.
const MASK: &str = "••••••";
/// Lines of the log that are shown.
const LINES: usize = 500;

pub(crate) async fn run(asking: &Asking<'_>, path: &str) -> Result<Parts, Refusal> {
    let api = format!("/api/v1{path}");
    let run: RunView = asking.get(&api).await?;
    let mut lines = Vec::new();
    let mut after = 0;
    loop {
        let page: LogPage = asking.get(&format!("{api}/log?after={after}")).await?;
        let is_last = page.items.len() < 1000;
        after = page.items.last().map_or(after, |line| line.seq);
        lines.extend(page.items);
        if is_last {
            break;
        }
    }
    let of_run = paths::with_query(paths::API_APPROVALS, [("run", run.id.to_string().as_str())]);
    let approvals: ApprovalList = asking.get(&of_run).await?;
    let question = Question::of(asking.query);
    let chosen = question.value("step").to_owned();
    let now = asking.now_ms();
    let content = Content::from(html! {
        div class="stack" data-gap="5" {
            (head(&run, now))
            (callout(&run))
            @for approval in &approvals.items { (decision(approval, now, false)) }
            div class="run" {
                div class="stack" data-gap="4" {
                    (steps(&run, path, &chosen))
                    (outputs(&run))
                    (answers(&run))
                }
                (log(&run, &lines, &chosen, after))
            }
        }
    });
    let title = Content::from(html! { span { (run.title) " #" (run.id) } });
    Ok(vec![(WHOLE, content), ("title", title)])
}

fn head(run: &RunView, now: i64) -> Markup {
    let (tone, symbol, word) = of_run(run.state);
    let took = run.started_at.map(|from| {
        let to = run.finished_at.map_or(now, |to| to.timestamp_millis());
        duration(to - from.timestamp_millis())
    });
    html! {
        header class="page-head" {
            div class="lead" {
                h1 tabindex="-1" { (run.title) @if let Some(name) = named(run) { ": " (name) } " " span class="chip" data-tone=(tone) { (icon(symbol)) (word) } @if run.test { " " span class="chip" title="It tried out a text that was being written" { "Test" } } }
                div class="facts-strip" {
                    span { "Run " (run.id) " of " a href=(definition(run)) { (run.definition.rsplit('/').next().unwrap_or_default()) } }
                    @if let Some(target) = &run.target { span { "on " (entity_link(target)) } }
                    @match &run.trigger { Some(trigger) => { (by_itself(trigger)) }, None => { span { (icon("user")) (run.started_by.name) } } }
                    span { (icon("calendar")) (ago(run.created_at, now)) }
                    @if let Some(version) = &run.version { span title=(version) { (icon("commit")) code { (version.chars().take(7).collect::<String>()) } } }
                    @if run.behind > 0 { span { (counted(run.behind, "change", "changes")) " of the template since" } }
                    @if let Some(took) = took { span { (icon("clock")) (took) @if !run.state.is_final() { " so far" } } }
                }
            }
            div class="page-actions" {
                @if run.can.cancel.is_none() && !run.cancel_requested { (act(run, "cancel", "Cancel", "Stop it", "Stopping")) }
                @if run.cancel_requested && !run.state.is_final() { span class="muted" { "Stopping…" } }
                @if run.can.retry.is_none() { (act(run, "retry", "Retry", "", "Going on")) }
                a class="button" data-size="sm" href=(another(run)) { (icon("plus")) "Start another" }
            }
        }
    }
}

/// What started it, where nobody did.
fn by_itself(trigger: &RunTrigger) -> Markup {
    html! {
        span { (icon("play")) "Started by itself " (with_code(&trigger.name)) }
        @if let Some(above) = &trigger.above {
            span { "after " a href=(paths::run(above.id)) { "run " (above.id) } " of " (above.definition.rsplit('/').next().unwrap_or_default()) }
        }
    }
}

/// The name that was answered; what an action is about is in its title.
fn named(run: &RunView) -> Option<&str> {
    run.answers.get("name").and_then(Value::as_str).filter(|_| !run.definition.starts_with("action:"))
}

/// Where what is run is filled in.
fn definition(run: &RunView) -> String {
    if run.definition.starts_with("action:") {
        paths::action(&run.definition)
    } else {
        paths::template(&run.definition)
    }
}

/// The form with the answers of this run, as far as they are no secret.
fn another(run: &RunView) -> String {
    let answers: Map<String, Value> = run
        .answers
        .iter()
        .filter(|(_, answer)| **answer != *MASK)
        .map(|(name, answer)| (name.clone(), answer.clone()))
        .collect();
    let answers = Value::Object(answers).to_string();
    let target = run.target.as_ref().map(|target| ("entity", target.entity_ref.as_str()));
    paths::with_query(&definition(run), target.into_iter().chain([("rest", answers.as_str())]))
}

fn act(run: &RunView, verb: &str, label: &'static str, confirm: &'static str, done: &str) -> Content {
    act_button(Act {
        method: Method::Post,
        path: format!("{}/{}/{verb}", paths::API_RUNS, run.id),
        needs: Verb::RunTemplates,
        label,
        about: format!("run {}", run.id),
        confirm,
        done: done.to_owned(),
    })
}

fn callout(run: &RunView) -> Markup {
    let Some(error) = run.error.as_ref().filter(|_| run.state.is_final()) else { return html! {} };
    html! {
        div class="callout" data-tone="danger" role="status" {
            (icon("fail"))
            div {
                p class="title" {
                    @match &error.step { Some(step) => { "Step " code { (step) } @if run.state == RunState::Unknown { " may have happened" } @else { " failed" } }, None => { "The run failed" } }
                }
                p { (with_code(&error.message)) }
                @if run.state == RunState::Unknown {
                    p { "Look on the other side whether it happened. Retry does the step again: if it happened, it happens twice." }
                } @else { p class="muted" { "What the steps before it did is kept. " @if run.can.retry.is_none() { "Retry goes on from here." } } }
            }
        }
    }
}

fn steps(run: &RunView, path: &str, chosen: &str) -> Content {
    let done = run.steps.iter().filter(|step| matches!(step.state, StepState::Succeeded | StepState::Skipped)).count();
    Content::from(html! {
        section class="card" aria-labelledby="steps" {
            header class="card-head" { h2 id="steps" { "Steps" } div class="push muted" { (done) " of " (run.steps.len()) " done" } }
            ol class="steps" {
                @for step in &run.steps { (line(step, path, chosen)) }
            }
            @if !chosen.is_empty() { div class="card-foot" { a href=(path) { "Show the whole log" } } }
        }
    })
}

fn line(step: &RunStepView, path: &str, chosen: &str) -> Content {
    let took = step.started_at.zip(step.finished_at).map(|(from, to)| duration((to - from).num_milliseconds()));
    let is_open = matches!(step.state, StepState::Pending);
    Content::from(html! {
        li data-key=(step.id) data-state=[is_open.then_some("todo")] {
            a href=(paths::with_query(path, [("step", step.id.as_str())])) aria-current=[(step.id == chosen).then_some("step")] {
                (step_status(step.state, true))
                span class="truncate" title=(step.name) { (step.name) }
                span class="took" { (took.unwrap_or_default()) }
                span class="meta" {
                    (step.action)
                    @if step.attempts > 1 { ", attempt " (step.attempts) }
                    @if let Some(percent) = step.progress.filter(|_| !is_done(step.state)) { ", " (percent) " %" }
                }
            }
            @if let Some(percent) = step.progress.filter(|_| !is_done(step.state)) {
                progress value=(percent) max="100" aria-label=(format!("Progress of {}", step.name)) {}
            }
            @for link in &step.links {
                @if let Some(url) = safe_url(&link.url) {
                    a class="step-link" href=(url) rel="external noopener" { (icon("external")) (link.title) }
                }
            }
        }
    })
}

/// What a run made is listed already.
fn is_made(run: &RunView, entity_ref: &str) -> bool {
    run.entities.iter().any(|entity| entity.entity_ref == entity_ref)
}

fn is_done(state: StepState) -> bool {
    !matches!(state, StepState::Pending | StepState::Running | StepState::Waiting)
}

fn outputs(run: &RunView) -> Markup {
    let items = |name: &str| run.output.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let (links, texts) = (items("links"), items("text"));
    if links.is_empty() && texts.is_empty() && run.entities.is_empty() {
        return html! {};
    }
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    html! {
        section class="card" aria-labelledby="outputs" {
            header class="card-head" { h2 id="outputs" { "What came of it" } }
            ul class="list" data-compact {
                @for entity in &run.entities { li { (entity_link(entity)) } }
                @for link in &links {
                    @let (title, url) = (text(link, "title"), text(link, "url"));
                    @if let Some(url) = safe_url(&url) {
                        li { a class="entity-link" href=(url) rel="external noopener" { (icon("external")) span class="truncate" { (if title.is_empty() { &url } else { &title }) } } }
                    } @else if !text(link, "entityRef").is_empty() && !is_made(run, &text(link, "entityRef")) {
                        li { a class="entity-link" href=(paths::entity(&text(link, "entityRef"))) { (icon("catalog")) span class="truncate" { (title) } } }
                    }
                }
                @for one in &texts {
                    li { div class="lines" { strong { (text(one, "title")) } div class="breakable" { (markdown(&text(one, "content"))) } } }
                }
            }
        }
    }
}

fn answers(run: &RunView) -> Content {
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Content::from(html! {
        section class="card" aria-labelledby="run-answers" {
            header class="card-head" { h2 id="run-answers" { "Answers" } }
            div class="card-body" {
                @if run.answers.is_empty() { p class="muted" { "It asks nothing." } }
                @else { dl class="kv" { @for (name, value) in &run.answers { dt { (name) } dd class="breakable" { (shown(value)) } } } }
            }
        }
    })
}

fn log(run: &RunView, lines: &[portal_core::runs::wire::LogLine], chosen: &str, last: i64) -> Content {
    let own: Vec<_> = lines.iter().filter(|line| chosen.is_empty() || line.step.as_deref() == Some(chosen)).collect();
    let left_out = own.len().saturating_sub(LINES);
    let failed: Vec<&str> = run
        .steps
        .iter()
        .filter(|step| step.state == StepState::Failed)
        .filter_map(|step| step.error.as_deref())
        .collect();
    let is_live = !run.state.is_final();
    let stream = is_live.then(|| format!("{}/{}/log/stream?after={last}", paths::API_RUNS, run.id));
    let name = run.steps.iter().find(|step| step.id == chosen).map_or("Log", |step| step.name.as_str());
    Content::from(html! {
        section class="card" aria-labelledby="log-title" {
            header class="card-head" {
                h2 id="log-title" { (name) }
                div class="push" {
                    @if is_live { span class="status" data-tone="info" { (icon("running")) "Live" } }
                    a class="button" data-size="sm" href=(format!("{}/{}/log", paths::API_RUNS, run.id)) rel="external" download=(format!("run-{}.json", run.id)) { (icon("download")) "Download" }
                }
            }
            div class="log" role="log" aria-label=(format!("Log: {name}")) tabindex="0" data-stream=[stream] data-follow {
                @if own.is_empty() { p class="muted log-empty" { @if is_live { "Nothing written yet." } @else { "Nothing was written." } } }
                @else {
                    ol {
                        @for (index, line) in own.iter().enumerate().skip(left_out) {
                            @let is_bad = failed.iter().any(|error| error.lines().next().is_some_and(|first| line.text.contains(first)));
                            li data-key=(line.seq) data-tone=[is_bad.then_some("danger")] {
                                span class="ln" { (index + 1) }
                                span class="at" title=(line.at.to_rfc3339()) { (line.at.format("%H:%M:%S%.3f")) }
                                span class="msg" { (line.text) }
                            }
                        }
                    }
                }
            }
            div class="card-foot muted" {
                (counted(own.len() as u64, "line", "lines"))
                @if left_out > 0 { ", the last " (LINES) " shown" }
            }
        }
    })
}

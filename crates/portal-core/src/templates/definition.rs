//! What a template says: pages of its form, steps, outputs. Read from an entity of kind
//! `Template`, as `scaffolder.backstage.io/v1beta3` writes it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::actions;
use super::language::{self, Style, Template};
use super::wire::TemplateProblem;
use crate::actions::approval::Need;
use crate::actions::definition::{no_time, seconds};
use crate::catalog::validate::hints;

/// A template that was read; what is wrong with it is told apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    pub pages: Vec<Page>,
    pub steps: Vec<Step>,
    /// `links`, `text` and whatever else the author names.
    pub output: Map<String, Value>,
    /// Labels of buttons: `backButtonText`, `createButtonText`, `reviewButtonText`.
    pub labels: Map<String, Value>,
    /// Runs of it at the same time; further ones wait for their turn.
    pub concurrency: Option<u32>,
}

/// A page of the form.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub title: String,
    pub description: Option<String>,
    /// JSON Schema of an object.
    pub schema: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub id: String,
    pub name: String,
    pub action: String,
    pub input: Map<String, Value>,
    pub condition: Option<Value>,
    pub each: Option<Value>,
    /// Later steps run although this one failed.
    pub goes_on: bool,
}

/// Something that is wrong, or probably is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// JSON pointer into the entity.
    pub pointer: String,
    pub message: String,
    /// The template does not run until it is mended.
    pub is_error: bool,
}

impl From<Finding> for TemplateProblem {
    fn from(Finding { pointer, message, is_error }: Finding) -> Self {
        Self { pointer, message, is_error }
    }
}

/// Reads a template. What is missing is empty.
pub fn read(entity: &Value) -> (Definition, Vec<Finding>) {
    let spec = &entity["spec"];
    let mut findings = Vec::new();
    let pages = match &spec["parameters"] {
        Value::Array(pages) => pages.iter().enumerate().map(|(index, page)| read_page(index, page)).collect(),
        page @ Value::Object(_) => vec![read_page(0, page)],
        _ => Vec::new(),
    };
    let listed = spec["steps"].as_array().map_or(&[][..], Vec::as_slice);
    let steps: Vec<Step> = listed.iter().enumerate().map(|(index, step)| read_step(index, step)).collect();
    let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let definition = Definition {
        pages,
        steps,
        output: object(&spec["output"]),
        labels: object(&spec["presentation"]["buttonLabels"]),
        concurrency: concurrency(entity, &mut findings),
    };
    check(&definition, spec, &mut findings);
    (definition, findings)
}

/// Of an annotation that counts the runs that may be under way at the same time.
pub const CONCURRENCY: &str = "portal.run/max-concurrent";

fn concurrency(entity: &Value, findings: &mut Vec<Finding>) -> Option<u32> {
    let given = entity["metadata"]["annotations"].get(CONCURRENCY)?;
    let count = given.as_str().and_then(|text| text.parse::<u32>().ok()).filter(|count| *count > 0);
    if count.is_none() {
        let pointer = format!("/metadata/annotations/{}", crate::document::escape(CONCURRENCY));
        findings.push(Finding { pointer, message: "must be a number from 1, as a text".to_owned(), is_error: true });
    }
    count
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn read_page(index: usize, page: &Value) -> Page {
    let title = text(&page["title"]).unwrap_or_else(|| format!("Page {}", index + 1));
    // One that has no end is told below, and asks nothing.
    let schema = if super::form::is_endless(page) { Value::Object(Map::new()) } else { page.clone() };
    Page { title, description: text(&page["description"]), schema }
}

fn read_step(index: usize, step: &Value) -> Step {
    let id = text(&step["id"]).unwrap_or_else(|| format!("step-{}", index + 1));
    let action = text(&step["action"]).unwrap_or_default();
    let given = |name: &str| step.get(name).filter(|value| !value.is_null()).cloned();
    Step {
        name: text(&step["name"]).unwrap_or_else(|| action.clone()),
        input: step["input"].as_object().cloned().unwrap_or_default(),
        condition: given("if"),
        each: given("each"),
        goes_on: step["continueOnError"] == true,
        id,
        action,
    }
}

/// What a step may say. Whom Backstage lets take it is for its policies to say, here as there.
const STEP: [&str; 8] = ["id", "name", "action", "input", "if", "each", "continueOnError", "backstage:permissions"];

fn check(definition: &Definition, spec: &Value, findings: &mut Vec<Finding>) {
    let mut tell = |pointer: String, message: String, is_error: bool| {
        findings.push(Finding { pointer, message, is_error });
    };
    let page_pointer = |index: usize| {
        if spec["parameters"].is_array() { format!("/spec/parameters/{index}") } else { "/spec/parameters".to_owned() }
    };
    for (index, page) in definition.pages.iter().enumerate() {
        if let Err(message) = super::form::judge(&page.schema) {
            tell(page_pointer(index), message, true);
        }
        // Nothing of what was written was taken up.
        let written = spec["parameters"].get(index).unwrap_or(&spec["parameters"]);
        if page.schema.as_object().is_some_and(Map::is_empty) && page.schema != *written {
            let message = "has more than 10 000 parts, or refers to itself without an end".to_owned();
            tell(page_pointer(index), message, true);
        }
        let mut patterns = Vec::new();
        super::form::unmatchable(&page.schema, &page_pointer(index), 0, &mut patterns);
        for (pointer, text) in patterns {
            tell(pointer, format!("`{text}` is no pattern, and every answer passes"), false);
        }
    }
    for (index, message) in super::secrets::misplaced(&definition.pages) {
        tell(page_pointer(index), message, true);
    }
    let ids: Vec<&str> = definition.steps.iter().map(|step| step.id.as_str()).collect();
    let mut seen = BTreeSet::new();
    for (index, step) in definition.steps.iter().enumerate() {
        let pointer = format!("/spec/steps/{index}");
        let written = spec["steps"][index].as_object().into_iter().flatten();
        for (name, _) in written.filter(|(name, _)| !STEP.contains(&name.as_str())) {
            let near = hints::closest(name, STEP).map_or(String::new(), |near| format!("; is it `{near}`?"));
            let message = format!("`{name}` means nothing in a step, and is left out{near}");
            tell(format!("{pointer}/{}", crate::document::escape(name)), message, false);
        }
        if !seen.insert(step.id.as_str()) {
            tell(format!("{pointer}/id"), format!("there is another step `{}` before it", step.id), true);
        }
        match actions::find(&step.action) {
            None if !step.action.is_empty() => {
                let near = actions::nearest(&step.action).map_or(String::new(), |near| format!("; is it `{near}`?"));
                tell(format!("{pointer}/action"), format!("the portal has no action `{}`{near}", step.action), false);
            }
            Some(action) => {
                for parameter in action.input.iter().filter(|parameter| parameter.required) {
                    if !step.input.contains_key(parameter.name) {
                        let message = format!("`{}` needs `{}`", step.action, parameter.name);
                        tell(format!("{pointer}/input"), message, true);
                    }
                }
                for name in action.input.iter().filter(|one| one.kind == actions::DURATION).map(|one| one.name) {
                    let literal = match &step.input.get(name) {
                        Some(Value::String(text)) if language::is_literal(text) => text.clone(),
                        Some(Value::Number(number)) => number.to_string(),
                        _ => continue,
                    };
                    if seconds(&literal).is_none() {
                        tell(format!("{pointer}/input/{name}"), no_time(&literal), true);
                    }
                }
                if action.id == "approval" {
                    approval(&step.input, &pointer, &mut tell);
                }
                let is_known = |name: &str| action.input.is_empty() || action.input.iter().any(|own| own.name == name);
                for name in step.input.keys().filter(|name| !is_known(name)) {
                    let near = hints::closest(name, action.input.iter().map(|own| own.name));
                    let near = near.map_or(String::new(), |near| format!("; is it `{near}`?"));
                    let message = format!("`{}` takes no `{name}`, which is left out{near}", step.action);
                    tell(format!("{pointer}/input/{}", crate::document::escape(name)), message, false);
                }
            }
            None => {}
        }
        for (name, value) in [("if", &step.condition), ("each", &step.each)] {
            if let Some(value) = value {
                expressions(value, &format!("{pointer}/{name}"), &ids[..index], &ids, &mut tell);
            }
        }
        let input = Value::Object(step.input.clone());
        expressions(&input, &format!("{pointer}/input"), &ids[..index], &ids, &mut tell);
    }
    expressions(&Value::Object(definition.output.clone()), "/spec/output", &ids, &ids, &mut tell);
}

/// Tells what a step asks that nobody could agree to.
fn approval(input: &Map<String, Value>, pointer: &str, tell: &mut impl FnMut(String, String, bool)) {
    if input.get("by").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        tell(format!("{pointer}/input/by"), "names nobody".to_owned(), true);
    }
    // What is worked out later, or a number as a text, is read when it is asked.
    let is_later = |text: &str| !language::is_literal(text) || text.parse::<u64>().is_ok_and(|count| count > 0);
    let need = input.get("need").filter(|need| !need.as_str().is_some_and(is_later));
    if need.is_some_and(|need| Need::read(need).is_none()) {
        tell(format!("{pointer}/input/need"), Need::WANTED.to_owned(), true);
    }
}

/// Tells every text that cannot be read as a template, and what is named in it that there is
/// not. Backstage keeps such a text as it is, so it may be meant: it is told, and runs.
fn expressions(value: &Value, pointer: &str, done: &[&str], all: &[&str], tell: &mut impl FnMut(String, String, bool)) {
    match value {
        Value::String(text) => match Template::parse(text, Style::default()) {
            Err(fault) => tell(pointer.to_owned(), format!("the expression cannot be read, {fault}"), false),
            Ok(template) => {
                for name in template.unknown_filters() {
                    tell(pointer.to_owned(), format!("no filter is named `{name}`"), false);
                }
                for id in template.looked_up_in("steps").iter().filter(|id| !done.contains(&id.as_str())) {
                    let message = if all.contains(&id.as_str()) {
                        format!("the step `{id}` has not run yet here")
                    } else {
                        let near = hints::closest(id, all.iter().copied());
                        let near = near.map_or(String::new(), |near| format!("; is it `{near}`?"));
                        format!("there is no step `{id}`{near}")
                    };
                    tell(pointer.to_owned(), message, false);
                }
            }
        },
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, item)| expressions(item, &format!("{pointer}/{index}"), done, all, tell)),
        Value::Object(fields) => {
            for (key, value) in fields {
                expressions(value, &format!("{pointer}/{}", crate::document::escape(key)), done, all, tell);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn remarks(steps: &Value, output: &Value) -> Vec<String> {
        let (_, findings) = read(&json!({ "spec": { "steps": steps, "output": output } }));
        findings.into_iter().map(|finding| format!("{} {}", finding.pointer, finding.message)).collect()
    }

    #[test]
    fn what_is_named_and_is_not_there_is_told() {
        let steps = json!([
            { "id": "fetch", "action": "fetch:template", "input": {
                "url": "./skeleton", "valuse": {}, "targetPath": "${{ steps.publish.output.path }}" } },
            { "id": "publish", "action": "publish:git", "if": "${{ parameters.name | lowr }}", "input": {
                "remoteUrl": "${{ steps['fetch'].output.x or steps.fetsh.output.y }}" } },
            { "id": "own", "action": "acme:own", "inputs": {}, "input": { "anything": "${{ [1] | sum }}" } },
        ]);
        let output = json!({ "text": [{ "content": "${{ steps.nope.output.z }}${{ steps.own.output.x }}" }] });
        let expected = [
            "/spec/steps/0/input/valuse `fetch:template` takes no `valuse`, which is left out; is it `values`?",
            "/spec/steps/0/input/targetPath the step `publish` has not run yet here",
            "/spec/steps/1/if no filter is named `lowr`",
            "/spec/steps/1/input/remoteUrl there is no step `fetsh`; is it `fetch`?",
            "/spec/steps/2/inputs `inputs` means nothing in a step, and is left out; is it `input`?",
            "/spec/steps/2/action the portal has no action `acme:own`",
            "/spec/output/text/0/content there is no step `nope`",
        ];
        assert_eq!(remarks(&steps, &output), expected);
    }
}

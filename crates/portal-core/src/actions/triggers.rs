//! What an action starts by itself on: a time, a change of the catalog, a request from
//! outside, the end of another run. Which runs that leads to is decided where they are
//! started; here is what the author wrote, and where it goes too far.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::reading::Reading;
use super::schedule::{Schedule, ScheduleError};
use crate::catalog::EntityRef;
use crate::cel::Expression;
use crate::runs::RunState;

/// Triggers of one action.
pub const MOST: usize = 20;
/// Runs above one another: a trigger starts nothing below that.
pub const DEEPEST: usize = 5;
/// Runs that one trigger starts within an hour.
pub const HOURLY: u64 = 60;
/// Characters of a webhook's name.
const NAME: usize = 63;

/// One reason for an action to start by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    pub on: On,
    /// The answers of the form; texts are templates over `event` and `entity`.
    pub values: Map<String, Value>,
    /// Reference of the entity that it is run on, as a template over `event`; where the
    /// event itself is not about one.
    pub entity: Option<String>,
}

/// What it waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum On {
    Schedule {
        schedule: Box<Schedule>,
        /// Those of the entities that the action is for; holds or not over `entity`.
        entities: Option<Arc<Expression>>,
    },
    Change {
        /// In lower case.
        kinds: Vec<String>,
        /// Holds or not over `before` and `after`, of which either may be null.
        when: Option<Arc<Expression>>,
    },
    Webhook {
        name: String,
        /// Name of a credential that the portal's configuration lends to webhooks.
        secret: String,
    },
    Run {
        /// Reference of a template or an action.
        of: String,
        state: RunState,
    },
}

impl Trigger {
    pub fn kind(&self) -> &'static str {
        match &self.on {
            On::Schedule { .. } => "schedule",
            On::Change { .. } => "change",
            On::Webhook { .. } => "webhook",
            On::Run { .. } => "run",
        }
    }

    /// What it waits for, in words.
    pub fn words(&self) -> String {
        match &self.on {
            On::Schedule { schedule, entities } => {
                let each = entities.as_ref().map_or(String::new(), |rule| format!(", where `{}`", rule.source()));
                format!("at `{}` in {}{each}", schedule.source, schedule.zone.name())
            }
            On::Change { kinds, when } => {
                let when = when.as_ref().map_or(String::new(), |rule| format!(", when `{}`", rule.source()));
                format!("on a change of a {}{when}", kinds.join(" or a "))
            }
            On::Webhook { name, .. } => format!("on the webhook `{name}`"),
            On::Run { of, state } => format!("when a run of `{of}` has {}", state.as_str()),
        }
    }
}

/// Reads `spec.triggers`; what cannot be read is left out, and told.
pub(super) fn read(spec: &Value, read: &mut Reading<'_>) -> Vec<Trigger> {
    let listed = match &spec["triggers"] {
        Value::Null => return Vec::new(),
        Value::Array(listed) => listed,
        _ => {
            read.fault("/spec/triggers", "must be a list");
            return Vec::new();
        }
    };
    if listed.len() > MOST {
        read.fault("/spec/triggers", format!("{} triggers; an action has at most {MOST}", listed.len()));
        return Vec::new();
    }
    if !listed.is_empty() && spec["owner"].as_str().is_none_or(str::is_empty) {
        read.fault("/spec/triggers", "what starts by itself acts for its owner: name `spec.owner`");
    }
    let scope: Vec<String> = texts(&spec["scope"]["kinds"]).map(str::to_lowercase).collect();
    let mut triggers: Vec<Trigger> = Vec::new();
    for (index, one) in listed.iter().enumerate() {
        let pointer = format!("/spec/triggers/{index}");
        let Some(trigger) = trigger(one, &scope, &pointer, read) else { continue };
        if let On::Webhook { name, .. } = &trigger.on
            && triggers.iter().any(|other| matches!(&other.on, On::Webhook { name: taken, .. } if taken == name))
        {
            read.fault(&format!("{pointer}/webhook/name"), format!("there is another webhook `{name}` before it"));
        }
        triggers.push(trigger);
    }
    triggers
}

/// Reads one trigger again, of an action that is run on these kinds.
pub fn reread(one: &Value, scope: &[String]) -> Option<Trigger> {
    trigger(one, scope, "", &mut Reading(&mut Vec::new()))
}

fn trigger(one: &Value, scope: &[String], pointer: &str, read: &mut Reading<'_>) -> Option<Trigger> {
    const KINDS: [&str; 4] = ["schedule", "change", "webhook", "run"];
    read.known(one, &["schedule", "change", "webhook", "run", "values", "entity"], pointer);
    let named: Vec<&str> = KINDS.into_iter().filter(|kind| !one[*kind].is_null()).collect();
    let [kind] = named[..] else {
        read.fault(pointer, "is one of `schedule`, `change`, `webhook` and `run`, and only one of them");
        return None;
    };
    let (given, at) = (&one[kind], format!("{pointer}/{kind}"));
    if !given.is_object() {
        read.fault(&at, "must be a mapping");
        return None;
    }
    let on = match kind {
        "schedule" => schedule(given, scope, &at, read),
        "change" => change(given, scope, &at, read),
        "webhook" => webhook(given, &at, read),
        _ => run(given, &at, read),
    };
    let values = match &one["values"] {
        Value::Null => Map::new(),
        Value::Object(values) => values.clone(),
        _ => {
            read.fault(&format!("{pointer}/values"), "must be a mapping of answers");
            Map::new()
        }
    };
    read.templates(&one["values"], &format!("{pointer}/values"));
    let entity = one["entity"].as_str().map(str::to_owned);
    read.templates(&one["entity"], &format!("{pointer}/entity"));
    let is_about_one = matches!(kind, "schedule" | "change");
    if !one["entity"].is_null() && (is_about_one || scope.is_empty() || entity.is_none()) {
        let message = "is a text, for a webhook or a run that starts an action with `scope.kinds`";
        read.fault(&format!("{pointer}/entity"), message);
    }
    if kind == "webhook" && !scope.is_empty() && entity.is_none() {
        read.fault(&at, "the action is run on an entity: say beside it on which, e.g. `entity: ${{ event.entity }}`");
    }
    Some(Trigger { on: on?, values, entity })
}

fn schedule(given: &Value, scope: &[String], pointer: &str, read: &mut Reading<'_>) -> Option<On> {
    read.known(given, &["cron", "timezone", "entities"], pointer);
    let cron = text(given, "cron", pointer, read)?;
    let zone = match &given["timezone"] {
        Value::Null => "UTC",
        _ => text(given, "timezone", pointer, read)?,
    };
    let entities = rule(given, "entities", pointer, read);
    match (scope.is_empty(), given["entities"].is_null()) {
        (true, false) => {
            read.fault(&format!("{pointer}/entities"), "the action is run on no entity: it has no `scope`")
        }
        (false, true) => read.fault(pointer, "the action is run on an entity: say with `entities` on which"),
        _ => {}
    }
    match Schedule::parse(cron, zone) {
        Ok(schedule) => Some(On::Schedule { schedule: Box::new(schedule), entities }),
        Err(error) => {
            let field = if matches!(error, ScheduleError::Zone(_)) { "timezone" } else { "cron" };
            read.fault(&format!("{pointer}/{field}"), error.to_string());
            None
        }
    }
}

fn change(given: &Value, scope: &[String], pointer: &str, read: &mut Reading<'_>) -> Option<On> {
    read.known(given, &["kinds", "when"], pointer);
    let kinds: Vec<String> = texts(&given["kinds"]).map(str::to_lowercase).collect();
    if kinds.is_empty() {
        read.fault(&format!("{pointer}/kinds"), "names no kind of entities");
        return None;
    }
    for (index, kind) in kinds.iter().enumerate() {
        if !scope.is_empty() && !scope.contains(kind) {
            let message = format!("the action is run on {}, not on {kind}", scope.join(", "));
            read.fault(&format!("{pointer}/kinds/{index}"), message);
        }
    }
    Some(On::Change { kinds, when: rule(given, "when", pointer, read) })
}

fn webhook(given: &Value, pointer: &str, read: &mut Reading<'_>) -> Option<On> {
    read.known(given, &["name", "secret"], pointer);
    let name = text(given, "name", pointer, read)?;
    let fits = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '-';
    if name.len() > NAME || !name.chars().all(fits) {
        let message = format!("`{name}` stands in an address: at most {NAME} small letters, digits and dashes");
        read.fault(&format!("{pointer}/name"), message);
        return None;
    }
    let secret = text(given, "secret", pointer, read)?;
    if secret.contains(':') || secret.starts_with("whsec_") {
        let message = "is the name of a credential under `[credentials]` in portal.toml, not where or what it is";
        read.fault(&format!("{pointer}/secret"), message);
        return None;
    }
    Some(On::Webhook { name: name.to_owned(), secret: secret.to_owned() })
}

fn run(given: &Value, pointer: &str, read: &mut Reading<'_>) -> Option<On> {
    read.known(given, &["of", "state"], pointer);
    let of = text(given, "of", pointer, read)?;
    let reference = EntityRef::parse(of, None, EntityRef::DEFAULT_NAMESPACE).ok();
    let Some(reference) = reference.filter(|one| matches!(one.kind(), "template" | "action")) else {
        read.fault(&format!("{pointer}/of"), format!("`{of}` names no template or action, as `action:deploy` does"));
        return None;
    };
    let state = match given["state"].as_str() {
        Some("succeeded") => RunState::Succeeded,
        Some("failed") => RunState::Failed,
        _ => {
            read.fault(&format!("{pointer}/state"), "must be `succeeded` or `failed`");
            return None;
        }
    };
    Some(On::Run { of: reference.to_string(), state })
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn text<'v>(given: &'v Value, name: &str, pointer: &str, read: &mut Reading<'_>) -> Option<&'v str> {
    let text = given[name].as_str().filter(|text| !text.is_empty());
    if text.is_none() {
        read.fault(&format!("{pointer}/{name}"), "must be a text");
    }
    text
}

fn rule(given: &Value, name: &str, pointer: &str, read: &mut Reading<'_>) -> Option<Arc<Expression>> {
    let pointer = format!("{pointer}/{name}");
    if !given[name].is_null() && !given[name].is_string() {
        read.fault(&pointer, "must be a text: an expression in CEL");
    }
    read.rule(&given[name], &Value::Null, &pointer).map(|rule| rule.expression)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::definition;
    use super::*;

    /// The triggers of an action, and where it has faults.
    fn of(spec: &Value) -> (Vec<Trigger>, Vec<String>) {
        let mut whole = json!({
            "owner": "platform",
            "parameters": {"properties": {"name": {"type": "string"}, "a": {"type": "array"}}},
            "steps": [{"id": "say", "action": "debug:log"}],
        });
        whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        let (action, findings) = definition::read(&json!({"kind": "Action", "metadata": {"name": "x"}, "spec": whole}));
        (action.triggers, findings.into_iter().map(|finding| finding.pointer).collect())
    }

    #[test]
    fn all_four_are_read() {
        let (triggers, faults) = of(&json!({
            "scope": {"kinds": ["Component"]},
            "triggers": [
                {"schedule": {"cron": "0 7 * * 1-5", "timezone": "Europe/Zurich", "entities": "entity.spec.type == 'service'"}},
                {"change": {"kinds": ["Component"], "when": "before == null"}, "values": {"name": "${{ entity.metadata.name }}"}},
                {"webhook": {"name": "nightly", "secret": "nightly-hook"}, "entity": "${{ event.entity }}"},
                {"run": {"of": "action:deploy", "state": "failed"}},
            ],
        }));
        assert_eq!(faults, Vec::<String>::new());
        let words: Vec<String> = triggers.iter().map(Trigger::words).collect();
        assert_eq!(
            words,
            [
                "at `0 7 * * 1-5` in Europe/Zurich, where `entity.spec.type == 'service'`",
                "on a change of a component, when `before == null`",
                "on the webhook `nightly`",
                "when a run of `action:default/deploy` has failed",
            ]
        );
        let kinds: Vec<&str> = triggers.iter().map(Trigger::kind).collect();
        assert_eq!(kinds, ["schedule", "change", "webhook", "run"]);
    }

    #[test]
    fn what_is_wrong_is_told_at_its_place() {
        let hook = json!({"webhook": {"name": "a", "secret": "s"}});
        let scoped = json!({"kinds": ["component"]});
        for (spec, pointers) in [
            (json!({"triggers": {}}), vec![""]),
            (json!({"triggers": [1]}), vec!["/0"]),
            (json!({"triggers": [{}]}), vec!["/0"]),
            (json!({"triggers": [{"schedule": 5}]}), vec!["/0/schedule"]),
            (json!({"triggers": [{"schedule": {"cron": "0 7 * *"}}]}), vec!["/0/schedule/cron"]),
            (json!({"triggers": [{"schedule": {}}]}), vec!["/0/schedule/cron"]),
            (
                json!({"triggers": [{"schedule": {"cron": "0 7 * * *", "timezone": "Europe/Zurch"}}]}),
                vec!["/0/schedule/timezone"],
            ),
            (json!({"triggers": [{"schedule": {"cron": "0 7 * * *", "zone": "UTC"}}]}), vec!["/0/schedule/zone"]),
            (
                json!({"triggers": [{"schedule": {"cron": "0 7 * * *", "entities": "true"}}]}),
                vec!["/0/schedule/entities"],
            ),
            (json!({"scope": scoped, "triggers": [{"schedule": {"cron": "0 7 * * *"}}]}), vec!["/0/schedule"]),
            (
                json!({"scope": scoped, "triggers": [{"schedule": {"cron": "0 7 * * *", "entities": "entity.("}}]}),
                vec!["/0/schedule/entities"],
            ),
            (json!({"triggers": [{"change": {"kinds": []}}]}), vec!["/0/change/kinds"]),
            (json!({"triggers": [hook, {"change": {"kinds": ["API"], "when": "after."}}]}), vec!["/1/change/when"]),
            (json!({"scope": scoped, "triggers": [{"change": {"kinds": ["API"]}}]}), vec!["/0/change/kinds/0"]),
            (json!({"triggers": [hook, hook]}), vec!["/1/webhook/name"]),
            (json!({"triggers": [{"webhook": {"name": "a/b", "secret": "s"}}]}), vec!["/0/webhook/name"]),
            (json!({"triggers": [{"webhook": {"name": "a", "secret": "env:X"}}]}), vec!["/0/webhook/secret"]),
            (json!({"triggers": [{"webhook": {"name": "a"}}]}), vec!["/0/webhook/secret"]),
            (json!({"scope": scoped, "triggers": [hook]}), vec!["/0/webhook"]),
            (json!({"triggers": [{"run": {"of": "component:a", "state": "failed"}}]}), vec!["/0/run/of"]),
            (json!({"triggers": [{"run": {"of": "action:a", "state": "running"}}]}), vec!["/0/run/state"]),
            (json!({"triggers": [{"run": {"of": "action:a", "state": "failed"}, "as": "user:ann"}]}), vec!["/0/as"]),
            (
                json!({"triggers": [{"run": {"of": "action:a", "state": "failed"}, "values": {"a": ["${{ event."]}}]}),
                vec!["/0/values/a/0"],
            ),
            (
                json!({"triggers": [{"run": {"of": "action:a", "state": "failed"}, "entity": "component:a"}]}),
                vec!["/0/entity"],
            ),
            (json!({"owner": "", "triggers": [hook]}), vec![""]),
            (json!({"triggers": vec![hook.clone(); 21]}), vec![""]),
        ] {
            let (_, faults) = of(&spec);
            let wanted: Vec<String> = pointers.iter().map(|pointer| format!("/spec/triggers{pointer}")).collect();
            assert_eq!(faults, wanted, "{spec}");
        }
    }
}

//! What an action says beyond a template's form, steps and outputs.

use serde_json::{Map, Value, json};

use super::approval::{Need, approver};
use super::computed;
use super::reading::Reading;
use super::triggers::{self, Trigger};
use crate::access::Principal;
use crate::catalog::validate::hints;
use crate::cel::Expression;
use crate::problem::FieldError;
use crate::templates::definition::{self, Definition, Finding};
use crate::templates::form;
use crate::templates::language::{self, Context, Hosts};

/// Hours until an approval expires that says nothing else.
const EXPIRES: u64 = 7 * 24 * 3600;
/// Longest time that may be waited for, in seconds.
pub const LONGEST: u64 = 90 * 24 * 3600;

/// An action that was read; what is wrong with it is told apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    pub run: Definition,
    pub category: String,
    pub icon: Option<String>,
    /// Kinds of entities that it is for, in lower case; for none in particular when empty.
    pub kinds: Vec<String>,
    /// Of the entities of these kinds, those it is for.
    pub condition: Option<Rule>,
    /// Who may run it, beside what roles say.
    pub policy: Option<Rule>,
    pub approval: Option<Approval>,
    /// What is about to happen, in words; `${{ }}` as in steps.
    pub confirmation: Option<String>,
    /// Seconds that it usually takes.
    pub expected_seconds: Option<u64>,
    /// When it starts by itself.
    pub triggers: Vec<Trigger>,
}

/// A rule in CEL, and what whoever it refuses is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub expression: std::sync::Arc<Expression>,
    pub message: Option<String>,
}

/// Who has to agree.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// References, or `owner`: whoever owns the entity.
    pub by: Vec<String>,
    pub need: Need,
    pub four_eyes: bool,
    /// Seconds.
    pub expires: u64,
    /// Agreement is needed where it holds; always when absent.
    pub when: Option<Rule>,
}

/// What an action is asked to do: its variables in CEL and in texts.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The entity that it is run on.
    pub entity: Option<&'a Value>,
    pub parameters: &'a Map<String, Value>,
    pub caller: &'a Value,
}

/// A caller as rules see them; the same as in policies.
pub fn caller(principal: &Principal, owners: &[String]) -> Value {
    let Principal { name, user, groups, role, .. } = principal;
    let owns = owners.iter().any(|owner| principal.is_or_belongs_to(owner));
    let signed_in = principal.has_account();
    json!({ "name": name, "user": user, "role": role.as_str(), "groups": groups, "owns": owns, "signed_in": signed_in })
}

impl Rule {
    /// # Errors
    /// Why it has no answer.
    pub fn holds(&self, asked: &Asked<'_>) -> Result<bool, String> {
        let parameters = Value::Object(asked.parameters.clone());
        let entity = asked.entity.unwrap_or(&Value::Null);
        self.expression.holds(&[("entity", entity), ("parameters", &parameters), ("caller", asked.caller)])
    }

    /// Why it refuses; nothing where it holds. What cannot be judged is refused.
    fn refusal(&self, asked: &Asked<'_>, what: &str) -> Option<String> {
        let source = self.expression.source();
        let why = match self.holds(asked) {
            Ok(true) => return None,
            Ok(false) => String::new(),
            Err(error) => format!(" ({error})"),
        };
        let rule = format!("{what} `{source}` does not hold{why}");
        Some(self.message.as_ref().map_or(rule.clone(), |message| format!("{message}: {rule}")))
    }
}

impl Action {
    /// Whether it is run on an entity.
    pub fn needs_entity(&self) -> bool {
        !self.kinds.is_empty()
    }

    /// Why it is not for this entity; nothing where it is.
    pub fn does_not_fit(&self, asked: &Asked<'_>) -> Option<String> {
        let Some(entity) = asked.entity else {
            return self.needs_entity().then(|| format!("it is run on an entity: {}", self.kinds.join(", ")));
        };
        let kind = entity["kind"].as_str().unwrap_or_default().to_lowercase();
        if !self.needs_entity() {
            return Some("it is not run on an entity".to_owned());
        }
        if !self.kinds.contains(&kind) {
            return Some(format!("it is for {}, not for {kind}", self.kinds.join(", ")));
        }
        self.condition.as_ref()?.refusal(asked, "its condition")
    }

    /// Why this caller may not run it; nothing where they may.
    pub fn is_forbidden(&self, asked: &Asked<'_>) -> Option<String> {
        self.policy.as_ref()?.refusal(asked, "the policy")
    }

    /// Who has to agree, where somebody has to. A rule without an answer asks for it.
    pub fn needs_approval(&self, asked: &Asked<'_>) -> Option<&Approval> {
        let approval = self.approval.as_ref()?;
        let is_needed = approval.when.as_ref().is_none_or(|when| when.holds(asked).unwrap_or(true));
        is_needed.then_some(approval)
    }

    /// What is about to happen, in words.
    pub fn confirmed(&self, asked: &Asked<'_>, hosts: &Hosts) -> Option<String> {
        let mut values = Map::new();
        values.insert("parameters".to_owned(), Value::Object(asked.parameters.clone()));
        values.insert("entity".to_owned(), asked.entity.cloned().unwrap_or_default());
        let context = Context { values: &values, functions: &[], hosts };
        match language::fill(&Value::String(self.confirmation.clone()?), &context) {
            Ok(Some(Value::String(text))) => Some(text),
            Ok(Some(other)) => Some(other.to_string()),
            _ => None,
        }
    }
}

impl Approval {
    /// References of those who decide about this entity.
    pub fn approvers(&self, owners: &[String]) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for by in &self.by {
            match by.as_str() {
                "owner" => all.extend(owners.iter().cloned()),
                reference => all.push(reference.to_owned()),
            }
        }
        all.sort();
        all.dedup();
        all
    }
}

/// Seconds of a time such as `90s`, `15m`, `24h`, `7d`.
pub fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = text
        .split_at(text.len() - text.chars().next_back().filter(char::is_ascii_alphabetic).map_or(0, char::len_utf8));
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|seconds| *seconds <= LONGEST)
}

/// What is said of a text that is no such time.
pub(crate) fn no_time(text: &str) -> String {
    format!("`{text}` is no time: write `90s`, `15m`, `24h` or `7d`, at most 90 days")
}

/// Everything that an action says.
const FIELDS: [&str; 14] = [
    "owner",
    "type",
    "category",
    "icon",
    "scope",
    "policy",
    "approval",
    "confirmation",
    "expectedDuration",
    "parameters",
    "presentation",
    "steps",
    "output",
    "triggers",
];

/// Reads an action. What is missing is empty.
pub fn read(entity: &Value) -> (Action, Vec<Finding>) {
    let mut noted = Vec::new();
    let (run, mut findings) = definition::read(&computed::without(entity, &mut Reading(&mut noted)));
    findings.append(&mut noted);
    let spec = &entity["spec"];
    let mut read = Reading(&mut findings);
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let scope = &spec["scope"];
    read.known(spec, &FIELDS, "/spec");
    read.known(scope, &["kinds", "condition"], "/spec/scope");
    read.known(&spec["policy"], &["run", "message"], "/spec/policy");
    read.known(&spec["approval"], &["by", "need", "fourEyes", "expires", "when"], "/spec/approval");
    let action = Action {
        run,
        category: spec["category"].as_str().unwrap_or("Other").to_owned(),
        icon: spec["icon"].as_str().map(str::to_owned),
        kinds: texts(&scope["kinds"]).iter().map(|kind| kind.to_lowercase()).collect(),
        condition: read.rule(&scope["condition"], &Value::Null, "/spec/scope/condition"),
        policy: read.rule(&spec["policy"]["run"], &spec["policy"]["message"], "/spec/policy/run"),
        approval: read.approval(&spec["approval"]),
        confirmation: spec["confirmation"].as_str().map(str::to_owned),
        expected_seconds: read.time(&spec["expectedDuration"], "/spec/expectedDuration"),
        triggers: triggers::read(spec, &mut read),
    };
    read.templates(&spec["confirmation"], "/spec/confirmation");
    if action.run.steps.is_empty() {
        read.fault("/spec/steps", "does nothing: an action has at least one step");
    }
    answered_by_triggers(&action, computed::computes(entity), &mut read);
    if action.condition.is_some() && action.kinds.is_empty() {
        read.fault("/spec/scope", "a condition needs `kinds`: the entities that it speaks of");
    }
    let asks_owner = action.approval.as_ref().is_some_and(|approval| approval.by.iter().any(|by| by == "owner"));
    if asks_owner && action.kinds.is_empty() {
        read.fault("/spec/approval/by", "`owner` owns the entity that it is run on; name `scope.kinds`");
    }
    (action, findings)
}

/// Tells answers of triggers that the form does not take: such a run would be refused.
fn answered_by_triggers(action: &Action, computes: bool, read: &mut Reading<'_>) {
    let fields = form::names(&action.run.pages);
    for (index, trigger) in action.triggers.iter().enumerate() {
        let (literal, later): (Map<_, _>, Map<_, _>) =
            trigger.values.clone().into_iter().partition(|(_, value)| language::is_literal(&value.to_string()));
        let filled = form::with_defaults(&action.run.pages, &literal);
        for FieldError { pointer, message } in form::faults(&action.run.pages, &filled) {
            let name = pointer.split('/').nth(1).unwrap_or_default().replace("~1", "/").replace("~0", "~");
            // What is missing may come of a default that is computed, or depend on what is.
            let is_sure = literal.contains_key(&name) || (later.is_empty() && !computes);
            if is_sure && (fields.contains(&name) || name.is_empty()) {
                let place = format!("/spec/triggers/{index}");
                let place = if literal.contains_key(&name) { format!("{place}/values{pointer}") } else { place };
                read.remark(&place, format!("the form would refuse the answer `{name}`: it {message}"));
            }
        }
        for name in trigger.values.keys().filter(|name| !fields.contains(*name)) {
            let near = hints::closest(name, fields.iter().map(String::as_str));
            let near = near.map_or(String::new(), |near| format!("; is it `{near}`?"));
            let pointer = format!("/spec/triggers/{index}/values/{}", crate::document::escape(name));
            read.fault(&pointer, format!("the form has no field `{name}`{near}"));
        }
    }
}

impl Reading<'_> {
    fn approval(&mut self, value: &Value) -> Option<Approval> {
        let fields = value.as_object()?;
        let mut by = Vec::new();
        for (index, one) in fields.get("by").and_then(Value::as_array).into_iter().flatten().enumerate() {
            let pointer = format!("/spec/approval/by/{index}");
            match one.as_str() {
                Some("owner") => by.push("owner".to_owned()),
                Some(text) => match approver(text) {
                    Ok(reference) => by.push(reference),
                    Err(message) => self.fault(&pointer, message),
                },
                None => self.fault(&pointer, "must be a text"),
            }
        }
        if fields.get("by").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            self.fault("/spec/approval/by", "names nobody: list users, groups, or `owner`");
        }
        let need = Need::read(&fields.get("need").cloned().unwrap_or_default()).unwrap_or_else(|| {
            self.fault("/spec/approval/need", Need::WANTED);
            Need::All
        });
        let part = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let expires = self.time(&part("expires"), "/spec/approval/expires").unwrap_or(EXPIRES);
        if expires == 0 {
            self.fault("/spec/approval/expires", "leaves no time to agree");
        }
        Some(Approval {
            by,
            need,
            four_eyes: part("fourEyes") != false,
            expires,
            when: self.rule(&part("when"), &Value::Null, "/spec/approval/when"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(spec: &Value) -> (Action, Vec<Finding>) {
        let mut whole = json!({"type": "action", "steps": [{"id": "say", "action": "debug:log"}]});
        whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        read(&json!({"kind": "Action", "metadata": {"name": "x"}, "spec": whole}))
    }

    #[test]
    fn times_have_units() {
        for (text, wanted) in [
            ("90", Some(90)),
            ("90s", Some(90)),
            ("15m", Some(900)),
            ("24h", Some(86_400)),
            ("7d", Some(604_800)),
            ("", None),
            ("1.5h", None),
            ("91d", None),
            ("5w", None),
            ("-1h", None),
            ("9ü", None),
        ] {
            assert_eq!(seconds(text), wanted, "{text}");
        }
    }

    #[test]
    fn an_action_is_for_what_its_scope_says() {
        let (read, findings) =
            action(&json!({"scope": {"kinds": ["Component"], "condition": "entity.spec.type == 'service'"}}));
        assert!(findings.is_empty(), "{findings:?}");
        let (parameters, caller) = (Map::new(), json!({}));
        let fits =
            |entity: Option<&Value>| read.does_not_fit(&Asked { entity, parameters: &parameters, caller: &caller });
        assert_eq!(fits(Some(&json!({"kind": "Component", "spec": {"type": "service"}}))), None);
        assert!(
            fits(Some(&json!({"kind": "Component", "spec": {"type": "library"}})))
                .unwrap()
                .contains("entity.spec.type")
        );
        assert!(fits(Some(&json!({"kind": "Component"}))).unwrap().contains("condition"));
        assert!(fits(Some(&json!({"kind": "API"}))).unwrap().contains("component"));
        assert!(fits(None).unwrap().contains("entity"));
    }

    #[test]
    fn a_policy_names_the_rule_that_forbids() {
        let (read, _) =
            action(&json!({"policy": {"run": "'group:default/ops' in caller.groups", "message": "Only operations"}}));
        let parameters = Map::new();
        let forbidden = |groups: Value| {
            let caller = json!({ "groups": groups });
            read.is_forbidden(&Asked { entity: None, parameters: &parameters, caller: &caller })
        };
        assert_eq!(forbidden(json!(["group:default/ops"])), None);
        let told = forbidden(json!([])).unwrap();
        assert!(told.starts_with("Only operations") && told.contains("caller.groups"), "{told}");
    }

    #[test]
    fn approvals_are_read_and_owners_put_in() {
        let (read, findings) = action(&json!({
            "scope": {"kinds": ["component"]},
            "approval": {"by": ["owner", "user:ann"], "need": 2, "expires": "1h", "when": "parameters.environment == 'production'"},
        }));
        assert!(findings.is_empty(), "{findings:?}");
        let approval = read.approval.as_ref().unwrap();
        assert_eq!((approval.need, approval.expires, approval.four_eyes), (Need::Count(2), 3600, true));
        assert_eq!(approval.approvers(&["group:default/a".to_owned()]), ["group:default/a", "user:default/ann"]);
        let caller = json!({});
        let needs = |environment: &str| {
            let parameters = json!({ "environment": environment });
            let asked = Asked { entity: None, parameters: parameters.as_object().unwrap(), caller: &caller };
            read.needs_approval(&asked).is_some()
        };
        assert!(needs("production") && !needs("staging"));
        // Of what cannot be judged, somebody is asked.
        let parameters = Map::new();
        assert!(read.needs_approval(&Asked { entity: None, parameters: &parameters, caller: &caller }).is_some());
    }

    #[test]
    fn what_is_wrong_is_told_at_its_place() {
        for (spec, pointer) in [
            (json!({"scope": {"kinds": ["api"], "condition": "entity.("}}), "/spec/scope/condition"),
            (json!({"scope": {"condition": "true"}}), "/spec/scope"),
            (json!({"policy": {"run": "1 +"}}), "/spec/policy/run"),
            (json!({"policy": {"rum": "true"}}), "/spec/policy/rum"),
            (json!({"approval": {"by": []}}), "/spec/approval/by"),
            (json!({"approval": {"by": ["owner"]}}), "/spec/approval/by"),
            (json!({"approval": {"by": ["component:x"]}}), "/spec/approval/by/0"),
            (json!({"approval": {"by": ["ops"], "need": 0}}), "/spec/approval/need"),
            (json!({"approval": {"by": ["ops"], "expires": "soon"}}), "/spec/approval/expires"),
            (json!({"expectedDuration": "long"}), "/spec/expectedDuration"),
            (json!({"confirmation": "Deploy ${{ parameters.version"}), "/spec/confirmation"),
            (json!({"steps": []}), "/spec/steps"),
            (json!({"steps": [{"action": "wait", "input": {"for": "99y"}}]}), "/spec/steps/0/input/for"),
            (json!({"steps": [{"action": "wait", "input": {"for": 1e9}}]}), "/spec/steps/0/input/for"),
            (
                json!({"owner": "ops", "parameters": {"properties": {"version": {"type": "string"}}},
                    "triggers": [{"schedule": {"cron": "0 7 * * *"}, "values": {"versoin": "1"}}]}),
                "/spec/triggers/0/values/versoin",
            ),
            (
                json!({"owner": "ops", "parameters": {"properties": {"size": {"enum": ["s", "m"]}}},
                    "triggers": [{"schedule": {"cron": "0 7 * * *"}, "values": {"size": "l"}}]}),
                "/spec/triggers/0/values/size",
            ),
            (
                json!({"owner": "ops", "parameters": {"required": ["size"], "properties": {"size": {"type": "string"}}},
                    "triggers": [{"schedule": {"cron": "0 7 * * *"}}]}),
                "/spec/triggers/0",
            ),
            (json!({"approval": {"by": ["ops"], "expires": "0s"}}), "/spec/approval/expires"),
            (json!({"steps": [{"action": "approval", "input": {"by": []}}]}), "/spec/steps/0/input/by"),
            (
                json!({"steps": [{"action": "approval", "input": {"by": ["ops"], "need": 0}}]}),
                "/spec/steps/0/input/need",
            ),
        ] {
            let (_, findings) = action(&spec);
            assert_eq!(findings.iter().map(|one| one.pointer.as_str()).collect::<Vec<_>>(), [pointer], "{spec}");
        }
    }

    #[test]
    fn a_confirmation_speaks_of_the_answers() {
        let (read, _) =
            action(&json!({"confirmation": "Deploy `${{ entity.metadata.name }}` ${{ parameters.version }}"}));
        let (entity, parameters, caller) = (json!({"metadata": {"name": "pay"}}), json!({"version": "1.4"}), json!({}));
        let asked = Asked { entity: Some(&entity), parameters: parameters.as_object().unwrap(), caller: &caller };
        assert_eq!(read.confirmed(&asked, &Hosts::default()).as_deref(), Some("Deploy `pay` 1.4"));
    }
}

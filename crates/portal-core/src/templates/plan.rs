//! What a step does next: whether it runs, how often, and with which input. Nothing here
//! has an effect.

use serde_json::{Map, Value, json};

use super::Trouble;
use super::definition::{Definition, Step};
use super::language::{self, Context, Fault, Hosts, Style, Template};

/// Turns of one `each`.
const MOST_TURNS: usize = 1000;

/// What the expressions of a run see.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub parameters: Map<String, Value>,
    /// Handles by name: what stands for a secret until it is sent.
    pub secrets: Map<String, Value>,
    /// `ref` and `entity` of whoever started the run.
    pub user: Value,
    /// The entity that an action is run on.
    pub entity: Value,
    pub run: String,
    /// Outputs of steps, by their ids.
    pub outputs: Map<String, Value>,
    /// A step has failed.
    pub failed: bool,
    pub hosts: Hosts,
}

/// One turn of a step that runs for each of several values.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub key: String,
    pub value: Value,
}

impl Scope {
    fn with<T>(&self, turn: Option<&Turn>, sees_secrets: bool, work: impl FnOnce(&Context<'_>) -> T) -> T {
        let mut values = Map::new();
        values.insert("parameters".to_owned(), Value::Object(self.parameters.clone()));
        let steps = self.outputs.iter().map(|(id, output)| (id.clone(), json!({ "output": output })));
        values.insert("steps".to_owned(), Value::Object(steps.collect()));
        values.insert("user".to_owned(), self.user.clone());
        if !self.entity.is_null() {
            values.insert("entity".to_owned(), self.entity.clone());
        }
        values.insert("context".to_owned(), json!({ "task": { "id": self.run } }));
        values.insert("environment".to_owned(), json!({ "parameters": {}, "secrets": {} }));
        if sees_secrets {
            values.insert("secrets".to_owned(), Value::Object(self.secrets.clone()));
        }
        if let Some(Turn { key, value }) = turn {
            values.insert("each".to_owned(), json!({ "key": key, "value": value }));
        }
        let functions = [("always", true), ("failure", self.failed)];
        work(&Context { values: &values, functions: &functions, hosts: &self.hosts })
    }

    /// Whether a step runs, for this turn. After a failure only those run that ask how the
    /// run goes.
    ///
    /// # Errors
    /// The condition does too much.
    pub fn runs(&self, step: &Step, turn: Option<&Turn>) -> Result<bool, Trouble> {
        if self.failed && !asks_how_it_goes(step) {
            return Ok(false);
        }
        let Some(condition) = &step.condition else { return Ok(true) };
        let value = self.with(turn, false, |context| language::fill(condition, context));
        Ok(match value.map_err(|fault| budget(step, "if", &fault))? {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Bool(true) | Value::Object(_)) => true,
        })
    }

    /// The turns of a step with `each`; nothing for one that runs once.
    ///
    /// # Errors
    /// `each` is neither a list nor an object, or too long.
    pub fn turns(&self, step: &Step) -> Result<Option<Vec<Turn>>, Trouble> {
        let Some(each) = &step.each else { return Ok(None) };
        let value = self.with(None, true, |context| language::fill(each, context));
        let turns: Vec<Turn> = match value.map_err(|fault| budget(step, "each", &fault))? {
            Some(Value::Array(items)) => {
                items.into_iter().enumerate().map(|(index, value)| Turn { key: index.to_string(), value }).collect()
            }
            Some(Value::Object(fields)) => fields.into_iter().map(|(key, value)| Turn { key, value }).collect(),
            other => {
                let found = other.unwrap_or_default();
                let message = format!("`each` of step `{}` is {found}, neither a list nor an object", step.id);
                return Err(Trouble::new("invalid_input", message));
            }
        };
        if turns.len() > MOST_TURNS {
            let message =
                format!("`each` of step `{}` has {} turns; a step has at most {MOST_TURNS}", step.id, turns.len());
            return Err(Trouble::new("invalid_input", message));
        }
        Ok(Some(turns))
    }

    /// The input of a step, rendered.
    ///
    /// # Errors
    /// It does too much.
    pub fn input(&self, step: &Step, turn: Option<&Turn>) -> Result<Map<String, Value>, Trouble> {
        let input = Value::Object(step.input.clone());
        match self.with(turn, true, |context| language::fill(&input, context)) {
            Ok(Some(Value::Object(input))) => Ok(input),
            Ok(_) => Ok(Map::new()),
            Err(fault) => Err(budget(step, "input", &fault)),
        }
    }

    /// The outputs of a run: links and texts whose condition holds, and the rest.
    ///
    /// # Errors
    /// They do too much.
    pub fn output(&self, definition: &Definition) -> Result<Map<String, Value>, Trouble> {
        let output = Value::Object(definition.output.clone());
        let filled = self.with(None, false, |context| language::fill(&output, context));
        let filled = filled.map_err(|fault| Trouble::new("template_budget", format!("`output`, {fault}")))?;
        let Some(Value::Object(mut filled)) = filled else { return Ok(Map::new()) };
        for name in ["links", "text"] {
            if let Some(Value::Array(items)) = filled.get_mut(name) {
                items.retain(|item| {
                    item.get("if").is_none_or(|condition| condition != &Value::Bool(false) && condition != "")
                });
            }
        }
        Ok(filled)
    }
}

fn budget(step: &Step, part: &str, fault: &Fault) -> Trouble {
    Trouble::new("template_budget", format!("`{part}` of step `{}`, {fault}", step.id))
}

fn asks_how_it_goes(step: &Step) -> bool {
    let Some(Value::String(text)) = &step.condition else { return false };
    Template::parse(text, Style::default()).is_ok_and(|template| template.calls(&["always", "failure"]))
}

//! The steps that the portal knows: what each takes, gives, and does to the world. The
//! documentation, the checks of templates and the list for tools are made from this.

mod known;

use serde_json::{Value, json};

pub use known::ACTIONS;

/// What a step does outside the portal, which decides how it goes on after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it is done again.
    None,
    /// The other side keeps a second request apart by its key: it is sent again.
    Idempotent,
    /// The other side can be asked whether it happened.
    Lookup,
    /// Nobody can say whether it happened.
    Once,
}

impl Effect {
    pub const ALL: [Effect; 4] = [Effect::None, Effect::Idempotent, Effect::Lookup, Effect::Once];

    pub fn as_str(self) -> &'static str {
        match self {
            Effect::None => "none",
            Effect::Idempotent => "idempotent",
            Effect::Lookup => "lookup",
            Effect::Once => "once",
        }
    }
}

/// A kind of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    pub id: &'static str,
    pub description: &'static str,
    pub input: &'static [Parameter],
    pub output: &'static [Parameter],
    pub effect: Effect,
}

/// A time such as `90s`, `15m`, `24h` or `7d`.
pub const DURATION: &str = "duration";

/// What goes into a step, or comes out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    pub name: &'static str,
    /// As in JSON Schema, or `any`, or [`DURATION`].
    pub kind: &'static str,
    pub required: bool,
    pub description: &'static str,
}

impl Action {
    /// The input as JSON Schema.
    pub fn input_schema(&self) -> Value {
        schema(self.input)
    }

    /// The output as JSON Schema.
    pub fn output_schema(&self) -> Value {
        schema(self.output)
    }
}

fn schema(parameters: &[Parameter]) -> Value {
    let one = |Parameter { name, kind, description, .. }: &Parameter| {
        let mut property = json!({ "description": description });
        match *kind {
            "any" => {}
            // `90` are seconds.
            DURATION => property["type"] = json!(["string", "integer"]),
            kind => property["type"] = kind.into(),
        }
        ((*name).to_owned(), property)
    };
    let required: Vec<&str> = parameters.iter().filter(|one| one.required).map(|one| one.name).collect();
    json!({ "type": "object", "properties": Value::Object(parameters.iter().map(one).collect()), "required": required })
}

/// Every action with what goes in and comes out, as Markdown.
pub fn reference() -> String {
    let mut text = "# Steps of templates\n\nMade from the code by `portal template reference`; change it there.\n\n\
        What a step does outside decides how it goes on after a crash: *none* is done again, *lookup*\n\
        asks the other side first whether it happened, *once* is never sent twice and may end as\n\
        `unknown`, which a person resolves.\n"
        .to_owned();
    for Action { id, description, input, output, effect } in ACTIONS {
        text.push_str(&format!("\n## `{id}`\n\n{description} Effect: *{}*.\n", effect.as_str()));
        for (title, parameters) in [("Input", input), ("Output", output)] {
            if parameters.is_empty() {
                continue;
            }
            text.push_str(&format!("\n| {title} | Type | |\n|---|---|---|\n"));
            for Parameter { name, kind, required, description } in *parameters {
                let mark = if *required { " (required)" } else { "" };
                text.push_str(&format!("| `{name}`{mark} | {kind} | {description} |\n"));
            }
        }
    }
    text
}

pub fn find(id: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.id == id)
}

/// The action whose name is most like this one, if any is.
#[cfg(feature = "engine")]
pub fn nearest(id: &str) -> Option<&'static str> {
    crate::catalog::validate::hints::closest(id, ACTIONS.iter().map(|action| action.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_in_order_and_have_a_schema() {
        assert!(ACTIONS.windows(2).all(|pair| pair[0].id < pair[1].id));
        for action in ACTIONS {
            assert!(jsonschema::validator_for(&action.input_schema()).is_ok(), "{}", action.id);
        }
    }

    #[test]
    fn the_documentation_is_what_the_code_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/template-steps.md");
        let written = std::fs::read_to_string(path).unwrap();
        assert!(written == reference(), "write it anew: `portal template reference > docs/template-steps.md`");
    }

    #[test]
    fn a_mistyped_action_is_understood() {
        assert_eq!(nearest("fetch:templat"), Some("fetch:template"));
        assert_eq!(nearest("quay:create-repository"), None);
    }
}

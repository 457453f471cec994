//! One operation or channel in full: its parameters and its messages.

use serde_json::Value;

use crate::definition::rows::row;
use crate::definition::schema::{Flow, Scope, Walk, written};
use crate::definition::tree::{Lead, fields, items, last_name, reference, text};
use crate::definition::wire::{DefinitionPart, OperationDetail, OperationLink, SchemaRow};
use crate::definition::words::{about, list, long, shown, weigh};

/// Messages of an operation that are looked at.
const MESSAGES: usize = 40;

/// `operation` is `publish` or `subscribe`, or the pointer of an operation.
pub(super) fn operation(
    scope: &Scope<'_>,
    link: &OperationLink,
    channel: Option<&str>,
    operation: &str,
) -> Option<OperationDetail> {
    let channel = channel.and_then(|pointer| scope.tree.here(scope.tree.at(pointer)?)).unwrap_or(&Value::Null);
    let operation = match operation.starts_with('/') {
        true => scope.tree.here(scope.tree.at(operation)?)?,
        false => channel.get(operation)?,
    };
    let listed = messages(operation);
    let messages = if listed.is_empty() { messages(channel) } else { listed };
    let mut parts: Vec<DefinitionPart> = parameters(scope, channel).into_iter().collect();
    parts.extend(message_parts(scope, &messages, ""));
    if let Some(reply) = operation.get("reply").and_then(|reply| scope.tree.here(reply)) {
        let channel = reply.get("channel").and_then(|channel| scope.tree.here(channel)).unwrap_or(&Value::Null);
        let listed = self::messages(reply);
        let messages = if listed.is_empty() { self::messages(channel) } else { listed };
        parts.extend(message_parts(scope, &messages, "Reply: "));
    }
    let said = text(operation, "description").or_else(|| text(operation, "summary"));
    let description = said.or_else(|| text(channel, "description")).map(str::to_owned);
    Some(OperationDetail { link: link.clone(), description, parts, call: None })
}

pub(super) fn channel(scope: &Scope<'_>, link: &OperationLink, pointer: &str) -> Option<OperationDetail> {
    let channel = scope.tree.here(scope.tree.at(pointer)?)?;
    let mut parts: Vec<DefinitionPart> = parameters(scope, channel).into_iter().collect();
    parts.extend(message_parts(scope, &messages(channel), ""));
    let description = text(channel, "description").map(str::to_owned);
    Some(OperationDetail { link: link.clone(), description, parts, call: None })
}

/// The messages of an operation or a channel, with the names they have there:
/// `message` with or without `oneOf` in version 2, `messages` in version 3.
fn messages(holder: &Value) -> Vec<(Option<&str>, &Value)> {
    let named = fields(holder, "messages").map(|(name, message)| (Some(name.as_str()), message));
    let listed = items(holder, "messages").iter().map(|message| (None, message));
    let old = holder.get("message").into_iter().flat_map(|message| match items(message, "oneOf") {
        [] => vec![(None, message)],
        several => several.iter().map(|message| (None, message)).collect(),
    });
    named.chain(listed).chain(old).take(MESSAGES).collect()
}

fn parameters(scope: &Scope<'_>, channel: &Value) -> Option<DefinitionPart> {
    let parameters: Vec<(&String, &Value)> = fields(channel, "parameters")
        .take(MESSAGES)
        .filter_map(|(name, parameter)| Some((name, scope.tree.here(parameter)?)))
        .collect();
    let mut rows = Vec::new();
    for (name, parameter) in &parameters {
        let description = text(parameter, "description");
        match parameter.get("schema") {
            Some(schema) => rows.extend(scope.purse.fitted(|rows| {
                Walk::new(scope, Flow::In, rows).field(0, name, schema, true, description);
            })),
            None => rows.push(SchemaRow {
                type_name: "string".to_owned(),
                required: true,
                description: description.map(about),
                facts: parameter_facts(parameter),
                ..row(0, name)
            }),
        }
    }
    let title = "Channel parameters".to_owned();
    (!rows.is_empty()).then_some(DefinitionPart { title, label: None, description: None, rows, example: None })
}

/// Of a parameter of version 3, which has no schema.
fn parameter_facts(parameter: &Value) -> Vec<String> {
    let values = items(parameter, "enum");
    let mut facts = Vec::new();
    if !values.is_empty() {
        facts.push(format!("one of {}", list(values.iter().map(shown), 24)));
    }
    facts.extend(parameter.get("default").map(|value| format!("default {}", shown(value))));
    facts.extend(items(parameter, "examples").first().map(|value| format!("for example {}", shown(value))));
    facts
}

fn message_parts(scope: &Scope<'_>, messages: &[(Option<&str>, &Value)], prefix: &str) -> Vec<DefinitionPart> {
    let mut parts = Vec::new();
    for (name, message) in messages {
        let named = name.map(str::to_owned).or_else(|| reference(message).map(last_name));
        let message = match scope.tree.follow(message) {
            Lead::To(message) => Message { scope, message },
            Lead::Outside(reference) => {
                let description = format!("Defined in `{reference}`, which is not part of the text.");
                parts.push(DefinitionPart {
                    title: format!("{prefix}{}", last_name(reference)),
                    label: None,
                    description: Some(description),
                    rows: Vec::new(),
                    example: None,
                });
                continue;
            }
            Lead::Nowhere => continue,
        };
        let own = message.text("name").or_else(|| message.text("title")).map(str::to_owned);
        let title = own.or(named).unwrap_or_else(|| "Message".to_owned());
        parts.push(message.payload(&format!("{prefix}{title}")));
        parts.extend(message.headers(&format!("{prefix}{title} headers")));
    }
    parts
}

/// A message; what it does not say, its traits may.
struct Message<'s, 'a> {
    scope: &'s Scope<'a>,
    message: &'a Value,
}

impl<'a> Message<'_, 'a> {
    fn get(&self, key: &str) -> Option<&'a Value> {
        let traits = items(self.message, "traits").iter().take(MESSAGES);
        let in_traits = || traits.filter_map(|holder| self.scope.tree.here(holder)).find_map(|holder| holder.get(key));
        self.message.get(key).or_else(in_traits)
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    }

    fn payload(&self, title: &str) -> DefinitionPart {
        let default = text(self.scope.tree.root(), "defaultContentType");
        let media_type = self.text("contentType").or(default).unwrap_or("application/json");
        let (schema, format) = self.schema("payload");
        let given = self.example("payload");
        let made = || schema.and_then(|schema| self.scope.made(schema, Flow::Still));
        let example = given.map(|given| written("application/json", given));
        let example = example.unwrap_or_else(|| written("application/json", &made()?));
        let said = [self.text("title"), self.text("summary"), self.text("description")];
        let said: Vec<&str> = said.into_iter().flatten().filter(|said| !title.ends_with(said)).collect();
        DefinitionPart {
            title: title.to_owned(),
            label: Some(format.map_or_else(|| media_type.to_owned(), |format| format!("{media_type}, {format}"))),
            description: Some(long(&said.join("\n\n"))).filter(|said| !said.is_empty()),
            rows: schema.map(|schema| self.scope.rows("payload", schema, Flow::Still)).unwrap_or_default(),
            // A schema in another language is shown as it is.
            example: example
                .or_else(|| written("application/json", self.foreign("payload")?))
                .filter(|example| self.scope.purse.affords(example)),
        }
    }

    fn headers(&self, title: &str) -> Option<DefinitionPart> {
        let schema = self.schema("headers").0?;
        let rows = self.scope.rows("headers", schema, Flow::Still);
        let given = self.example("headers").and_then(|given| written("application/json", given));
        let example = given.or_else(|| written("application/json", &self.scope.made(schema, Flow::Still)?));
        Some(DefinitionPart { title: title.to_owned(), label: None, description: None, rows, example })
    }

    /// The JSON schema under a key, or the name of another language. The
    /// language stands beside the schema or, in version 3, around it.
    fn schema(&self, key: &str) -> (Option<&'a Value>, Option<&'a str>) {
        let Some(schema) = self.get(key).filter(|schema| schema.is_object() || schema.is_boolean()) else {
            return (None, None);
        };
        let around = schema.get("schema").filter(|_| schema.get("schemaFormat").is_some());
        let format = text(schema, "schemaFormat").or_else(|| self.text("schemaFormat"));
        let is_json = format.is_none_or(|format| {
            format.starts_with("application/vnd.aai.asyncapi")
                || format.contains("schema+")
                || format.contains("openapi")
        });
        match is_json {
            true => (Some(around.unwrap_or(schema)), None),
            false => (None, format),
        }
    }

    fn foreign(&self, key: &str) -> Option<&'a Value> {
        let schema = self.get(key)?;
        let schema = schema.get("schema").unwrap_or(schema);
        weigh(schema, &mut 5_000, &mut 65_536).then_some(schema)
    }

    /// The first example that has this key.
    fn example(&self, key: &str) -> Option<&'a Value> {
        let examples = self.get("examples").and_then(Value::as_array)?;
        let example = examples.iter().take(MESSAGES).find_map(|example| self.scope.tree.here(example)?.get(key))?;
        weigh(example, &mut 5_000, &mut 65_536).then_some(example)
    }
}

//! Parameters: those of the path and those of the operation, together.

use serde_json::Value;

use crate::definition::rows::row;
use crate::definition::schema::{Flow, Scope, Walk, given, parameter_example, scalar};
use crate::definition::tree::{Lead, fields, is_set, items, last_name, text};
use crate::definition::wire::{CallBody, CallParameter, DefinitionPart, SchemaRow};
use crate::definition::words::short;

/// Parameters of an operation, and options of one, that are looked at.
const PARAMETERS: usize = 500;
const OPTIONS: usize = 100;
/// Bytes of an option.
const OPTION: usize = 200;

/// A parameter of an operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    pub(super) place: &'a str,
    pub(super) value: &'a Value,
}

impl<'a> Parameter<'a> {
    /// Its schema. Swagger writes it into the parameter, and what is complex
    /// is in the content of a media type.
    fn schema(&self) -> &'a Value {
        let content = || fields(self.value, "content").next()?.1.get("schema");
        self.value.get("schema").or_else(content).unwrap_or(self.value)
    }

    fn required(&self) -> bool {
        self.place == "path" || is_set(self.value, "required")
    }
}

/// The parameters of an operation, and references to some in other files.
/// What the operation says overrules what its path says.
pub(super) fn of<'a>(scope: &Scope<'a>, item: &'a Value, operation: &'a Value) -> (Vec<Parameter<'a>>, Vec<&'a str>) {
    let (mut parameters, mut elsewhere): (Vec<Parameter<'a>>, _) = (Vec::new(), Vec::new());
    let all = items(item, "parameters").iter().chain(items(operation, "parameters")).take(PARAMETERS);
    for parameter in all {
        let value = match scope.tree.follow(parameter) {
            Lead::To(value) => value,
            Lead::Outside(reference) => {
                elsewhere.push(reference);
                continue;
            }
            Lead::Nowhere => continue,
        };
        let Some(name) = text(value, "name") else { continue };
        let place = text(value, "in").unwrap_or("query");
        let parameter = Parameter { name, place, value };
        match parameters.iter_mut().find(|known| known.name == name && known.place == place) {
            Some(known) => *known = parameter,
            None => parameters.push(parameter),
        }
    }
    (parameters, elsewhere)
}

/// The parts of the parameters, one a place.
pub(super) fn parts(scope: &Scope<'_>, parameters: &[Parameter<'_>], elsewhere: &[&str]) -> Vec<DefinitionPart> {
    let part = |title: &str, rows: Vec<SchemaRow>| DefinitionPart {
        title: title.to_owned(),
        label: None,
        description: None,
        rows,
        example: None,
    };
    let places = [
        ("path", "Path parameters"),
        ("query", "Query parameters"),
        ("querystring", "Query string"),
        ("header", "Headers"),
        ("cookie", "Cookies"),
        ("formData", "Form"),
    ];
    let mut parts = Vec::new();
    for (place, title) in places {
        let of_place: Vec<&Parameter<'_>> = parameters.iter().filter(|parameter| parameter.place == place).collect();
        if !of_place.is_empty() {
            parts.push(part(title, rows(scope, &of_place)));
        }
    }
    if !elsewhere.is_empty() {
        let rows = elsewhere.iter().map(|reference| SchemaRow {
            facts: vec![format!("defined in {}", short(reference, 160))],
            ..row(0, &last_name(reference))
        });
        parts.push(part("Other parameters", rows.collect()));
    }
    parts
}

fn rows<'a>(scope: &Scope<'a>, parameters: &[&Parameter<'a>]) -> Vec<SchemaRow> {
    let mut rows = scope.purse.fitted(|rows| {
        for (index, parameter) in parameters.iter().enumerate() {
            if rows.is_full() {
                rows.skip(parameters.len() - index);
                return;
            }
            let description = text(parameter.value, "description");
            let mut walk = Walk::new(scope, Flow::In, rows);
            walk.field(0, parameter.name, parameter.schema(), parameter.required(), description);
        }
    });
    let mut parameters = parameters.iter();
    for row in rows.iter_mut().filter(|row| row.depth == 0) {
        let Some(parameter) = parameters.next() else { break };
        row.deprecated |= is_set(parameter.value, "deprecated");
        let is_told = row.facts.iter().any(|fact| fact.starts_with("for example "));
        if let Some(example) = given(scope, parameter.value).filter(|example| !is_told && !example.is_object()) {
            row.facts.push(format!("for example {}", short(&scalar(example), 80)));
        }
    }
    rows
}

/// A header of an answer as rows.
pub(super) fn header_rows(scope: &Scope<'_>, response: &Value) -> Vec<SchemaRow> {
    let headers: Vec<Parameter<'_>> = fields(response, "headers")
        .take(PARAMETERS)
        .filter_map(|(name, header)| Some(Parameter { name, place: "header", value: scope.tree.here(header)? }))
        .collect();
    rows(scope, &headers.iter().collect::<Vec<_>>())
}

/// Parameters as a call takes them; cookies are the browser's own.
pub(super) fn of_call(scope: &Scope<'_>, parameters: &[Parameter<'_>]) -> Vec<CallParameter> {
    let sent = parameters.iter().filter(|parameter| matches!(parameter.place, "path" | "query" | "header"));
    let called = sent.map(|parameter| {
        let (schema, required) = (parameter.schema(), parameter.required());
        let secret = parameter.place == "header" && parameter.name.eq_ignore_ascii_case("authorization");
        CallParameter {
            name: parameter.name.to_owned(),
            place: parameter.place.to_owned(),
            required,
            secret,
            example: parameter_example(scope, parameter.value, schema, required).filter(|_| !secret),
            options: options(scope, schema),
        }
    });
    called.collect()
}

/// The body of a call to which Swagger gives the fields of a form.
pub(super) fn form(scope: &Scope<'_>, parameters: &[Parameter<'_>]) -> Option<CallBody> {
    let fields: Vec<_> = parameters.iter().filter(|parameter| parameter.place == "formData").collect();
    let is_upload = |field: &&Parameter<'_>| text(field.value, "type") == Some("file");
    let media_type = match fields.iter().any(is_upload) {
        true => "multipart/form-data",
        false => "application/x-www-form-urlencoded",
    };
    let proposed = fields.iter().map(|field| {
        let example = parameter_example(scope, field.value, field.schema(), true).unwrap_or_default();
        format!("{}={example}", field.name)
    });
    let example = (media_type != "multipart/form-data").then(|| proposed.collect::<Vec<_>>().join("&"));
    let required = fields.iter().any(|field| field.required());
    (!fields.is_empty()).then(|| CallBody { media_type: media_type.to_owned(), required, example })
}

fn options(scope: &Scope<'_>, schema: &Value) -> Vec<String> {
    let shape = scope.shape(schema);
    if shape.get("type").and_then(Value::as_str) == Some("boolean") {
        return vec!["true".to_owned(), "false".to_owned()];
    }
    let values = shape.get("enum").and_then(Value::as_array).into_iter().flatten();
    let words = values.filter(|value| !value.is_null() && !value.is_object() && !value.is_array());
    let words = words.take(OPTIONS).map(scalar);
    words.filter(|word| word.len() <= OPTION).collect()
}

//! Bodies: what a request or an answer holds, by media type.

use serde_json::Value;

use crate::definition::schema::{Flow, Scope, given, is_json, written};
use crate::definition::tree::{fields, items};
use crate::definition::wire::{CallBody, DefinitionPart};
use crate::definition::words::long;

/// Media types of a body that are looked at.
const MEDIA_TYPES: usize = 12;

/// A body of an operation or an answer.
#[derive(Debug, Clone)]
pub(super) struct Content<'a> {
    /// Those that have the same schema stand together.
    media_types: Vec<&'a str>,
    schema: Option<&'a Value>,
    example: Option<&'a Value>,
}

/// The contents of a body, JSON first.
pub(super) fn contents<'a>(scope: &Scope<'a>, body: &'a Value) -> Vec<Content<'a>> {
    let mut contents: Vec<Content<'a>> = Vec::new();
    let mut media_types: Vec<(&'a String, &'a Value)> = fields(body, "content").take(MEDIA_TYPES).collect();
    media_types.sort_by_key(|(media_type, _)| !is_json(media_type));
    for (media_type, media) in media_types {
        let (schema, example) = (media.get("schema"), given(scope, media));
        let is_same =
            |known: &&mut Content<'a>| known.schema == schema && (example.is_none() || known.example == example);
        match contents.iter_mut().find(is_same) {
            Some(known) => known.media_types.push(media_type),
            None => contents.push(Content { media_types: vec![media_type], schema, example }),
        }
    }
    contents
}

/// The content of Swagger, whose media types stand in the operation or at the
/// root, and whose examples stand by media type.
pub(super) fn old_contents<'a>(
    root: &'a Value,
    operation: &'a Value,
    key: &str,
    schema: Option<&'a Value>,
    examples: &'a Value,
) -> Vec<Content<'a>> {
    let stated = [items(operation, key), items(root, key)].into_iter().find(|list| !list.is_empty());
    let mut media_types: Vec<&str> =
        stated.unwrap_or_default().iter().filter_map(Value::as_str).take(MEDIA_TYPES).collect();
    if media_types.is_empty() {
        media_types.push("application/json");
    }
    media_types.sort_by_key(|media_type| !is_json(media_type));
    let example = media_types.iter().find_map(|media_type| examples.get(*media_type));
    if schema.is_none() && example.is_none() {
        return Vec::new();
    }
    vec![Content { media_types, schema, example }]
}

impl<'a> Content<'a> {
    /// The first media type.
    fn media_type(&self) -> &'a str {
        self.media_types.first().copied().unwrap_or("application/json")
    }

    fn example(&self, scope: &Scope<'a>, flow: Flow) -> Option<String> {
        self.text(scope, flow).filter(|text| scope.purse.affords(text))
    }

    fn text(&self, scope: &Scope<'a>, flow: Flow) -> Option<String> {
        if let Some(text) = self.example.and_then(|example| written(self.media_type(), example)) {
            return Some(text);
        }
        let made = scope.made(self.schema?, flow)?;
        // A made-up text says nothing about XML or an image.
        let has_form = is_json(self.media_type()) || made.is_object();
        written(self.media_type(), &made).filter(|_| has_form)
    }

    /// A part of an operation.
    pub(super) fn part(&self, scope: &Scope<'a>, title: &str, description: Option<&str>, flow: Flow) -> DefinitionPart {
        let of_schema = || scope.shape(self.schema?).text("description");
        DefinitionPart {
            title: title.to_owned(),
            label: Some(self.media_types.join(", ")),
            description: description.or_else(of_schema).map(long),
            rows: self.schema.map(|schema| scope.rows("body", schema, flow)).unwrap_or_default(),
            example: self.example(scope, flow),
        }
    }

    /// The body of a call.
    pub(super) fn call(&self, scope: &Scope<'a>, required: bool) -> CallBody {
        let (media_type, example) = (self.media_type().to_owned(), self.example(scope, Flow::In));
        CallBody { media_type, required, example }
    }
}

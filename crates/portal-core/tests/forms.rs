//! What a form looks like, and what answers it by itself.

use portal_core::templates::definition::{Page, read};
use portal_core::templates::form;
use portal_core::templates::wire::{Control, FormField};
use serde_json::{Map, Value, json};

fn pages(properties: &Value) -> Vec<Page> {
    read(&json!({ "spec": { "parameters": [{ "title": "One", "properties": properties }] } })).0.pages
}

fn fields(properties: &Value) -> Vec<FormField> {
    form::pages(&pages(properties), &Map::new()).remove(0).fields
}

#[test]
fn a_box_knows_what_it_takes() {
    for (schema, control, input) in [
        (json!({ "type": "string" }), Control::Text, None),
        (json!({ "type": "string", "format": "date" }), Control::Text, Some("date")),
        (json!({ "type": "string", "ui:widget": "date" }), Control::Text, Some("date")),
        (json!({ "type": "string", "format": "email" }), Control::Text, Some("email")),
        (json!({ "type": "string", "format": "uri" }), Control::Text, Some("url")),
        (json!({ "type": "string", "ui:widget": "textarea", "format": "uri" }), Control::TextArea, None),
        (json!({ "type": "integer", "ui:widget": "range" }), Control::Number, Some("range")),
        (json!({ "type": "object", "additionalProperties": { "type": "string" } }), Control::Pairs, Some("string")),
        (json!({ "type": "object" }), Control::Pairs, None),
        (json!({ "type": "object", "properties": { "a": { "type": "string" } } }), Control::Group, None),
    ] {
        let field = fields(&json!({ "x": schema })).remove(0);
        assert_eq!((field.control, field.input.as_deref()), (control, input), "{schema}");
    }
    let range = json!({ "x": { "type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 2 } });
    let range = fields(&range).remove(0);
    assert_eq!((range.minimum, range.maximum, range.step), (Some(1.0), Some(9.0), Some(2.0)));
}

#[test]
fn an_entity_answers_the_pickers_that_take_it() {
    let all = pages(&json!({
        "component": { "type": "string", "ui:field": "EntityPicker", "ui:options": { "catalogFilter": { "kind": "Component" } } },
        "system": { "type": "string", "ui:field": "EntityPicker", "ui:options": { "allowedKinds": ["System"] } },
        "many": { "type": "array", "ui:field": "MultiEntityPicker", "ui:options": { "catalogFilter": [{ "kind": "Component" }] } },
        "api": { "type": "string", "ui:field": "EntityPicker", "ui:options": { "catalogFilter": { "kind": ["API"] } } },
        "owner": { "type": "string", "ui:field": "OwnerPicker" },
        "name": { "type": "string" },
    }));
    let ledger = json!({ "spec": { "owner": "group:default/money", "system": "banking" } });
    let answers = form::answered_by(&all, "component:default/ledger", &ledger);
    let expected = json!({
        "component": "component:default/ledger",
        "system": "banking",
        "many": ["component:default/ledger"],
        "owner": "group:default/money",
    });
    assert_eq!(Value::Object(answers), expected);
    let group = form::answered_by(&all, "group:default/money", &json!({ "spec": { "type": "team" } }));
    assert_eq!(Value::Object(group), json!({ "owner": "group:default/money" }));
}

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

/// An object that is either a host with a port or an address, which no field of theirs tells.
fn place() -> Value {
    json!({ "place": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } }, "oneOf": [
        { "title": "A host", "required": ["host", "port"], "additionalProperties": true,
          "properties": { "host": { "type": "string", "default": "localhost" }, "port": { "type": "integer" } } },
        { "required": ["url"], "properties": { "url": { "type": "string" } } },
    ] } })
}

#[test]
fn variants_that_nothing_tells_apart_are_chosen() {
    for (given, shown, picked, answers, faulty) in [
        // The first one, as long as nothing is said.
        (json!({}), vec!["name", ":oneOf", "host", "port"], 0, json!({ "host": "localhost" }), vec!["name", "port"]),
        // The one that fits.
        (json!({ "url": "x" }), vec!["name", ":oneOf", "url"], 1, json!({ "url": "x" }), vec!["name"]),
        // The one that was chosen, as a number or as a text; what belongs to the other one goes,
        // and of an object without an answer nothing is asked.
        (json!({ ":oneOf": 1, "port": 1 }), vec!["name", ":oneOf", "url"], 1, json!({}), vec![]),
        (
            json!({ ":oneOf": "0", "url": "x", "name": "n", "port": 1 }),
            vec!["name", ":oneOf", "host", "port"],
            0,
            json!({ "name": "n", "port": 1, "host": "localhost" }),
            vec![],
        ),
        // There is no such variant.
        (json!({ ":oneOf": 7, "url": "x" }), vec!["name", ":oneOf", "url"], 1, json!({ "url": "x" }), vec!["name"]),
    ] {
        let (all, values) = (pages(&place()), json!({ "place": given }));
        let group = form::pages(&all, values.as_object().unwrap()).remove(0).fields.remove(0);
        let names: Vec<&str> = group.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, shown, "{given}");
        let choice = &group.fields[1];
        assert_eq!((choice.control, &choice.value), (Control::Select, &Some(json!(picked))), "{given}");
        let labels: Vec<&str> = choice.choices.iter().map(|choice| choice.label.as_str()).collect();
        assert_eq!(labels, ["A host", "url"]);
        let told = group.fields.iter().filter(|field| field.error.is_some()).map(|field| field.name.as_str());
        assert_eq!(told.collect::<Vec<_>>(), faulty, "{given}");
        let filled = Value::Object(form::with_defaults(&all, values.as_object().unwrap()));
        let wanted = if answers == json!({}) { json!({}) } else { json!({ "place": answers }) };
        assert_eq!(filled, wanted, "{given}");
    }
    // Whoever answers both without a choice is told, and nothing is taken away.
    let both = json!({ "place": { "name": "n", "host": "h", "port": 1, "url": "x" } });
    let both = form::with_defaults(&pages(&place()), both.as_object().unwrap());
    assert_eq!(both["place"]["url"], "x");
    assert!(form::faults(&pages(&place()), &both)[0].message.contains("more than one"));
}

#[test]
fn owners_of_repositories_are_those_that_the_template_allows() {
    let picker =
        |options: &Value| json!({ "x": { "type": "string", "ui:field": "RepoOwnerPicker", "ui:options": options } });
    let narrow = picker(&json!({ "allowedOwners": ["one", "two"], "excludedOwners": ["two"] }));
    let field = fields(&narrow).remove(0);
    assert_eq!((field.control, field.choices.len()), (Control::Select, 1));
    assert_eq!(fields(&picker(&json!({ "excludedOwners": ["two"] })))[0].control, Control::Text);
    for (owner, is_fine) in [("one", true), ("two", false), ("three", false)] {
        let values = json!({ "x": owner });
        assert_eq!(form::faults(&pages(&narrow), values.as_object().unwrap()).is_empty(), is_fine, "{owner}");
    }
}

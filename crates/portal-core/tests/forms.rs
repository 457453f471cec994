//! What a form looks like, and what answers it by itself.

use portal_core::templates::definition::{Page, read};
use portal_core::templates::form;
use portal_core::templates::wire::{Control, FormField, FormPage};
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
        (
            json!({}),
            vec!["name", ":oneOf:host", "host", "port"],
            0,
            json!({ "host": "localhost" }),
            vec!["name", "port"],
        ),
        // The one that fits.
        (json!({ "url": "x" }), vec!["name", ":oneOf:host", "url"], 1, json!({ "url": "x" }), vec!["name"]),
        // The one that was chosen, as a number or as a text; what belongs to the other one goes,
        // and of an object without an answer nothing is asked.
        (json!({ ":oneOf:host": 1, "port": 1 }), vec!["name", ":oneOf:host", "url"], 1, json!({}), vec![]),
        (
            json!({ ":oneOf:host": "0", "url": "x", "name": "n", "port": 1 }),
            vec!["name", ":oneOf:host", "host", "port"],
            0,
            json!({ "name": "n", "port": 1, "host": "localhost" }),
            vec![],
        ),
        // There is no such variant.
        (
            json!({ ":oneOf:host": 7, "url": "x" }),
            vec!["name", ":oneOf:host", "url"],
            1,
            json!({ "url": "x" }),
            vec!["name"],
        ),
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

#[test]
fn variants_are_chosen_in_lists_and_where_something_depends() {
    let either = json!([
        { "title": "A", "required": ["a"], "properties": { "a": { "type": "string" } } },
        { "title": "B", "required": ["b"], "properties": { "b": { "type": "string", "default": "beta" } } },
    ]);
    let list = pages(&json!({ "m": { "type": "array", "items": { "oneOf": either } } }));
    let values = json!({ "m": [{ ":oneOf:a": 1, "a": "old" }, null] });
    let values = values.as_object().unwrap();
    assert_eq!(Value::Object(form::with_defaults(&list, values))["m"][0], json!({ "b": "beta" }));
    let items = form::pages(&list, values).remove(0).fields.remove(0).fields;
    let names = |field: &FormField| field.fields.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    assert_eq!(items.iter().map(names).collect::<Vec<_>>(), [vec![":oneOf:a", "b"], vec![":oneOf:a", "a"]]);
    let told: Vec<String> = form::faults_of(&list, values).into_iter().map(|fault| fault.pointer).collect();
    assert_eq!(told, ["/m/1/a"]);

    let depends = json!({ "title": "One", "properties": { "on": { "type": "boolean" } }, "dependencies": { "on": { "oneOf": either } } });
    let depends = read(&json!({ "spec": { "parameters": [depends] } })).0.pages;
    let values = json!({ "on": true, ":oneOf:a": 1 });
    let shown = form::pages(&depends, values.as_object().unwrap()).remove(0).fields;
    assert_eq!(shown.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["on", ":oneOf:a", "b"]);
    assert!(form::faults_of(&depends, values.as_object().unwrap()).is_empty());
}

#[test]
fn several_choices_of_one_object_are_kept_apart() {
    let option =
        |name: &str| json!({ "title": name, "required": [name], "properties": { name: { "type": "string" } } });
    let either = |one: &str, two: &str| json!({ "oneOf": [option(one), option(two)] });
    let all = json!([
        { "title": "One", "allOf": [either("a", "b"), either("c", "d")] },
        { "title": "Two", "oneOf": [option("e"), option("f")] },
    ]);
    let all = read(&json!({ "spec": { "parameters": all } })).0.pages;
    let values = json!({ ":oneOf:a": 1, ":oneOf:c": 0, ":oneOf:e": 1 });
    let shown = form::pages(&all, values.as_object().unwrap());
    let names = |page: &FormPage| page.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        shown.iter().map(names).collect::<Vec<_>>(),
        [vec![":oneOf:a", "b", ":oneOf:c", "c"], vec![":oneOf:e", "f"],]
    );
}

#[test]
fn a_list_of_choices_in_one_variant_alone_tells_none_apart() {
    let options = json!([
        { "title": "A", "properties": { "mode": { "enum": ["x", "y"] }, "a": { "type": "string" } } },
        { "title": "B", "properties": { "b": { "type": "string" } } },
    ]);
    let all = read(&json!({ "spec": { "parameters": [{ "title": "One", "anyOf": options }] } })).0.pages;
    let values = json!({ ":anyOf:mode": 1 });
    let shown = form::pages(&all, values.as_object().unwrap()).remove(0).fields;
    assert_eq!(shown.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), [":anyOf:mode", "b"]);
}

#[test]
fn repositories_are_those_that_the_template_allows() {
    let options = json!({ "allowedHosts": ["github.com"], "allowedOwners": ["acme"], "allowedRepos": ["one", "two"] });
    let all = pages(&json!({ "x": { "type": "string", "ui:field": "RepoUrlPicker", "ui:options": options } }));
    for (text, wanted) in [
        ("github.com?owner=acme&repo=one", None),
        ("gitlab.com?owner=acme&repo=one", Some("is on `gitlab.com`")),
        ("github.com?owner=other&repo=one", Some("is owned by `other`; allowed is acme")),
        ("github.com?owner=acme&repo=three", Some("is named `three`")),
    ] {
        let found = form::faults(&all, json!({ "x": text }).as_object().unwrap());
        assert_eq!(found.is_empty(), wanted.is_none(), "{text}: {found:?}");
        assert!(wanted.is_none_or(|wanted| found[0].message.starts_with(wanted)), "{text}: {found:?}");
    }
}

#[test]
fn pickers_are_judged_wherever_they_stand() {
    let owner = json!({ "type": "string", "ui:field": "RepoOwnerPicker", "ui:options": { "allowedOwners": ["x"] } });
    let all = pages(
        &json!({ "g": { "type": "object", "properties": { "o": owner } }, "l": { "type": "array", "items": owner } }),
    );
    let values = json!({ "g": { "o": "w" }, "l": ["x", "w"] });
    let told: Vec<String> =
        form::faults(&all, values.as_object().unwrap()).into_iter().map(|one| one.pointer).collect();
    assert_eq!(told, ["/g/o", "/l/1"]);
}

#[test]
fn a_form_without_an_end_is_told() {
    let tree = json!({ "type": "object", "properties": {
        "a": { "$ref": "#/definitions/n" }, "b": { "$ref": "#/definitions/n" }, "c": { "$ref": "#/definitions/n" },
    } });
    for page in [
        json!({ "title": "P", "allOf": [{ "$ref": "#" }, { "$ref": "#" }, { "$ref": "#" }, { "$ref": "#" }] }),
        json!({ "title": "P", "definitions": { "n": tree }, "properties": { "r": { "$ref": "#/definitions/n" } } }),
    ] {
        let (definition, findings) =
            read(&json!({ "spec": { "parameters": [page], "steps": [{ "action": "debug:log" }] } }));
        assert!(findings.iter().any(|one| one.is_error && one.message.contains("without an end")), "{findings:?}");
        assert!(form::pages(&definition.pages, &Map::new())[0].fields.is_empty());
    }
}

#[test]
fn secrets_are_kept_apart_by_their_names() {
    let secret = json!({ "type": "string", "ui:field": "Secret" });
    let found = |properties: Value| {
        let page = json!({ "title": "One", "definitions": { "s": secret }, "properties": properties });
        read(&json!({ "spec": { "parameters": [page], "steps": [{ "action": "debug:log" }] } }))
    };
    let (definition, findings) = found(json!({ "r": { "$ref": "#/definitions/s" } }));
    assert!(!findings.iter().any(|one| one.is_error), "{findings:?}");
    let values = json!({ "r": "hunter2" });
    let (answers, secrets) = portal_core::templates::secrets::part(&definition.pages, values.as_object().unwrap());
    assert_eq!((Value::Object(answers), Value::Object(secrets)), (json!({}), values));
    let group = |name: &str| json!({ "type": "object", "properties": { name: secret } });
    for (properties, words) in [
        (json!({ "l": { "type": "array", "items": secret } }), "without a name"),
        (json!({ "l": { "type": "array", "items": group("t") } }), "stands in a list"),
        (json!({ "m": { "type": "object", "additionalProperties": { "$ref": "#/definitions/s" } } }), "without a name"),
        (json!({ "g": group("t"), "h": group("t") }), "have one name"),
    ] {
        let (_, findings) = found(properties.clone());
        assert!(findings.iter().any(|one| one.is_error && one.message.contains(words)), "{properties}: {findings:?}");
    }
}

#[test]
fn a_variant_without_fields_is_chosen_by_its_title() {
    let options = json!([{ "title": "None", "type": "object" }, { "properties": { "b": { "type": "string" } } }]);
    let choice = fields(&json!({ "x": { "type": "object", "oneOf": options } })).remove(0).fields.remove(0);
    assert_eq!(choice.choices.iter().map(|one| one.label.as_str()).collect::<Vec<_>>(), ["None", "b"]);
}

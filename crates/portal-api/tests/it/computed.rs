//! Forms of actions whose defaults and choices are computed.

use serde_json::{Value, json};

use crate::actions::{action, with_actions};
use crate::harness::{component, group};
use crate::on_both;
use crate::runs::ended;

fn resource(name: &str, system: &str) -> Value {
    json!({"apiVersion": "backstage.io/v1alpha1", "kind": "Resource", "metadata": {"name": name, "title": name.to_uppercase()},
        "spec": {"type": "database", "owner": "team-a", "system": system}})
}

fn restore() -> Value {
    let databases = "entities('kind=resource,spec.type=database').filter(e, e.system == 'system:default/' + entity.spec.system)\
        .map(e, {'value': e.ref, 'title': e.title})";
    action(
        "restore",
        json!({
            "owner": "team-a",
            "scope": {"kinds": ["Component"]},
            "parameters": {"required": ["database"], "properties": {
                "name": {"type": "string", "default": {"cel": "entity.metadata.name + '-copy'"}},
                "database": {"type": "string", "enum": {"cel": databases}},
                "into": {"type": "string", "enum": {"cel": "[parameters.name, 'elsewhere']"}},
            }},
            "steps": [{"id": "say", "action": "debug:log", "input": {"message": "${{ parameters.database }} into ${{ parameters.name }}"}}],
        }),
    )
}

on_both!(a_form_offers_what_the_catalog_holds, portal, {
    let mut pay = component("pay", "team-a");
    pay["spec"]["system"] = json!("money");
    portal.store(&[group("team-a", None), pay, component("lone", "team-a")]).await;
    portal.store(&[resource("ledger", "money"), resource("stock", "goods")]).await;
    with_actions(&portal, &[restore()]).await;
    let ask = async |entity: &str, values: Value| {
        let body = json!({ "entity": entity, "values": values });
        portal.post("/api/v1/actions/default/restore/form", &body).await.json(200)
    };
    let form = ask("component:default/pay", json!({})).await;
    let fields = &form["form"]["pages"][0]["fields"];
    assert_eq!(fields[0]["value"], "pay-copy");
    assert_eq!(fields[1]["control"], "select", "{fields}");
    assert_eq!(fields[1]["choices"], json!([{"value": "resource:default/ledger", "label": "LEDGER"}]));
    // Of answers so far, computed ones among them.
    assert_eq!(fields[2]["choices"][0]["value"], "pay-copy");
    let form = ask("component:default/pay", json!({"name": "other"})).await;
    assert_eq!(form["form"]["pages"][0]["fields"][2]["choices"][0]["value"], "other");
    // It has no system, so that there is nothing to choose from.
    let form = ask("component:default/lone", json!({})).await;
    let error = form["form"]["pages"][0]["fields"][1]["error"].as_str().unwrap();
    assert!(error.contains("cannot be computed") && error.contains("system"), "{error}");

    let start = async |entity: &str, database: &str| {
        let body = json!({"action": "restore", "entity": entity, "values": {"database": database}});
        portal.post("/api/v1/runs", &body).await
    };
    let refused = start("component:default/pay", "resource:default/stock").await.json(422);
    assert_eq!(refused["errors"][0]["pointer"], "/values/database");
    let refused = start("component:default/lone", "resource:default/ledger").await.json(422);
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("cannot be computed"), "{refused}");
    let run = start("component:default/pay", "resource:default/ledger").await.json(202);
    let run = ended(&portal, run["id"].as_i64().unwrap()).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(run["answers"]["name"], "pay-copy");

    // What is no expression keeps it from running, and is told at its place.
    let mut broken = restore();
    broken["metadata"]["name"] = json!("broken");
    broken["spec"]["parameters"]["properties"]["name"]["default"]["cel"] = json!("entity.(");
    with_actions(&portal, &[broken]).await;
    let view = portal.get("/api/v1/actions/default/broken").await.json(200);
    assert_eq!(view["problems"][0]["pointer"], "/spec/parameters/properties/name/default/cel", "{view}");
});

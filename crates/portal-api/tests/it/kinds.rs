//! Kinds declared as data.

use serde_json::{Value, json};

use crate::on_both;

fn robot() -> Value {
    json!({"kind": "Robot", "plural": "robots", "api_versions": ["kestrel.example/v1"], "icon": "i-box", "description": "A robot",
        "schema": {"type": "object", "required": ["owner"], "properties": {"owner": {"type": "string"}}},
        "relation_fields": [{"field": "owner", "default_kind": "Group", "outgoing": "ownedBy", "incoming": "ownerOf"}]})
}

on_both!(a_declared_kind_is_validated_related_and_counted, portal, {
    portal.put("/api/v1/kinds/Robot", &robot()).await.json(200);
    let bad = json!({"apiVersion": "kestrel.example/v1", "kind": "Robot", "metadata": {"name": "r1"}, "spec": {}});
    portal.put("/api/v1/entities/robot/default/r1", &bad).await.problem(422, "invalid_entity");
    let good = json!({"apiVersion": "kestrel.example/v1", "kind": "Robot", "metadata": {"name": "r1"}, "spec": {"owner": "team-a"}});
    let view = portal.put("/api/v1/entities/robot/default/r1", &good).await.json(201);
    assert_eq!(view["owner"]["entity_ref"], "group:default/team-a");
    let kinds = portal.get("/api/v1/kinds").await.json(200);
    let robots = kinds.as_array().unwrap().iter().find(|kind| kind["kind"] == "Robot").unwrap();
    assert_eq!((robots["count"].as_u64(), robots["built_in"].as_bool()), (Some(1), Some(false)));
    portal.delete("/api/v1/kinds/robot").await.problem(409, "kind_in_use");
    portal.delete("/api/v1/entities/robot/default/r1").await.is(204);
    portal.delete("/api/v1/kinds/robot").await.is(204);
    portal.get("/api/v1/kinds/robot").await.problem(404, "kind_not_found");
});

on_both!(built_in_kinds_cannot_be_declared_anew, portal, {
    let mut fake = robot();
    fake["kind"] = json!("Component");
    portal.put("/api/v1/kinds/Component", &fake).await.problem(409, "built_in_kind");
    portal.delete("/api/v1/kinds/component").await.problem(409, "built_in_kind");
    portal.put("/api/v1/kinds/Other", &robot()).await.problem(422, "invalid_field");
});

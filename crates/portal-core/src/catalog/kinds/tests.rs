use serde_json::json;

use super::*;

fn definition(change: impl FnOnce(&mut KindDefinition)) -> KindDefinition {
    let mut definition: KindDefinition = serde_json::from_value(json!({
        "kind": "Queue",
        "plural": "queues",
        "api_versions": ["example.com/v1"],
        "relation_fields": [{ "field": "owner", "default_kind": "Group", "outgoing": "ownedBy", "incoming": "ownerOf" }],
    }))
    .unwrap();
    change(&mut definition);
    definition
}

#[test]
fn the_kinds_of_backstage_are_built_in_and_actions() {
    let kinds = KindRegistry::built_in();
    let names: Vec<_> = kinds.iter().map(|kind| kind.kind.as_str()).collect();
    assert_eq!(
        names,
        ["Action", "API", "Component", "Domain", "Group", "Location", "Resource", "System", "Template", "User"]
    );
    for kind in kinds.iter() {
        assert!(kinds.is_built_in(&kind.kind) && kinds.validator(&kind.kind).is_none());
        assert!(jsonschema::validator_for(&kind.schema).is_ok(), "{}", kind.kind);
    }
}

#[test]
fn kinds_are_found_in_any_case() {
    let kinds = KindRegistry::with(vec![definition(|_| ())]).unwrap();
    for name in ["Queue", "queue", "QUEUE"] {
        assert_eq!(kinds.get(name).map(|kind| kind.plural.as_str()), Some("queues"));
    }
    assert!(!kinds.is_built_in("queue") && kinds.is_built_in("component"));
    assert_eq!(kinds.iter().count(), 11);
    assert!(kinds.get("nope").is_none());
}

#[test]
fn declarations_are_refused_with_their_field() {
    let refused = |change: fn(&mut KindDefinition)| KindRegistry::with(vec![definition(change)]).unwrap_err().field;
    assert_eq!(refused(|kind| kind.kind = "a-b".into()), "kind");
    assert_eq!(refused(|kind| kind.kind = "component".into()), "kind");
    assert_eq!(refused(|kind| kind.plural = "Queues".into()), "plural");
    assert_eq!(refused(|kind| kind.plural = "components".into()), "plural");
    assert_eq!(refused(|kind| kind.api_versions.clear()), "api_versions");
    assert_eq!(refused(|kind| kind.api_versions = vec!["a/b/c".into()]), "api_versions");
    assert_eq!(refused(|kind| kind.icon = "<svg>".into()), "icon");
    assert_eq!(refused(|kind| kind.schema = json!(true)), "schema");
    assert_eq!(refused(|kind| kind.schema = json!({ "type": "nope" })), "schema");
    assert_eq!(refused(|kind| kind.schema = json!({ "$ref": "https://example.com/x.json" })), "schema");
    assert_eq!(refused(|kind| kind.schema = json!({ "$ref": "file:///etc/passwd" })), "schema");
    assert_eq!(refused(|kind| kind.relation_fields[0].outgoing = "a b".into()), "relation_fields");
    assert_eq!(refused(|kind| kind.relation_fields[0].default_kind = Some("a b".into())), "relation_fields");
    let twice = vec![definition(|_| ()), definition(|kind| kind.plural = "others".into())];
    assert_eq!(
        KindRegistry::with(twice).unwrap_err().to_string(),
        "kind `Queue`, field `kind`: there is a kind of this name already"
    );
}

#[test]
fn declarations_are_read_from_yaml_with_places() {
    let kinds = parse(b"- kind: A\n  plural: as\n  api_versions: [v1]\n---\nkind: B\nplural: bs\napi_versions: [v1]\n")
        .unwrap();
    assert_eq!(kinds.iter().map(|kind| kind.kind.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    let faults = parse(b"- kind: A\n  plural: as\n  api_versions: [v1]\n- kind: B\n  typo: 1\n---\n[\n").unwrap_err();
    let told: Vec<_> = faults.iter().map(|fault| (fault.line, fault.rule.as_str(), fault.pointer.as_str())).collect();
    assert_eq!(told, [(7, "yaml_syntax", "/0"), (4, "kind_definition", "/1")]);
}

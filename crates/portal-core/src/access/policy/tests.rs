use super::*;
use crate::access::Role;
use crate::access::fixture::kim;
use crate::catalog::index::RowChange;
use crate::catalog::kinds::KindRegistry;
use crate::catalog::relations::emitted;

fn draft(effect: Effect, verb: Verb, condition: &str) -> PolicyDraft {
    PolicyDraft { effect, verbs: vec![verb], condition: condition.to_owned(), message: None, enabled: true }
}

fn policy(effect: Effect, verb: Verb, condition: &str) -> Policy {
    Policy::compile("p", &draft(effect, verb, condition)).unwrap_or_else(|error| panic!("{condition}: {error:?}"))
}

/// `0` is booking's and secret, `1` payment's and secret, `2` payment's and open, `3` nobody's.
fn entities() -> Vec<Entity> {
    let component = |name: &str, secret: bool, spec: Value| {
        let mut metadata = json!({"name": name, "tags": ["java"], "labels": {"tier": "Gold"}});
        if secret {
            metadata["annotations"] = json!({"portal/private": "yes"});
        }
        Entity(json!({"apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": metadata, "spec": spec}))
    };
    vec![
        component("booking", true, json!({"type": "service", "lifecycle": "production", "owner": "booking"})),
        component(
            "ledger",
            true,
            json!({"type": "service", "lifecycle": "production", "owner": "payment", "dependsOn": ["component:shop"]}),
        ),
        component(
            "shop",
            false,
            json!({"type": "website", "lifecycle": "experimental", "owner": "payment", "replicas": 3}),
        ),
        component("orphan", false, json!({"type": "service"})),
    ]
}

fn index(entities: &[Entity]) -> CatalogIndex {
    let kinds = KindRegistry::built_in();
    let upsert = |(id, entity): (usize, &Entity)| RowChange::Upsert {
        id: u32::try_from(id).unwrap(),
        uid: id.to_string(),
        changed_seq: 0,
        relations: emitted(entity, &kinds),
        entity: entity.clone(),
    };
    let mut index = CatalogIndex::new();
    index.apply(entities.iter().enumerate().map(upsert).collect());
    index
}

fn rows(condition: &str, principal: &Principal) -> Vec<u32> {
    let policy = policy(Effect::Deny, Verb::ReadCatalog, condition);
    policy.rows(principal, &index(&entities())).unwrap().iter().collect()
}

#[test]
fn conditions_choose_entities() {
    let kim = kim(Role::Developer);
    for (condition, expected) in [
        ("true", vec![0, 1, 2, 3]),
        ("false", vec![]),
        ("entity.kind == 'Component'", vec![0, 1, 2, 3]),
        ("entity.kind == 'component'", vec![]),
        ("entity.metadata.name in ['shop', 'orphan', 'Shop']", vec![2, 3]),
        ("entity.spec.lifecycle == \"production\"", vec![0, 1]),
        ("entity.spec.lifecycle != 'production'", vec![2, 3]),
        ("!has(entity.spec.lifecycle)", vec![3]),
        ("'portal/private' in entity.metadata.annotations", vec![0, 1]),
        ("entity.metadata.annotations['portal/private'] == 'yes'", vec![0, 1]),
        ("'yes' == entity.metadata.annotations['portal/private']", vec![0, 1]),
        ("entity.metadata.labels.tier == 'Gold'", vec![0, 1, 2, 3]),
        ("entity.metadata.labels['tier'] == 'gold'", vec![]),
        ("'java' in entity.metadata.tags", vec![0, 1, 2, 3]),
        ("'Java' in entity.metadata.tags", vec![]),
        ("'group:default/payment' in relations.ownedBy", vec![1, 2]),
        ("has(relations.dependencyOf)", vec![2]),
        ("caller.owns", vec![0]),
        ("!caller.owns && 'portal/private' in entity.metadata.annotations", vec![1]),
        ("caller.owns || entity.spec.type == 'website'", vec![0, 2]),
        ("caller.role == 'developer' && entity.spec.type == 'website'", vec![2]),
        ("caller.role in ['admin', 'auditor'] || caller.name == 'alex'", vec![]),
        ("caller.user == 'user:default/kim' && caller.signed_in", vec![0, 1, 2, 3]),
        ("'group:default/Product' in caller.groups", vec![0, 1, 2, 3]),
        ("'group:default/other' in caller.groups", vec![]),
    ] {
        assert_eq!(rows(condition, &kim), expected, "{condition}");
    }
    assert_eq!(rows("!caller.signed_in", &Principal::guest()), [0, 1, 2, 3]);
    assert_eq!(rows("caller.owns", &Principal::guest()), [0_u32; 0]);
}

/// A condition has the same answer for the whole catalog and for one entity alone.
#[test]
fn one_entity_is_judged_as_all_are() {
    let (kim, entities) = (kim(Role::Developer), entities());
    for condition in
        ["caller.owns", "entity.spec.lifecycle != 'production'", "'group:default/payment' in relations.ownedBy"]
    {
        let policy = policy(Effect::Deny, Verb::ReadCatalog, condition);
        let all = policy.rows(&kim, &index(&entities)).unwrap();
        for (row, entity) in (0_u32..).zip(&entities) {
            let alone = index(std::slice::from_ref(entity));
            let subject = Subject { index: &alone, row: 0, document: entity };
            assert_eq!(policy.applies(&kim, &subject), all.contains(row), "{condition}: {row}");
        }
    }
}

#[test]
fn what_is_not_for_the_whole_catalog_is_refused_at_its_place() {
    for (condition, place, words) in [
        ("entity.kind == 'API' &&\n  size(entity.metadata.tags) > 1", "line 2, column 30", "`>`"),
        ("entity.spec.replicas == 3", "column 25", "quotes"),
        ("entity.kind.startsWith('A')", "column 23", "startsWith"),
        ("relations.ownedBy.exists(o, o in caller.groups)", "column 25", "exists"),
        ("relations.ownedBy == 'x'", "column 10", "in relations"),
        ("caller.groups == 'x'", "column 7", "in caller.groups"),
        ("owner == 'x'", "column 1", "`owner` is unknown"),
        ("entity == 'x'", "column 1", "entity.kind"),
        ("caller.shoe == 'x'", "column 7", "caller"),
        ("entity.metadata.etag == 'x'", "column 16", "index"),
        ("caller.owns == 'x'", "column 7", "by itself"),
        ("entity.kind", "column 7", "true or false"),
        ("'x' in 'y'", "column 1", "in a list"),
        ("entity.kind ==", "column 15", ""),
        ("", "column 1", "no expression"),
    ] {
        let refused = Policy::compile("p", &draft(Effect::Deny, Verb::ReadCatalog, condition)).expect_err(condition);
        assert_eq!(refused.pointer, "/condition");
        assert!(refused.message.contains(place), "{condition}: {}", refused.message);
        assert!(refused.message.contains(words), "{condition}: {}", refused.message);
    }
    let both = PolicyDraft { verbs: vec![], ..draft(Effect::Deny, Verb::ReadCatalog, "true") };
    assert_eq!(Policy::compile("p", &both).unwrap_err().pointer, "/verbs");
    assert_eq!(Policy::compile("p", &draft(Effect::Allow, Verb::ReadCatalog, "true")).unwrap_err().pointer, "/verbs");
    assert_eq!(Policy::compile("p", &draft(Effect::Deny, Verb::ReadAudit, "true")).unwrap_err().pointer, "/verbs");
}

/// What `kim` may write: one letter an entity, `y` or `-`.
fn may_write(role: Role, policies: &[(Effect, &str)]) -> String {
    let policies = policies.iter().map(|(effect, condition)| policy(*effect, Verb::WriteCatalog, condition));
    let (policies, entities) = (Policies::new(policies.collect()), entities());
    let index = index(&entities);
    let may = |(row, document): (u32, &Entity)| {
        let owners: Vec<String> = index
            .edges(row, &Visibility::All)
            .into_iter()
            .filter(|(relation, _)| *relation == "ownedBy")
            .map(|(_, owner)| owner.to_owned())
            .collect();
        let resource = Resource::Entity { entity_ref: "e", owners: &owners };
        let subject = Subject { index: &index, row, document };
        match decide(&policies, &kim(role), Verb::WriteCatalog, resource, Some(&subject)) {
            Decision::Allow => 'y',
            _ => '-',
        }
    };
    (0..).zip(&entities).map(may).collect()
}

#[test]
fn denying_beats_allowing_and_allowing_beats_the_role() {
    use Effect::{Allow, Deny};
    assert_eq!(may_write(Role::Developer, &[]), "y---");
    assert_eq!(may_write(Role::Developer, &[(Allow, "entity.spec.lifecycle == 'experimental'")]), "y-y-");
    assert_eq!(may_write(Role::Viewer, &[(Allow, "caller.owns")]), "y---");
    assert_eq!(may_write(Role::Admin, &[(Deny, "entity.spec.lifecycle == 'production'")]), "--yy");
    assert_eq!(may_write(Role::Admin, &[(Allow, "true"), (Deny, "!caller.owns")]), "y---");
    // Beyond the index: one document at a time.
    assert_eq!(may_write(Role::Admin, &[(Deny, "entity.spec.replicas > 2")]), "----");
    assert_eq!(may_write(Role::Admin, &[(Deny, "has(entity.spec.replicas) && entity.spec.replicas > 2")]), "yy-y");
    assert_eq!(may_write(Role::Viewer, &[(Allow, "entity.spec.replicas > 2")]), "--y-");
    let members = "has(relations.ownedBy) && relations.ownedBy.exists(owner, owner in caller.groups)";
    assert_eq!(may_write(Role::Viewer, &[(Allow, members)]), "y---");
}

#[test]
fn nothing_lifts_scopes_and_a_refusal_names_its_policy() {
    let entities = entities();
    let index = index(&entities);
    let subject = Subject { index: &index, row: 0, document: &entities[0] };
    let resource = Resource::Entity { entity_ref: "e", owners: &[] };
    let allow = Policies::new(vec![policy(Effect::Allow, Verb::WriteCatalog, "true")]);
    let reader = Principal { verbs: Some(vec![Verb::ReadCatalog]), ..kim(Role::Admin) };
    let decision = decide(&allow, &reader, Verb::WriteCatalog, resource, Some(&subject));
    assert!(matches!(decision, Decision::Deny(reason) if reason.contains("scopes")));
    assert_eq!(decide(&allow, &Principal::guest(), Verb::WriteCatalog, resource, Some(&subject)), Decision::SignIn);
    assert_eq!(decide(&allow, &kim(Role::Viewer), Verb::WriteCatalog, Resource::Any, None), Decision::Allow);
    let mut freeze = draft(Effect::Deny, Verb::WriteCatalog, "true");
    freeze.message = Some("frozen until Monday".to_owned());
    let deny = Policies::new(vec![Policy::compile("freeze", &freeze).unwrap()]);
    let decision = decide(&deny, &kim(Role::Admin), Verb::WriteCatalog, resource, Some(&subject));
    assert_eq!(decision, Decision::Deny("the policy `freeze` says: frozen until Monday".to_owned()));
}

#[test]
fn what_a_policy_hides_nobody_else_shows() {
    let hide = "'portal/private' in entity.metadata.annotations && !caller.owns";
    let policies = Policies::new(vec![policy(Effect::Deny, Verb::ReadCatalog, hide)]);
    let index = index(&entities());
    let seen = |principal: &Principal| policies.visibility(principal, &index);
    assert_eq!(seen(&kim(Role::Developer)), Visibility::Rows(std::sync::Arc::new([0, 2, 3].into_iter().collect())));
    assert_eq!(seen(&Principal::guest()), Visibility::Rows(std::sync::Arc::new([2, 3].into_iter().collect())));
    assert!(policies.hide());
    let none = Policies::new(vec![policy(Effect::Deny, Verb::WriteCatalog, hide)]);
    assert!(!none.hide());
    assert_eq!(none.visibility(&Principal::guest(), &index), Visibility::All);
}

//! The index against a model so simple that it is evidently right: every
//! question walks all entities and flattens them as Backstage does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::catalog::query::{Filter, FullText, Missing, Order, Position, Predicate, Query, Selection, SortKey};
use crate::catalog::wire::FacetValue;

type Stored = BTreeMap<u32, (Entity, Vec<Relation>, i64)>;

#[derive(Debug, Default, Clone)]
struct Model {
    stored: Stored,
}

/// Key, and value in the author's case.
type Pairs = Vec<(String, Option<String>)>;

impl Model {
    fn apply(&mut self, change: &RowChange) {
        match change {
            RowChange::Upsert { id, entity, relations, changed_seq, .. } => {
                let entity_ref = entity.entity_ref();
                self.stored.retain(|_, (other, ..)| other.entity_ref() != entity_ref);
                self.stored.insert(*id, (entity.clone(), relations.clone(), *changed_seq));
            }
            RowChange::Remove { id } => {
                self.stored.remove(id);
            }
        }
    }

    fn edges(&self, row: u32) -> BTreeSet<(String, String)> {
        let own = self.stored[&row].0.entity_ref().unwrap();
        let all = self.stored.values().flat_map(|(_, relations, _)| relations);
        all.filter(|edge| edge.source == own).map(|edge| (edge.relation.clone(), edge.target.to_string())).collect()
    }

    fn pairs(&self, row: u32) -> Pairs {
        let mut pairs = Pairs::new();
        flatten("", &self.stored[&row].0.0, &mut pairs);
        let entity = &self.stored[&row].0;
        pairs.push(("metadata.name".to_owned(), entity.name().map(str::to_owned)));
        pairs.push(("metadata.namespace".to_owned(), Some(entity.namespace().to_owned())));
        pairs.push(("metadata.uid".to_owned(), Some(uid(row))));
        pairs.extend(
            self.edges(row).into_iter().map(|(relation, target)| (format!("relations.{relation}"), Some(target))),
        );
        for (key, _) in &mut pairs {
            *key = key.to_lowercase();
        }
        pairs
    }

    fn values(&self, row: u32, key: &str) -> Vec<String> {
        let mut values: Vec<String> =
            self.pairs(row).into_iter().filter(|(other, _)| other == key).filter_map(|(_, value)| value).collect();
        values.sort();
        values.dedup();
        values
    }

    fn has(&self, row: u32, key: &str) -> bool {
        self.pairs(row).iter().any(|(other, _)| other == key)
    }

    fn equals(&self, row: u32, key: &str, values: &[String]) -> bool {
        self.values(row, key).iter().any(|value| values.contains(&value.to_lowercase()))
    }

    fn holds(&self, row: u32, predicate: &Predicate) -> bool {
        match predicate {
            Predicate::All(parts) => parts.iter().all(|part| self.holds(row, part)),
            Predicate::Any(parts) => parts.iter().any(|part| self.holds(row, part)),
            Predicate::Not(part) => !self.holds(row, part),
            Predicate::Exists { key, exists } => self.has(row, key) == *exists,
            Predicate::In { key, values } => self.equals(row, key, values),
            Predicate::Is { key, values } => self.values(row, key).iter().any(|value| values.contains(value)),
            Predicate::HasPrefix { key, prefix } => {
                self.values(row, key).iter().any(|value| value.to_lowercase().starts_with(prefix))
            }
            Predicate::Contains { key, value } => self.equals(row, key, std::slice::from_ref(value)),
            Predicate::Relation { relation, targets } => match targets {
                None => self.has(row, &format!("relations.{relation}")),
                Some(targets) => self.equals(row, &format!("relations.{relation}"), targets),
            },
        }
    }

    /// The catalog without the documents that a caller may not see.
    fn seen(&self, visibility: &Visibility) -> Self {
        let mut seen = self.clone();
        seen.stored.retain(|row, _| visibility.admits(*row));
        seen
    }

    fn select(&self, selection: &Selection) -> BTreeSet<u32> {
        let clause = |row: u32, clause: &crate::catalog::query::Clause| {
            clause.all.iter().all(|condition| match &condition.values {
                None => self.has(row, &condition.key),
                Some(values) => self.equals(row, &condition.key, values),
            })
        };
        let text = |row: u32, full_text: &FullText| {
            let term = full_text.term.trim().to_lowercase();
            let contains = |value: &String| value.to_lowercase().contains(&term);
            term.is_empty() || full_text.fields.iter().any(|field| self.values(row, field).iter().any(contains))
        };
        let rows = self.stored.keys().copied();
        rows.filter(|row| selection.filter.any.is_empty() || selection.filter.any.iter().any(|part| clause(*row, part)))
            .filter(|row| selection.predicate.as_ref().is_none_or(|predicate| self.holds(*row, predicate)))
            .filter(|row| selection.full_text.as_ref().is_none_or(|full_text| text(*row, full_text)))
            .collect()
    }

    /// Every row of the list, in order.
    fn list(&self, query: &Query) -> Vec<SortKey> {
        let mut rows = self.select(&query.selection);
        let Some(Order { field, descending }) = &query.order else {
            return rows.into_iter().map(|row| SortKey { value: None, row }).collect();
        };
        if query.missing == Missing::Excluded {
            rows.retain(|row| field == CHANGED || self.has(*row, field));
        }
        let place = |row: u32| {
            if field == CHANGED {
                return SortKey { value: Some(format!("{:016x}", self.stored[&row].2)), row };
            }
            let mut values: Vec<String> = self.values(row, field).iter().map(|value| value.to_lowercase()).collect();
            values.sort();
            SortKey { value: if *descending { values.pop() } else { values.into_iter().next() }, row }
        };
        let mut places: Vec<SortKey> = rows.into_iter().map(place).collect();
        places.sort_by(|left, right| {
            let missing = left.value.is_none().cmp(&right.value.is_none());
            let order = (&left.value, left.row).cmp(&(&right.value, right.row));
            missing.then(if *descending { order.reverse() } else { order })
        });
        places
    }

    fn facet(&self, key: &str, rows: &BTreeSet<u32>) -> Vec<(String, u64)> {
        // Lower case first among the spellings of a value.
        let mut counts: BTreeMap<(String, bool, String), u64> = BTreeMap::new();
        for value in rows.iter().flat_map(|row| self.values(*row, key)) {
            let lower = value.to_lowercase();
            *counts.entry((lower.clone(), lower != value, value)).or_default() += 1;
        }
        counts.into_iter().map(|((.., value), count)| (value, count)).collect()
    }
}

fn flatten(path: &str, value: &Value, pairs: &mut Pairs) {
    let skipped = ["metadata.name", "metadata.namespace", "metadata.uid", "metadata.etag", "relations", "status"];
    if skipped.contains(&path) {
        return;
    }
    match value {
        Value::Array(items) => {
            for item in items {
                flatten(path, item, pairs);
                if let Value::String(text) = item {
                    pairs.push((format!("{path}.{text}"), Some("true".to_owned())));
                }
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(&if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, value, pairs);
            }
        }
        Value::Null => pairs.push((path.to_owned(), None)),
        Value::String(text) => pairs.push((path.to_owned(), Some(text.clone()))),
        other => pairs.push((path.to_owned(), Some(other.to_string()))),
    }
}

fn uid(row: u32) -> String {
    format!("UID-{row}")
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "A", "b", "bc", "C", "true", "x.y"])
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        word().prop_map(|word| json!(word)),
        (0..3).prop_map(|n| json!(n)),
        Just(json!(true)),
        Just(Value::Null)
    ];
    let item = prop_oneof![scalar.clone(), word().prop_map(|word| json!({ "k": word }))];
    prop_oneof![
        3 => scalar,
        2 => prop::collection::vec(word(), 0..4).prop_map(|words| json!(words)),
        1 => prop::collection::vec(item, 0..4).prop_map(Value::Array),
        1 => prop::collection::btree_map(word(), word(), 0..3).prop_map(|fields| json!(fields)),
    ]
}

fn kind() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["Component", "API", "Group"])
}

fn entity_ref() -> impl Strategy<Value = EntityRef> {
    (kind(), word()).prop_map(|(kind, name)| EntityRef::new(kind, "default", name))
}

fn change() -> impl Strategy<Value = RowChange> {
    let fields = prop::collection::btree_map(prop::sample::select(vec!["type", "owner", "tags"]), value(), 0..3);
    let tags = prop::option::of(prop::collection::vec(word(), 0..3));
    let relation = (prop::sample::select(vec!["ownedBy", "dependsOn", "odd"]), entity_ref());
    let changed_seq = prop_oneof![0_i64..8, 0..=i64::MAX];
    let upsert = (0_u32..24, kind(), word(), tags, fields, prop::collection::vec(relation, 0..4), changed_seq)
        .prop_map(|(id, kind, name, tags, spec, relations, changed_seq)| {
            let mut metadata = json!({ "name": name, "title": format!("{kind} {name}") });
            if let Some(tags) = tags {
                metadata["tags"] = json!(tags);
            }
            let entity = Entity(json!({ "kind": kind, "metadata": metadata, "spec": spec }));
            let source = entity.entity_ref().unwrap();
            let both = |(relation, target): (&str, EntityRef)| {
                let inverse = match relation {
                    "ownedBy" => "ownerOf",
                    "dependsOn" => "dependencyOf",
                    _ => "even",
                };
                let relation =
                    Relation { source: source.clone(), relation: relation.to_owned(), target: target.clone() };
                [relation, Relation { source: target, relation: inverse.to_owned(), target: source.clone() }]
            };
            let relations = relations.into_iter().flat_map(both).collect();
            RowChange::Upsert { id, uid: uid(id), changed_seq, entity, relations }
        });
    prop_oneof![5 => upsert, 1 => (0_u32..24).prop_map(|id| RowChange::Remove { id })]
}

fn key() -> impl Strategy<Value = String> {
    let keys = [
        "kind",
        "metadata.name",
        "metadata.title",
        "metadata.uid",
        "metadata.tags",
        "metadata.tags.a",
        "metadata.tags.x.y",
        "spec.type",
        "spec.type.k",
        "spec.type.a",
        "spec.owner",
        "spec.tags",
        "spec.tags.true",
        "spec.tags.b",
        "relations.ownedby",
        "relations.ownerof",
        "relations.odd",
        "relations.dependencyof",
        "no.such",
    ];
    prop::sample::select(keys.map(str::to_owned).to_vec())
}

/// A key of documents themselves, which no list item makes.
fn document_key() -> impl Strategy<Value = String> {
    prop::sample::select(
        ["kind", "metadata.name", "metadata.tags", "spec.type", "spec.owner"].map(str::to_owned).to_vec(),
    )
}

fn needle() -> impl Strategy<Value = String> + Clone {
    let words = ["a", "b", "bc", "c", "true", "x.y", "0", "1", "component", "api", "t", "uid-3", "group:default/a"];
    prop::sample::select(words.map(str::to_owned).to_vec())
}

fn filter() -> impl Strategy<Value = Filter> {
    let condition = (key(), prop::option::of(needle()))
        .prop_map(|(key, value)| value.map_or(key.clone(), |value| format!("{key}={value}")));
    let clause = prop::collection::vec(condition, 1..3).prop_map(|conditions| conditions.join(","));
    prop::collection::vec(clause, 0..3).prop_map(|clauses| Filter::parse(&clauses).unwrap())
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let values = prop::collection::vec(needle(), 0..3);
    let words = prop::collection::vec(word().prop_map(str::to_owned), 0..3);
    let leaf = prop_oneof![
        (key(), any::<bool>()).prop_map(|(key, exists)| Predicate::Exists { key, exists }),
        (key(), values.clone()).prop_map(|(key, values)| Predicate::In { key, values }),
        (document_key(), words).prop_map(|(key, values)| Predicate::Is { key, values }),
        (key(), needle()).prop_map(|(key, prefix)| Predicate::HasPrefix { key, prefix }),
        (key(), needle()).prop_map(|(key, value)| Predicate::Contains { key, value }),
        prop::option::of(values).prop_map(|targets| Predicate::Relation { relation: "ownedby".to_owned(), targets }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::Any),
            inner.prop_map(|part| Predicate::Not(Box::new(part))),
        ]
    })
}

fn selection() -> impl Strategy<Value = Selection> {
    let full_text = (needle(), prop::collection::vec(key(), 1..3)).prop_map(|(term, fields)| FullText { term, fields });
    (filter(), prop::option::of(predicate()), prop::option::weighted(0.3, full_text))
        .prop_map(|(filter, predicate, full_text)| Selection { within: None, filter, predicate, full_text })
}

fn visibility() -> impl Strategy<Value = Visibility> {
    prop_oneof![
        Just(Visibility::All),
        prop::collection::btree_set(0_u32..24, 0..24)
            .prop_map(|rows| Visibility::Rows(Arc::new(rows.into_iter().collect())))
    ]
}

fn query() -> impl Strategy<Value = Query> {
    let field = prop_oneof![4 => key(), 1 => Just(CHANGED.to_owned())];
    let order = prop::option::of((field, any::<bool>()).prop_map(|(field, descending)| Order { field, descending }));
    (selection(), order, any::<bool>(), 1_usize..5).prop_map(|(selection, order, excluded, limit)| Query {
        selection,
        order,
        missing: if excluded { Missing::Excluded } else { Missing::Last },
        position: Position::Offset(0),
        limit,
    })
}

fn built(changes: &[RowChange]) -> (CatalogIndex, Model) {
    let (mut index, mut model) = (CatalogIndex::new(), Model::default());
    for change in changes {
        model.apply(change);
        index.apply(vec![change.clone()]);
    }
    (index, model)
}

fn changes() -> impl Strategy<Value = Vec<RowChange>> {
    prop::collection::vec(change(), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn selections_agree(changes in changes(), selection in selection(), visibility in visibility()) {
        let (index, model) = built(&changes);
        let rows: BTreeSet<u32> = index.select(&selection, &visibility).iter().collect();
        prop_assert_eq!(&rows, &model.seen(&visibility).select(&selection));
        for row in model.stored.keys() {
            let wanted = model.select(&selection).contains(row);
            prop_assert_eq!(index.matches(*row, &selection), wanted);
        }
    }

    #[test]
    fn facets_agree(changes in changes(), selection in selection(), visibility in visibility(), keys in prop::collection::vec(key(), 1..4)) {
        let (index, model) = built(&changes);
        let model = model.seen(&visibility);
        let rows = model.select(&selection);
        let facets = index.facets(&keys, &index.select(&selection, &visibility), Values::All, &visibility);
        for key in &keys {
            let found = facets[key].iter().map(|FacetValue { value, count, .. }| (value.clone(), *count)).collect::<Vec<_>>();
            let all = model.facet(key, &rows);
            prop_assert_eq!(&found, &all, "{}", key);
            let frequent = &index.facets(&keys, &index.select(&selection, &visibility), Values::Frequent(2), &visibility)[key];
            let mut counts: Vec<u64> = all.iter().map(|(_, count)| *count).collect();
            counts.sort_unstable_by(|a, b| b.cmp(a));
            counts.truncate(2);
            prop_assert_eq!(frequent.iter().map(|value| value.count).collect::<Vec<_>>(), counts);
            prop_assert!(frequent.iter().all(|value| all.contains(&(value.value.clone(), value.count))));
        }
    }

    #[test]
    fn walking_the_pages_forth_and_back_gives_the_list(changes in changes(), query in query(), visibility in visibility()) {
        let (index, model) = built(&changes);
        let list = model.seen(&visibility).list(&query);
        let mut position = Position::Offset(0);
        let mut seen = Vec::new();
        loop {
            let page = index.page(&Query { position, ..query.clone() }, &visibility);
            prop_assert_eq!(page.total, list.len() as u64);
            prop_assert_eq!(page.has_previous, !seen.is_empty());
            seen.extend(page.rows.clone());
            prop_assert_eq!(page.has_next, seen.len() < list.len());
            match page.last {
                Some(last) if page.has_next => position = Position::After(last),
                _ => break,
            }
        }
        prop_assert_eq!(&seen, &list.iter().map(|place| place.row).collect::<Vec<_>>());
        for (at, place) in list.iter().enumerate() {
            let page = index.page(&Query { position: Position::Before(place.clone()), ..query.clone() }, &visibility);
            prop_assert_eq!(&page.rows, &seen[at.saturating_sub(query.limit)..at]);
            prop_assert_eq!(page.has_previous, at > query.limit);
            prop_assert!(page.has_next);
            let page = index.page(&Query { position: Position::Offset(at), ..query.clone() }, &visibility);
            prop_assert_eq!(&page.rows, &seen[at..seen.len().min(at + query.limit)]);
            prop_assert_eq!(page.first.as_ref(), Some(place));
        }
        let counted = index.page(&Query { limit: 0, ..query.clone() }, &visibility);
        prop_assert_eq!((counted.rows.len(), counted.total), (0, list.len() as u64));
    }

    /// Changes of one batch reuse rows and references, which the store never does.
    #[test]
    fn relations_and_snapshots_agree(before in changes(), after in changes()) {
        let (mut index, mut model) = built(&before);
        let (snapshot, old) = (index.clone(), model.clone());
        index.apply(after.clone());
        after.iter().for_each(|change| model.apply(change));
        for (index, model) in [(&snapshot, &old), (&index, &model)] {
            prop_assert_eq!(index.len(), model.stored.len());
            for (row, (entity, ..)) in &model.stored {
                let edges: Vec<_> = index.relations(*row, &Visibility::All).into_iter().map(|(name, target)| (name, target.to_string())).collect();
                prop_assert_eq!(edges, model.edges(*row).into_iter().collect::<Vec<_>>());
                let entity_ref = entity.entity_ref().unwrap();
                prop_assert_eq!(index.row(&entity_ref), Some(*row));
                prop_assert_eq!(index.row_by_uid(&uid(*row)), Some(*row));
                let summary = index.summary(*row).unwrap();
                prop_assert_eq!((summary.kind.as_str(), summary.name.as_str()), (entity.kind().unwrap(), entity.name().unwrap()));
                prop_assert_eq!(summary.title.as_str(), entity.display_title());
            }
        }
    }

    /// To a caller who may not see some documents the catalog is as it would be without them.
    #[test]
    fn what_is_hidden_is_as_if_it_were_not_there(
        changes in changes(), visibility in visibility(), root in entity_ref(), relation in prop::option::of(Just("dependsOn".to_owned())),
    ) {
        let (index, model) = built(&changes);
        let mut without = index.clone();
        without.apply(model.stored.keys().filter(|row| !visibility.admits(**row)).map(|id| RowChange::Remove { id: *id }).collect());
        for row in model.seen(&visibility).stored.keys() {
            prop_assert_eq!(index.relations(*row, &visibility), without.relations(*row, &Visibility::All));
        }
        let query = GraphQuery {
            root: root.clone(), depth: 3, direction: Direction::Both, relations: relation.into_iter().collect(), kinds: Vec::new(), limit: 6,
        };
        prop_assert_eq!(index.graph(&query, &visibility), without.graph(&query, &Visibility::All));
        prop_assert_eq!(index.impact(&root, 4, &visibility), without.impact(&root, 4, &Visibility::All));
        prop_assert_eq!(index.link(&root, &visibility), without.link(&root, &Visibility::All));
    }

    /// The walk over sorted values, which short lists do not take.
    #[test]
    fn long_lists_agree(seed in 0_u32..1000, descending in any::<bool>(), excluded in any::<bool>(), key in key(), limit in 1_usize..40) {
        let words = ["a", "A", "b", "B", "c", "true"];
        let pick = |n: u32| words[((seed.wrapping_mul(31).wrapping_add(n.wrapping_mul(2_654_435_761))) >> 7) as usize % words.len()];
        let upsert = |id: u32| {
            let mut entity = json!({"kind": if id.is_multiple_of(3) { "API" } else { "Component" }, "metadata": {"name": format!("n{id}")}, "spec": {}});
            if !id.is_multiple_of(5) {
                entity["spec"]["type"] = json!(pick(id));
            }
            if id.is_multiple_of(7) {
                entity["spec"]["type"] = json!([pick(id), pick(id + 1), 3]);
            }
            if id.is_multiple_of(11) {
                entity["spec"]["type"] = Value::Null;
            }
            RowChange::Upsert { id, uid: uid(id), changed_seq: 0, entity: Entity(entity), relations: Vec::new() }
        };
        let (index, model) = built(&(0..150).map(upsert).collect::<Vec<_>>());
        let query = Query {
            order: Some(Order { field: key, descending }),
            missing: if excluded { Missing::Excluded } else { Missing::Last },
            limit,
            ..Query::default()
        };
        let list = model.list(&query);
        for (at, place) in list.iter().enumerate().step_by(7) {
            let rows = |range: std::ops::Range<usize>| list[range].iter().map(|place| place.row).collect::<Vec<_>>();
            let page = |position| index.page(&Query { position, ..query.clone() }, &Visibility::All);
            prop_assert_eq!(page(Position::Offset(at)).rows, rows(at..list.len().min(at + limit)));
            prop_assert_eq!(page(Position::After(place.clone())).rows, rows(at + 1..list.len().min(at + 1 + limit)));
            prop_assert_eq!(page(Position::Before(place.clone())).rows, rows(at.saturating_sub(limit)..at));
        }
    }
}

#[test]
fn a_facets_own_filter_does_not_narrow_its_counts() {
    let upsert = |id: u32, kind: &str, lifecycle: &str| {
        let entity = json!({"kind": kind, "metadata": {"name": format!("n{id}")}, "spec": {"lifecycle": lifecycle}});
        RowChange::Upsert { id, uid: uid(id), changed_seq: 0, entity: Entity(entity), relations: Vec::new() }
    };
    let mut index = CatalogIndex::new();
    index.apply(vec![
        upsert(1, "API", "production"),
        upsert(2, "API", "experimental"),
        upsert(3, "Group", "production"),
    ]);
    let filter = Filter::parse(&["kind=api,spec.lifecycle=production"]).unwrap();
    let selection = Selection { filter, ..Selection::default() };
    let keys = ["kind", "spec.lifecycle"].map(str::to_owned);
    let facets = index.facets_sideways(&keys, &selection, &Visibility::All, Values::All);
    let counts = |key: &str| facets[key].iter().map(|value| (value.value.as_str(), value.count)).collect::<Vec<_>>();
    assert_eq!(counts("kind"), [("API", 1), ("Group", 1)]);
    assert_eq!(counts("spec.lifecycle"), [("experimental", 1), ("production", 1)]);
}

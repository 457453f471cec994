//! The index as a whole, without HTTP.

use std::time::Duration;

use portal_core::catalog::entity::Entity;
use proptest::prelude::*;
use roaring::RoaringBitmap;
use serde_json::{Value, json};

use super::matches::Position;
use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

fn component(name: &str, more: Value) -> Value {
    let mut entity = json!({"kind": "Component", "metadata": {"name": name}, "spec": {"type": "service"}});
    for (key, value) in more.as_object().unwrap() {
        let part = if key == "type" || key == "owner" || key == "definition" { "spec" } else { "metadata" };
        entity[part][key] = value.clone();
    }
    entity
}

fn upserts(entities: &[Value]) -> Vec<SearchChange> {
    let document = |(row, entity): (usize, &Value)| {
        SearchDocument::from_entity(row as u32, &Entity(entity.clone()), None)
            .map(|d| SearchChange::Upsert(Box::new(d)))
    };
    entities.iter().enumerate().filter_map(document).collect()
}

fn removal(name: &str) -> SearchChange {
    SearchChange::Remove(format!("component:default/{name}"))
}

async fn index_of(entities: &[Value]) -> SearchIndex {
    let index = SearchIndex::in_memory().unwrap();
    index.apply(upserts(entities), 1).await.unwrap();
    assert!(index.wait_for(1, PATIENCE).await);
    index
}

fn names(index: &SearchIndex, text: &str) -> Vec<String> {
    let hits = index.find(text, Scope::Everything, None).unwrap().page(100, None, None).unwrap();
    hits.into_iter().map(|hit| hit.stored.name).collect()
}

#[track_caller]
fn check(index: &SearchIndex, text: &str, expected: &[&str]) {
    assert_eq!(names(index, text), expected, "{text}");
}

#[tokio::test]
async fn a_field_has_its_place_in_the_ranking() {
    let index = index_of(&[
        component("g-definition", json!({"type": "grpc", "definition": "rpc Ledger"})),
        component("f-described", json!({"description": "Books what the ledger says about the ledger."})),
        component("e-tagged", json!({"tags": ["ledger"]})),
        component("d-titled", json!({"title": "The ledger of all"})),
        component("c-ledgers", json!({})),
        component("b-ledger", json!({})),
        component("ledger-archive", json!({})),
        component("ledger", json!({})),
    ])
    .await;
    let expected =
        ["ledger", "ledger-archive", "b-ledger", "c-ledgers", "d-titled", "e-tagged", "f-described", "g-definition"];
    check(&index, "ledger", &expected);
    check(&index, "LEDGER", &expected);
}

#[tokio::test]
async fn words_are_found_as_they_are_typed() {
    let index = index_of(&[
        component("booking-api", json!({"title": "Booking API", "description": "Takes bookings of customers."})),
        component("shipmentEstimator", json!({"description": "Estimates when a shipment arrives."})),
        component("platform.core", json!({"tags": ["rust"]})),
        component("zoll", json!({"title": "Zürich customs"})),
    ])
    .await;
    for text in
        ["b", "bo", "book", "booking", "booking-", "booking-a", "booking api", "bookingapi", "BookingAPI", "api"]
    {
        check(&index, text, &["booking-api"]);
    }
    for text in ["shipment est", "estimator", "ship est", "shipmentestimator", "shipment_estimator"] {
        check(&index, text, &["shipmentEstimator"]);
    }
    check(&index, "core", &["platform.core"]);
    check(&index, "platform.co", &["platform.core"]);
    check(&index, "zurich cus", &["zoll"]);
    check(&index, "custom", &["zoll", "booking-api"]);
}

#[tokio::test]
async fn one_edit_is_forgiven_in_words_of_four_letters() {
    let index = index_of(&[
        component("booking-api", json!({})),
        component("rate-card-importer", json!({"description": "Imports rate cards."})),
    ])
    .await;
    for text in ["bookng", "boking", "bookinh", "obokin", "booiing-api"] {
        check(&index, text, &["booking-api"]);
    }
    check(&index, "rate crad", &["rate-card-importer"]);
    check(&index, "crad rate", &["rate-card-importer"]);
    check(&index, "apj", &[]);
    check(&index, "bkng", &[]);
}

#[tokio::test]
async fn exact_words_rank_above_misspelt_ones() {
    let index =
        index_of(&[component("crates", json!({})), component("lanes", json!({"description": "The rates of a lane."}))])
            .await;
    check(&index, "rates", &["lanes", "crates"]);
}

#[tokio::test]
async fn all_words_must_match_unless_nothing_has_them_all() {
    let index = index_of(&[
        component("booking-api", json!({})),
        component("booking-web", json!({"description": "Where customers book."})),
        component("tracking-api", json!({})),
    ])
    .await;
    check(&index, "booking api", &["booking-api"]);
    let matches = index.find("tracking zebra", Scope::Everything, None).unwrap();
    assert!(!matches.has_all_words());
    check(&index, "tracking zebra", &["tracking-api"]);
    check(&index, "how to book with the booking web", &["booking-web"]);
    check(&index, "zebra", &[]);
    check(&index, "--", &[]);
    assert_eq!(index.find(" ", Scope::Everything, None).unwrap().rows().len(), 3);
}

#[tokio::test]
async fn what_may_not_be_seen_is_neither_counted_nor_suggested() {
    let index = index_of(&[component("booking-api", json!({})), component("booking-secret", json!({}))]).await;
    let visible: RoaringBitmap = [0].into_iter().collect();
    let matches = index.find("booking", Scope::Everything, Some(&visible)).unwrap();
    assert_eq!(matches.rows(), visible);
    let matches = index.find("zzsecret", Scope::Everything, Some(&visible)).unwrap();
    assert_eq!(matches.suggestions(Some(&visible)).unwrap(), Vec::<String>::new());
    let matches = index.find("zzsecret", Scope::Everything, None).unwrap();
    assert_eq!(matches.suggestions(None).unwrap(), ["secret"]);
}

#[tokio::test]
async fn without_hits_near_words_are_suggested() {
    let index = index_of(&[
        component("tracking-api", json!({})),
        component("tracking-web", json!({})),
        component("trekking", json!({})),
    ])
    .await;
    let matches = index.find("the trakcinng", Scope::Everything, None).unwrap();
    assert_eq!(matches.suggestions(None).unwrap(), ["the tracking"]);
    assert_eq!(index.find("qqqqqq", Scope::Everything, None).unwrap().suggestions(None).unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_hit_quotes_what_matched() {
    let index = index_of(&[
        component(
            "pricing",
            json!({"title": "Pricing", "type": "openapi", "definition":
            "{\"paths\": {\"/rate-cards\": {\"get\": {\"summary\": \"Lists the valid rate cards\"}}}}"}),
        ),
        component("importer", json!({"description": "Nightly import of rate cards.", "labels": {"tier": "gold"}})),
    ])
    .await;
    let show = |text: &str| {
        let hits = index.find(text, Scope::Everything, None).unwrap().page(10, None, None).unwrap();
        hits.iter()
            .map(|hit| {
                let snippet = hit.snippet.iter().map(|s| if s.mark { format!("[{}]", s.text) } else { s.text.clone() });
                format!("{}: {}", hit.matched_in, snippet.collect::<String>())
            })
            .collect::<Vec<_>>()
    };
    let expected = [
        "description: Nightly import of [rate cards].",
        "definition: GET /[rate-cards] — Lists the valid [rate cards]",
    ];
    assert_eq!(show("rate cards"), expected);
    assert_eq!(show("gold"), ["label: [gold]"]);
    assert_eq!(show("import"), ["name: Nightly [import] of rate cards."]);
}

#[tokio::test]
async fn completions_look_at_names_only() {
    let index = index_of(&[
        component("booking-api", json!({})),
        component("web", json!({"description": "A page for booking."})),
    ])
    .await;
    let hits = index.find("book", Scope::Names, None).unwrap().page(10, None, None).unwrap();
    assert_eq!(hits.iter().map(|hit| hit.stored.name.as_str()).collect::<Vec<_>>(), ["booking-api"]);
}

#[tokio::test]
async fn changes_replace_and_remove() {
    let index = index_of(&[component("old-name", json!({})), component("stays", json!({}))]).await;
    index.apply(vec![removal("old-name"), upserts(&[component("new-name", json!({}))]).remove(0)], 2).await.unwrap();
    assert!(index.wait_for(2, PATIENCE).await);
    check(&index, "old", &[]);
    check(&index, "new", &["new-name"]);
    index.apply(vec![removal("new-name"), removal("never-there")], 3).await.unwrap();
    assert!(index.wait_for(3, PATIENCE).await);
    check(&index, "new", &[]);
    check(&index, "stays", &["stays"]);
    index.apply(vec![SearchChange::Clear], 4).await.unwrap();
    assert!(index.wait_for(4, PATIENCE).await);
    assert_eq!((index.len(), index.seq()), (0, 4));
    index.apply(upserts(&[component("again", json!({}))]), 5).await.unwrap();
    assert!(index.wait_for(5, PATIENCE).await);
    check(&index, "again", &["again"]);
    assert!(!index.wait_for(6, Duration::from_millis(20)).await);
}

#[tokio::test]
async fn many_small_changes_keep_one_document_each() {
    let index = SearchIndex::in_memory().unwrap();
    for seq in 1..=60 {
        let title = json!({"title": format!("Version {seq}")});
        index.apply(upserts(&[component("name", title), component("other", json!({}))]), seq).await.unwrap();
        if seq % 7 == 0 {
            assert!(index.wait_for(seq, PATIENCE).await);
        }
    }
    assert!(index.wait_for(60, PATIENCE).await);
    assert_eq!(index.len(), 2);
    check(&index, "version 60", &["name"]);
    check(&index, "version 59", &["name"]);
    assert!(!index.find("version 59", Scope::Everything, None).unwrap().has_all_words());
}

#[tokio::test]
async fn an_index_is_kept_and_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("search");
    {
        let index = SearchIndex::open(&path).unwrap();
        assert_eq!(index.seq(), 0);
        index.apply(upserts(&[component("kept", json!({}))]), 41).await.unwrap();
        assert!(index.wait_for(41, PATIENCE).await);
        // A second process on the same directory does without it.
        let other = SearchIndex::open(&path).unwrap();
        assert_eq!((other.seq(), other.len()), (0, 0));
        index.close().await;
        assert!(index.apply(Vec::new(), 42).await.is_err());
        check(&index, "kept", &["kept"]);
    }
    let index = SearchIndex::open(&path).unwrap();
    assert_eq!(index.seq(), 41);
    check(&index, "kept", &["kept"]);
    index.apply(vec![removal("kept")], 42).await.unwrap();
    assert!(index.wait_for(42, PATIENCE).await);
    assert!(index.is_empty());
}

#[tokio::test]
async fn a_damaged_index_is_built_anew() {
    for damage in ["meta.json", "store", "term", "payload"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("search");
        {
            let index = SearchIndex::open(&path).unwrap();
            index.apply(upserts(&[component("kept", json!({}))]), 41).await.unwrap();
            index.close().await;
        }
        if damage == "payload" {
            let meta = std::fs::read_to_string(path.join("meta.json")).unwrap();
            std::fs::write(path.join("meta.json"), meta.replace("version", "versiom")).unwrap();
        } else {
            for file in std::fs::read_dir(&path).unwrap().flatten() {
                if file.file_name().to_string_lossy().ends_with(damage) {
                    std::fs::write(file.path(), b"not this").unwrap();
                }
            }
        }
        let index = SearchIndex::open(&path).unwrap();
        assert_eq!((index.seq(), index.len()), (0, 0), "{damage}");
        index.apply(upserts(&[component("again", json!({}))]), 1).await.unwrap();
        assert!(index.wait_for(1, PATIENCE).await);
        check(&index, "again", &["again"]);
    }
}

#[tokio::test]
async fn pages_follow_each_other() {
    let entities: Vec<Value> = (0..25).map(|n| component(&format!("service-{n}"), json!({}))).collect();
    let index = index_of(&entities).await;
    let matches = index.find("serv", Scope::Everything, None).unwrap();
    assert_eq!(matches.rows().len(), 25);
    let mut seen = RoaringBitmap::new();
    let mut after: Option<Position> = None;
    for expected in [10, 10, 5, 0] {
        let page = matches.page(10, after, None).unwrap();
        assert_eq!(page.len(), expected);
        assert!(page.iter().all(|hit| seen.insert(hit.row)));
        after = page.last().map(Hit::position).or(after);
    }
    let odd: RoaringBitmap = (1..25).step_by(2).collect();
    let page = matches.page(100, None, Some(&odd)).unwrap();
    assert_eq!(page.len(), 12);
    let rows: Vec<u32> = matches.hits_of(&[7, 3, 99]).unwrap().iter().map(|hit| hit.row).collect();
    assert_eq!(rows, [7, 3]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_text_is_a_query(text in "(\\PC|[a-z\"():~*^-]){0,120}", name in "[A-Za-z][A-Za-z0-9._-]{0,30}[a-z0-9]") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let index = index_of(&[component(&name, json!({"title": text, "description": text}))]).await;
            for text in [&text, &name] {
                let matches = index.find(text, Scope::Everything, None).unwrap();
                let page = matches.page(5, None, None).unwrap();
                assert_eq!(page.len() as u64, matches.rows().len());
                matches.suggestions(None).unwrap();
            }
            assert_eq!(names(&index, &name), std::slice::from_ref(&name));
        });
    }
}

//! Search over HTTP.

use std::time::Duration;

use portal_api::search::{SearchChange, SearchIndex};
use serde_json::{Value, json};

use crate::harness::{Portal, component};
use crate::on_both;

fn described(name: &str, owner: &str, metadata: Value) -> Value {
    let mut entity = component(name, owner);
    for (key, value) in metadata.as_object().unwrap() {
        entity["metadata"][key] = value.clone();
    }
    entity
}

fn api(name: &str, definition: &str) -> Value {
    json!({"apiVersion": "backstage.io/v1alpha1", "kind": "API", "metadata": {"name": name},
        "spec": {"type": "openapi", "lifecycle": "experimental", "owner": "pricing", "definition": definition}})
}

fn team(name: &str, title: &str) -> Value {
    json!({"apiVersion": "backstage.io/v1alpha1", "kind": "Group", "metadata": {"name": name, "title": title},
        "spec": {"type": "team", "children": []}})
}

/// A catalog in which `ledger` stands in every place that is searched.
async fn ledgers(portal: &Portal) -> i64 {
    let definition = format!(
        "openapi: 3.1.0\ninfo:\n  title: Prices\n  version: '1'\npaths:\n  /accounts:\n    get:\n      summary: Lists the ledger\n      description: {}\n",
        "All of it. ".repeat(120)
    );
    portal
        .store(&[
            api("prices", &definition),
            described("reports", "pricing", json!({"description": "Explains what the ledger says."})),
            described("exports", "pricing", json!({"tags": ["ledger"]})),
            described("archive", "booking", json!({"title": "The ledger of all years"})),
            described("new-ledger", "booking", json!({})),
            described("ledger-sync", "booking", json!({"tags": ["rust"]})),
            described("ledger", "booking", json!({"description": "Who owes what to whom."})),
            team("booking", "Booking"),
        ])
        .await
}

async fn search(portal: &Portal, query: &str, seq: i64) -> Value {
    portal.get(&format!("/api/v1/search?{query}&min_seq={seq}")).await.json(200)
}

fn names(results: &Value) -> Vec<&str> {
    results["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

/// Marks in brackets.
fn shown(segments: &Value) -> String {
    let show = |segment: &Value| {
        let text = segment["text"].as_str().unwrap();
        if segment["mark"] == true { format!("[{text}]") } else { text.to_owned() }
    };
    segments.as_array().unwrap().iter().map(show).collect()
}

on_both!(names_rank_before_titles_tags_descriptions_and_definitions, portal, {
    let seq = ledgers(&portal).await;
    let results = search(&portal, "q=ledger", seq).await;
    let expected = ["ledger", "ledger-sync", "new-ledger", "archive", "exports", "reports", "prices"];
    assert_eq!(names(&results), expected);
    assert_eq!(results["total"], 7);
    assert!(results["seq"].as_i64().unwrap() >= seq);
    for (typed, first) in
        [("ledg", "ledger"), ("ledgr", "ledger"), ("sync+led", "ledger-sync"), ("Ledger-SYNC", "ledger-sync")]
    {
        assert_eq!(names(&search(&portal, &format!("q={typed}"), seq).await)[0], first, "{typed}");
    }
});

on_both!(a_hit_shows_what_matched, portal, {
    let seq = ledgers(&portal).await;
    let results = search(&portal, "q=ledger", seq).await;
    let hit = |name: &str| results["items"].as_array().unwrap().iter().find(|item| item["name"] == name).unwrap();
    assert_eq!(shown(&hit("archive")["title_segments"]), "The [ledger] of all years");
    assert_eq!(hit("archive")["matched_in"], "title");
    assert_eq!(shown(&hit("reports")["snippet"]), "Explains what the [ledger] says.");
    assert_eq!(hit("reports")["matched_in"], "description");
    let quoted = shown(&hit("prices")["snippet"]);
    assert!(quoted.starts_with("GET /accounts — Lists the [ledger] — All of it."), "{quoted}");
    assert_eq!(hit("prices")["matched_in"], "definition");
    let ledger = hit("ledger");
    assert_eq!(ledger["entity_ref"], "component:default/ledger");
    assert_eq!(ledger["owner"]["title"], "Booking");
    assert_eq!(shown(&ledger["snippet"]), "Who owes what to whom.");
});

on_both!(filters_narrow_and_facets_count_beside_them, portal, {
    let seq = ledgers(&portal).await;
    let results = search(&portal, "q=ledger&owner=booking&kind=Component", seq).await;
    assert_eq!(results["total"], 4);
    let owners = json!([
        {"value": "group:default/booking", "count": 4, "title": "Booking"},
        {"value": "group:default/pricing", "count": 2, "title": "pricing"},
    ]);
    assert_eq!(results["facets"]["owner"], owners);
    assert_eq!(results["facets"]["kind"], json!([{"value": "Component", "count": 4}]));
    assert_eq!(search(&portal, "q=ledger&tag=ledger&tag=rust", seq).await["total"], 2);
    assert_eq!(search(&portal, "q=ledger&lifecycle=experimental&type=openapi", seq).await["total"], 1);
    let facets = search(&portal, "q=ledger&facet=tag&limit=0", seq).await;
    assert_eq!(facets["facets"], json!({"tag": [{"value": "ledger", "count": 1}, {"value": "rust", "count": 1}]}));
    assert_eq!((names(&facets).len(), &facets["total"]), (0, &json!(7)));
});

on_both!(pages_cover_every_hit_once_in_any_order, portal, {
    let many: Vec<Value> = (0..25).map(|number| component(&format!("service-{number:02}"), "team-a")).collect();
    let seq = portal.store(&many).await;
    for order in ["relevance", "name", "-name"] {
        let mut seen: Vec<String> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = search(&portal, &format!("q=service&sort={order}&limit=10{cursor}"), seq).await;
            assert_eq!(page["total"], 25);
            seen.extend(names(&page).into_iter().map(str::to_owned));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut sorted = seen.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!((seen.len(), sorted.len()), (25, 25), "{order}");
        if order == "-name" {
            sorted.reverse();
        }
        if order != "relevance" {
            assert_eq!(seen, sorted);
        }
    }
    // Without a text, everything is listed by name.
    let all = search(&portal, "limit=3", seq).await;
    assert_eq!((names(&all), &all["total"]), (vec!["service-00", "service-01", "service-02"], &json!(25)));
});

on_both!(without_hits_other_words_are_suggested, portal, {
    let seq = ledgers(&portal).await;
    let results = search(&portal, "q=lddgerr", seq).await;
    assert_eq!((&results["items"], &results["total"], &results["next_cursor"]), (&json!([]), &json!(0), &Value::Null));
    assert_eq!(results["suggestions"][0], "ledger");
    assert_eq!(search(&portal, "q=qwxyzqwxyz", seq).await["suggestions"], json!([]));
});

on_both!(any_text_is_a_query_and_any_other_parameter_is_read_strictly, portal, {
    let seq = ledgers(&portal).await;
    for text in ["%22", "AND+OR+(", "name:*", "%F0%9F%92%A9", "%00", "~2%5E%5B", "a%20%20-%20b", &"x+".repeat(2000)] {
        search(&portal, &format!("q={text}"), seq).await;
    }
    for (query, parameter) in [
        ("query=ledger", "query"),
        ("q=a&q=b", "q"),
        ("q=a&limit=101", "limit"),
        ("q=a&facet=colour", "facet"),
        ("q=a&owner=a:", "owner"),
        ("q=a&sort=-", "sort"),
        ("q=a&cursor=nonsense", "cursor"),
        ("q=a&cursor=e30", "cursor"),
    ] {
        let problem = portal.get(&format!("/api/v1/search?{query}")).await.problem(400, "invalid_parameter");
        assert_eq!(problem["errors"][0]["pointer"], parameter, "{query}");
    }
    let page = search(&portal, "q=ledger&limit=1", seq).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    portal.get(&format!("/api/v1/search?q=other&cursor={cursor}")).await.problem(400, "invalid_parameter");
});

on_both!(a_change_is_found_by_whoever_waits_for_it, portal, {
    portal.store(&[component("before", "team-a"), component("stays", "team-a")]).await;
    let seq = portal.store(&[described("before", "team-a", json!({"title": "Weighbridge"}))]).await;
    let results = search(&portal, "q=weighbridge", seq).await;
    assert_eq!(names(&results), ["before"]);
    portal.delete("/api/v1/entities/component/default/before").await;
    let gone = async {
        while search(&portal, "q=weighbridge", seq).await["total"] != 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.unwrap();
});

async fn restarts(mut portal: Portal) {
    let seq = ledgers(&portal).await;
    assert_eq!(search(&portal, "q=ledger", seq).await["total"], 7);
    portal.restart().await;
    assert!(portal.app.search.seq() >= seq, "{}", portal.app.search.seq());
    assert_eq!(search(&portal, "q=ledger", seq).await["total"], 7);
    portal.app.search.close().await;
    for file in std::fs::read_dir(portal.folder.join("search")).unwrap().flatten() {
        std::fs::write(file.path(), b"damaged").unwrap();
    }
    portal.restart().await;
    assert_eq!(search(&portal, "q=ledger", seq).await["total"], 7);
    // An index of another database is not trusted.
    portal.app.search.close().await;
    let alien = SearchIndex::open(&portal.folder.join("search")).unwrap();
    alien.apply(vec![SearchChange::Clear], seq + 1_000_000).await.unwrap();
    alien.close().await;
    portal.restart().await;
    let rebuilt = async {
        while search(&portal, "q=ledger", seq).await["total"] != 7 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), rebuilt).await.unwrap();
    portal.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_the_index_and_rebuilds_what_is_lost() {
    restarts(Portal::sqlite().await).await;
    if let Some(portal) = Portal::postgres().await {
        restarts(portal).await;
    }
}

on_both!(suggestions_complete_names, portal, {
    let seq = ledgers(&portal).await;
    search(&portal, "q=ledger", seq).await;
    let list = portal.get("/api/v1/suggestions?q=ledg&limit=3").await.json(200);
    assert_eq!(names(&list), ["ledger", "ledger-sync", "new-ledger"]);
    assert_eq!(shown(&list["items"][1]["title_segments"]), "[ledg]er-sync");
    assert_eq!(names(&portal.get("/api/v1/suggestions?q=book&kind=group").await.json(200)), ["booking"]);
    let within = async |filter: &str| {
        let list = portal.get(&format!("/api/v1/suggestions?q=ledg&kind=component&filter={filter}")).await.json(200);
        names(&list).len()
    };
    assert!(within("spec.type=service").await > 0);
    assert_eq!(within("spec.type=website").await, 0);
    // Nothing is named like this, and one could be meant.
    let list = portal.get("/api/v1/suggestions?q=ldsync&kind=component").await.json(200);
    assert_eq!(names(&list)[..1], ["ledger-sync"]);
    assert_eq!(shown(&list["items"][0]["title_segments"]), "[l]e[d]ger-[sync]");
    assert_eq!(names(&portal.get("/api/v1/suggestions?q=ldsync&kind=group").await.json(200)).len(), 0);
    portal.get("/api/v1/suggestions?q=ledg&filter=%3Dx").await.is(400);
    assert_eq!(names(&portal.get("/api/v1/suggestions?q=").await.json(200)).len(), 0);
    portal.get("/api/v1/suggestions?q=a&limit=0").await.problem(400, "invalid_parameter");
});

on_both!(backstage_clients_get_their_own_shape, portal, {
    let seq = ledgers(&portal).await;
    search(&portal, "q=ledger", seq).await;
    let first = portal.get("/api/search/query?term=ledger&pageLimit=2&filters[kind]=Component").await.json(200);
    assert_eq!(first["numberOfResults"], 6);
    let result = &first["results"][0];
    assert_eq!((&result["type"], &result["rank"]), (&json!("software-catalog"), &json!(1)));
    assert_eq!(result["document"]["location"], "/catalog/default/component/ledger");
    assert_eq!(result["highlight"]["fields"]["title"], "<mark>ledger</mark>");
    assert_eq!(first["previousPageCursor"], Value::Null);
    let cursor = first["nextPageCursor"].as_str().unwrap().replace('=', "%3D");
    let path = format!("/api/search/query?term=ledger&pageLimit=2&filters[kind]=Component&pageCursor={cursor}");
    let second = portal.get(&path).await.json(200);
    assert_eq!((&second["results"][0]["rank"], second["results"].as_array().unwrap().len()), (&json!(3), 2));
    assert!(second["previousPageCursor"].is_string());
    assert_eq!(portal.get("/api/search/query?term=ledger&types[]=techdocs").await.json(200)["numberOfResults"], 0);
    let error = portal.get("/api/search/query?pageLimit=1000").await.json(400);
    assert_eq!((&error["error"]["name"], &error["response"]["statusCode"]), (&json!("InputError"), &json!(400)));
});

on_both!(searches_and_clicks_are_recorded, portal, {
    let seq = ledgers(&portal).await;
    search(&portal, "q=ledger", seq).await;
    let click = json!({"q": "ledger", "entity_ref": "Component:ledger", "rank": 1});
    portal.post("/api/v1/search/clicks", &click).await.is(204);
    portal
        .post("/api/v1/search/clicks", &json!({"q": "a", "entity_ref": "a:b", "rank": 0}))
        .await
        .problem(422, "invalid_field");
    portal
        .post("/api/v1/search/clicks", &json!({"q": "a", "entity_ref": "b", "rank": 1}))
        .await
        .problem(422, "invalid_field");
    portal.post("/api/v1/search/clicks", &json!({"q": "a"})).await.problem(422, "invalid_body");
    let recorded = async {
        loop {
            let events = events(&portal).await;
            if events.len() == 2 {
                return events;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let events = tokio::time::timeout(Duration::from_secs(60), recorded).await.unwrap();
    let expected = [
        ("search".to_owned(), "ledger".to_owned(), None, Some(7)),
        ("click".to_owned(), "component:default/ledger ledger".to_owned(), Some(1), None),
    ];
    assert_eq!(events, expected);
});

/// Verb, object, rank and result count of what search recorded.
async fn events(portal: &Portal) -> Vec<(String, String, Option<i32>, Option<i32>)> {
    use portal_api::db::entity::event::{Column, Entity};
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
    let rows = Entity::find().filter(Column::Verb.is_in(["search", "click"])).order_by_asc(Column::Id);
    let rows = rows.all(portal.app.db.reader()).await.unwrap();
    rows.into_iter().map(|row| (row.verb, row.object, row.rank, row.result_count)).collect()
}

//! Sources over HTTP, and what reading them does to the catalog.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use portal_api::sources::jobs;
use serde_json::{Value, json};

use crate::harness::Portal;
use crate::hostile::Hostile;
use crate::on_both;

mod bad_input;
mod corpus;
mod documentation;
mod git;
mod locations;
mod preview;
mod replicas;
mod ssh;

/// A folder of the test, under the portal's own.
fn folder(portal: &Portal) -> PathBuf {
    let folder = portal.folder.join("files");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn component(name: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: service\n  lifecycle: production\n  owner: team-a\n"
    )
}

pub(crate) fn path_source(folder: &Path) -> Value {
    json!({"type": "path", "target": folder.display().to_string()})
}

/// Adds a source and waits for its first pass.
pub(crate) async fn add(portal: &Portal, source: &Value) -> i64 {
    let view = portal.post("/api/v1/sources", source).await.json(201);
    let id = view["id"].as_i64().unwrap();
    until(portal, id, 1).await;
    id
}

/// Asks for a pass and waits for it.
pub(crate) async fn refresh(portal: &Portal, id: i64) -> Value {
    portal.clock.advance(chrono::Duration::milliseconds(1));
    let before = passes(portal, id).await.len();
    portal.call(axum::http::Method::POST, &format!("/api/v1/sources/{id}/refresh"), None).await.json(202);
    until(portal, id, before + 1).await;
    passes(portal, id).await.remove(0)
}

/// Waits until a source has so many finished passes.
async fn until(portal: &Portal, id: i64, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let passes = passes(portal, id).await;
        let view = portal.get(&format!("/api/v1/sources/{id}")).await.json(200);
        if passes.len() >= count
            && passes.iter().all(|pass| !pass["finished_at"].is_null())
            && view["state"] != "reading"
        {
            break;
        }
        assert!(Instant::now() < deadline, "source {id} has not been read: {view} {passes:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seq = portal_api::changes::store::last_seq(portal.app.db.reader()).await.unwrap();
    assert!(portal.app.catalog.wait_for(seq).await);
}

async fn passes(portal: &Portal, id: i64) -> Vec<Value> {
    let list = portal.get(&format!("/api/v1/sources/{id}/passes?limit=200")).await.json(200);
    list["items"].as_array().unwrap().clone()
}

async fn errors(portal: &Portal, id: i64) -> Vec<Value> {
    portal.get(&format!("/api/v1/sources/{id}/errors")).await.json(200)["items"].as_array().unwrap().clone()
}

async fn view(portal: &Portal, id: i64) -> Value {
    portal.get(&format!("/api/v1/sources/{id}")).await.json(200)
}

async fn entity(portal: &Portal, name: &str) -> Option<Value> {
    let answer = portal.get(&format!("/api/v1/entities/component/default/{name}")).await;
    (answer.status == 200).then(|| answer.json(200))
}

async fn exists(portal: &Portal, name: &str) -> bool {
    entity(portal, name).await.is_some()
}

/// The newest change of an entity.
async fn last_seq(portal: &Portal) -> i64 {
    let changes = portal_api::changes::store::after(portal.app.db.reader(), 0, 1_000_000).await.unwrap();
    changes.iter().rev().find(|change| change.subject.starts_with("entity:")).map_or(0, |change| change.seq)
}

on_both!(errors_are_found_by_what_the_document_declares, portal, {
    let folder = portal.folder.join("team_a");
    std::fs::create_dir_all(folder.join("my_files")).unwrap();
    let broken = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: My-Service\nspec:\n  type: service\n  lifecyle: production\n  owner: a\n";
    std::fs::write(folder.join("my_files/catalog-info.yaml"), broken).unwrap();
    let id = add(&portal, &path_source(&folder)).await;
    let find = async |text: &str| {
        let found = portal.get(&format!("/api/v1/source-errors?q={text}")).await.json(200);
        assert_eq!(found["total"].as_u64().unwrap() > 0, !found["items"].as_array().unwrap().is_empty(), "{found}");
        found["items"].as_array().unwrap().clone()
    };
    let found = find("my-serv").await;
    assert_eq!((&found[0]["source_id"], &found[0]["entity_ref"]), (&json!(id), &json!("component:default/my-service")));
    assert!(found[0]["hint"].as_str().unwrap().contains("lifecycle"), "{found:?}");
    assert_eq!(find("%20MY-SERVICE%20").await, found, "in any case");
    assert_eq!(find("MY_files/catalog").await, found, "the file as well");
    assert_eq!(find("team_a").await, Vec::<Value>::new(), "it says what it is");
    // Wildcards of the database are letters like others.
    for nothing in ["my%25service", "my%25files", "myxfiles", "my_service", "%5C%5C", "''"] {
        assert_eq!(find(nothing).await, Vec::<Value>::new(), "{nothing}");
    }
    std::fs::write(folder.join("my_files/catalog-info.yaml"), "a: [").unwrap();
    refresh(&portal, id).await;
    assert_eq!(find("team_a").await[0]["entity_ref"], Value::Null, "it says of nothing, and may be what is looked for");
    // One that was good is found by what its file held.
    std::fs::write(folder.join("my_files/catalog-info.yaml"), broken.replace("lifecyle", "lifecycle")).unwrap();
    refresh(&portal, id).await;
    assert_eq!(find("my-service").await, Vec::<Value>::new());
    std::fs::write(folder.join("my_files/catalog-info.yaml"), "a: [").unwrap();
    refresh(&portal, id).await;
    assert_eq!(find("my-service").await.len(), 1);
    for wrong in ["", "?q=", "?q=a", "?q=ab&limit=0", "?q=ab&q=cd", "?q=ab&other=1"] {
        portal.get(&format!("/api/v1/source-errors{wrong}")).await.problem(400, "invalid_parameter");
    }
    portal.get(&format!("/api/v1/source-errors?q={}", "a".repeat(201))).await.problem(400, "invalid_parameter");
});

on_both!(a_folder_becomes_entities_with_their_provenance, portal, {
    let files = folder(&portal);
    write(&files, "a/catalog-info.yaml", component("one"));
    write(&files, "b/catalog-info.yml", format!("{}---\n{}", component("two"), component("three")));
    write(&files, "b/other.yaml", component("not-read"));
    write(&files, ".git/catalog-info.yaml", component("hidden"));
    let id = add(&portal, &path_source(&files)).await;
    let three = entity(&portal, "three").await.unwrap();
    assert_eq!(three["provenance"]["source_id"], id);
    assert_eq!(three["provenance"]["location"], "b/catalog-info.yml");
    assert_eq!((three["provenance"]["document"].as_u64(), three["provenance"]["line"].as_u64()), (Some(1), Some(10)));
    assert!(exists(&portal, "one").await && exists(&portal, "two").await);
    assert!(!exists(&portal, "not-read").await && !exists(&portal, "hidden").await);
    let view = view(&portal, id).await;
    assert_eq!(
        (view["state"].as_str(), view["entity_count"].as_u64(), view["error_count"].as_u64()),
        (Some("ok"), Some(3), Some(0))
    );
    let pass = &view["last_pass"];
    assert_eq!(
        (pass["trigger"].as_str(), pass["created"].as_i64(), pass["documents"].as_i64()),
        (Some("start"), Some(3), Some(3))
    );
});

on_both!(unchanged_input_writes_nothing, portal, {
    let files = folder(&portal);
    write(&files, "a/catalog-info.yaml", component("one"));
    let id = add(&portal, &path_source(&files)).await;
    let (seq, logged) = (last_seq(&portal).await, passes(&portal, id).await.len());
    let pass = refresh(&portal, id).await;
    assert_eq!(
        (pass["created"].as_i64(), pass["updated"].as_i64(), pass["unchanged"].as_i64()),
        (Some(0), Some(0), Some(1))
    );
    assert_eq!(last_seq(&portal).await, seq);
    // A scheduled pass that finds nothing is not even logged.
    portal.clock.advance(chrono::Duration::hours(1));
    jobs::enqueue_due(&portal.app, false).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while view(&portal, id).await["next_pass_at"].as_str().unwrap() < "2026-11-17T10:00:00Z" {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(passes(&portal, id).await.len(), logged + 1);
    assert_eq!(last_seq(&portal).await, seq);
    let all = portal_api::changes::store::last_seq(portal.app.db.reader()).await.unwrap();
    jobs::enqueue_due(&portal.app, false).await.unwrap();
    assert_eq!(portal_api::changes::store::last_seq(portal.app.db.reader()).await.unwrap(), all);
});

on_both!(only_what_changed_is_written, portal, {
    let files = folder(&portal);
    write(&files, "a/catalog-info.yaml", format!("{}---\n{}", component("one"), component("two")));
    write(&files, "b/catalog-info.yaml", component("three"));
    let id = add(&portal, &path_source(&files)).await;
    let seq = last_seq(&portal).await;
    write(
        &files,
        "a/catalog-info.yaml",
        format!("{}---\n{}", component("one"), component("two").replace("production", "deprecated")),
    );
    let pass = refresh(&portal, id).await;
    assert_eq!((pass["updated"].as_i64(), pass["unchanged"].as_i64()), (Some(1), Some(2)));
    let changes = portal_api::changes::store::after(portal.app.db.reader(), seq, 1_000).await.unwrap();
    assert_eq!(changes.iter().filter(|change| change.subject.starts_with("entity:")).count(), 1);
    assert_eq!(entity(&portal, "two").await.unwrap()["entity"]["spec"]["lifecycle"], "deprecated");
});

on_both!(a_broken_document_keeps_its_last_good_version, portal, {
    let files = folder(&portal);
    let two = format!("{}---\n{}", component("one"), component("two"));
    write(&files, "catalog-info.yaml", &two);
    let id = add(&portal, &path_source(&files)).await;
    write(
        &files,
        "catalog-info.yaml",
        format!("{}---\n{}", component("one"), component("two").replace("lifecycle", "lifecycel")),
    );
    refresh(&portal, id).await;
    let stale = entity(&portal, "two").await.unwrap();
    assert_eq!(stale["provenance"]["stale"], true);
    assert_eq!(stale["entity"]["spec"]["lifecycle"], "production");
    let error = &stale["errors"][0];
    assert_eq!(
        (error["source_id"].as_i64(), error["file"].as_str(), error["document"].as_u64()),
        (Some(id), Some("catalog-info.yaml"), Some(1))
    );
    assert!(
        error["excerpt"].as_array().unwrap().iter().any(|line| line["text"].as_str().unwrap().contains("lifecycel")),
        "{error}"
    );
    assert_eq!(entity(&portal, "one").await.unwrap()["provenance"]["stale"], false);
    assert_eq!(view(&portal, id).await["state"], "degraded");
    // A file that is not even YAML: nothing of it is lost.
    write(&files, "catalog-info.yaml", "a: [\n");
    refresh(&portal, id).await;
    for name in ["one", "two"] {
        let entity = entity(&portal, name).await.unwrap();
        assert_eq!(
            (entity["provenance"]["stale"].as_bool(), entity["provenance"]["orphan_since"].is_null()),
            (Some(true), true),
            "{name}"
        );
        assert_eq!(entity["errors"].as_array().unwrap().len(), 1, "{name}");
    }
    write(&files, "catalog-info.yaml", &two);
    refresh(&portal, id).await;
    assert_eq!(entity(&portal, "two").await.unwrap()["provenance"]["stale"], false);
    assert_eq!(view(&portal, id).await["state"], "ok");
});

on_both!(what_is_no_longer_declared_is_orphaned_and_later_removed, portal, {
    let files = folder(&portal);
    write(&files, "a/catalog-info.yaml", component("one"));
    write(&files, "b/catalog-info.yaml", format!("{}---\n{}", component("two"), component("three")));
    let id = add(&portal, &path_source(&files)).await;
    std::fs::remove_file(files.join("a/catalog-info.yaml")).unwrap();
    write(&files, "b/catalog-info.yaml", component("three"));
    let pass = refresh(&portal, id).await;
    assert_eq!(pass["removed"], 2);
    for name in ["one", "two"] {
        let provenance = entity(&portal, name).await.unwrap()["provenance"].clone();
        let until = provenance["orphan_until"].as_str().unwrap_or_default();
        assert!(until.starts_with("2026-11-24T09:00:00"), "{name}: {provenance}");
    }
    let orphans = async || {
        let path = "/api/v1/entities?filter=metadata.annotations.backstage.io/orphan=true";
        portal.get(path).await.json(200)["total"].clone()
    };
    assert_eq!(orphans().await, 2);
    // Within the grace period it may come back.
    portal.clock.advance(chrono::Duration::days(6));
    write(&files, "a/catalog-info.yaml", component("one"));
    refresh(&portal, id).await;
    jobs::sweep_now(&portal.app).await.unwrap();
    assert!(entity(&portal, "one").await.unwrap()["provenance"]["orphan_since"].is_null());
    assert_eq!(orphans().await, 1);
    assert!(exists(&portal, "two").await);
    portal.clock.advance(chrono::Duration::days(2));
    jobs::sweep_now(&portal.app).await.unwrap();
    assert!(portal.app.catalog.wait_for(last_seq(&portal).await).await);
    assert!(!exists(&portal, "two").await && exists(&portal, "one").await && exists(&portal, "three").await);
});

on_both!(an_entity_may_move_between_files, portal, {
    let files = folder(&portal);
    write(&files, "b/catalog-info.yaml", component("mover"));
    write(&files, "c/catalog-info.yaml", component("other"));
    let id = add(&portal, &path_source(&files)).await;
    let uid = entity(&portal, "mover").await.unwrap()["uid"].clone();
    // First to a file that is read before, then to one that is read after.
    for (from, to) in [("b", "a"), ("a", "d")] {
        std::fs::remove_file(files.join(from).join("catalog-info.yaml")).unwrap();
        write(&files, &format!("{to}/catalog-info.yaml"), component("mover"));
        refresh(&portal, id).await;
        let moved = entity(&portal, "mover").await.unwrap();
        assert_eq!(moved["provenance"]["location"], format!("{to}/catalog-info.yaml"));
        assert!(moved["provenance"]["orphan_since"].is_null());
        assert_eq!(moved["uid"], uid);
        assert!(errors(&portal, id).await.is_empty());
    }
});

on_both!(the_first_source_keeps_a_reference_and_both_are_told, portal, {
    let files = folder(&portal);
    write(&files, "first/catalog-info.yaml", component("shared"));
    write(&files, "second/catalog-info.yaml", format!("{}---\n{}", component("own"), component("SHARED")));
    let first = add(&portal, &path_source(&files.join("first"))).await;
    let second = add(&portal, &path_source(&files.join("second"))).await;
    let shared = entity(&portal, "shared").await.unwrap();
    assert_eq!(shared["provenance"]["source_id"], first);
    assert_eq!(shared["entity"]["metadata"]["name"], "shared");
    assert!(exists(&portal, "own").await);
    let told = errors(&portal, second).await;
    assert_eq!((told[0]["rule"].as_str(), told[0]["document"].as_u64()), (Some("conflict"), Some(1)));
    assert!(told[0]["message"].as_str().unwrap().contains(&format!("source {first}")), "{told:?}");
    assert!(
        told[0]["excerpt"].as_array().unwrap().iter().any(|line| line["text"].as_str().unwrap().contains("SHARED"))
    );
    let also = errors(&portal, first).await;
    assert!(also[0]["message"].as_str().unwrap().contains(&format!("source {second}")), "{also:?}");
    // When the first lets go, the second gets it without being asked again.
    write(&files, "first/catalog-info.yaml", "# nothing\n");
    refresh(&portal, first).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        portal.clock.advance(chrono::Duration::seconds(1));
        let shared = entity(&portal, "shared").await.unwrap();
        if shared["provenance"]["source_id"] == second && shared["provenance"]["orphan_since"].is_null() {
            break;
        }
        assert!(Instant::now() < deadline, "{shared}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
});

on_both!(users_and_own_annotations_need_a_trusted_source, portal, {
    let files = folder(&portal);
    let user = "apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata:\n  name: admin\nspec:\n  memberOf: []\n";
    let annotated =
        component("marked").replace("  name: marked\n", "  name: marked\n  annotations:\n    portal/role: admin\n");
    write(&files, "catalog-info.yaml", format!("{user}---\n{annotated}---\n{}", component("plain")));
    let id = add(&portal, &path_source(&files)).await;
    portal.get("/api/v1/entities/user/default/admin").await.problem(404, "entity_not_found");
    assert!(!exists(&portal, "marked").await && exists(&portal, "plain").await);
    let rules: Vec<_> =
        errors(&portal, id).await.iter().map(|error| error["rule"].as_str().unwrap().to_owned()).collect();
    assert_eq!(rules, ["untrusted_kind", "untrusted_annotation"]);
    let before = passes(&portal, id).await.len();
    portal.patch(&format!("/api/v1/sources/{id}"), &json!({"trusted": true})).await.json(200);
    until(&portal, id, before + 1).await;
    portal.get("/api/v1/entities/user/default/admin").await.json(200);
    assert!(exists(&portal, "marked").await && errors(&portal, id).await.is_empty());
    // Trust that is taken back takes the user along.
    portal.patch(&format!("/api/v1/sources/{id}"), &json!({"trusted": false})).await.json(200);
    until(&portal, id, before + 2).await;
    let user = portal.get("/api/v1/entities/user/default/admin").await.json(200);
    assert!(!user["provenance"]["orphan_since"].is_null());
});

on_both!(a_removed_source_leaves_orphans, portal, {
    let files = folder(&portal);
    write(&files, "catalog-info.yaml", component("one"));
    let id = add(&portal, &path_source(&files)).await;
    portal.delete(&format!("/api/v1/sources/{id}")).await.is(204);
    portal.get(&format!("/api/v1/sources/{id}")).await.problem(404, "source_not_found");
    let deadline = Instant::now() + Duration::from_secs(20);
    while entity(&portal, "one").await.unwrap()["provenance"]["orphan_since"].is_null() {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The same folder under a new source takes them over.
    let again = add(&portal, &path_source(&files)).await;
    assert_ne!(again, id);
    assert_eq!(entity(&portal, "one").await.unwrap()["provenance"]["source_id"], again);
});

on_both!(fields_that_cannot_be_accepted_are_named, portal, {
    let files = folder(&portal);
    let target = files.display().to_string();
    let cases = [
        (json!({"type": "path", "target": ""}), "invalid_source", "/target"),
        (json!({"type": "path", "target": format!("{target}/absent")}), "invalid_source", "/target"),
        (json!({"type": "path", "target": target, "branch": "main"}), "invalid_source", "/branch"),
        (json!({"type": "path", "target": target, "globs": ["{a"]}), "invalid_source", "/globs/0"),
        (json!({"type": "path", "target": target, "interval_seconds": 5}), "invalid_source", "/interval_seconds"),
        (json!({"type": "path", "target": target, "credential": "hunter2"}), "invalid_source", "/credential"),
        (
            json!({"type": "path", "target": target, "webhook_secret": "env:PORTAL_DATABASE_URL"}),
            "invalid_source",
            "/webhook_secret",
        ),
        (json!({"type": "http", "target": "http://169.254.169.254/latest"}), "egress_denied", "/target"),
        (json!({"type": "http", "target": "http://[::ffff:a9fe:a9fe]/x.yaml"}), "egress_denied", "/target"),
        (json!({"type": "http", "target": "ftp://127.0.0.1/x"}), "egress_denied", "/target"),
        (json!({"type": "http", "target": "http://user:pw@127.0.0.1/x"}), "invalid_source", "/target"),
        (json!({"type": "git", "target": "ext::sh -c id"}), "invalid_source", "/target"),
        (json!({"type": "git", "target": "--upload-pack=id"}), "invalid_source", "/target"),
        (json!({"type": "git", "target": "ssh://git@127.0.0.1/r"}), "invalid_source", "/target"),
        (json!({"type": "git", "target": "https://10.0.0.1/r"}), "egress_denied", "/target"),
        (json!({"type": "git", "target": "https://127.0.0.1/r", "branch": "-x"}), "invalid_source", "/branch"),
        (json!({"type": "sample", "target": "x"}), "invalid_source", "/target"),
    ];
    for (body, code, pointer) in cases {
        let problem = portal.post("/api/v1/sources", &body).await.problem(422, code);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    portal.post("/api/v1/sources", &json!({"type": "path"})).await.problem(422, "invalid_body");
    portal
        .post("/api/v1/sources", &json!({"type": "path", "target": target, "origin": "config"}))
        .await
        .problem(422, "invalid_body");
    assert_eq!(portal.get("/api/v1/sources").await.json(200)["total"], 0);
});

on_both!(sources_are_changed_under_conditions, portal, {
    let files = folder(&portal);
    write(&files, "catalog-info.yaml", component("one"));
    let created = portal.post("/api/v1/sources", &path_source(&files)).await;
    let view = created.json(201);
    let id = view["id"].as_i64().unwrap();
    let path = format!("/api/v1/sources/{id}");
    assert_eq!(created.headers["location"], path.as_str());
    assert_eq!(view["webhook_path"], format!("{path}/webhook"));
    portal.post("/api/v1/sources", &path_source(&files)).await.problem(409, "source_exists");
    let etag = created.headers["etag"].to_str().unwrap().to_owned();
    let patch = |etag: &str, body: Value| {
        let request = Request::builder()
            .method("PATCH")
            .uri(&path)
            .header("content-type", "application/json")
            .header("if-match", etag);
        portal.send(request.body(Body::from(body.to_string())).unwrap())
    };
    let changed = patch(&etag, json!({"interval_seconds": 900, "credential": "env:TOKEN"})).await.json(200);
    assert_eq!((changed["interval_seconds"].as_u64(), changed["credential"].as_str()), (Some(900), Some("env:TOKEN")));
    patch(&etag, json!({"interval_seconds": 901})).await.problem(412, "precondition_failed");
    let cleared = portal.patch(&path, &json!({"credential": null})).await.json(200);
    assert_eq!((cleared["interval_seconds"].as_u64(), cleared["credential"].is_null()), (Some(900), true));
    portal.patch(&path, &json!({"interval_seconds": 1})).await.problem(422, "invalid_source");
    for absent in [
        "/api/v1/sources/999",
        "/api/v1/sources/x",
        "/api/v1/sources/-1",
        "/api/v1/sources/999/passes",
        "/api/v1/sources/999/errors",
    ] {
        portal.get(absent).await.problem(404, "source_not_found");
    }
    portal.get("/api/v1/sources?x=1").await.problem(400, "invalid_parameter");
    portal.get(&format!("{path}/passes?cursor=nonsense")).await.problem(400, "invalid_parameter");
});

on_both!(a_request_that_is_sent_again_adds_one_source, portal, {
    let files = folder(&portal);
    let send = |key: &'static str, body: Value| {
        let request =
            Request::builder().method("POST").uri("/api/v1/sources").header("content-type", "application/json");
        portal.send(request.header("idempotency-key", key).body(Body::from(body.to_string())).unwrap())
    };
    let first = send("k1", path_source(&files)).await.json(201);
    let again = send("k1", path_source(&files)).await.json(201);
    assert_eq!(first["id"], again["id"]);
    send("k1", json!({"type": "path", "target": "/"})).await.problem(422, "idempotency_key_reused");
    assert_eq!(portal.get("/api/v1/sources").await.json(200)["total"], 1);
});

on_both!(documents_behind_urls_are_asked_for_by_their_tag, portal, {
    let server = Hostile::start().await;
    server.put("/catalog.yaml", component("remote"));
    let id = add(&portal, &json!({"type": "http", "target": server.url("/catalog.yaml")})).await;
    assert!(exists(&portal, "remote").await);
    let bodies = server.bodies();
    refresh(&portal, id).await;
    assert_eq!(server.bodies(), bodies);
    server.put("/catalog.yaml", component("remote").replace("production", "experimental"));
    assert_eq!(refresh(&portal, id).await["updated"], 1);
    // A server that is down for a while removes nothing.
    server.remove("/catalog.yaml");
    let pass = refresh(&portal, id).await;
    assert_eq!(pass["outcome"], "failed");
    let view = view(&portal, id).await;
    assert_eq!(view["state"], "failed");
    assert!(view["failure"].as_str().unwrap().contains("404"), "{view}");
    let kept = entity(&portal, "remote").await.unwrap();
    assert!(kept["provenance"]["orphan_since"].is_null());
    assert_eq!(kept["entity"]["spec"]["lifecycle"], "experimental");
});

on_both!(a_source_that_hangs_delays_no_other, portal, {
    let server = Hostile::start().await;
    for index in 0..8 {
        let target = server.url(&format!("/hang.yaml?{index}"));
        portal.post("/api/v1/sources", &json!({"type": "http", "target": target})).await.json(201);
    }
    let files = folder(&portal);
    write(&files, "catalog-info.yaml", component("quick"));
    let started = Instant::now();
    add(&portal, &path_source(&files)).await;
    assert!(started.elapsed() < Duration::from_secs(25));
    assert!(exists(&portal, "quick").await);
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_owns_its_sources() {
    let mut portal = Portal::with(|config| {
        let files = config.data_dir.join("files");
        write(&files, "catalog-info.yaml", component("configured"));
        config.sources = vec![portal_api::config::SourceConfig::guess(&files.display().to_string())];
        config.sample = true;
    })
    .await;
    let list = portal.get("/api/v1/sources").await.json(200);
    let ids: Vec<i64> = list["items"].as_array().unwrap().iter().map(|source| source["id"].as_i64().unwrap()).collect();
    for id in &ids {
        until(&portal, *id, 1).await;
    }
    let configured = view(&portal, ids[0]).await;
    assert_eq!((configured["origin"].as_str(), configured["trusted"].as_bool()), (Some("config"), Some(true)));
    assert!(exists(&portal, "configured").await);
    portal
        .patch(&format!("/api/v1/sources/{}", ids[0]), &json!({"interval_seconds": 600}))
        .await
        .problem(409, "configured_source");
    portal.delete(&format!("/api/v1/sources/{}", ids[0])).await.problem(409, "configured_source");
    // The sample organisation is complete, and may be thrown away.
    let sample = view(&portal, ids[1]).await;
    assert_eq!(
        (sample["type"].as_str(), sample["state"].as_str()),
        (Some("sample"), Some("ok")),
        "{:?}",
        errors(&portal, ids[1]).await
    );
    assert!(sample["entity_count"].as_u64().unwrap() > 100, "{sample}");
    portal.restart().await;
    assert_eq!(portal.get("/api/v1/sources").await.json(200)["total"], 2);
    portal.delete(&format!("/api/v1/sources/{}", ids[1])).await.is(204);
    portal.end().await;
}

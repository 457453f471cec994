//! Documentation: from the folder of a source to a page, and into search.

use serde_json::{Value, json};

use super::{add, component, folder, passes, path_source, refresh, until, write};
use crate::harness::Portal;
use crate::on_both;

const DOCS: &str = "/api/v1/entities/component/default/one/documentation";

fn documented(name: &str, reference: &str) -> String {
    component(name).replace("spec:", &format!("  annotations:\n    backstage.io/techdocs-ref: {reference}\nspec:"))
}

/// The newest sequence of the feed, whatever it is about.
async fn seq(portal: &Portal) -> i64 {
    portal_api::changes::store::last_seq(portal.app.db.reader()).await.unwrap()
}

async fn search(portal: &Portal, words: &str) -> Vec<Value> {
    let path = format!("/api/v1/search?q={words}&min_seq={}", seq(portal).await);
    portal.get(&path).await.json(200)["items"].as_array().unwrap().clone()
}

on_both!(documentation_follows_its_folder, portal, {
    let files = folder(&portal);
    write(&files, "a/catalog-info.yaml", documented("one", "dir:."));
    write(&files, "a/mkdocs.yml", "site_name: One's book\nnav:\n  - index.md\n  - Deep: deep/retries.md\n");
    write(
        &files,
        "a/docs/index.md",
        "# Start\nSee [retries](deep/retries.md#why).\n\n![flow](flow.svg)\n\n## Way in\n\n### Deeper\n",
    );
    write(&files, "a/docs/flow.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
    write(&files, "a/docs/deep/retries.md", "# On retries\n\nBackoff is exponential with zanzibar jitter.\n");
    let id = add(&portal, &path_source(&files)).await;

    let first = portal.get(DOCS).await.json(200);
    assert_eq!(first["title"], "One's book");
    assert_eq!(first["entity_ref"], "component:default/one");
    assert_eq!(
        first["nav"],
        json!([{"title": "Start", "page": "index.md"}, {"title": "Deep", "page": "deep/retries.md"}])
    );
    let page = &first["page"];
    assert_eq!((page["path"].as_str(), page["title"].as_str()), (Some("index.md"), Some("Start")));
    assert_eq!(
        page["headings"],
        json!([{"level": 2, "id": "doc-way-in", "text": "Way in"}, {"level": 3, "id": "doc-deeper", "text": "Deeper"}])
    );
    assert_eq!(page["next"], json!({"path": "deep/retries.md", "title": "Deep"}));
    let html = page["html"].as_str().unwrap();
    assert!(
        html.contains("href=\"/catalog/component/default/one?tab=docs&amp;page=deep%2Fretries.md#doc-why\""),
        "{html}"
    );
    assert!(html.contains(&format!("src=\"{DOCS}/file?path=flow.svg\"")), "{html}");

    let second = portal.get(&format!("{DOCS}?page=deep/retries.md")).await.json(200);
    assert_eq!(second["page"]["previous"], json!({"path": "index.md", "title": "Start"}));
    let image = portal.get(&format!("{DOCS}/file?path=flow.svg")).await;
    image.is(200);
    assert_eq!(image.headers["content-type"], "image/svg+xml");
    assert!(image.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));

    let hits = search(&portal, "zanzibar").await;
    assert_eq!(hits.len(), 1);
    assert_eq!((hits[0]["name"].as_str(), hits[0]["matched_in"].as_str()), (Some("one"), Some("documentation")));
    assert_eq!(hits[0]["page"], json!({"path": "deep/retries.md", "title": "On retries"}));

    // Nothing is written while nothing changes.
    let (before, told) = (seq(&portal).await, passes(&portal, id).await.len());
    refresh(&portal, id).await;
    let about = |change: &portal_api::changes::Change| change.subject.starts_with("documentation:");
    let since = portal_api::changes::store::after(portal.app.db.reader(), before, 100).await.unwrap();
    assert!(!since.iter().any(about) && passes(&portal, id).await.len() == told + 1);

    // A change of a page only is a change.
    write(&files, "a/docs/deep/retries.md", "# On retries\n\nThere are none.\n");
    refresh(&portal, id).await;
    assert!(search(&portal, "zanzibar").await.is_empty());
    assert!(portal.get(&format!("{DOCS}?page=deep/retries.md")).await.text().contains("There are none."));

    // A descriptor that is broken now keeps its last good version, and its pages.
    write(&files, "a/catalog-info.yaml", documented("one", "dir:.").replace("lifecycle", "lifecyle"));
    refresh(&portal, id).await;
    portal.get(DOCS).await.is(200);
    write(&files, "a/catalog-info.yaml", documented("one", "dir:."));
    refresh(&portal, id).await;
    let own = portal.get("/api/v1/changes?about=entity").await.json(200);
    assert!(!own.to_string().contains("person:"));

    std::fs::remove_dir_all(files.join("a/docs")).unwrap();
    refresh(&portal, id).await;
    portal.get(DOCS).await.problem(404, "documentation_not_found");
});

on_both!(a_readme_documents_what_says_nothing, portal, {
    let files = folder(&portal);
    let group = "---\napiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata:\n  name: team-a\nspec:\n  type: team\n  children: []\n";
    write(&files, "a/catalog-info.yaml", format!("{}{group}", component("one")));
    write(&files, "a/README.md", "# Read me\n\nA quokka.\n");
    write(&files, "b/catalog-info.yaml", documented("two", "dir:../a"));
    write(&files, "c/catalog-info.yaml", documented("three", "dir:./nowhere"));
    write(&files, "c/README.md", "# Not asked for\n");
    let id = portal.post("/api/v1/sources", &path_source(&files)).await.json(201)["id"].as_i64().unwrap();
    portal.patch(&format!("/api/v1/sources/{id}"), &json!({"trusted": true})).await.json(200);
    until(&portal, id, 1).await;
    refresh(&portal, id).await;
    let of = |kind: &str, name: &str| format!("/api/v1/entities/{kind}/default/{name}/documentation");
    let one = portal.get(&of("component", "one")).await.json(200);
    assert_eq!((one["root"].as_str(), one["title"].as_str()), (Some("a/README.md"), Some("one")));
    assert_eq!(portal.get(&of("component", "two")).await.json(200)["root"], "a");
    portal.get(&of("group", "team-a")).await.problem(404, "documentation_not_found");
    let problem = portal.get(&of("component", "three")).await.problem(404, "documentation_not_found");
    assert!(problem["detail"].as_str().unwrap().contains("dir:./nowhere"), "{problem}");
    let names: Vec<Value> = search(&portal, "quokka").await.into_iter().map(|hit| hit["name"].clone()).collect();
    assert_eq!(names.len(), 2, "{names:?}");

    // What is removed takes its documentation along.
    std::fs::remove_file(files.join("b/catalog-info.yaml")).unwrap();
    refresh(&portal, id).await;
    portal.delete("/api/v1/entities/component/default/two").await.is(204);
    let left = portal_api::documentation::store::known(portal.app.db.reader(), id).await.unwrap();
    assert_eq!(left.into_keys().collect::<Vec<_>>(), ["component:default/one"]);
});

on_both!(documentation_refuses_what_is_not_there, portal, {
    let files = folder(&portal);
    write(&files, "catalog-info.yaml", component("one"));
    write(
        &files,
        "README.md",
        "# <script>alert(1)</script>\n\n<img src=x onerror=alert(1)> [up](../../etc/passwd)\n\n![up](../../../etc/passwd.png) ![gone](gone.png)\n",
    );
    write(&files, "bad/catalog-info.yaml", documented("two", "dir:."));
    write(&files, "bad/docs/index.md", [0xff, 0xfe, 0x00]);
    write(&files, "bad/docs/good.md", "good");
    write(&files, "bad/mkdocs.yml", "nav: [");
    add(&portal, &path_source(&files)).await;
    let one = portal.get(DOCS).await.json(200);
    let html = one["page"]["html"].as_str().unwrap();
    assert!(!html.contains("script") && !html.contains("onerror") && !html.contains("passwd\""), "{html}");
    assert_eq!(one["faults"].as_array().unwrap().len(), 2, "{one}");
    let two = portal.get("/api/v1/entities/component/default/two/documentation").await.json(200);
    assert_eq!(two["page"]["path"], "good.md");
    let faults: Vec<&str> =
        two["faults"].as_array().unwrap().iter().map(|fault| fault["path"].as_str().unwrap()).collect();
    assert_eq!(faults, ["mkdocs.yml", "index.md"]);
    for (path, status, code) in [
        (format!("{DOCS}?page=absent.md"), 404, "page_not_found"),
        (format!("{DOCS}?page=../README.md"), 404, "page_not_found"),
        (format!("{DOCS}?pages=x"), 400, "invalid_parameter"),
        (format!("{DOCS}/file?path=../../x.png"), 404, "file_not_found"),
        (format!("{DOCS}/file"), 400, "invalid_parameter"),
        ("/api/v1/entities/component/default/absent/documentation".to_owned(), 404, "entity_not_found"),
    ] {
        portal.get(&path).await.problem(status, code);
    }
});

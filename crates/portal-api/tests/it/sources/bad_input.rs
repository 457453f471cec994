//! Files that nobody should write, and servers that nobody should trust.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{add, component, entity, errors, exists, folder, passes, path_source, refresh, view, write};
use crate::hostile::Hostile;
use crate::on_both;

on_both!(broken_files_harm_only_themselves, portal, {
    let files = folder(&portal);
    let laughs: String =
        (1..10).map(|level| format!("a{level}: &a{level} [{}]\n", format!("*a{},", level - 1).repeat(9))).collect();
    let bad: Vec<(&str, Vec<u8>)> = vec![
        ("syntax", b"kind: [Component\n".to_vec()),
        ("tabs", b"kind:\n\tname: x\n".to_vec()),
        ("utf8", b"kind: Comp\xff\xfeonent\n".to_vec()),
        ("laughs", format!("a0: &a0 [lol]\n{laughs}").into_bytes()),
        ("deep", "[".repeat(100_000).into_bytes()),
        ("list", b"- a\n- b\n".to_vec()),
        ("text", b"just some words\n".to_vec()),
        ("types", b"apiVersion: 5\nkind: [x]\nmetadata: name\nspec: 7\n".to_vec()),
        (
            "huge",
            component("huge").replace("spec:", &format!("  description: {}\nspec:", "x".repeat(400_000))).into_bytes(),
        ),
        ("large", vec![b'#'; 11 << 20]),
    ];
    for (name, bytes) in &bad {
        write(&files, &format!("{name}/catalog-info.yaml"), bytes);
    }
    write(&files, "empty/catalog-info.yaml", "");
    write(&files, "bom/catalog-info.yaml", format!("\u{feff}{}", component("bom")));
    write(&files, "crlf/catalog-info.yaml", component("crlf").replace('\n', "\r\n"));
    write(&files, "good/catalog-info.yaml", component("good"));
    let started = Instant::now();
    let id = add(&portal, &path_source(&files)).await;
    assert!(started.elapsed() < Duration::from_secs(60));
    for name in ["good", "bom", "crlf"] {
        assert!(exists(&portal, name).await, "{name}");
    }
    let told = errors(&portal, id).await;
    for (name, _) in &bad {
        let file = format!("{name}/catalog-info.yaml");
        let error =
            told.iter().find(|error| error["file"] == file.as_str()).unwrap_or_else(|| panic!("{name}: {told:?}"));
        assert!(error["line"].as_u64().unwrap() >= 1 && !error["message"].as_str().unwrap().is_empty(), "{error}");
    }
    assert!(
        told.iter().all(|error| bad.iter().any(|(name, _)| error["file"] == format!("{name}/catalog-info.yaml"))),
        "{told:?}"
    );
});

on_both!(ten_thousand_malformed_documents_are_ten_thousand_verdicts, portal, {
    let files = folder(&portal);
    for file in 0..100 {
        let documents: Vec<String> = (0..100)
            .map(|index| component(&format!("c{file}-{index}")).replace("lifecycle: production", "lifecycle: [1]"))
            .collect();
        write(
            &files,
            &format!("f{file}/catalog-info.yaml"),
            format!("{}---\n{}", component(&format!("good{file}")), documents.join("---\n")),
        );
    }
    let started = Instant::now();
    let id = add(&portal, &path_source(&files)).await;
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    let view = view(&portal, id).await;
    assert_eq!((view["error_count"].as_u64(), view["entity_count"].as_u64()), (Some(10_000), Some(100)));
    let list = portal.get(&format!("/api/v1/sources/{id}/errors")).await.json(200);
    assert_eq!((list["items"].as_array().unwrap().len(), list["total"].as_u64()), (200, Some(10_000)));
});

on_both!(one_reference_twice_is_told_at_the_second, portal, {
    let files = folder(&portal);
    write(&files, "a/catalog-info.yaml", format!("{}---\n{}", component("Twice"), component("tWICE")));
    write(&files, "b/catalog-info.yaml", component("twice").replace("production", "deprecated"));
    let id = add(&portal, &path_source(&files)).await;
    let kept = entity(&portal, "twice").await.unwrap();
    assert_eq!(
        (kept["entity"]["metadata"]["name"].as_str(), kept["provenance"]["location"].as_str()),
        (Some("Twice"), Some("a/catalog-info.yaml"))
    );
    let told = errors(&portal, id).await;
    let places: Vec<_> = told
        .iter()
        .map(|error| {
            (error["rule"].as_str().unwrap(), error["file"].as_str().unwrap(), error["document"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(places, [("duplicate", "a/catalog-info.yaml", 1), ("duplicate", "b/catalog-info.yaml", 0)]);
    // It stays with the first when that one changes, too.
    write(&files, "a/catalog-info.yaml", component("Twice").replace("production", "experimental"));
    refresh(&portal, id).await;
    let kept = entity(&portal, "twice").await.unwrap();
    assert_eq!(
        (kept["entity"]["spec"]["lifecycle"].as_str(), kept["provenance"]["location"].as_str()),
        (Some("experimental"), Some("a/catalog-info.yaml"))
    );
});

on_both!(servers_that_misbehave_fail_their_source_only, portal, {
    let server = Hostile::start().await;
    let cases = [
        ("/500.yaml", "answered 500"),
        ("/endless.yaml", "larger than"),
        ("/absent.yaml", "answered 404"),
        ("/redirect.yaml?to=http%3A%2F%2F169.254.169.254%2F", "redirect"),
        ("/redirect.yaml?to=file%3A%2F%2F%2Fetc%2Fpasswd", "redirect"),
    ];
    for (path, reason) in cases {
        let id = add(&portal, &json!({"type": "http", "target": server.url(path)})).await;
        let view = view(&portal, id).await;
        assert_eq!(view["state"], "failed", "{view}");
        assert!(view["failure"].as_str().unwrap().contains(reason), "{view}");
        assert_eq!(view["last_pass"]["outcome"], "failed");
    }
});

on_both!(a_nul_harms_only_its_document, portal, {
    let files = folder(&portal);
    let nul = component("bad").replace("name: bad", "name: \"bad\\0name\"");
    write(&files, "catalog-info.yaml", format!("{}---\n{nul}---\n{}", component("before"), component("after")));
    let id = add(&portal, &path_source(&files)).await;
    assert!(exists(&portal, "before").await && exists(&portal, "after").await);
    let errors = errors(&portal, id).await;
    assert_eq!((errors.len(), errors[0]["document"].as_u64()), (1, Some(1)), "{errors:?}");
    portal.get("/api/v1/entities/component/default/a%00/history").await.problem(400, "malformed_path");
    for path in ["/api/v1/changes?actor=%00", "/api/v1/changes?entity=component:default/a%00"] {
        assert_eq!(portal.get(path).await.json(200)["total"], 0, "{path}");
    }
    assert_eq!(portal.delete("/api/v1/entities/component/default/%00").await.status, 400);
    let click = json!({"q": "a\0b", "entity_ref": "component:default/before", "rank": 1});
    assert_eq!(portal.post("/api/v1/search/clicks", &click).await.json(422)["errors"][0]["pointer"], "/q");
});

on_both!(errors_are_listed_page_by_page, portal, {
    let files = folder(&portal);
    let bad = component("x").replace("lifecycle", "lifecyle");
    write(&files, "catalog-info.yaml", (0..25).map(|_| bad.clone()).collect::<Vec<_>>().join("---\n"));
    let id = add(&portal, &path_source(&files)).await;
    let (mut path, mut seen) = (format!("/api/v1/sources/{id}/errors?limit=10"), Vec::new());
    loop {
        let page = portal.get(&path).await.json(200);
        assert_eq!(page["total"], 25);
        seen.extend(page["items"].as_array().unwrap().iter().map(|error| error["document"].as_u64().unwrap()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/sources/{id}/errors?limit=10&cursor={cursor}");
    }
    seen.dedup();
    assert_eq!(seen, (0..25).collect::<Vec<u64>>());
    let pass = passes(&portal, id).await.remove(0);
    assert_eq!((&pass["unchanged"], &pass["errors"]), (&json!(0), &json!(25)));
});

on_both!(writes_refuse_unknown_parameters, portal, {
    let id = add(&portal, &path_source(&folder(&portal))).await;
    let source = format!("/api/v1/sources/{id}");
    portal.post(&format!("{source}/refresh?x=1"), &json!({})).await.problem(400, "invalid_parameter");
    portal.patch(&format!("{source}?x=1"), &json!({"trusted": true})).await.problem(400, "invalid_parameter");
    portal.delete(&format!("{source}?x=1")).await.problem(400, "invalid_parameter");
    portal.post("/api/v1/entities/bulk?x=1", &json!({})).await.problem(400, "invalid_parameter");
    portal.patch(&source, &json!({"globs": ["svc-[ab]/*"]})).await.problem(422, "invalid_source");
});

on_both!(an_entity_says_where_it_is_managed, portal, {
    let files = folder(&portal);
    write(&files, "a/catalog-info.yaml", component("one"));
    add(&portal, &path_source(&files)).await;
    let one = portal.get("/api/catalog/entities/by-name/component/default/one").await.json(200);
    let annotations = &one["metadata"]["annotations"];
    let place = format!("file:{}", files.join("a/catalog-info.yaml").display());
    assert_eq!(annotations["backstage.io/managed-by-location"], place);
    assert_eq!(annotations["backstage.io/managed-by-origin-location"], format!("file:{}", files.display()));
});

//! `Location` entities and placeholders.

use serde_json::{Value, json};

use super::{add, component, entity, errors, exists, folder, last_seq, path_source, refresh, write};
use crate::hostile::Hostile;
use crate::on_both;

fn location(name: &str, spec: &str) -> String {
    format!("apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata:\n  name: {name}\nspec:\n{spec}")
}

fn api(name: &str, definition: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: {name}\nspec:\n  type: openapi\n  lifecycle: production\n  owner: team-a\n  definition:\n    {definition}\n"
    )
}

fn rules(errors: &[Value]) -> Vec<String> {
    errors.iter().map(|error| error["rule"].as_str().unwrap().to_owned()).collect()
}

on_both!(locations_are_followed_from_the_file_that_names_them, portal, {
    let files = folder(&portal);
    write(
        &files,
        "catalog-info.yaml",
        location("root", "  targets:\n    - ./teams/all.yaml\n    - ./globbed/*/c.yaml\n"),
    );
    write(&files, "teams/all.yaml", location("teams", "  target: ../services/one.yaml\n"));
    write(&files, "services/one.yaml", component("one"));
    write(&files, "globbed/x/c.yaml", component("x"));
    let id = add(&portal, &path_source(&files)).await;
    assert!(errors(&portal, id).await.is_empty());
    assert!(exists(&portal, "one").await && exists(&portal, "x").await);
    // A new match of an unchanged glob is found; a file that nobody names any more is let go.
    write(&files, "globbed/y/c.yaml", component("y"));
    refresh(&portal, id).await;
    assert!(exists(&portal, "y").await);
    write(&files, "teams/all.yaml", "# empty\n");
    refresh(&portal, id).await;
    assert!(!entity(&portal, "one").await.unwrap()["provenance"]["orphan_since"].is_null());
});

on_both!(circles_and_depth_end_with_a_fault_that_names_the_place, portal, {
    let files = folder(&portal);
    write(
        &files,
        "catalog-info.yaml",
        format!("{}---\n{}", location("a", "  targets: [./b.yaml]\n"), component("here")),
    );
    write(
        &files,
        "b.yaml",
        format!("{}---\n{}", location("b", "  targets:\n    - ./c.yaml\n    - ./b.yaml\n"), component("there")),
    );
    write(&files, "c.yaml", location("c", "  targets: [./catalog-info.yaml]\n"));
    for depth in 0..8 {
        write(
            &files,
            &format!("deep{depth}.yaml"),
            format!(
                "{}---\n{}",
                location(&format!("deep{depth}"), &format!("  targets: [./deep{}.yaml]\n", depth + 1)),
                component(&format!("level{depth}"))
            ),
        );
    }
    write(&files, "x/catalog-info.yaml", location("x", "  targets: [../deep0.yaml]\n"));
    let id = add(&portal, &path_source(&files)).await;
    let told = errors(&portal, id).await;
    let mut rules = rules(&told);
    rules.sort();
    assert_eq!(rules, ["location_cycle", "location_cycle", "location_depth"]);
    let own = told.iter().find(|error| error["file"] == "b.yaml").unwrap();
    assert_eq!(own["line"], 8, "{own}");
    assert!(exists(&portal, "here").await && exists(&portal, "there").await);
    assert!(exists(&portal, "level4").await && !exists(&portal, "level5").await);
    let seq = last_seq(&portal).await;
    refresh(&portal, id).await;
    assert_eq!(last_seq(&portal).await, seq);
});

on_both!(a_missing_target_is_told_unless_it_is_optional, portal, {
    let files = folder(&portal);
    let required = location(
        "required",
        "  targets:\n    - ./gone.yaml\n    - /etc/passwd\n    - ../../outside.yaml\n    - file:///etc/passwd\n",
    );
    let optional = location("optional", "  presence: optional\n  targets:\n    - ./maybe.yaml\n");
    write(&files, "catalog-info.yaml", format!("{required}---\n{optional}"));
    write(&files, "maybe.yaml", component("maybe"));
    let id = add(&portal, &path_source(&files)).await;
    let told = errors(&portal, id).await;
    let mut rules = rules(&told);
    rules.sort();
    // The absolute path means a file of the source, which is absent too.
    assert_eq!(rules, ["absent", "absent", "location_target", "location_target"], "{told:?}");
    assert!(exists(&portal, "maybe").await);
    std::fs::remove_file(files.join("maybe.yaml")).unwrap();
    refresh(&portal, id).await;
    assert_eq!(errors(&portal, id).await.len(), 4);
    assert!(!entity(&portal, "maybe").await.unwrap()["provenance"]["orphan_since"].is_null());
});

on_both!(a_target_that_fails_for_a_while_removes_nothing, portal, {
    let server = Hostile::start().await;
    server.put(
        "/child.yaml",
        format!("{}---\n{}", location("child", "  targets: [./grandchild.yaml]\n"), component("child")),
    );
    server.put("/grandchild.yaml", component("grandchild"));
    let files = folder(&portal);
    write(&files, "catalog-info.yaml", location("root", &format!("  targets: ['{}']\n", server.url("/child.yaml"))));
    let id = add(&portal, &path_source(&files)).await;
    assert!(exists(&portal, "child").await && exists(&portal, "grandchild").await);
    server.remove("/child.yaml");
    refresh(&portal, id).await;
    assert_eq!(entity(&portal, "child").await.unwrap()["provenance"]["stale"], true);
    let grandchild = entity(&portal, "grandchild").await.unwrap();
    assert_eq!(
        (grandchild["provenance"]["stale"].as_bool(), grandchild["provenance"]["orphan_since"].is_null()),
        (Some(false), true)
    );
    server.put("/child.yaml", component("child"));
    refresh(&portal, id).await;
    assert_eq!(entity(&portal, "child").await.unwrap()["provenance"]["stale"], false);
    assert!(!entity(&portal, "grandchild").await.unwrap()["provenance"]["orphan_since"].is_null());
});

on_both!(placeholders_are_filled_and_watched, portal, {
    let files = folder(&portal);
    write(&files, "catalog-info.yaml", api("text", "$text: ./specs/a.yaml"));
    write(
        &files,
        "b/catalog-info.yaml",
        component("values").replace(
            "spec:\n",
            "spec:\n  extra:\n    $yaml: ../specs/value.yaml\n  more:\n    $json: ../specs/value.json\n",
        ),
    );
    write(&files, "c/catalog-info.yaml", api("bundled", "$openapi: ../specs/root.yaml"));
    write(&files, "specs/a.yaml", "openapi: 3.1.0\n");
    write(&files, "specs/value.yaml", "a: [1, 2]\n");
    write(&files, "specs/value.json", r#"{"b": true}"#);
    write(
        &files,
        "specs/root.yaml",
        "openapi: 3.1.0\ncomponents:\n  schemas:\n    Pet:\n      $ref: './pet.yaml#/Pet'\n    Own:\n      $ref: '#/components/schemas/Pet'\n",
    );
    write(
        &files,
        "specs/pet.yaml",
        "Pet:\n  type: object\n  properties:\n    parent:\n      $ref: './root.yaml#/components/schemas/Pet'\n",
    );
    let id = add(&portal, &path_source(&files)).await;
    assert!(errors(&portal, id).await.is_empty(), "{:?}", errors(&portal, id).await);
    let text = portal.get("/api/v1/entities/api/default/text").await.json(200);
    assert_eq!(text["entity"]["spec"]["definition"], "openapi: 3.1.0\n");
    let values = entity(&portal, "values").await.unwrap();
    assert_eq!(
        (values["entity"]["spec"]["extra"].clone(), values["entity"]["spec"]["more"].clone()),
        (json!({"a": [1, 2]}), json!({"b": true}))
    );
    let bundled = portal.get("/api/v1/entities/api/default/bundled").await.json(200);
    let definition: Value = serde_json::from_str(bundled["entity"]["spec"]["definition"].as_str().unwrap()).unwrap();
    assert_eq!(definition["components"]["schemas"]["Pet"]["type"], "object");
    assert_eq!(definition["components"]["schemas"]["Pet"]["properties"]["parent"]["$ref"], "#/components/schemas/Pet");
    // The descriptor is unchanged, what it includes is not.
    write(&files, "specs/a.yaml", "openapi: 3.1.1\n");
    assert_eq!(refresh(&portal, id).await["updated"], 1);
    let text = portal.get("/api/v1/entities/api/default/text").await.json(200);
    assert_eq!(text["entity"]["spec"]["definition"], "openapi: 3.1.1\n");
    let seq = last_seq(&portal).await;
    refresh(&portal, id).await;
    assert_eq!(last_seq(&portal).await, seq);
});

on_both!(placeholders_that_lead_nowhere_are_faults_of_their_document, portal, {
    let server = Hostile::start().await;
    server.put("/elsewhere.yaml", "openapi: 3.1.0\n");
    let files = folder(&portal);
    let targets = [
        "$text: ./absent.yaml".to_owned(),
        "$text: ../../../../etc/passwd".to_owned(),
        "$text: 5".to_owned(),
        "$json: ./bad.json".to_owned(),
        "$yaml: ./two.yaml".to_owned(),
        "$text: ./latin1.txt".to_owned(),
        format!("$text: {}", server.url("/elsewhere.yaml")),
        "$openapi: ./circle.yaml".to_owned(),
    ];
    write(&files, "bad.json", "{");
    write(&files, "two.yaml", "a: 1\n---\nb: 2\n");
    write(&files, "latin1.txt", b"caf\xe9");
    write(&files, "circle.yaml", "a:\n  $ref: './circle2.yaml#/a'\n");
    write(&files, "circle2.yaml", "a:\n  $ref: './circle3.yaml#/a'\n");
    write(&files, "circle3.yaml", "a:\n  $ref: './circle2.yaml#/a'\n");
    let documents: Vec<String> =
        targets.iter().enumerate().map(|(index, target)| api(&format!("api{index}"), target)).collect();
    write(&files, "catalog-info.yaml", format!("{}---\n{}", documents.join("---\n"), component("fine")));
    let id = add(&portal, &path_source(&files)).await;
    let told = errors(&portal, id).await;
    assert_eq!(told.len(), targets.len(), "{told:?}");
    for error in &told {
        assert_eq!(
            (error["rule"].as_str(), error["pointer"].as_str()),
            (Some("placeholder"), Some("/spec/definition")),
            "{error}"
        );
    }
    assert!(exists(&portal, "fine").await);
    assert!(server.requests().is_empty());
});

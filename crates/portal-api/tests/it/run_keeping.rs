//! How many runs go at once, how long they are kept, whom they tell, and what they would
//! change.

use std::path::Path;
use std::time::Duration;

use portal_api::runs::keeping;
use serde_json::{Value, json};

use crate::harness::Portal;
use crate::on_both;
use crate::runs::{ended, log, repository, start_with, with_template};
use crate::sources::refresh;

async fn change(portal: &Portal, folder: &Path, change: impl FnOnce(&mut Value)) {
    let path = folder.join("catalog-info.yaml");
    let mut template: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut template);
    std::fs::write(&path, template.to_string()).unwrap();
    refresh(portal, 1).await;
}

fn answers() -> Value {
    json!({"name": "ledger", "remote": "x"})
}

on_both!(no_more_runs_go_at_once_than_the_template_allows, portal, {
    let folder =
        with_template(&portal, &json!([{"id": "wait", "action": "debug:wait", "input": {"milliseconds": 300}}])).await;
    change(&portal, &folder, |template| {
        template["metadata"]["annotations"] = json!({"portal.run/max-concurrent": "1"});
    })
    .await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(start_with(&portal, answers(), json!({})).await);
    }
    let stopped = ids[3];
    portal.post(&format!("/api/v1/runs/{stopped}/cancel"), &json!({})).await.is(202);
    assert_eq!(ended(&portal, stopped).await["state"], "cancelled");
    let mut most = 0;
    loop {
        let running = portal.get("/api/v1/runs?state=running").await.json(200)["total"].as_u64().unwrap();
        most = most.max(running);
        let done = portal.get("/api/v1/runs?state=succeeded").await.json(200)["total"].as_u64().unwrap();
        if done == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(most, 1);
    assert!(log(&portal, ids[2]).await.contains("waiting: at most 1 runs of this template"));
    assert!(!log(&portal, ids[0]).await.contains("waiting: at most"));
    // Their order is that of their start.
    let mut starts = Vec::new();
    for id in &ids[..3] {
        let run = portal.get(&format!("/api/v1/runs/{id}")).await.json(200);
        starts.push(run["steps"][0]["started_at"].as_str().unwrap().to_owned());
    }
    assert!(starts.is_sorted(), "{starts:?}");
});

on_both!(a_limit_that_is_none_is_told, portal, {
    let folder = with_template(&portal, &json!([{"action": "debug:log", "input": {}}])).await;
    change(&portal, &folder, |template| {
        template["metadata"]["annotations"] = json!({"portal.run/max-concurrent": "many"});
    })
    .await;
    let template = portal.get("/api/v1/templates/default/service").await.json(200);
    assert_eq!(template["problems"][0]["pointer"], "/metadata/annotations/portal.run~1max-concurrent");
    portal.post("/api/v1/runs", &json!({"template": "service", "values": answers()})).await.is(422);
});

on_both!(what_is_old_is_forgotten, portal, {
    with_template(&portal, &json!([
        {"id": "write", "action": "fetch:template", "input": {"url": "./skeleton", "values": {"name": "${{ parameters.name }}", "about": "x"}}},
        {"id": "publish", "if": "${{ parameters.remote !== 'x' }}", "action": "publish:git", "input": {"remoteUrl": "${{ parameters.remote }}"}},
        {"id": "register", "if": "${{ parameters.remote !== 'x' }}", "action": "catalog:register",
         "input": {"repoContentsUrl": "${{ steps.publish.output.repoContentsUrl }}"}},
        {"id": "tell", "action": "notification:send", "input": {"recipients": "broadcast", "title": "Done"}},
    ]))
    .await;
    let (_, url) = repository(&portal, "ledger.git").await;
    let made_nothing = start_with(&portal, answers(), json!({})).await;
    assert_eq!(ended(&portal, made_nothing).await["state"], "succeeded");
    let made = start_with(&portal, json!({"name": "ledger", "remote": url}), json!({})).await;
    assert_eq!(ended(&portal, made).await["state"], "succeeded", "{}", log(&portal, made).await);

    portal.clock.advance(chrono::Duration::days(91));
    keeping::forget(&portal.app).await.unwrap();
    assert_eq!(portal.get("/api/v1/runs").await.json(200)["total"], 2);
    assert_eq!(portal.get("/api/v1/notifications").await.json(200)["total"], 0);

    portal.clock.advance(chrono::Duration::days(300));
    keeping::forget(&portal.app).await.unwrap();
    portal.get(&format!("/api/v1/runs/{made_nothing}")).await.problem(404, "run_not_found");
    let kept = portal.get(&format!("/api/v1/runs/{made}")).await.json(200);
    assert_eq!(
        (&kept["entities"][0]["entity_ref"], &kept["answers"]["name"]),
        (&json!("component:default/ledger"), &json!("ledger"))
    );
    assert_eq!(log(&portal, made).await, "");
});

on_both!(people_are_told_once_and_read_it, portal, {
    with_template(&portal, &json!([
        {"id": "tell", "action": "notification:send", "input": {
            "recipients": "broadcast", "title": "${{ parameters.about }}", "info": "All of it", "link": "/runs", "severity": "high", "scope": "news"}},
        {"id": "group", "action": "notification:send", "input": {
            "recipients": "entity", "entityRefs": ["group:default/others"], "title": "Not for you"}},
        {"id": "wrong", "action": "notification:send", "input": {
            "recipients": "entity", "entityRefs": ["component:default/x"], "title": "Nobody", "optional": true}},
    ]))
    .await;
    for about in ["First", "Second"] {
        let id = start_with(&portal, json!({"name": "a", "remote": "x", "about": about}), json!({})).await;
        assert_eq!(ended(&portal, id).await["state"], "succeeded", "{}", log(&portal, id).await);
        assert!(log(&portal, id).await.contains("neither a user nor a group"));
    }
    // The second took the place of the first.
    let list = portal.get("/api/v1/notifications").await.json(200);
    assert_eq!((&list["total"], &list["unread"]), (&json!(1), &json!(1)), "{list}");
    let one = &list["items"][0];
    assert_eq!((&one["title"], &one["severity"], &one["read"]), (&json!("Second"), &json!("high"), &json!(false)));
    portal.post("/api/v1/notifications/read", &json!({"ids": [one["id"]]})).await.is(204);
    portal.post("/api/v1/notifications/read", &json!({})).await.is(204);
    portal.post("/api/v1/notifications/read", &json!({"ids": ["x"]})).await.is(422);
    let list = portal.get("/api/v1/notifications").await.json(200);
    assert_eq!((&list["unread"], &list["items"][0]["read"]), (&json!(0), &json!(true)));
    assert_eq!(portal.get("/api/v1/notifications?unread=true").await.json(200)["items"], json!([]));
});

on_both!(a_dry_run_compares_with_what_is_there, portal, {
    let folder = with_template(&portal, &json!([
        {"id": "fetch", "action": "fetch:template", "input": {"url": "./skeleton", "values": {"name": "${{ parameters.name }}", "about": "${{ parameters.about }}"}}},
        {"id": "publish", "action": "publish:git", "input": {"remoteUrl": "${{ parameters.remote }}"}},
    ]))
    .await;
    let (_, url) = repository(&portal, "ledger.git").await;
    let values = json!({"name": "ledger", "remote": url});
    let dry =
        async || portal.post("/api/v1/templates/default/service/dry-run", &json!({"values": values})).await.json(200);
    // A repository that the portal would make is compared with nothing, and its folder is not told.
    let made = json!({"values": {"name": "ledger", "remote": "local:elsewhere"}});
    let report = portal.post("/api/v1/templates/default/service/dry-run", &made).await.json(200);
    assert_eq!(report["steps"][1]["log"], json!(["`publish:git` is not done in a dry run"]), "{report}");
    // Nothing is there yet.
    let report = dry().await;
    assert_eq!((&report["repository"], &report["files"][0]["change"]), (&Value::Null, &Value::Null), "{report}");
    let id = start_with(&portal, values.clone(), json!({})).await;
    assert_eq!(ended(&portal, id).await["state"], "succeeded");

    std::fs::write(folder.join("skeleton/run.sh"), "#!/bin/sh\necho hello\n").unwrap();
    std::fs::write(folder.join("skeleton/new.txt"), "new\n").unwrap();
    let report = dry().await;
    assert_eq!(report["repository"], json!({"address": url, "branch": "main"}), "{report}");
    // A push there is refused, and that is told beforehand.
    assert_eq!((&report["error"]["code"], &report["error"]["step"]), (&json!("exists_already"), &json!("publish")));
    let file =
        |name: &str| report["files"].as_array().unwrap().iter().find(|file| file["path"] == name).cloned().unwrap();
    assert_eq!((&file("run.sh")["change"], &file("run.sh")["before"]), (&json!("changed"), &json!("#!/bin/sh\n")));
    assert_eq!((&file("new.txt")["change"], &file("new.txt")["before"]), (&json!("added"), &Value::Null));
    assert_eq!((&file("logo.png")["change"], &file("logo.png")["before"]), (&json!("unchanged"), &Value::Null));
});

on_both!(runs_know_how_far_their_template_has_gone_on, portal, {
    let folder = with_template(&portal, &json!([{"action": "debug:log", "input": {"message": "hello"}}])).await;
    let id = start_with(&portal, answers(), json!({})).await;
    ended(&portal, id).await;
    assert_eq!(portal.get(&format!("/api/v1/runs/{id}")).await.json(200)["behind"], 0);
    for description in ["one", "two"] {
        portal.clock.advance(chrono::Duration::seconds(1));
        change(&portal, &folder, |template| template["metadata"]["description"] = description.into()).await;
    }
    refresh(&portal, 1).await;
    let list = portal.get("/api/v1/runs?template=template:default/service").await.json(200);
    assert_eq!(list["items"][0]["behind"], 2);
});

on_both!(a_skeleton_of_100_mb_is_refused, portal, {
    let folder =
        with_template(&portal, &json!([{"id": "fetch", "action": "fetch:plain", "input": {"url": "./skeleton"}}]))
            .await;
    for number in 0..110 {
        std::fs::write(folder.join(format!("skeleton/{number}.bin")), vec![0; 1 << 20]).unwrap();
    }
    let id = start_with(&portal, answers(), json!({})).await;
    let run = ended(&portal, id).await;
    assert_eq!(
        (&run["state"], &run["error"]["code"], &run["error"]["step"]),
        (&json!("failed"), &json!("workspace_too_large"), &json!("fetch")),
        "{run}"
    );
    // One file of that size, as well.
    std::fs::remove_dir_all(folder.join("skeleton")).unwrap();
    std::fs::create_dir_all(folder.join("skeleton")).unwrap();
    std::fs::write(folder.join("skeleton/large.bin"), vec![0; 100 << 20]).unwrap();
    let id = start_with(&portal, answers(), json!({})).await;
    let run = ended(&portal, id).await;
    assert_eq!((&run["state"], &run["error"]["step"]), (&json!("failed"), &json!("fetch")), "{run}");
    assert!(run["error"]["message"].as_str().unwrap().contains("large"), "{run}");
});

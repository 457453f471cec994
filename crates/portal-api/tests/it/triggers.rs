//! Actions that start by themselves: once, for what they wait for, and never in a circle.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use chrono::{DateTime, TimeDelta, Utc};
use portal_api::connectors::signature;
use portal_api::sources::credential::Secret;
use portal_core::access::Role;
use serde_json::{Value, json};

use crate::actions::{action, call, person, with_actions};
use crate::harness::{Answer, Portal, component, group, user};
use crate::on_both;
use crate::runs::{ended, log};
use crate::sources;

const SECRET: &str = "whsec_cG9ydGFsIHNpZ25zIHdoYXQgaXQgc2VuZHM=";

/// An action of `platform` that says its parameter `name`.
fn says(name: &str, spec: Value) -> Value {
    let mut whole = json!({
        "owner": "platform",
        "parameters": {"properties": {"name": {"type": "string"}}},
        "steps": [{"id": "say", "action": "debug:log", "input": {"message": "this is ${{ parameters.name }}"}}],
    });
    whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    action(name, whole)
}

fn resource(name: &str) -> Value {
    json!({"apiVersion": "backstage.io/v1alpha1", "kind": "Resource", "metadata": {"name": name},
        "spec": {"type": "database", "owner": "platform"}})
}

async fn organisation(portal: &Portal) {
    portal
        .store(&[group("team-a", None), group("platform", None), user("ann", "team-a"), user("bob", "platform")])
        .await;
}

async fn runs(portal: &Portal, action: &str) -> Vec<Value> {
    let page = portal.get(&format!("/api/v1/runs?limit=200&action={action}")).await.json(200);
    page["items"].as_array().unwrap().clone()
}

/// The runs of an action, newest first, when there are so many.
async fn reaches(portal: &Portal, action: &str, count: usize) -> Vec<Value> {
    for turn in 1..1200 {
        let runs = runs(portal, action).await;
        if runs.len() >= count {
            assert_eq!(runs.len(), count, "{runs:?}");
            return runs;
        }
        // What failed for now (two writers on one file) is tried again a little later.
        if turn % 160 == 0 {
            portal.clock.advance(TimeDelta::seconds(40));
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("there are no {count} runs of {action}: {}", triggers(portal, action).await);
}

async fn triggers(portal: &Portal, action: &str) -> Value {
    portal.get(&format!("/api/v1/actions/default/{action}/triggers")).await.json(200)["items"].clone()
}

/// The problem of the first trigger, when it has one.
async fn problem(portal: &Portal, action: &str) -> String {
    for _ in 0..600 {
        if let Some(problem) = triggers(portal, action).await[0]["problem"].as_str() {
            return problem.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the trigger of {action} has no problem: {}", triggers(portal, action).await);
}

async fn next(portal: &Portal, action: &str) -> Option<DateTime<Utc>> {
    triggers(portal, action).await[0]["next_at"].as_str().map(|text| text.parse().unwrap())
}

/// Waits until a schedule has its next time. It is counted from when the portal has seen the
/// action, so a clock that moves on before that moves the time on, too.
async fn is_due_once(portal: &Portal, action: &str, position: usize) {
    for _ in 0..600 {
        if triggers(portal, action).await[position]["next_at"].is_string() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("trigger {position} of {action} has no next time: {}", triggers(portal, action).await);
}

async fn set(portal: &Portal, time: &str) {
    portal.clock.advance(time.parse::<DateTime<Utc>>().unwrap() - portal.now());
}

on_both!(a_change_starts_a_run_on_what_changed, portal, {
    organisation(&portal).await;
    let on_new = says(
        "on-new",
        json!({
            "scope": {"kinds": ["Component"]},
            "triggers": [{
                "change": {"kinds": ["Component"], "when": "before == null && after.spec.type == 'service'"},
                "values": {"name": "${{ entity.metadata.name }}, ${{ event.operation }}"},
            }],
        }),
    );
    let on_gone = says(
        "on-gone",
        json!({
            "triggers": [{"change": {"kinds": ["component"], "when": "after == null"}, "values": {"name": "${{ event.before.metadata.name }}"}}],
        }),
    );
    let agreed = says(
        "agreed",
        json!({
            "scope": {"kinds": ["Component"]},
            "approval": {"by": ["group:team-a"]},
            "triggers": [{"change": {"kinds": ["Component"], "when": "after.metadata.name == 'ledger'"}}],
        }),
    );
    // What was there before is nothing new.
    portal.store(&[component("old", "team-a")]).await;
    with_actions(&portal, &[on_new, on_gone, agreed]).await;
    portal.store(&[component("ledger", "team-a")]).await;
    let run = reaches(&portal, "on-new", 1).await.remove(0);
    assert_eq!(run["target"]["entity_ref"], "component:default/ledger", "{run}");
    assert_eq!((&run["trigger"]["kind"], &run["trigger"]["above"]), (&json!("change"), &Value::Null), "{run}");
    assert_eq!(run["started_by"]["name"], "trigger of action:default/on-new");
    let id = run["id"].as_i64().unwrap();
    assert_eq!(ended(&portal, id).await["state"], "succeeded");
    assert!(log(&portal, id).await.contains("this is ledger, create"));

    // Approvals are asked for as ever.
    let waiting = reaches(&portal, "agreed", 1).await.remove(0);
    assert_eq!(waiting["state"], "pending_approval", "{waiting}");
    let ann = person(&portal, "ann", Role::Developer).await;
    let inbox = call(&portal, &ann, "GET", "/api/v1/approvals?mine=true&state=pending", &Value::Null).await.json(200);
    assert_eq!((&inbox["total"], &inbox["items"][0]["refusal"]), (&json!(1), &Value::Null), "{inbox}");

    // Another change of it, another type, and then one that counts: in this order.
    let mut changed = component("ledger", "team-a");
    changed["metadata"]["description"] = json!("Changed");
    let mut library = component("library", "team-a");
    library["spec"]["type"] = json!("library");
    portal.store(&[changed, library, component("second", "team-a")]).await;
    let all = reaches(&portal, "on-new", 2).await;
    assert_eq!(all[0]["target"]["entity_ref"], "component:default/second");
    let shown = triggers(&portal, "on-new").await;
    assert_eq!((&shown[0]["last_run"], &shown[0]["problem"]), (&all[0]["id"], &Value::Null), "{shown}");
    assert_eq!(runs(&portal, "on-gone").await, Vec::<Value>::new());

    portal.delete("/api/v1/entities/component/default/second").await.is(204);
    let gone = reaches(&portal, "on-gone", 1).await.remove(0);
    let id = gone["id"].as_i64().unwrap();
    ended(&portal, id).await;
    assert!(log(&portal, id).await.contains("this is second"));
    assert_eq!(runs(&portal, "on-new").await.len(), 2);

    // Those for whom it acts may stop it; others may not.
    let bob = person(&portal, "bob", Role::Developer).await;
    let stop = format!("/api/v1/runs/{}/cancel", waiting["id"]);
    call(&portal, &ann, "POST", &stop, &Value::Null).await.problem(403, "forbidden");
    call(&portal, &bob, "POST", &stop, &Value::Null).await.is(202);
});

on_both!(a_schedule_comes_once_however_often_it_was_missed, portal, {
    organisation(&portal).await;
    let folder = portal.folder.join("schedules");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |cron: &str| {
        let spec = json!({"triggers": [{"schedule": {"cron": cron, "timezone": "Europe/Zurich"}, "values": {"name": "${{ event.time }}"}}]});
        let each = json!({
            "scope": {"kinds": ["Component"], "condition": "entity.spec.owner == 'team-a'"},
            "triggers": [{"schedule": {"cron": cron, "timezone": "Europe/Zurich", "entities": "entity.metadata.name != 'second'"}}],
        });
        let texts = [says("daily", spec).to_string(), says("each", each).to_string()];
        std::fs::write(folder.join("catalog-info.yaml"), texts.join("\n---\n")).unwrap();
    };
    write("0 7 * * 1-5");
    portal.store(&["first", "second", "third"].map(|name| component(name, "team-a"))).await;
    portal.store(&[component("other", "platform")]).await;
    let source = json!({"type": "path", "target": folder.display().to_string(), "trusted": true});
    let source = sources::add(&portal, &source).await;
    for action in ["daily", "each"] {
        is_due_once(&portal, action, 0).await;
    }
    assert_eq!(next(&portal, "daily").await, Some("2026-11-18T06:00:00Z".parse().unwrap()));
    // Wednesday, Thursday and Friday went by, nobody was there.
    portal.app.stop.cancel();
    set(&portal, "2026-11-22T09:00:00Z").await;
    portal.restart().await;
    let run = reaches(&portal, "daily", 1).await.remove(0);
    let id = run["id"].as_i64().unwrap();
    ended(&portal, id).await;
    assert!(log(&portal, id).await.contains("this is 2026-11-18T06:00:00+00:00"), "{}", log(&portal, id).await);
    assert_eq!(next(&portal, "daily").await, Some("2026-11-23T06:00:00Z".parse().unwrap()));
    let each = reaches(&portal, "each", 2).await;
    let mut on: Vec<&str> = each.iter().map(|run| run["target"]["entity_ref"].as_str().unwrap()).collect();
    on.sort();
    assert_eq!(on, ["component:default/first", "component:default/third"]);
    set(&portal, "2026-11-23T06:00:01Z").await;
    reaches(&portal, "daily", 2).await;
    reaches(&portal, "each", 4).await;

    // What is written otherwise comes otherwise; what is not written does not come.
    write("30 2 * * *");
    sources::refresh(&portal, source).await;
    for _ in 0..200 {
        if next(&portal, "daily").await == Some("2026-11-24T01:30:00Z".parse().unwrap()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(next(&portal, "daily").await, Some("2026-11-24T01:30:00Z".parse().unwrap()));
    let spec = json!({"triggers": [{"schedule": {"cron": "99 * * * *"}}]});
    std::fs::write(folder.join("catalog-info.yaml"), says("daily", spec).to_string()).unwrap();
    sources::refresh(&portal, source).await;
    let view = portal.get("/api/v1/actions/default/daily").await.json(200);
    assert_eq!(view["problems"][0]["pointer"], "/spec/triggers/0/schedule/cron", "{view}");
    assert_eq!(view["broken"], true);
    set(&portal, "2026-11-25T12:00:00Z").await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!((runs(&portal, "daily").await.len(), runs(&portal, "each").await.len()), (2, 4));
});

on_both!(two_replicas_start_one_run, portal, {
    organisation(&portal).await;
    let (replica, _) = portal.replica().await;
    with_actions(&portal, &[
        says("on-new", json!({"scope": {"kinds": ["Component"]}, "triggers": [{"change": {"kinds": ["Component"], "when": "before == null"}}]})),
        says("hourly", json!({"triggers": [{"schedule": {"cron": "0 * * * *"}}]})),
        says("after", json!({"triggers": [{"run": {"of": "action:hourly", "state": "succeeded"}}]})),
    ]).await;
    for name in ["a", "b", "c", "d", "e", "f"] {
        portal.store(&[component(name, "team-a")]).await;
    }
    let all = reaches(&portal, "on-new", 6).await;
    let on: Vec<&str> = all.iter().map(|run| run["target"]["entity_ref"].as_str().unwrap()).collect();
    let wanted = ["f", "e", "d", "c", "b", "a"].map(|name| format!("component:default/{name}"));
    assert_eq!(on, wanted, "one each, in the order of the changes");
    for hour in 1..=3 {
        portal.clock.advance(TimeDelta::hours(1));
        reaches(&portal, "hourly", hour).await;
        reaches(&portal, "after", hour).await;
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let counts =
        [runs(&portal, "on-new").await.len(), runs(&portal, "hourly").await.len(), runs(&portal, "after").await.len()];
    assert_eq!(counts, [6, 3, 3]);
    replica.stop.cancel();
});

on_both!(what_would_go_round_in_a_circle_is_stopped_and_told, portal, {
    organisation(&portal).await;
    let after = |of: &str, state: &str| json!({"triggers": [{"run": {"of": of, "state": state}, "values": {"name": "${{ event.run.outputs.text[0].content }}"}}]});
    let mut ping = says("ping", after("action:pong", "succeeded"));
    ping["spec"]["output"] = json!({"text": [{"title": "Said", "content": "it was ping"}]});
    let grow = action(
        "grow",
        json!({
            "owner": "platform",
            "triggers": [{"change": {"kinds": ["Resource"]}}],
            "steps": [{"id": "more", "action": "catalog:resource", "input": {"entity": resource("more")}}],
        }),
    );
    let never = says("never", after("action:ping", "failed"));
    with_actions(&portal, &[ping, says("pong", after("action:ping", "succeeded")), grow, never]).await;
    let bob = person(&portal, "bob", Role::Developer).await;
    let first = call(&portal, &bob, "POST", "/api/v1/runs", &json!({"action": "ping", "values": {}})).await.json(202);
    assert_eq!(first["trigger"], Value::Null);
    let second = reaches(&portal, "pong", 1).await.remove(0);
    assert_eq!(second["trigger"]["above"], json!({"id": first["id"], "definition": "action:default/ping"}), "{second}");
    let id = second["id"].as_i64().unwrap();
    ended(&portal, id).await;
    assert!(log(&portal, id).await.contains("this is it was ping"));
    let told = problem(&portal, "ping").await;
    assert!(told.contains("circle") && told.contains("`action:default/ping` → `action:default/pong`"), "{told}");

    // What a run changes is changed by what led to it.
    portal.store(&[resource("first")]).await;
    reaches(&portal, "grow", 1).await;
    assert!(problem(&portal, "grow").await.contains("circle"));
    portal.get("/api/v1/entities/resource/default/more").await.is(200);
    let told = async || {
        let told = call(&portal, &bob, "GET", "/api/v1/notifications", &Value::Null).await.json(200);
        let titles = told["items"].as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap().to_owned());
        titles.collect::<Vec<_>>()
    };
    assert_eq!(told().await, ["default/grow did not start by itself", "default/ping did not start by itself"]);
    // Once a day.
    call(&portal, &bob, "POST", "/api/v1/runs", &json!({"action": "ping", "values": {}})).await.is(202);
    reaches(&portal, "pong", 2).await;
    portal.store(&[resource("second")]).await;
    reaches(&portal, "grow", 2).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((runs(&portal, "ping").await.len(), told().await.len()), (2, 2));
    assert_eq!(runs(&portal, "never").await, Vec::<Value>::new());
});

on_both!(a_flood_ends, portal, {
    organisation(&portal).await;
    with_actions(&portal, &[says("on-new", json!({"triggers": [{"change": {"kinds": ["Component"]}}]}))]).await;
    let many: Vec<Value> = (0..70).map(|number| component(&format!("c-{number}"), "team-a")).collect();
    portal.store(&many).await;
    assert!(problem(&portal, "on-new").await.contains("60 runs within an hour"));
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert_eq!(runs(&portal, "on-new").await.len(), 60);
    portal.clock.advance(TimeDelta::minutes(61));
    portal.store(&[component("later", "team-a")]).await;
    reaches(&portal, "on-new", 61).await;
    assert_eq!(triggers(&portal, "on-new").await[0]["problem"], Value::Null);
});

on_both!(nothing_starts_by_itself_that_nobody_has_vetted, portal, {
    organisation(&portal).await;
    let folder = portal.folder.join("stray");
    std::fs::create_dir_all(&folder).unwrap();
    let spec = json!({"triggers": [
        {"change": {"kinds": ["Component"], "when": "before == null"}},
        {"schedule": {"cron": "0 * * * *"}},
        {"webhook": {"name": "hook", "secret": "nightly"}},
    ]});
    std::fs::write(folder.join("catalog-info.yaml"), says("stray", spec.clone()).to_string()).unwrap();
    let source = sources::add(&portal, &json!({"type": "path", "target": folder.display().to_string()})).await;
    // In order: what the trusted one has answered to, the other has not.
    with_actions(&portal, &[says("vetted", json!({"triggers": spec["triggers"]}))]).await;
    is_due_once(&portal, "vetted", 1).await;
    portal.store(&[component("a", "team-a")]).await;
    portal.clock.advance(TimeDelta::hours(1));
    reaches(&portal, "vetted", 2).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(runs(&portal, "stray").await, Vec::<Value>::new());
    let shown = triggers(&portal, "stray").await;
    assert!(shown[0]["problem"].as_str().unwrap().contains("vetted"), "{shown}");
    assert_eq!((shown.as_array().unwrap().len(), &shown[1]["next_at"]), (3, &Value::Null));
    hook(&portal, "stray/hook", "1", portal.now(), "{}").await.problem(404, "hook_not_found");
    // When somebody has, it begins.
    portal.patch(&format!("/api/v1/sources/{source}"), &json!({"trusted": true})).await.is(200);
    is_due_once(&portal, "stray", 1).await;
    portal.store(&[component("b", "team-a")]).await;
    let run = reaches(&portal, "stray", 1).await.remove(0);
    assert_eq!(run["target"]["entity_ref"], "component:default/b", "not what had been before");
});

on_both!(a_version_that_a_maintainer_publishes_again_starts_by_itself, portal, {
    organisation(&portal).await;
    let (ann, max) = (person(&portal, "ann", Role::Developer).await, person(&portal, "max", Role::Maintainer).await);
    let steps = json!([{"id": "say", "action": "debug:log", "input": {"message": "x"}}]);
    let on = json!([{"schedule": {"cron": "0 4 * * *", "timezone": "UTC"}}]);
    let text = action("nightly", json!({"owner": "team-a", "triggers": on, "steps": steps})).to_string();
    let path = "/api/v1/actions/default/nightly";
    call(&portal, &ann, "PUT", &format!("{path}/draft"), &json!({"text": text})).await.is(200);
    for (who, is_asleep) in [(&ann, true), (&max, false)] {
        call(&portal, who, "POST", &format!("{path}/versions/1/publish"), &json!({})).await.is(200);
        for _ in 0..100 {
            if next(&portal, "nightly").await.is_none() == is_asleep {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(next(&portal, "nightly").await.is_none(), is_asleep);
    }
});

/// Sends a body to a webhook, signed with the secret of these tests.
async fn hook(portal: &Portal, path: &str, id: &str, at: DateTime<Utc>, body: &str) -> Answer {
    let headers = signature::headers(id, at, body.as_bytes(), &Secret::new(SECRET.to_owned())).unwrap();
    post(portal, path, headers, body).await
}

async fn post(portal: &Portal, path: &str, headers: HeaderMap, body: &str) -> Answer {
    let mut request = Request::post(format!("/api/v1/hooks/default/{path}")).body(Body::from(body.to_owned())).unwrap();
    *request.headers_mut() = headers;
    portal.send_as_it_is(request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_starts_what_its_secret_signs() {
    let file = std::env::temp_dir().join(format!("portal-hook-{}", uuid::Uuid::new_v4().simple()));
    std::fs::write(&file, SECRET).unwrap();
    let change = |config: &mut portal_api::config::Config| {
        config.credentials.insert("nightly".to_owned(), format!("file:{}", file.display()));
    };
    let mut portals = vec![Portal::with(change).await];
    match Portal::postgres_with(change).await {
        Some(portal) => portals.push(portal),
        None => println!("skipped on PostgreSQL: PORTAL_TEST_POSTGRES is not set"),
    }
    for portal in portals {
        organisation(&portal).await;
        portal.store(&[component("ledger", "team-a")]).await;
        let trigger = |secret: &str| json!([{"webhook": {"name": "nightly", "secret": secret}, "values": {"name": "${{ event.version }}"}}]);
        let scoped = says(
            "scoped",
            json!({
                "scope": {"kinds": ["Component"]},
                "triggers": [{"webhook": {"name": "nightly", "secret": "nightly"}, "entity": "component:${{ event.component }}"}],
            }),
        );
        let picky = json!({
            "parameters": {"properties": {"name": {"type": "string", "pattern": "^[0-9.]+$"}}}, "triggers": trigger("nightly"),
        });
        with_actions(
            &portal,
            &[says("release", picky), says("keyless", json!({"triggers": trigger("absent")})), scoped],
        )
        .await;
        for _ in 0..200 {
            if hook(&portal, "scoped/nightly", "0", portal.now(), "{").await.status != 404 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let (now, body) = (portal.now(), r#"{"version": "1.4.2"}"#);
        let started = hook(&portal, "release/nightly", "msg_1", now, body).await.json(202);
        assert_eq!(started["repeated"], false);
        let id = started["run_id"].as_i64().unwrap();
        let run = ended(&portal, id).await;
        assert_eq!((&run["state"], &run["trigger"]["kind"]), (&json!("succeeded"), &json!("webhook")), "{run}");
        assert!(log(&portal, id).await.contains("this is 1.4.2"));
        // The same once more, and signed once more later: it is the same run.
        let again = json!({"run_id": id, "repeated": true});
        assert_eq!(hook(&portal, "release/nightly", "msg_1", now, body).await.json(200), again);
        portal.clock.advance(TimeDelta::hours(2));
        assert_eq!(hook(&portal, "release/nightly", "msg_1", portal.now(), body).await.json(200), again);
        let forged = signature::headers("msg_2", portal.now(), b"{}", &Secret::new(SECRET.to_owned())).unwrap();
        post(&portal, "release/nightly", forged.clone(), body).await.problem(401, "unauthenticated");
        post(&portal, "release/nightly", HeaderMap::new(), body).await.problem(401, "unauthenticated");
        hook(&portal, "release/nightly", "msg_3", now, body).await.problem(401, "unauthenticated");
        hook(&portal, "release/nightly", "msg_4", portal.now() + TimeDelta::minutes(6), body)
            .await
            .problem(401, "unauthenticated");
        hook(&portal, "release/weekly", "msg_5", portal.now(), body).await.problem(404, "hook_not_found");
        hook(&portal, "nothing/nightly", "msg_6", portal.now(), body).await.problem(404, "hook_not_found");
        hook(&portal, "keyless/nightly", "msg_7", portal.now(), body).await.problem(503, "unavailable");
        hook(&portal, "release/nightly", "msg_8", portal.now(), "nothing").await.problem(400, "malformed_json");
        // What the form refuses is refused, told, and may be sent again.
        let wrong = r#"{"version": "latest"}"#;
        hook(&portal, "release/nightly", "msg_9", portal.now(), wrong).await.problem(409, "hook_refused");
        assert!(problem(&portal, "release").await.contains("/values/name"), "{}", problem(&portal, "release").await);
        hook(&portal, "release/nightly", "msg_9", portal.now(), body).await.is(202);
        assert_eq!(runs(&portal, "release").await.len(), 2);
        assert!(problem(&portal, "keyless").await.contains("`absent`"));
        assert_eq!(triggers(&portal, "release").await[0]["path"], "/api/v1/hooks/default/release/nightly");
        // One that is run on an entity finds it in the event.
        let started = hook(&portal, "scoped/nightly", "1", portal.now(), r#"{"component": "ledger"}"#).await.json(202);
        let run = ended(&portal, started["run_id"].as_i64().unwrap()).await;
        assert_eq!(run["target"]["entity_ref"], "component:default/ledger", "{run}");
        hook(&portal, "scoped/nightly", "2", portal.now(), r#"{"component": "absent"}"#)
            .await
            .problem(409, "hook_refused");
        portal.end().await;
    }
}

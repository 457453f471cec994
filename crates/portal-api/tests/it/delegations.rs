//! Deciding in somebody's place: as long as it holds, as one person, and never about one's
//! own request.

use std::time::Duration;

use chrono::TimeDelta;
use portal_core::access::Role;
use serde_json::{Value, json};

use crate::actions::{action, call, person, reaches, with_actions};
use crate::harness::{Answer, Portal, group, user};
use crate::on_both;

const ALL: &str = "/api/v1/delegations";
const INBOX: &str = "/api/v1/approvals?mine=true&state=pending";

/// `bob` and `cat` decide; `ann`, `dan` and `eve` do not.
struct Scene<'p> {
    portal: &'p Portal,
    ann: String,
    bob: String,
    cat: String,
    dan: String,
    eve: String,
}

async fn scene<'p>(portal: &'p Portal, need: Value) -> Scene<'p> {
    portal
        .store(&[
            group("team-a", None),
            group("platform", None),
            user("ann", "team-a"),
            user("bob", "platform"),
            user("cat", "platform"),
            user("dan", "team-a"),
            user("eve", "team-a"),
        ])
        .await;
    let spec = json!({
        "approval": {"by": ["group:platform"], "need": need, "expires": "30d"},
        "steps": [{"id": "do", "action": "debug:log", "input": {"message": "done"}}],
    });
    with_actions(portal, &[action("do", spec)]).await;
    let of = async |name: &str| person(portal, name, Role::Developer).await;
    let (ann, bob, cat) = (of("ann").await, of("bob").await, of("cat").await);
    Scene { portal, ann, bob, cat, dan: of("dan").await, eve: of("eve").await }
}

impl Scene<'_> {
    /// Somebody asks; answers the run and the approval.
    async fn ask(&self, by: &str) -> (i64, i64) {
        let run = call(self.portal, by, "POST", "/api/v1/runs", &json!({"action": "do"})).await.json(202);
        let id = run["id"].as_i64().unwrap();
        let waiting = self.portal.get(&format!("/api/v1/approvals?run={id}")).await.json(200);
        (id, waiting["items"][0]["id"].as_i64().unwrap())
    }

    async fn hand(&self, by: &str, body: Value) -> Answer {
        call(self.portal, by, "POST", ALL, &body).await
    }

    async fn vote(&self, by: &str, approval: i64, approves: bool) -> Answer {
        let path = format!("/api/v1/approvals/{approval}/votes");
        call(self.portal, by, "POST", &path, &json!({"approves": approves})).await
    }

    async fn get(&self, by: &str, path: &str) -> Value {
        call(self.portal, by, "GET", path, &Value::Null).await.json(200)
    }

    async fn told(&self, by: &str) -> String {
        self.get(by, "/api/v1/notifications").await["items"].to_string()
    }
}

on_both!(somebody_decides_in_anothers_place_until_it_is_over, portal, {
    let scene = scene(&portal, json!("any")).await;
    let Scene { ann, bob, cat, dan, eve, .. } = &scene;
    let (run, first) = scene.ask(ann).await;
    assert_eq!(scene.get(dan, INBOX).await["total"], 0);
    scene.vote(dan, first, true).await.problem(404, "approval_not_found");

    let until = (portal.now() + TimeDelta::days(7)).to_rfc3339();
    let made = scene.hand(bob, json!({"delegate": "dan", "until": until, "reason": "At sea"})).await.json(201);
    assert_eq!(
        (&made["to"]["entity_ref"], &made["from"]["name"], &made["own"]),
        (&json!("user:default/dan"), &json!("bob"), &json!(true)),
        "{made}"
    );
    let theirs = scene.get(dan, ALL).await;
    assert_eq!((&theirs["items"][0]["own"], &theirs["items"][0]["reason"]), (&json!(false), &json!("At sea")));
    assert_eq!(scene.get(eve, ALL).await["total"], 0);
    assert!(scene.told(dan).await.contains("bob has handed their approvals to you"));

    // What waits already and what is asked from now on is in the inbox, for whom it says.
    let (_, second) = scene.ask(ann).await;
    let inbox = scene.get(dan, INBOX).await;
    assert_eq!((&inbox["total"], &inbox["items"][0]["on_behalf_of"]["name"]), (&json!(2), &json!("bob")), "{inbox}");
    assert_eq!(inbox["items"][0]["refusal"], Value::Null);
    assert!(scene.told(dan).await.contains("(for bob)"), "{}", scene.told(dan).await);
    scene.get(dan, &format!("/api/v1/runs/{run}")).await;
    let voted = scene.vote(dan, first, true).await.json(201);
    assert_eq!(
        (&voted["state"], &voted["votes"][0]["by"]["name"], &voted["votes"][0]["on_behalf_of"]["name"]),
        (&json!("approved"), &json!("dan"), &json!("bob")),
        "{voted}"
    );
    reaches(&portal, run, "succeeded").await;
    assert!(scene.told(ann).await.contains("approved by dan for bob"), "{}", scene.told(ann).await);
    // They may look at what they have decided.
    assert_eq!(scene.get(dan, &format!("/api/v1/approvals/{first}")).await["state"], "approved");

    portal.clock.advance(TimeDelta::days(3));
    let (_, third) = scene.ask(ann).await;
    // A person of the group who stands in decides by their own right.
    let again = json!({"delegate": "user:default/cat", "until": until});
    scene.hand(bob, again.clone()).await.problem(409, "delegation_exists");
    let id = made["id"].as_i64().unwrap();
    call(&portal, eve, "DELETE", &format!("{ALL}/{id}"), &Value::Null).await.problem(404, "delegation_not_found");
    call(&portal, bob, "DELETE", &format!("{ALL}/{id}"), &Value::Null).await.is(204);
    // Over at once.
    scene.vote(dan, second, true).await.problem(404, "approval_not_found");
    assert_eq!(scene.get(dan, INBOX).await["total"], 0);
    call(&portal, bob, "DELETE", &format!("{ALL}/{id}"), &Value::Null).await.problem(404, "delegation_not_found");
    scene.hand(bob, again).await.is(201);
    let own = scene.vote(cat, third, false).await.json(201);
    assert_eq!((&own["state"], &own["votes"][0]["on_behalf_of"]), (&json!("declined"), &Value::Null), "{own}");

    // Its time is over.
    portal.clock.advance(TimeDelta::days(5));
    assert_eq!(scene.get(bob, ALL).await["total"], 0);
    let audit = portal.get("/api/v1/audit?action=delegation").await.json(200);
    let actions: Vec<&str> =
        audit["items"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["delegation.create", "delegation.delete", "delegation.create"]);
    assert!(!portal.get("/api/v1/changes?subject=delegation:1").await.text().contains("At sea"));
});

on_both!(whoever_stands_in_is_reminded_too, portal, {
    let scene = scene(&portal, json!("any")).await;
    let Scene { ann, bob, dan, .. } = &scene;
    scene.ask(ann).await;
    let until = (portal.now() + TimeDelta::days(20)).to_rfc3339();
    scene.hand(bob, json!({"delegate": "dan", "until": until})).await.is(201);
    portal.clock.advance(TimeDelta::days(16));
    for _ in 0..200 {
        if scene.told(dan).await.contains("Still waits for approval: do (for bob)") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(scene.told(dan).await.contains("Still waits for approval: do (for bob)"), "{}", scene.told(dan).await);
});

on_both!(a_right_that_has_expired_or_gone_decides_nothing, portal, {
    let scene = scene(&portal, json!("any")).await;
    let Scene { ann, bob, dan, .. } = &scene;
    let (_, approval) = scene.ask(ann).await;
    let until = (portal.now() + TimeDelta::hours(1)).to_rfc3339();
    scene.hand(bob, json!({"delegate": "dan", "until": until})).await.is(201);
    // Whoever may not decide any more has nothing in others' hands.
    portal.patch("/api/v1/accounts/bob", &json!({"disabled": true})).await.is(200);
    scene.vote(dan, approval, true).await.problem(404, "approval_not_found");
    portal.patch("/api/v1/accounts/bob", &json!({"disabled": false})).await.is(200);
    assert_eq!(scene.get(dan, INBOX).await["total"], 1);
    portal.clock.advance(TimeDelta::minutes(61));
    assert_eq!(scene.get(dan, INBOX).await["total"], 0);
    scene.vote(dan, approval, true).await.problem(404, "approval_not_found");
});

on_both!(each_person_counts_once_and_nobody_decides_about_themselves, portal, {
    let scene = scene(&portal, json!(2)).await;
    let Scene { ann, bob, cat, dan, eve, .. } = &scene;
    let until = (portal.now() + TimeDelta::days(7)).to_rfc3339();
    scene.hand(bob, json!({"delegate": "dan", "until": until})).await.is(201);
    let (_, approval) = scene.ask(ann).await;
    assert_eq!(scene.vote(dan, approval, true).await.json(201)["state"], "pending");
    let twice = scene.vote(dan, approval, true).await.problem(409, "voted_already");
    assert_eq!(twice["detail"], "you have decided already");
    let back = scene.vote(bob, approval, true).await.problem(409, "voted_already");
    assert_eq!(back["detail"], "dan has decided for you already");
    let view = scene.get(bob, &format!("/api/v1/approvals/{approval}")).await;
    assert_eq!(view["refusal"], "dan has decided for you already", "{view}");
    assert_eq!(scene.vote(cat, approval, true).await.json(201)["state"], "approved");

    // Decided by the person themselves, it is not decided for them once more.
    let (_, approval) = scene.ask(ann).await;
    scene.vote(bob, approval, true).await.is(201);
    let late = scene.vote(dan, approval, true).await.problem(409, "voted_already");
    assert!(late["detail"].as_str().unwrap().starts_with("bob has decided already"), "{late}");

    // Neither whoever asks by another's right, nor another by theirs.
    let (_, approval) = scene.ask(dan).await;
    let own = scene.vote(dan, approval, true).await.problem(403, "forbidden");
    assert!(own["detail"].as_str().unwrap().contains("other than whoever asked"), "{own}");
    let (_, approval) = scene.ask(bob).await;
    let theirs = scene.vote(dan, approval, true).await.problem(403, "forbidden");
    assert!(theirs["detail"].as_str().unwrap().contains("bob asked"), "{theirs}");

    // What was handed to one goes no further.
    scene.hand(dan, json!({"delegate": "eve", "until": until})).await.is(201);
    let (_, approval) = scene.ask(ann).await;
    scene.vote(eve, approval, true).await.problem(404, "approval_not_found");
    assert_eq!(scene.get(eve, INBOX).await["total"], 0);
    let chain = scene.hand(dan, json!({"delegate": "eve", "approval": approval})).await.problem(403, "forbidden");
    assert!(chain["detail"].as_str().unwrap().contains("is not handed on"), "{chain}");
});

on_both!(one_approval_is_handed_on_and_bad_input_is_told, portal, {
    let scene = scene(&portal, json!("any")).await;
    let Scene { ann, bob, dan, eve, .. } = &scene;
    let (_, first) = scene.ask(ann).await;
    let (_, second) = scene.ask(ann).await;
    let made = scene.hand(bob, json!({"delegate": "dan", "approval": first})).await.json(201);
    assert_eq!(made["until"], scene.get(bob, &format!("/api/v1/approvals/{first}")).await["expires_at"], "{made}");
    let inbox = scene.get(dan, INBOX).await;
    assert_eq!((&inbox["total"], &inbox["items"][0]["id"]), (&json!(1), &json!(first)));
    scene.vote(dan, second, true).await.problem(404, "approval_not_found");
    scene.hand(bob, json!({"delegate": "eve", "approval": first})).await.problem(409, "delegation_exists");
    scene.vote(dan, first, true).await.is(201);
    scene.hand(bob, json!({"delegate": "eve", "approval": first})).await.problem(409, "approval_ended");
    // Whoever has it may give it back.
    let given = scene.hand(bob, json!({"delegate": "dan", "approval": second})).await.json(201);
    call(&portal, dan, "DELETE", &format!("{ALL}/{}", given["id"]), &Value::Null).await.is(204);

    let tomorrow = (portal.now() + TimeDelta::days(1)).format("%Y-%m-%d").to_string();
    for (body, pointer, part) in [
        (json!({"delegate": "bob", "until": tomorrow}), "/delegate", "that is you"),
        (json!({"delegate": "nobody", "until": tomorrow}), "/delegate", "no user `user:default/nobody`"),
        (json!({"delegate": "group:team-a", "until": tomorrow}), "/delegate", "no user `group:default/team-a`"),
        (json!({"delegate": "", "until": tomorrow}), "/delegate", ""),
        (json!({"delegate": "dan"}), "/until", "say until when"),
        (json!({"delegate": "dan", "until": ""}), "/until", "say until when"),
        (json!({"delegate": "dan", "until": "soon"}), "/until", "a date such as"),
        (json!({"delegate": "dan", "until": "2026-02-30"}), "/until", "a date such as"),
        (json!({"delegate": "dan", "until": "2020-01-01"}), "/until", "over already"),
        (json!({"delegate": "dan", "until": "+262142-12-31"}), "/until", ""),
        (json!({"delegate": "dan", "until": "2031-01-01"}), "/until", "at most 366 days"),
        (json!({"delegate": "dan", "until": tomorrow, "reason": "x".repeat(501)}), "/reason", "at most 500"),
        (json!({"delegate": "dan", "approval": 9999}), "/approval", "there is no approval `9999`"),
        (json!({"delegate": "ann", "approval": second}), "/delegate", "whoever asked"),
    ] {
        let problem = scene.hand(bob, body.clone()).await.json(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
        assert!(problem["errors"][0]["message"].as_str().unwrap().contains(part), "{body}: {problem}");
    }
    scene.hand(bob, json!({"delegate": "dan", "until": tomorrow, "from": "x"})).await.is(422);
    scene.hand(eve, json!({"delegate": "dan", "approval": second})).await.is(422);
    let made = scene.hand(bob, json!({"delegate": "dan", "until": tomorrow})).await.json(201);
    assert!(made["until"].as_str().unwrap().ends_with("T00:00:00Z"), "{made}");
    call(&portal, bob, "DELETE", &format!("{ALL}/x"), &Value::Null).await.problem(404, "delegation_not_found");
});

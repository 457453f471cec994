//! Messages that leave the portal: that each arrives, what happens to those that do not,
//! and who gets them.

mod aiosmtpd;
mod sinks;

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use chrono::{DateTime, TimeDelta, Utc};
use portal_api::config::Config;
use portal_api::db::{DbError, Priority};
use portal_api::outbox::{self, ChannelConfig, NewMessage, SmtpTls};
use portal_core::access::Role;
use portal_core::outbox::ChannelKind;
use serde_json::{Value, json};

use self::sinks::{Hook, MailServer};
use crate::actions::{action, call, person, with_actions};
use crate::harness::{Answer, Portal, group, user};
use crate::runs::{ended, log};

/// A portal with a chat, another one, Teams and a mail server. `ann` is of `team-a`; `bob`,
/// `cyd` and `dan` are of `platform`; `ops` has an address of its own, and `night` is a
/// part of `platform`.
struct Scene {
    portal: Portal,
    chat: Hook,
    other: Hook,
    teams: Hook,
    mail: MailServer,
}

fn channel(name: &str, kind: ChannelKind) -> ChannelConfig {
    let name = name.to_owned();
    ChannelConfig { name, kind, credential: None, host: None, port: None, tls: None, user: None, from: None }
}

fn mail_channel(name: &str, port: u16) -> ChannelConfig {
    ChannelConfig {
        host: Some("127.0.0.1".to_owned()),
        port: Some(port),
        tls: Some(SmtpTls::None),
        from: Some("Portal <portal@example.com>".to_owned()),
        ..channel(name, ChannelKind::Email)
    }
}

/// A reference to a secret in a file.
fn secret(text: &str) -> Option<String> {
    let file = std::env::temp_dir().join(format!("portal-channel-{}", uuid::Uuid::new_v4().simple()));
    std::fs::write(&file, text).unwrap();
    Some(format!("file:{}", file.display()))
}

async fn scenes() -> Vec<Scene> {
    let mut all = vec![scene(false).await];
    if std::env::var_os("PORTAL_TEST_POSTGRES").is_some() {
        all.push(scene(true).await);
    } else {
        println!("skipped on PostgreSQL: PORTAL_TEST_POSTGRES is not set");
    }
    all
}

async fn scene(on_postgres: bool) -> Scene {
    let (chat, other, teams, mail) = (Hook::default(), Hook::default(), Hook::default(), MailServer::default());
    let hook = async |name: &str, kind: ChannelKind, hook: &Hook| {
        let credential = secret(&hook.start().await);
        ChannelConfig { credential, ..channel(name, kind) }
    };
    let channels = vec![
        hook("chat", ChannelKind::Slack, &chat).await,
        hook("other", ChannelKind::Slack, &other).await,
        hook("teams", ChannelKind::Teams, &teams).await,
        mail_channel("mail", mail.start().await),
    ];
    let change = |config: &mut Config| {
        config.access.public_url = Some("https://portal.example.com".to_owned());
        config.channels = channels.clone();
        config.approvals.email = Some("mail".to_owned());
        config.approvals.channel = Some("chat".to_owned());
    };
    let portal = if on_postgres { Portal::postgres_with(change).await.unwrap() } else { Portal::with(change).await };
    portal.store(&organisation()).await;
    Scene { portal, chat, other, teams, mail }
}

fn organisation() -> Vec<Value> {
    let reached = |mut entity: Value, address: &str| {
        entity["spec"]["profile"] = json!({ "email": address });
        entity
    };
    let mut people = vec![
        group("team-a", None),
        group("platform", None),
        group("night", Some("platform")),
        reached(group("ops", None), "ops@example.com"),
        reached(user("otto", "ops"), "otto@example.com"),
        user("nemo", "team-a"),
    ];
    for (name, team) in [("ann", "team-a"), ("bob", "platform"), ("cyd", "platform"), ("dan", "night")] {
        people.push(reached(user(name, team), &format!("{name}@example.com")));
    }
    people
}

/// Starts a run of one step `notify`, and answers it at its end.
async fn notify(portal: &Portal, input: Value) -> Value {
    let name = format!("tell-{}", uuid::Uuid::new_v4().simple());
    let steps = json!([{"id": "tell", "action": "notify", "input": input}]);
    let output = json!({"text": [{"title": "Count", "content": "${{ steps.tell.output.count }}"}]});
    with_actions(portal, &[action(&name, json!({"steps": steps, "output": output}))]).await;
    let run = portal.post("/api/v1/runs", &json!({"action": name})).await.json(202);
    ended(portal, run["id"].as_i64().unwrap()).await
}

async fn told(portal: &Portal, input: Value) -> Value {
    let run = notify(portal, input).await;
    assert_eq!(run["state"], "succeeded", "{run}\n{}", log(portal, run["id"].as_i64().unwrap()).await);
    run
}

async fn messages(portal: &Portal, query: &str) -> Vec<Value> {
    let list = portal.get(&format!("/api/v1/messages?{query}")).await.json(200);
    list["items"].as_array().unwrap().clone()
}

/// Waits until something is so of the newest message.
async fn newest(portal: &Portal, query: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..400 {
        if let Some(first) = messages(portal, query).await.into_iter().next().filter(&is_so) {
            return first;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it does not come to that: {:?}", messages(portal, query).await);
}

async fn comes(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..400 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what} does not come");
}

/// Long enough for workers to have looked.
async fn a_look() {
    tokio::time::sleep(Duration::from_millis(1500)).await;
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_sent_until_it_has_arrived_and_then_no_more() {
    for Scene { portal, chat, .. } in scenes().await {
        chat.answer(&[(500, None, "oh"), (429, Some("120"), "rate_limited")]);
        let run =
            told(&portal, json!({"channel": "chat", "title": "It is <up>", "text": "**Done**", "link": "/runs/1"}))
                .await;
        assert_eq!(run["output"]["text"][0]["content"], 1);
        let first = newest(&portal, "channel=chat", |one| one["attempts"] == 1).await;
        assert_eq!((&first["state"], &first["error"]), (&json!("pending"), &json!("answered 500: oh")));
        let wait = time(&first["next_at"]) - portal.now();
        assert!((TimeDelta::seconds(5)..=TimeDelta::seconds(10)).contains(&wait), "{wait}");

        portal.clock.advance(TimeDelta::seconds(10));
        let second = newest(&portal, "channel=chat", |one| one["attempts"] == 2).await;
        assert_eq!(second["error"], "answered 429: rate_limited");
        let wait = time(&second["next_at"]) - portal.now();
        assert!((TimeDelta::seconds(120)..TimeDelta::seconds(130)).contains(&wait), "{wait}");
        portal.clock.advance(TimeDelta::seconds(110));
        a_look().await;
        assert_eq!(chat.heard().len(), 2, "it was asked to wait");

        portal.clock.advance(TimeDelta::seconds(20));
        let sent = newest(&portal, "channel=chat", |one| one["state"] == "sent").await;
        assert_eq!((&sent["attempts"], &sent["error"]), (&json!(3), &Value::Null));
        assert_eq!((&sent["run_id"], &sent["next_at"]), (&run["id"], &Value::Null));
        portal.clock.advance(TimeDelta::hours(5));
        a_look().await;
        let heard = chat.heard();
        assert_eq!(heard.len(), 3, "{heard:?}");
        let text = "*It is &lt;up&gt;*\n*Done*\n<https://portal.example.com/runs/1|Open>";
        assert!(heard.iter().all(|body| body["text"] == text), "{heard:?}");
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_up_says_why_and_is_sent_again_when_asked() {
    for Scene { portal, chat, .. } in scenes().await {
        chat.answer(&[(400, None, "invalid_payload")]);
        told(&portal, json!({"channel": "chat", "title": "Hello"})).await;
        let failed = newest(&portal, "state=failed", |_| true).await;
        assert_eq!((&failed["attempts"], &failed["error"]), (&json!(1), &json!("answered 400: invalid_payload")));
        let channels = portal.get("/api/v1/channels").await;
        assert!(!channels.text().contains("very-secret") && !channels.text().contains("file:"), "{}", channels.text());
        let channels = channels.json(200);
        assert_eq!(channels["items"][0], json!({"name": "chat", "kind": "slack", "pending": 0, "failed": 1}));
        portal.clock.advance(TimeDelta::hours(5));
        a_look().await;
        assert_eq!(chat.heard().len(), 1);

        #[cfg(feature = "ui")]
        {
            let page = portal.get("/admin/connectors").await.text();
            let told = ["data-act=\"/api/v1/channels/chat/test\"", "answered 400: invalid_payload", "/retry\""];
            assert!(told.iter().all(|text| page.contains(text)), "{page}");
            let mats = person(&portal, "mats", Role::Maintainer).await;
            let page = call(&portal, &mats, "GET", "/admin/connectors", &Value::Null).await.text();
            assert!(page.contains("Channels") && !page.contains("invalid_payload"), "{page}");
        }

        let retry = format!("/api/v1/messages/{}/retry", failed["id"]);
        let mats = person(&portal, "mats", Role::Maintainer).await;
        call(&portal, &mats, "POST", &retry, &Value::Null).await.problem(403, "forbidden");
        let empty =
            async |path: &str| -> Answer { portal.send(Request::post(path).body(Body::empty()).unwrap()).await };
        empty("/api/v1/messages/77/retry").await.problem(404, "message_not_found");
        let again = empty(&retry).await.json(202);
        assert_eq!((&again["state"], &again["attempts"]), (&json!("pending"), &json!(0)));
        newest(&portal, "", |one| one["state"] == "sent").await;
        empty(&retry).await.problem(409, "message_not_failed");
        assert_eq!(chat.heard().len(), 2);

        // A server that is down for long is given up as well.
        chat.answer(&[(503, None, ""); 20]);
        told(&portal, json!({"channel": "chat", "title": "Are you there?"})).await;
        for attempt in 1..=8 {
            newest(&portal, "", |one| one["attempts"] == attempt).await;
            portal.clock.advance(TimeDelta::hours(1));
        }
        newest(&portal, "", |one| one["state"] == "failed").await;
        a_look().await;
        assert_eq!(chat.heard().len(), 10);
        portal.get("/api/v1/messages?state=lost").await.problem(400, "invalid_parameter");
        assert_eq!(messages(&portal, "cursor=&limit=1").await.len(), 1);
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_hangs_delays_no_other() {
    for Scene { portal, chat, other, teams, .. } in scenes().await {
        other.hang();
        for number in 0..6 {
            told(&portal, json!({"channel": "other", "title": format!("To nobody {number}")})).await;
        }
        comes("the first message", || other.heard().len() == 4).await;
        let began = std::time::Instant::now();
        told(&portal, json!({"channel": "chat", "title": "Hello"})).await;
        told(
            &portal,
            json!({"channel": "teams", "title": "Hello", "text": "It is **up**", "link": "https://a.example/x"}),
        )
        .await;
        comes("a message of another channel", || !chat.heard().is_empty() && !teams.heard().is_empty()).await;
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert_eq!(other.heard().len(), 4, "no more than four are under way");
        let card = &teams.heard()[0]["attachments"][0];
        assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
        assert_eq!(card["content"]["body"][1]["text"], "It is **up**");
        assert_eq!(card["content"]["actions"][0]["url"], "https://a.example/x");
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_goes_to_people_and_groups_each_by_itself() {
    for Scene { portal, mail, .. } in scenes().await {
        let to = json!(["eve@example.com", "bob", "group:platform", "group:ops", "user:nemo"]);
        let title = "Größe ist über alles wichtig\r\nBcc: mallory@example.com";
        let input = json!({"channel": "mail", "to": to, "title": title, "text": "The **database** is up.\n.\nSee [it](https://a.example).", "link": "/runs/9"});
        let run = told(&portal, input).await;
        let text = log(&portal, run["id"].as_i64().unwrap()).await;
        assert!(text.contains("`user:default/nemo` has no e-mail address"), "{text}");
        assert_eq!(run["output"]["text"][0]["content"], 5, "{text}");
        comes("the fifth mail", || mail.mails().len() == 5).await;
        let mut mails = mail.mails();
        mails.sort_by(|one, other| one.to.cmp(&other.to));
        let to: Vec<&str> = mails.iter().flat_map(|mail| &mail.to).map(String::as_str).collect();
        let expected = ["bob", "cyd", "dan", "eve", "ops"].map(|name| format!("{name}@example.com"));
        assert_eq!(to, expected);
        let mut ids = std::collections::BTreeSet::new();
        for mail in &mails {
            assert_eq!(mail.from, "portal@example.com");
            assert_eq!(mail.header("From").unwrap(), "Portal <portal@example.com>");
            assert_eq!(mail.header("To").as_ref(), Some(&mail.to[0]));
            let subject = "Größe ist über alles wichtig Bcc: mallory@example.com";
            assert_eq!(mail.header("Subject").unwrap(), subject, "{}", mail.data);
            assert!(mail.data.is_ascii() || mail.header("Content-Transfer-Encoding").is_some());
            assert_eq!((mail.header("Bcc"), mail.header("Auto-Submitted").unwrap().as_str()), (None, "auto-generated"));
            assert!(mail.header("Date").unwrap().starts_with("Tue, 17 Nov 2026 09:00:00"), "{}", mail.data);
            let text =
                "The database is up.\r\n.\r\nSee it (https://a.example).\r\n\r\nhttps://portal.example.com/runs/9";
            assert!(mail.body().starts_with(text), "{:?}", mail.body());
            ids.insert(mail.header("Message-ID").unwrap());
        }
        assert_eq!(ids.len(), 5);
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_is_sent_again_is_the_same_mail() {
    for Scene { portal, mail, .. } in scenes().await {
        mail.refuse_mails(&["451 try again later"]);
        told(&portal, json!({"channel": "mail", "to": ["ann"], "title": "Hello"})).await;
        let waiting = newest(&portal, "", |one| one["attempts"] == 1).await;
        assert!(waiting["error"].as_str().unwrap().contains("try again later"), "{waiting}");
        assert_eq!((&waiting["state"], &waiting["recipient"]), (&json!("pending"), &json!("ann@example.com")));
        portal.clock.advance(TimeDelta::seconds(11));
        newest(&portal, "", |one| one["state"] == "sent").await;
        let mails = mail.mails();
        assert!(mails.len() == 2 && mails[0] == mails[1], "{mails:?}");

        mail.refuse_recipients(&["550 5.1.1 no such user here"]);
        told(&portal, json!({"channel": "mail", "to": ["ann"], "title": "Hello"})).await;
        let failed = newest(&portal, "", |one| one["state"] == "failed").await;
        assert!(failed["error"].as_str().unwrap().contains("no such user"), "{failed}");
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_sent_ends_the_step() {
    for Scene { portal, chat, mail, .. } in scenes().await {
        for (input, named) in [
            (json!({"channel": "pigeon", "title": "x"}), "there are chat, other, teams, mail"),
            (json!({"channel": "chat", "title": ""}), "`title`"),
            (json!({"channel": "chat", "title": "x".repeat(201)}), "`title`"),
            (json!({"channel": "chat", "title": "x", "to": ["bob"]}), "`to`"),
            (json!({"channel": "chat", "title": "x", "link": "javascript:alert(1)"}), "`link`"),
            (json!({"channel": "mail", "title": "x"}), "`to`"),
            (json!({"channel": "mail", "title": "x", "to": ["component:a"]}), "neither"),
            (json!({"channel": "mail", "title": "x", "to": ["a@b.c\r\nRCPT TO:<d@e.f>"]}), "no address"),
            (json!({"channel": "mail", "title": "x", "to": ["nemo", "group:nobody"]}), "nobody"),
        ] {
            let run = notify(&portal, input.clone()).await;
            assert_eq!(run["state"], "failed", "{input}: {run}");
            assert!(run["error"]["message"].as_str().unwrap().contains(named), "{input}: {run}");
        }
        let folder = portal.folder.join("strange");
        std::fs::create_dir_all(&folder).unwrap();
        let steps = json!([{"id": "tell", "action": "notify", "input": {"channel": "chat", "title": "x"}}]);
        let text = action("strange", json!({"steps": steps})).to_string();
        std::fs::write(folder.join("catalog-info.yaml"), text).unwrap();
        let source = json!({"type": "path", "target": folder.display().to_string(), "trusted": false});
        crate::sources::add(&portal, &source).await;
        let id = portal.post("/api/v1/runs", &json!({"action": "strange"})).await.json(202)["id"].as_i64().unwrap();
        assert_eq!(ended(&portal, id).await["error"]["code"], "not_allowed");
        assert!(messages(&portal, "").await.is_empty() && chat.heard().is_empty() && mail.mails().is_empty());
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_written_once() {
    for Scene { portal, chat, .. } in scenes().await {
        let message = |title: &str| NewMessage {
            channel: "chat".to_owned(),
            recipient: None,
            title: title.to_owned(),
            text: None,
            link: None,
            key: outbox::key("test", ""),
            run_id: None,
        };
        let now = portal.now();
        for (title, expected) in [("First", 1), ("Second", 0)] {
            let message = message(title);
            let write = portal.app.db.write(Priority::Interactive, move |txn| {
                Box::pin(async move { outbox::put(txn, vec![message], now).await })
            });
            let count: Result<usize, DbError> = write.await;
            assert_eq!(count.unwrap(), expected);
        }
        newest(&portal, "", |one| one["state"] == "sent").await;
        a_look().await;
        assert_eq!(chat.heard().len(), 1);
        assert_eq!(chat.heard()[0]["text"], "*First*");
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_is_tested() {
    for Scene { portal, chat, mail, .. } in scenes().await {
        let bob = person(&portal, "bob", Role::Maintainer).await;
        let test = async |token: &str, name: &str| {
            call(&portal, token, "POST", &format!("/api/v1/channels/{name}/test"), &Value::Null).await
        };
        let done = test(&bob, "mail").await.json(200);
        assert_eq!(done["recipient"], "bob@example.com");
        assert_eq!(mail.mails()[0].to, ["bob@example.com"]);
        test(&bob, "chat").await.is(200);
        assert!(chat.heard()[0]["text"].as_str().unwrap().contains("bob tests the channel"), "{:?}", chat.heard());
        chat.answer(&[(404, None, "no_service")]);
        let fault = test(&bob, "chat").await.problem(503, "unavailable");
        assert!(fault["detail"].as_str().unwrap().contains("answered 404: no_service"), "{fault}");
        test(&bob, "pigeon").await.problem(404, "channel_not_found");
        let mats = person(&portal, "mats", Role::Maintainer).await;
        test(&mats, "mail").await.problem(409, "no_address");
        let dora = person(&portal, "dora", Role::Developer).await;
        test(&dora, "chat").await.problem(403, "forbidden");
        assert_eq!(messages(&portal, "").await.len(), 0);
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_decides_is_told_and_reminded_until_they_have() {
    for Scene { portal, chat, mail, .. } in scenes().await {
        let approval = json!({"by": ["group:platform", "user:bob"], "need": "all", "expires": "24h"});
        let steps = json!([{"id": "say", "action": "debug:log", "input": {"message": "done"}}]);
        with_actions(&portal, &[action("careful", json!({"approval": approval, "steps": steps}))]).await;
        let token = async |name: &str| person(&portal, name, Role::Developer).await;
        let (bob, cyd, dan) = (token("bob").await, token("cyd").await, token("dan").await);
        let run = call(&portal, &cyd, "POST", "/api/v1/runs", &json!({"action": "careful"})).await.json(202);
        let id = run["id"].as_i64().unwrap();
        let sent_to = || {
            let mut all: Vec<String> = mail.mails().into_iter().flat_map(|mail| mail.to).collect();
            all.sort();
            all
        };
        // Of whom it is asked, other than whoever asks.
        comes("the mails", || mail.mails().len() == 2 && chat.heard().len() == 1).await;
        assert_eq!(sent_to(), ["bob@example.com", "dan@example.com"]);
        let first = mail.mails().remove(0);
        assert!(first.header("Subject").unwrap().starts_with("cyd asks for approval: careful"), "{}", first.data);
        assert!(first.body().contains("https://portal.example.com/approvals"), "{}", first.data);
        let text = chat.heard()[0]["text"].as_str().unwrap().to_owned();
        assert!(text.contains("<https://portal.example.com/approvals|Open>"), "{text}");
        assert_eq!(messages(&portal, "").await[0]["run_id"], id);

        let waiting = portal.get(&format!("/api/v1/approvals?run={id}")).await.json(200);
        let votes = format!("/api/v1/approvals/{}/votes", waiting["items"][0]["id"]);
        call(&portal, &dan, "POST", &votes, &json!({"approves": true})).await.is(201);
        portal.clock.advance(TimeDelta::hours(11));
        a_look().await;
        assert_eq!((mail.mails().len(), chat.heard().len()), (2, 1));

        // Half of the time is over: those who have not decided are reminded, once.
        portal.clock.advance(TimeDelta::minutes(61));
        comes("the reminder", || mail.mails().len() == 3 && chat.heard().len() == 2).await;
        let reminder = mail.mails().remove(2);
        assert_eq!(reminder.to, ["bob@example.com"]);
        assert!(reminder.header("Subject").unwrap().starts_with("Still waits for approval"), "{}", reminder.data);
        let reminded = async |token: &str| {
            let list = call(&portal, token, "GET", "/api/v1/notifications", &Value::Null).await.json(200);
            let items = list["items"].as_array().unwrap();
            items.iter().filter(|one| one["title"].as_str().unwrap().starts_with("Still waits")).count()
        };
        assert_eq!((reminded(&bob).await, reminded(&cyd).await, reminded(&dan).await), (1, 0, 0));
        portal.clock.advance(TimeDelta::hours(8));
        a_look().await;
        assert_eq!((mail.mails().len(), chat.heard().len()), (3, 2));
        call(&portal, &bob, "POST", &votes, &json!({"approves": true})).await.is(201);
        assert_eq!(ended(&portal, id).await["state"], "succeeded");

        // What has been decided reminds nobody.
        let run = call(&portal, &cyd, "POST", "/api/v1/runs", &json!({"action": "careful"})).await.json(202);
        comes("the mails", || mail.mails().len() == 5).await;
        let waiting = portal.get(&format!("/api/v1/approvals?run={}", run["id"])).await.json(200);
        let votes = format!("/api/v1/approvals/{}/votes", waiting["items"][0]["id"]);
        call(&portal, &bob, "POST", &votes, &json!({"approves": false})).await.is(201);
        portal.clock.advance(TimeDelta::hours(13));
        a_look().await;
        assert_eq!(mail.mails().len(), 5);
        portal.end().await;
    }
}

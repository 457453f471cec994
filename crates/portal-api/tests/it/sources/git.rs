//! Git repositories: ordinary, hostile, and announced by webhook.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{add, component, entity, errors, exists, last_seq, passes, refresh, until, view, write};
use crate::harness::{Answer, Portal};
use crate::hostile::Hostile;
use crate::on_both;

/// A repository with a work tree, for a test to commit to.
pub(super) struct Repository(pub(super) PathBuf);

impl Repository {
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).unwrap();
        let repository = Self(path);
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.git_with(arguments, "")
    }

    fn git_with(&self, arguments: &[&str], input: &str) -> String {
        use std::io::Write;
        let mut child = Command::new("git")
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "protocol.file.allow=always"])
            .args(arguments)
            .current_dir(&self.0)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(super) fn commit(&self, files: &[(&str, &str)]) -> String {
        for (name, text) in files {
            write(&self.0, name, text);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn url(&self) -> String {
        format!("file://{}", self.0.display())
    }

    fn source(&self) -> Value {
        json!({"type": "git", "target": self.url()})
    }
}

fn repositories(portal: &Portal) -> PathBuf {
    portal.folder.join("repositories")
}

on_both!(a_repository_is_read_at_the_head_of_its_branch, portal, {
    let repository = Repository::new(&repositories(&portal), "one");
    let head = repository.commit(&[
        ("catalog-info.yaml", &component("root")), ("services/a/catalog-info.yaml", &component("a")), ("other.yaml", &component("other")),
        ("located.yaml", &component("located")),
        ("l/catalog-info.yaml", "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata:\n  name: l\nspec:\n  targets: [../located.yaml, ../../outside.yaml]\n"),
    ]);
    let id = add(&portal, &repository.source()).await;
    for name in ["root", "a", "located"] {
        assert!(exists(&portal, name).await, "{name}: {} {:?}", view(&portal, id).await, errors(&portal, id).await);
    }
    assert!(!exists(&portal, "other").await);
    assert_eq!(errors(&portal, id).await[0]["rule"], "location_target");
    assert_eq!(view(&portal, id).await["last_pass"]["revision"], head);
    let seq = last_seq(&portal).await;
    assert_eq!(refresh(&portal, id).await["unchanged"], 4);
    assert_eq!(last_seq(&portal).await, seq);
    let head =
        repository.commit(&[("services/a/catalog-info.yaml", &component("a").replace("production", "deprecated"))]);
    let pass = refresh(&portal, id).await;
    assert_eq!((pass["updated"].as_i64(), pass["revision"].as_str()), (Some(1), Some(head.as_str())));
    // Nothing is left behind.
    assert_eq!(std::fs::read_dir(portal.folder.join("work")).unwrap().count(), 0);
});

on_both!(branches_tags_and_globs_choose_what_is_read, portal, {
    let repository = Repository::new(&repositories(&portal), "one");
    repository.commit(&[("catalog-info.yaml", &component("main"))]);
    repository.git(&["tag", "-a", "v1", "-m", "v1"]);
    repository.git(&["checkout", "-q", "-b", "release/1.x"]);
    repository.commit(&[("catalog-info.yaml", &component("release")), ("deep/er/service.yml", &component("globbed"))]);
    repository.git(&["checkout", "-q", "main"]);
    repository.commit(&[("catalog-info.yaml", &component("later"))]);
    let mut tagged = repository.source();
    tagged["branch"] = json!("v1");
    add(&portal, &tagged).await;
    assert!(exists(&portal, "main").await && !exists(&portal, "later").await);
    let mut branch = repository.source();
    branch["branch"] = json!("release/1.x");
    branch["globs"] = json!(["deep/**/*.{yml,yaml}"]);
    add(&portal, &branch).await;
    assert!(exists(&portal, "globbed").await && !exists(&portal, "release").await);
    let mut absent = repository.source();
    absent["branch"] = json!("nope");
    let id = add(&portal, &absent).await;
    assert!(view(&portal, id).await["failure"].as_str().unwrap().contains("no branch or tag `nope`"));
    let id = add(&portal, &json!({"type": "git", "target": "file:///nowhere/at/all"})).await;
    assert_eq!(view(&portal, id).await["state"], "failed");
});

on_both!(links_submodules_and_odd_names_are_left_out_and_told, portal, {
    let repository = Repository::new(&repositories(&portal), "hostile");
    write(&repository.0, "catalog-info.yaml", component("good"));
    repository.git(&["add", "-A"]);
    let blob = |text: &str| repository.git_with(&["hash-object", "-w", "--stdin"], text);
    let link = blob("/etc/passwd");
    let evil = blob(&component("evil"));
    let big = blob(&"# filler\n".repeat(200_000));
    let commit = repository.commit(&[]);
    // The index refuses such names; trees made by hand do not.
    let good = blob(&component("good"));
    let inner = repository.git_with(&["mktree"], &format!("100644 blob {evil}\tcatalog-info.yaml\n"));
    let tree = repository.git_with(
        &["mktree"],
        &format!(
            "040000 tree {inner}\t..\n040000 tree {inner}\t.git\n100644 blob {good}\tcatalog-info.yaml\n040000 tree {link_tree}\tlinked\n\
             160000 commit {commit}\tsubmodule\n040000 tree {big_tree}\ttoo-big\n",
            link_tree = repository.git_with(&["mktree"], &format!("120000 blob {link}\tcatalog-info.yaml\n")),
            big_tree = repository.git_with(&["mktree"], &format!("100644 blob {big}\tcatalog-info.yaml\n")),
        ),
    );
    let hostile = repository.git(&["commit-tree", &tree, "-m", "hostile"]);
    repository.git(&["update-ref", "refs/heads/main", &hostile]);
    let id = add(&portal, &repository.source()).await;
    assert!(exists(&portal, "good").await, "{}", view(&portal, id).await);
    assert!(!exists(&portal, "evil").await);
    let told = errors(&portal, id).await;
    let rule =
        |file: &str| told.iter().find(|error| error["file"] == file).map(|error| error["rule"].as_str().unwrap());
    assert_eq!(rule("../catalog-info.yaml"), Some("unsafe_path"), "{told:?}");
    assert_eq!(rule(".git/catalog-info.yaml"), Some("unsafe_path"));
    assert_eq!(rule("linked/catalog-info.yaml"), Some("symbolic_link"));
    assert_eq!(rule("too-big/catalog-info.yaml"), Some("over_budget"), "{told:?}");
    assert_eq!(view(&portal, id).await["state"], "degraded");
    let seq = last_seq(&portal).await;
    refresh(&portal, id).await;
    assert_eq!(last_seq(&portal).await, seq);
});

on_both!(a_tree_bomb_stops_at_its_budget, portal, {
    let repository = Repository::new(&repositories(&portal), "bomb");
    let mut entry = format!("100644 blob {}", repository.git_with(&["hash-object", "-w", "--stdin"], "x"));
    for _ in 0..10 {
        let lines: String = (0..10).map(|index| format!("{entry}\td{index}\n")).collect();
        entry = format!("040000 tree {}", repository.git_with(&["mktree"], &lines));
    }
    let tree = entry.rsplit(' ').next().unwrap();
    let commit = repository.git(&["commit-tree", tree, "-m", "bomb"]);
    repository.git(&["update-ref", "refs/heads/main", &commit]);
    let started = Instant::now();
    let id = add(&portal, &repository.source()).await;
    let view = view(&portal, id).await;
    assert!(view["failure"].as_str().unwrap().contains("50000 files"), "{view}");
    assert!(started.elapsed() < Duration::from_secs(60));
});

on_both!(repositories_are_read_over_http_at_the_checked_address, portal, {
    let repository = Repository::new(&repositories(&portal), "plain");
    repository.commit(&[("catalog-info.yaml", &component("over-http"))]);
    let server = Hostile::start().await;
    server.serve_repositories(repositories(&portal));
    let target = server.url("/git/plain/.git");
    let secret = portal.folder.join("token");
    std::fs::write(&secret, "t0ken\n").unwrap();
    let id =
        add(&portal, &json!({"type": "git", "target": target, "credential": format!("file:{}", secret.display())}))
            .await;
    assert!(exists(&portal, "over-http").await, "{}", view(&portal, id).await);
    let requests = server.requests();
    assert!(
        requests.iter().all(|request| request.headers["authorization"] == "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4="),
        "{requests:?}"
    );
    let before = requests.len();
    refresh(&portal, id).await;
    // Nothing new costs a look at the list of branches.
    assert!(server.requests().len() - before <= 2);
    for (path, index) in [("/redirect?to=http%3A%2F%2F127.0.0.1%3A1%2F", 0), ("/500", 1)] {
        let id = add(&portal, &json!({"type": "git", "target": format!("{}#{index}", server.url(path))})).await;
        assert_eq!(view(&portal, id).await["state"], "failed");
    }
});

const SECRET: &str = "webhook-secret";

/// Posts a push as GitHub does.
async fn push(portal: &Portal, id: i64, delivery: &str, branch: &str, secret: &str) -> Answer {
    let body = json!({"ref": format!("refs/heads/{branch}"), "repository": {"default_branch": "main"}}).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let request = Request::builder()
        .method("POST")
        .uri(format!("/api/v1/sources/{id}/webhook"))
        .header("content-type", "application/json")
        .header("x-github-event", "push")
        .header("x-github-delivery", delivery)
        .header("x-hub-signature-256", signature);
    portal.send(request.body(Body::from(body)).unwrap()).await
}

// How long it takes is measured by `cargo xtask bench`; the next scheduled pass is minutes away.
on_both!(a_push_is_visible_without_waiting_for_the_schedule, portal, {
    let repository = Repository::new(&repositories(&portal), "one");
    repository.commit(&[("catalog-info.yaml", &component("v0"))]);
    let secret = portal.folder.join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    let mut source = repository.source();
    source["webhook_secret"] = json!(format!("file:{}", secret.display()));
    let id = add(&portal, &source).await;
    for round in 1..=5 {
        let name = format!("v{round}");
        repository.commit(&[("catalog-info.yaml", &component(&name))]);
        // What is asked for while a pass runs must be later than its beginning.
        portal.clock.advance(chrono::Duration::milliseconds(1));
        let started = Instant::now();
        push(&portal, id, &format!("d{round}"), "main", SECRET).await.is(202);
        while !exists(&portal, &name).await {
            assert!(started.elapsed() < Duration::from_secs(60), "{name} is not visible");
            tokio::time::sleep(Duration::from_millis(5)).await;
            // A pass that failed is tried again when its time has come.
            portal.clock.advance(chrono::Duration::milliseconds(5));
        }
    }
    until(&portal, id, 6).await;
    assert_eq!(passes(&portal, id).await[0]["trigger"], "webhook");
});

on_both!(a_webhook_can_be_tested_without_a_push, portal, {
    let repository = Repository::new(&repositories(&portal), "one");
    repository.commit(&[("catalog-info.yaml", &component("one"))]);
    let id = add(&portal, &repository.source()).await;
    let test = format!("/api/v1/sources/{id}/webhook/test");
    portal.post(&test, &json!({})).await.problem(422, "no_webhook_secret");
    let secret = portal.folder.join("secret");
    let reference = json!({"webhook_secret": format!("file:{}", secret.display())});
    std::fs::write(&secret, SECRET).unwrap();
    portal.patch(&format!("/api/v1/sources/{id}"), &reference).await.json(200);
    let before = passes(&portal, id).await.len();
    assert_eq!(portal.post(&test, &json!({})).await.json(202)["outcome"], "accepted");
    until(&portal, id, before + 1).await;
    assert_eq!(passes(&portal, id).await[0]["trigger"], "webhook");
    std::fs::remove_file(&secret).unwrap();
    portal.post(&test, &json!({})).await.problem(503, "unavailable");
});

on_both!(deliveries_need_a_signature_and_act_once, portal, {
    let repository = Repository::new(&repositories(&portal), "one");
    repository.commit(&[("catalog-info.yaml", &component("one"))]);
    let secret = portal.folder.join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    let id = add(&portal, &repository.source()).await;
    push(&portal, id, "d0", "main", SECRET).await.problem(401, "unauthenticated");
    let reference = json!({"webhook_secret": format!("file:{}", secret.display())});
    portal.patch(&format!("/api/v1/sources/{id}"), &reference).await.json(200);
    push(&portal, id, "d1", "main", "wrong").await.problem(401, "unauthenticated");
    push(&portal, 999, "d1", "main", SECRET).await.problem(404, "source_not_found");
    let before = passes(&portal, id).await.len();
    assert_eq!(push(&portal, id, "d1", "main", SECRET).await.json(202)["outcome"], "accepted");
    until(&portal, id, before + 1).await;
    assert_eq!(push(&portal, id, "d1", "main", SECRET).await.json(200)["outcome"], "duplicate");
    assert_eq!(push(&portal, id, "d2", "feature", SECRET).await.json(200)["outcome"], "ignored");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(passes(&portal, id).await.len(), before + 1);
    let request = Request::builder().method("POST").uri(format!("/api/v1/sources/{id}/webhook"));
    let huge = portal.send(request.body(Body::from(vec![b'x'; 6 << 20])).unwrap()).await;
    huge.problem(413, "too_large");
    assert!(entity(&portal, "one").await.is_some());
});

//! A repository behind a real ssh server.
//!
//! `PORTAL_TEST_SSHD` names the server's program; `cargo xtask test` sets it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::git::Repository;
use super::{add, component, exists, view};
use crate::harness::Portal;

struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keygen(folder: &Path, name: &str) -> String {
    let key = folder.join(name);
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status().unwrap();
    assert!(made.success());
    std::fs::read_to_string(key.with_extension("pub")).unwrap()
}

impl Server {
    async fn start(program: &str, folder: PathBuf) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        // Debian's server, run as root, insists on its folder.
        let _ = std::fs::create_dir_all("/run/sshd");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = keygen(&folder, "host");
        let own = keygen(&folder, "own");
        keygen(&folder, "other");
        std::fs::write(folder.join("authorized"), own).unwrap();
        let host = host.split(' ').take(2).collect::<Vec<_>>().join(" ");
        std::fs::write(folder.join("known_hosts"), format!("[127.0.0.1]:{port} {host}\n127.0.0.1 {host}\n")).unwrap();
        let at = folder.display();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/authorized\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
        );
        std::fs::write(folder.join("sshd_config"), config).unwrap();
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let child = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(folder.join("sshd_config"))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { child, port, folder };
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return server;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("sshd does not listen: {}", std::fs::read_to_string(server.folder.join("log")).unwrap_or_default());
    }

    /// A reference to a credential, which for ssh is the path of a private key.
    fn credential(&self, key: &str) -> String {
        let reference = self.folder.join(format!("{key}.path"));
        std::fs::write(&reference, self.folder.join(key).display().to_string()).unwrap();
        std::fs::set_permissions(&reference, std::fs::Permissions::from_mode(0o600)).unwrap();
        format!("file:{}", reference.display())
    }
}

#[tokio::test]
async fn a_repository_is_read_over_ssh() {
    let Ok(program) = std::env::var("PORTAL_TEST_SSHD") else {
        println!("skipped: `PORTAL_TEST_SSHD` does not name an ssh server");
        return;
    };
    let folder = std::env::temp_dir().join(format!("portal-ssh-{}", std::process::id()));
    let server = Server::start(&program, folder.clone()).await;
    let known = server.folder.join("known_hosts");
    let portal = Portal::with(|config| {
        config.egress.allow_ssh = true;
        config.egress.ssh_known_hosts = Some(known.clone());
    })
    .await;
    let repository = Repository::new(&portal.folder, "over-ssh");
    repository.commit(&[("catalog-info.yaml", &component("one"))]);
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8(user).unwrap().trim().to_owned();
    let target = format!("ssh://{user}@127.0.0.1:{}{}", server.port, repository.0.display());

    let own = json!({"type": "git", "target": target, "credential": server.credential("own")});
    let id = add(&portal, &own).await;
    let log = std::fs::read_to_string(server.folder.join("log")).unwrap();
    assert!(exists(&portal, "one").await, "{} {log}", view(&portal, id).await);
    portal.delete(&format!("/api/v1/sources/{id}")).await;

    // Another key, and a server that is not the one we know, are refused in words.
    let other = json!({"type": "git", "target": target, "credential": server.credential("other")});
    let id = add(&portal, &other).await;
    let refused = view(&portal, id).await;
    assert!(refused["failure"].as_str().unwrap().contains("Permission denied"), "{refused}");
    portal.delete(&format!("/api/v1/sources/{id}")).await;
    let stranger = keygen(&server.folder, "stranger");
    std::fs::write(&known, format!("[127.0.0.1]:{} {stranger}127.0.0.1 {stranger}", server.port)).unwrap();
    let id = add(&portal, &own).await;
    let refused = view(&portal, id).await;
    assert!(refused["failure"].as_str().unwrap().contains("Host key verification failed"), "{refused}");
    portal.end().await;
    std::fs::remove_dir_all(folder).unwrap();
}

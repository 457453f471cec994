//! E-mail, as a mail server that others have written takes it.

use portal_api::outbox::{ChannelConfig, SmtpTls};
use serde_json::{Value, json};

use super::{mail_channel, newest, secret, told};
use crate::harness::Portal;

/// A mail server in Python, which says on a line of its own what it has taken.
const AIOSMTPD: &str = r#"
import json, ssl, sys
from email import message_from_bytes, policy
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

class Handler:
    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        headers = {name.lower(): str(value) for name, value in mail.items()}
        seen = {"headers": headers, "to": envelope.rcpt_tos, "body": mail.get_content(), "host": session.host_name,
                "defects": [str(one) for value in mail.values() for one in value.defects]}
        print(json.dumps(seen), flush=True)
        return "250 OK"

def login(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"portal", b"hunter2"), handled=False)

options = dict(authenticator=login, auth_required=True, auth_require_tls=False)
if len(sys.argv) > 2:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    options.update(tls_context=context, require_starttls=True)
controller = Controller(Handler(), hostname="127.0.0.1", port=int(sys.argv[1]), **options)
controller.start()
print("ready", flush=True)
sys.stdin.read()
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_is_taken_by_aiosmtpd() {
    use std::io::BufRead as _;
    let Some(python) = std::env::var_os("PORTAL_TEST_AIOSMTPD") else {
        println!("skipped: PORTAL_TEST_AIOSMTPD names no Python with `aiosmtpd`");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let start = |files: &[&std::path::Path]| {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = std::process::Command::new(&python);
        server.args(["-c", AIOSMTPD, &port.to_string()]).args(files);
        server.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut server = server.spawn().unwrap();
        let mut lines = std::io::BufReader::new(server.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");
        (port, server, lines)
    };
    let (plain, mut plain_server, mut lines) = start(&[]);
    let (strange, mut strange_server, _lines) = start(&[&certificate, &key]);
    let login = |channel: ChannelConfig, password: &str| ChannelConfig {
        user: Some("portal".to_owned()),
        credential: secret(password),
        ..channel
    };
    let channels = vec![
        login(mail_channel("right", plain), "hunter2"),
        login(mail_channel("wrong", plain), "hunter3"),
        ChannelConfig { tls: Some(SmtpTls::Starttls), ..login(mail_channel("strange", strange), "hunter2") },
        ChannelConfig { tls: Some(SmtpTls::Starttls), ..login(mail_channel("open", plain), "hunter2") },
    ];
    let portal = Portal::with(|config| {
        config.access.public_url = Some("https://portal.example.com".to_owned());
        config.channels = channels;
    })
    .await;
    let tell = async |channel: &str| {
        let title = "Größe: 漢字 und ein sehr langer Titel, der auf keine Zeile von achtundsiebzig Zeichen geht";
        let text = "Schöne **Grüße**\n\n- eins\n- zwei";
        told(&portal, json!({"channel": channel, "to": ["ann@example.com"], "title": title, "text": text})).await;
    };
    tell("right").await;
    newest(&portal, "channel=right", |one| one["state"] == "sent").await;
    let seen: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    let headers = &seen["headers"];
    let title = "Größe: 漢字 und ein sehr langer Titel, der auf keine Zeile von achtundsiebzig Zeichen geht";
    assert_eq!((&headers["subject"], &headers["to"]), (&json!(title), &json!("ann@example.com")), "{seen}");
    assert_eq!(headers["from"], "Portal <portal@example.com>");
    assert!(headers["message-id"].as_str().unwrap().ends_with("@example.com>"), "{seen}");
    assert_eq!(seen["body"].as_str().unwrap().trim_end(), "Schöne Grüße\r\n\r\n- eins\r\n- zwei");
    assert_eq!((&seen["to"], &seen["host"]), (&json!(["ann@example.com"]), &json!("portal.example.com")));
    assert_eq!(seen["defects"], json!([]));
    // A wrong password, a certificate that nobody vouches for, and no TLS where it is wanted.
    for (channel, state, named) in
        [("wrong", "failed", "535"), ("strange", "pending", "certificate"), ("open", "pending", "")]
    {
        tell(channel).await;
        let message = newest(&portal, &format!("channel={channel}"), |one| one["attempts"] == 1).await;
        assert_eq!(message["state"], state, "{message}");
        assert!(message["error"].as_str().unwrap().contains(named), "{message}");
    }
    for server in [&mut plain_server, &mut strange_server] {
        server.kill().unwrap();
        server.wait().unwrap();
    }
    portal.end().await;
}

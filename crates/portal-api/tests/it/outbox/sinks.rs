//! Where messages arrive: a webhook and a mail server of the test.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A webhook that answers as it is told, and 200 when it is told nothing.
#[derive(Clone, Default)]
pub struct Hook(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    bodies: Vec<Value>,
    answers: Vec<(u16, Option<&'static str>, &'static str)>,
    hangs: bool,
}

impl Hook {
    /// Answers its address.
    pub async fn start(&self) -> String {
        let hook = self.clone();
        let take = async move |body: String| {
            let (answer, hangs) = {
                let mut heard = hook.0.lock().unwrap();
                heard.bodies.push(serde_json::from_str(&body).unwrap());
                let answer = if heard.answers.is_empty() { (200, None, "ok") } else { heard.answers.remove(0) };
                (answer, heard.hangs)
            };
            if hangs {
                tokio::time::sleep(Duration::from_secs(3600)).await;
            }
            let (status, after, text) = answer;
            let mut answer = (StatusCode::from_u16(status).unwrap(), text).into_response();
            if let Some(after) = after {
                answer.headers_mut().insert(header::RETRY_AFTER, after.parse().unwrap());
            }
            answer
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/services/very-secret", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(take);
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    /// Status, `Retry-After` and body of the next answers.
    pub fn answer(&self, answers: &[(u16, Option<&'static str>, &'static str)]) {
        self.0.lock().unwrap().answers = answers.to_vec();
    }

    pub fn hang(&self) {
        self.0.lock().unwrap().hangs = true;
    }

    pub fn heard(&self) -> Vec<Value> {
        self.0.lock().unwrap().bodies.clone()
    }
}

/// A mail as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub data: String,
}

impl Mail {
    /// The value of a header, its lines put together and its encoded words read.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.data.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
        let start = format!("{}:", name.to_lowercase());
        let line = head.split("\r\n").find(|line| line.to_lowercase().starts_with(&start))?;
        Some(decoded(line[start.len()..].trim()))
    }

    pub fn body(&self) -> &str {
        self.data.split_once("\r\n\r\n").unwrap().1
    }
}

/// Encoded words in Base64 (RFC 2047), as far as the tests need them.
fn decoded(text: &str) -> String {
    use base64::Engine as _;
    let mut words: Vec<String> = Vec::new();
    let mut was_encoded = false;
    for word in text.split(' ') {
        let inner = word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?="));
        match inner {
            Some(inner) => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(inner).unwrap();
                let text = String::from_utf8(bytes).unwrap();
                match words.last_mut().filter(|_| was_encoded) {
                    Some(last) => last.push_str(&text),
                    None => words.push(text),
                }
            }
            None => words.push(word.to_owned()),
        }
        was_encoded = inner.is_some();
    }
    words.join(" ")
}

/// A mail server that takes everything, unless it is told what to say.
#[derive(Clone, Default)]
pub struct MailServer(Arc<Mutex<Box>>);

#[derive(Default)]
struct Box {
    mails: Vec<Mail>,
    /// What it says instead of taking a recipient, and a mail.
    to_recipients: Vec<&'static str>,
    to_mails: Vec<&'static str>,
}

impl MailServer {
    /// Answers its port.
    pub async fn start(&self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.talk(stream).await });
            }
        });
        port
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.0.lock().unwrap().mails.clone()
    }

    /// What the next recipients are answered.
    pub fn refuse_recipients(&self, replies: &[&'static str]) {
        self.0.lock().unwrap().to_recipients = replies.to_vec();
    }

    /// What the next mails are answered; they are kept all the same.
    pub fn refuse_mails(&self, replies: &[&'static str]) {
        self.0.lock().unwrap().to_mails = replies.to_vec();
    }

    async fn talk(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        let mut mail = Mail { from: String::new(), to: Vec::new(), data: String::new() };
        stream.write_all(b"220 sink\r\n").await.ok()?;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let verb = line.to_uppercase();
            let inner = || line[line.find('<').unwrap() + 1..line.find('>').unwrap()].to_owned();
            let reply = if verb.starts_with("MAIL FROM:") {
                mail = Mail { from: inner(), to: Vec::new(), data: String::new() };
                "250 ok".to_owned()
            } else if verb.starts_with("RCPT TO:") {
                mail.to.push(inner());
                let replies = &mut self.0.lock().unwrap().to_recipients;
                if replies.is_empty() { "250 ok".to_owned() } else { replies.remove(0).to_owned() }
            } else if verb.starts_with("DATA") {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                loop {
                    let mut line = String::new();
                    if stream.read_line(&mut line).await.ok()? == 0 {
                        return None;
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                }
                let mut kept = self.0.lock().unwrap();
                kept.mails.push(mail.clone());
                if kept.to_mails.is_empty() { "250 taken".to_owned() } else { kept.to_mails.remove(0).to_owned() }
            } else if verb.starts_with("QUIT") {
                "221 bye".to_owned()
            } else {
                "250 ok".to_owned()
            };
            stream.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
        }
    }
}

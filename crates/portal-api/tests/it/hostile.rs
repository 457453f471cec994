//! A server that misbehaves on request, and serves files and repositories when
//! it is asked nicely.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A server on a free port of loopback; it ends with the test's runtime.
#[derive(Clone)]
pub struct Hostile {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    files: Mutex<HashMap<String, Vec<u8>>>,
    /// Folder of bare repositories, served under `/git/`.
    repositories: Mutex<Option<PathBuf>>,
    requests: Mutex<Vec<Request>>,
    bodies: AtomicUsize,
    /// The path whose next request waits for `released`.
    held: Mutex<Option<String>>,
    released: Notify,
}

/// What a client sent.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HashMap<String, String>,
}

impl Hostile {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let hostile = Self { address, state: state.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = state.clone();
                tokio::spawn(async move {
                    let _ = serve(stream, &state).await;
                });
            }
        });
        hostile
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Serves `bytes` under `path`, with an entity tag.
    pub fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.state.files.lock().unwrap().insert(path.to_owned(), bytes.into());
    }

    pub fn remove(&self, path: &str) {
        self.state.files.lock().unwrap().remove(path);
    }

    /// Lets the next request for `path` wait until [`Self::release`].
    pub fn hold(&self, path: &str) {
        *self.state.held.lock().unwrap() = Some(path.to_owned());
    }

    pub fn release(&self) {
        self.state.released.notify_one();
    }

    pub fn serve_repositories(&self, folder: PathBuf) {
        *self.state.repositories.lock().unwrap() = Some(folder);
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    /// Files whose bytes were sent.
    pub fn bodies(&self) -> usize {
        self.state.bodies.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, state: &State) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let mut lines = text.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default().to_owned();
    let target = first.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let request = Request { method, path: path.to_owned(), query: query.to_owned(), headers };
    state.requests.lock().unwrap().push(request.clone());
    let is_held = state.held.lock().unwrap().take_if(|held| held == path).is_some();
    if is_held {
        state.released.notified().await;
    }
    match path {
        "/hang" | "/hang.yaml" => tokio::time::sleep(Duration::from_secs(600)).await,
        "/drip" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await?;
            loop {
                stream.write_all(b"#").await?;
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
        "/endless" | "/endless.yaml" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
            let chunk = format!("10000\r\n{}\r\n", "# filler text...\n".repeat(3855) + "0");
            assert_eq!(chunk.len(), 0x10000 + 9);
            loop {
                stream.write_all(chunk.as_bytes()).await?;
            }
        }
        "/busy" => {
            let answer = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 30\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await?;
        }
        "/liar" => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\nx").await?,
        "/bomb" => {
            let bomb = bomb();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&bomb).await?;
        }
        "/500" | "/500.yaml" => plain(&mut stream, "500 Internal Server Error", "oops").await?,
        "/reset" => {}
        "/redirect" | "/redirect.yaml" => {
            let to = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "to").unwrap().1.into_owned();
            let head =
                format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
        }
        path if path.starts_with("/git/") => backend(&mut stream, &request, state).await?,
        path => {
            let file = state.files.lock().unwrap().get(path).cloned();
            let Some(bytes) = file else { return plain(&mut stream, "404 Not Found", "nothing here").await };
            let etag =
                format!("\"{:x}\"", bytes.iter().fold(7u64, |hash, byte| hash.wrapping_mul(31) + u64::from(*byte)));
            if request.headers.get("if-none-match") == Some(&etag) {
                return stream.write_all(b"HTTP/1.1 304 Not Modified\r\nconnection: close\r\n\r\n").await;
            }
            state.bodies.fetch_add(1, Ordering::SeqCst);
            let head = format!(
                "HTTP/1.1 200 OK\r\netag: {etag}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                bytes.len()
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&bytes).await?;
        }
    }
    stream.shutdown().await
}

async fn plain(stream: &mut TcpStream, status: &str, body: &str) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    stream.write_all(head.as_bytes()).await
}

/// 64 MiB of nothing, compressed.
fn bomb() -> Vec<u8> {
    let command = std::process::Command::new("sh").args(["-c", "head -c 67108864 /dev/zero | gzip -9"]).output();
    command.unwrap().stdout
}

/// Answers as a git host does, through git's own CGI program.
async fn backend(stream: &mut TcpStream, request: &Request, state: &State) -> std::io::Result<()> {
    let folder = state.repositories.lock().unwrap().clone().unwrap();
    let length: usize = request.headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let mut child = tokio::process::Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", request.path.trim_start_matches("/git"))
        .env("QUERY_STRING", &request.query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", request.headers.get("content-type").cloned().unwrap_or_default())
        .env("HTTP_CONTENT_ENCODING", request.headers.get("content-encoding").cloned().unwrap_or_default())
        .env("GIT_PROTOCOL", request.headers.get("git-protocol").cloned().unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    child.stdin.take().unwrap().write_all(&body).await?;
    let output = child.wait_with_output().await?.stdout;
    let split = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(0);
    let head = String::from_utf8_lossy(&output[..split]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    let content = &output[split + 4..];
    let others: Vec<&str> = head.lines().filter(|line| !line.starts_with("Status:")).collect();
    let head = format!(
        "HTTP/1.1 {status}\r\n{}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        others.join("\r\n"),
        content.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(content).await
}

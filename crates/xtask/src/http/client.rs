//! An HTTP/1.1 client with one kept connection: small, blocking and cheap, so
//! that a load measured with it is the server's and not its own.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(120);

/// Where a server listens, and what opens it.
#[derive(Debug, Clone)]
pub struct Door {
    pub address: SocketAddr,
    /// The token of every request.
    pub token: Option<Arc<str>>,
}

impl Door {
    /// One that opens for everybody.
    pub fn open(address: SocketAddr) -> Door {
        Door { address, token: None }
    }
}

/// Connects when first used, and again after an error.
pub struct Client {
    door: Door,
    stream: Option<BufReader<TcpStream>>,
    line: Vec<u8>,
    patience: Duration,
}

/// A whole answer.
#[derive(Debug, Default)]
pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Client {
    pub fn new(door: &Door) -> Client {
        Client::with_patience(door, PATIENCE)
    }

    /// One that waits for an answer no longer than this.
    pub fn with_patience(door: &Door, patience: Duration) -> Client {
        Client { door: door.clone(), stream: None, line: Vec::new(), patience }
    }

    /// Where it asks.
    pub fn address(&self) -> SocketAddr {
        self.door.address
    }

    pub fn get(&mut self, path: &str) -> Result<Response> {
        self.send("GET", path, &[], b"")
    }

    /// The JSON of a 2xx answer; anything else is an error that shows the body.
    pub fn get_json(&mut self, path: &str) -> Result<Value> {
        self.get(path)?.json(path)
    }

    pub fn post_json(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes())?.json(path)
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Response> {
        let request = self.request(method, path, headers, body);
        let mut response = Response::default();
        self.exchange(&request, &mut response).with_context(|| format!("{method} {path}"))?;
        Ok(response)
    }

    /// The bytes of a request, to be sent many times.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.door.address);
        if let Some(token) = &self.door.token {
            request.push_str(&format!("authorization: Bearer {token}\r\n"));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if method != "GET" {
            request.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        let mut request = request.into_bytes();
        request.extend_from_slice(body);
        request
    }

    /// Sends prepared bytes and reads the answer into `response`.
    pub fn exchange(&mut self, request: &[u8], response: &mut Response) -> Result<()> {
        let kept = self.stream.take();
        let may_repeat = kept.is_some() && request.starts_with(b"GET ");
        let result = kept.map_or_else(|| self.connect(), Ok).and_then(|stream| self.once(stream, request, response));
        match result {
            // A server closes a connection that was quiet for a while.
            Err(_) if may_repeat && self.line.is_empty() => {
                let stream = self.connect()?;
                self.once(stream, request, response)
            }
            result => result,
        }
    }

    fn once(&mut self, mut stream: BufReader<TcpStream>, request: &[u8], response: &mut Response) -> Result<()> {
        self.line.clear();
        stream.get_mut().write_all(request)?;
        let keep = self.read(&mut stream, response)?;
        // Dropped on an error: what is left on it belongs to the failed answer.
        self.stream = keep.then_some(stream);
        Ok(())
    }

    fn connect(&self) -> Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect_timeout(&self.door.address, self.patience)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.patience))?;
        Ok(BufReader::with_capacity(64 * 1024, stream))
    }

    /// Whether the connection can be used again.
    fn read(&mut self, stream: &mut BufReader<TcpStream>, response: &mut Response) -> Result<bool> {
        response.status = self.head_line(stream)?.get(9..12).and_then(number).context("no status line")?;
        let (mut length, mut chunked, mut keep) = (None, false, true);
        loop {
            let line = self.head_line(stream)?;
            if line.is_empty() {
                break;
            }
            let colon = line.iter().position(|byte| *byte == b':').context("a header without a colon")?;
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"content-length") {
                length = Some(number(value).context("content-length is not a number")?);
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                chunked = value.eq_ignore_ascii_case(b"chunked");
            } else if name.eq_ignore_ascii_case(b"connection") {
                keep = !value.eq_ignore_ascii_case(b"close");
            }
        }
        response.body.clear();
        match length {
            _ if chunked => self.read_chunks(stream, &mut response.body)?,
            Some(length) => read_exact(stream, &mut response.body, length)?,
            None if matches!(response.status, 204 | 304) => {}
            None => {
                stream.read_to_end(&mut response.body)?;
                keep = false;
            }
        }
        Ok(keep)
    }

    fn read_chunks(&mut self, stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> Result<()> {
        loop {
            let line = std::str::from_utf8(self.head_line(stream)?)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).context("a chunk without a size")?;
            if size == 0 {
                while !self.head_line(stream)?.is_empty() {}
                return Ok(());
            }
            read_exact(stream, body, size)?;
            self.head_line(stream)?;
        }
    }

    fn head_line(&mut self, stream: &mut BufReader<TcpStream>) -> Result<&[u8]> {
        self.line.clear();
        if stream.read_until(b'\n', &mut self.line)? == 0 {
            bail!("the server closed the connection");
        }
        Ok(self.line.trim_ascii_end())
    }
}

impl Response {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn json(&self, what: &str) -> Result<Value> {
        if !self.is_success() {
            let body = String::from_utf8_lossy(&self.body);
            bail!("{what} answered {}: {}", self.status, body.chars().take(2000).collect::<String>());
        }
        serde_json::from_slice(&self.body).with_context(|| format!("{what} answered no JSON"))
    }
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn read_exact(stream: &mut impl BufRead, body: &mut Vec<u8>, length: usize) -> Result<()> {
    let read = stream.take(length as u64).read_to_end(body)?;
    if read < length {
        return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn reads_lengths_and_chunks_on_one_connection() -> Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let mut client = Client::new(&Door::open(listener.local_addr()?));
        let server = std::thread::spawn(move || -> std::io::Result<()> {
            let (stream, _) = listener.accept()?;
            let mut stream = BufReader::new(stream);
            for answer in [
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
                "HTTP/1.1 207 Multi-Status\r\ntransfer-encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n",
            ] {
                let mut line = String::new();
                while line != "\r\n" {
                    line.clear();
                    stream.read_line(&mut line)?;
                }
                stream.get_mut().write_all(answer.as_bytes())?;
            }
            Ok(())
        });
        assert_eq!(client.get("/one")?.status, 200);
        let second = client.get("/two")?;
        assert_eq!((second.status, second.json("/two")?), (207, serde_json::json!([1, 2])));
        server.join().expect("the server ends")?;
        assert!(client.get("/three").is_err());
        Ok(())
    }

    #[test]
    fn a_question_is_repeated_on_a_connection_that_was_closed_meanwhile() -> Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let mut client = Client::new(&Door::open(listener.local_addr()?));
        let server = std::thread::spawn(move || -> std::io::Result<()> {
            for _ in 0..3 {
                let mut stream = BufReader::new(listener.accept()?.0);
                let mut line = String::new();
                while line != "\r\n" {
                    line.clear();
                    stream.read_line(&mut line)?;
                }
                stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")?;
            }
            Ok(())
        });
        assert_eq!(client.get("/one")?.status, 200);
        assert_eq!(client.get("/two")?.status, 200);
        assert!(client.send("POST", "/three", &[], b"").is_err(), "a write is never sent twice");
        assert_eq!(client.get("/four")?.status, 200);
        server.join().expect("the server ends")?;
        Ok(())
    }
}

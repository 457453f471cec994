//! An HTTP/1.1 server for what a portal talks to: a thread for each connection, and a
//! handler that may also say nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};

/// A request.
pub struct Asked {
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

pub enum Reply {
    /// A status, and JSON.
    Answer(u16, String),
    /// The connection is closed without an answer.
    Close,
    /// The connection stays open, and nothing comes.
    Silence,
}

/// Takes no more connections when dropped.
pub struct Server {
    pub address: SocketAddr,
    is_over: Arc<AtomicBool>,
}

impl Server {
    pub fn start(ip: Ipv4Addr, handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Result<Server> {
        let listener = TcpListener::bind((ip, 0)).with_context(|| format!("no free port on {ip}"))?;
        let address = listener.local_addr()?;
        let (is_over, handler) = (Arc::new(AtomicBool::new(false)), Arc::new(handler));
        let over = is_over.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let handler = handler.clone();
                // An error here is a client that went away.
                thread::spawn(move || stream.map(|stream| talk(stream, handler.as_ref())));
            }
        });
        Ok(Server { address, is_over })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the listener; it may be gone already.
        let _ = TcpStream::connect(self.address);
    }
}

/// Answers on one connection until either side has enough.
fn talk(stream: TcpStream, handler: &(dyn Fn(&Asked) -> Reply + Sync)) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(asked) = read(&mut stream)? {
        match handler(&asked) {
            Reply::Answer(status, body) => {
                let head = format!("HTTP/1.1 {status} -\r\ncontent-type: application/json\r\n");
                let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                stream.get_mut().write_all(answer.as_bytes())?;
            }
            Reply::Close => {
                stream.get_mut().shutdown(Shutdown::Both)?;
                return Ok(());
            }
            Reply::Silence => {
                std::io::copy(&mut stream, &mut std::io::sink())?;
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The next request, or nothing when the other side has closed.
fn read(stream: &mut BufReader<TcpStream>) -> Result<Option<Asked>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut asked = Asked { headers: Vec::new(), body: Vec::new() };
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) => asked.headers.push((name.to_owned(), value.trim().to_owned())),
            None => break,
        }
    }
    let length = asked.header("content-length").map_or(Ok(0), str::parse).context("content-length is no number")?;
    asked.body.resize(length, 0);
    stream.read_exact(&mut asked.body)?;
    Ok(Some(asked))
}

#[cfg(test)]
mod tests {
    use super::super::{Client, Door};
    use super::*;

    #[test]
    fn it_answers_closes_and_goes_on() -> Result<()> {
        let server = Server::start(Ipv4Addr::LOCALHOST, |asked| match asked.body.as_slice() {
            b"close" => Reply::Close,
            body => Reply::Answer(202, format!("{:?}", (asked.header("X-Word"), body.len()))),
        })?;
        let client = &mut Client::new(&Door::open(server.address));
        for _ in 0..2 {
            let answer = client.send("POST", "/a", &[("x-word", "yes")], b"four")?;
            assert_eq!((answer.status, answer.body.as_slice()), (202, b"(Some(\"yes\"), 4)".as_slice()));
        }
        assert!(client.send("POST", "/a", &[], b"close").is_err());
        assert_eq!(client.send("POST", "/a", &[], b"")?.status, 202);
        Ok(())
    }
}

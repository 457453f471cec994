//! A TCP proxy that can be cut: the partition between a replica and what it talks to.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// What becomes of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Open = 0,
    /// They are closed, and new ones too.
    Refuse = 1,
    /// They are closed; new ones are taken, and nothing comes.
    Swallow = 2,
    /// They stay, and nothing passes until the end of it.
    Stall = 3,
    /// The proxy has ended.
    Over = 4,
}

/// Closes all connections when dropped.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    target: SocketAddr,
    mode: AtomicU8,
    next: AtomicU64,
    pairs: Mutex<Vec<(u64, TcpStream, TcpStream)>>,
    /// Taken, and answered by nobody.
    swallowed: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    pub fn start(target: SocketAddr) -> Result<Proxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            target,
            mode: AtomicU8::new(Mode::Open as u8),
            next: AtomicU64::new(0),
            pairs: Mutex::default(),
            swallowed: Mutex::default(),
        });
        let taking = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if taking.is(Mode::Over) {
                    return;
                }
                // An error here is a connection that is gone.
                let _ = taking.take(stream);
            }
        });
        Ok(Proxy { address, shared })
    }

    pub fn set(&self, mode: Mode) {
        self.shared.mode.store(mode as u8, Ordering::SeqCst);
        if matches!(mode, Mode::Refuse | Mode::Swallow | Mode::Over) {
            self.shared.pairs().iter().for_each(|(_, one, other)| close(one, other));
        }
        if mode != Mode::Swallow {
            self.shared.swallowed.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.set(Mode::Over);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn is(&self, mode: Mode) -> bool {
        self.mode.load(Ordering::SeqCst) == mode as u8
    }

    fn pairs(&self) -> MutexGuard<'_, Vec<(u64, TcpStream, TcpStream)>> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(self: &Arc<Self>, client: TcpStream) -> std::io::Result<()> {
        if self.is(Mode::Swallow) {
            self.swallowed.lock().unwrap_or_else(PoisonError::into_inner).push(client);
            return Ok(());
        }
        if self.is(Mode::Refuse) {
            return Ok(());
        }
        let server = TcpStream::connect(self.target)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.pairs().push((number, client.try_clone()?, server.try_clone()?));
        // Cut while it was being made.
        if !self.is(Mode::Open) && !self.is(Mode::Stall) {
            close(&client, &server);
        }
        for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
            let shared = self.clone();
            thread::spawn(move || {
                // An error is the end of the connection, as is its end.
                let _ = shared.pump(&from, &to);
                close(&from, &to);
                shared.pairs().retain(|(own, ..)| *own != number);
            });
        }
        Ok(())
    }

    fn pump(&self, mut from: &TcpStream, mut to: &TcpStream) -> std::io::Result<()> {
        let mut piece = [0; 16 << 10];
        loop {
            let size = from.read(&mut piece)?;
            if size == 0 {
                return Ok(());
            }
            while self.is(Mode::Stall) {
                thread::sleep(Duration::from_millis(10));
            }
            to.write_all(&piece[..size])?;
        }
    }
}

fn close(one: &TcpStream, other: &TcpStream) {
    // An error here is a connection that is closed already.
    let _ = one.shutdown(Shutdown::Both);
    let _ = other.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Instant;

    use super::*;
    use crate::http::{Client, Door, Reply, Server};

    #[test]
    fn a_partition_cuts_and_heals() -> Result<()> {
        let server = Server::start(Ipv4Addr::LOCALHOST, |_| Reply::Answer(200, "{}".to_owned()))?;
        let proxy = Proxy::start(server.address)?;
        let door = Door::open(proxy.address);
        let client = &mut Client::with_patience(&door, Duration::from_millis(300));
        let mut ask = || client.send("POST", "/", &[], b"").map(|answer| answer.status);
        assert_eq!(ask()?, 200);
        for mode in [Mode::Refuse, Mode::Swallow] {
            proxy.set(mode);
            assert!(ask().is_err() && ask().is_err(), "{mode:?}");
            proxy.set(Mode::Open);
            assert_eq!(ask()?, 200);
        }
        proxy.set(Mode::Stall);
        let began = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(100));
                proxy.set(Mode::Open);
            });
            assert_eq!(ask()?, 200);
            assert!(began.elapsed() >= Duration::from_millis(90));
            Ok(())
        })
    }
}

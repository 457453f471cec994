//! Three portals on one PostgreSQL, each behind partitions of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::files;
use crate::http::Door;
use crate::postgres::{Postgres, url_at};
use crate::random::Random;
use crate::server::{Portal, Setup};
use crate::workspace::Workspace;

use super::faults::{Fault, Kind};
use super::proxy::{Mode, Proxy};

pub const COUNT: usize = 3;
/// 32 bytes as Base64; all replicas seal with it.
const SEAL_KEY: &str = "c29hayBzZWFscyBuby1vbmUgZWxzZSdzIHNlY3JldHM=";

pub struct Replicas<'a> {
    workspace: &'a Workspace,
    program: &'a Path,
    folder: PathBuf,
    token: Arc<str>,
    all: Vec<Replica>,
}

struct Replica {
    number: usize,
    url: String,
    database: Proxy,
    sink: Proxy,
    /// Where it listens, or listened.
    door: Mutex<Door>,
    portal: Mutex<Option<Portal>>,
}

impl<'a> Replicas<'a> {
    /// Starts all on a new database, with what `actions` defines.
    pub fn start(
        workspace: &'a Workspace,
        program: &'a Path,
        folder: &Path,
        (postgres, database): (&Postgres, &str),
        sink: SocketAddr,
        actions: &str,
    ) -> Result<Replicas<'a>> {
        let url = postgres.create(database)?;
        files::write_if_changed(&folder.join("catalog-info.yaml"), actions.as_bytes())?;
        files::write_if_changed(&folder.join("seal.key"), SEAL_KEY.as_bytes())?;
        let mut all = Vec::new();
        for number in 0..COUNT {
            let (own, sink) = (Proxy::start(postgres.address())?, Proxy::start(sink)?);
            let config = config(&folder.join("seal.key"), sink.address);
            files::write_if_changed(&folder.join(format!("{number}.toml")), config.as_bytes())?;
            all.push(Replica {
                number,
                url: url_at(own.address, database),
                door: Mutex::new(Door::open(own.address)),
                database: own,
                sink,
                portal: Mutex::default(),
            });
        }
        let (data, program_path) = (folder.join("data-0"), program.to_owned());
        let (arguments, variables) = (Vec::new(), [].as_slice());
        let setup = Setup { name: "", program: program_path, data: &data, database: Some(&url), arguments, variables };
        let token = setup.token()?;
        let replicas = Replicas { workspace, program, folder: folder.to_owned(), token, all };
        thread::scope(|scope| {
            let starting: Vec<_> =
                replicas.all.iter().map(|replica| scope.spawn(|| replicas.start_one(replica))).collect();
            starting.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| bail!("starting a replica panicked")))
        })?;
        Ok(replicas)
    }

    fn start_one(&self, replica: &Replica) -> Result<()> {
        let (name, data) = (format!("invocations-{}", replica.number), format!("data-{}", replica.number));
        let config = self.folder.join(format!("{}.toml", replica.number)).display().to_string();
        let catalog = self.folder.join("catalog-info.yaml").display().to_string();
        let setup = Setup {
            name: &name,
            program: self.program.to_owned(),
            data: &self.folder.join(data),
            database: Some(&replica.url),
            arguments: ["--config".to_owned(), config, "--catalog".to_owned(), catalog].into(),
            variables: &[],
        };
        let portal = Portal::start_with(self.workspace, &setup, self.token.clone())?;
        *lock(&replica.door) = portal.door.clone();
        *lock(&replica.portal) = Some(portal);
        Ok(())
    }

    /// Where one of them is, by chance.
    pub fn any(&self, random: &mut Random) -> Door {
        self.door(random.range(0, COUNT as u64) as usize)
    }

    pub fn door(&self, number: usize) -> Door {
        lock(&self.all[number].door).clone()
    }

    /// Brings a fault about, and waits until it is over.
    pub fn suffer(&self, fault: &Fault) -> Result<()> {
        let replica = &self.all[fault.replica];
        match fault.kind {
            Kind::Kill => {
                let portal = lock(&replica.portal).take().context("the replica has not been started")?;
                portal.kill()?;
                thread::sleep(fault.time);
                self.start_one(replica)?;
            }
            Kind::Stop => {
                self.signal(replica, "STOP")?;
                thread::sleep(fault.time);
                self.signal(replica, "CONT")?;
            }
            Kind::Database(mode) => cut(&replica.database, mode, fault.time),
            Kind::Sink(mode) => cut(&replica.sink, mode, fault.time),
        }
        self.all_live()
    }

    fn signal(&self, replica: &Replica, signal: &str) -> Result<()> {
        lock(&replica.portal).as_ref().context("the replica has not been started")?.signal(signal)
    }

    /// # Errors
    /// One ended by itself.
    pub fn all_live(&self) -> Result<()> {
        for replica in &self.all {
            let mut portal = lock(&replica.portal);
            let portal = portal.as_mut().context("the replica has not been started")?;
            if !portal.lives() {
                bail!("replica {} ended by itself:\n{}", replica.number, portal.last_lines());
            }
        }
        Ok(())
    }
}

fn cut(proxy: &Proxy, mode: Mode, time: Duration) {
    proxy.set(mode);
    thread::sleep(time);
    proxy.set(Mode::Open);
}

fn config(seal_key: &Path, sink: SocketAddr) -> String {
    let key = seal_key.display();
    let limits = format!("[limits]\nlease_seconds = {}\n", super::faults::LEASE.as_secs());
    format!(
        "{limits}[access]\nseal_key = \"file:{key}\"\n[egress]\ncalls_per_second = 1000\n[[connector]]\n\
         name = \"sink\"\nkind = \"webhook\"\nurl = \"http://{sink}/hooks\"\nrest_seconds = 4\n"
    )
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

//! `portal audit`: whether the log is whole.

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::audit::store::{Verdict, verify};
use crate::config::{Config, Flags, ServeFlags};
use crate::db::Db;

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check that no entry was changed or removed: 0 whole, 1 broken
    Verify,
}

#[expect(clippy::print_stdout, reason = "the verdict is the command's output")]
pub async fn run(flags: &Flags, command: AuditCommand) -> Result<()> {
    let AuditCommand::Verify = command;
    let config = Config::load(flags, &ServeFlags::default())?;
    let db = Db::connect(&config.database).await.context("cannot open the database")?;
    let verdict = verify(db.reader()).await.context("cannot read the audit log")?;
    db.close().await;
    match verdict {
        Verdict::Whole { rows, newest } => {
            println!("whole: {rows} entries, newest hash {}", if newest.is_empty() { "-" } else { &newest });
            Ok(())
        }
        Verdict::Broken { seq } => bail!("broken at entry {seq}: it was changed, or an entry before it is missing"),
    }
}

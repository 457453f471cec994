//! `portal seal`: changing the key that seals secrets in the database.

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::access::jwt;
use crate::access::seal::Sealer;
use crate::config::{Config, Flags, ServeFlags, variable};
use crate::connectors;
use crate::db::Db;

#[derive(Debug, Subcommand)]
pub enum SealCommand {
    /// Seal everything with a new key: the first of `seal_key`, else one that is made here.
    /// Stop the portal before, or restart it after
    Rotate,
}

#[expect(clippy::print_stdout, reason = "what was done is the command's output")]
pub async fn run(flags: &Flags, command: SealCommand) -> Result<()> {
    let SealCommand::Rotate = command;
    let config = Config::load(flags, &ServeFlags::default())?;
    let (reference, file) = (config.access.seal_key.as_deref(), config.seal_file());
    let own = reference.is_none();
    if own {
        Sealer::put_new_key_in(&file).with_context(|| file.display().to_string())?;
    }
    let sealer = Sealer::open(reference, &file, variable).await?;
    let db = Db::open(&config.database).await.context("cannot open the database")?;
    let keys = jwt::reseal(&db, &sealer).await.context("cannot seal anew");
    let secrets = connectors::reseal(&db, &sealer).await.context("cannot seal anew");
    db.close().await;
    let ((keys, foreign_keys), (secrets, foreign_secrets)) = (keys?, secrets?);
    let (sealed, foreign) = (keys + secrets, foreign_keys + foreign_secrets);
    println!("sealed {sealed} secrets with the key {}", sealer.key_id());
    if foreign > 0 {
        bail!("{foreign} secrets are sealed with keys that are not here; they were left as they are");
    }
    if own {
        Sealer::drop_old_keys_of(&file).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

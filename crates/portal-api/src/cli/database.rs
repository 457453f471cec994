//! Commands on the database and on the documents of the program.

use anyhow::{Context, Result, bail};

use crate::changes;
use crate::config::{Config, Flags, ServeFlags};
use crate::db::Db;

pub async fn migrate(flags: &Flags) -> Result<()> {
    let config = Config::load(flags, &ServeFlags::default())?;
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot create the data folder {}", config.data_dir.display()))?;
    let db = Db::open(&config.database).await.context("cannot open the database")?;
    db.close().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the document is the command's output")]
pub fn print_openapi() -> Result<()> {
    print!("{}", crate::openapi::text()?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the report is the command's output")]
pub async fn examine(flags: &Flags) -> Result<()> {
    let config = Config::load(flags, &ServeFlags::default())?;
    println!("configuration  ok");
    let db = Db::connect(&config.database).await.context("cannot open the database")?;
    println!("database       ok, {:?}", db.backend());
    match changes::store::last_seq(db.reader()).await {
        Ok(seq) => println!("change feed    ok, {seq} changes"),
        Err(_) => bail!("the schema is missing or old; `portal migrate` brings it up to date"),
    }
    db.close().await;
    Ok(())
}

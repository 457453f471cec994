//! What platforms know a call by, and plans that people agree to.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer, string_null, text_null};

use super::name;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// One approval for each place of a run, and each plan there.
fn place(columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name("approval_place_key").table(name("approval")).unique();
    for column in columns {
        index.col(name(column));
    }
    index.to_owned()
}

fn drop_place() -> IndexDropStatement {
    Index::drop().name("approval_place_key").table(name("approval")).to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let handle = Table::alter().table(name("run_call")).add_column(text_null("handle")).to_owned();
        manager.alter_table(handle).await?;
        for column in [integer("generation").default(0).to_owned(), text_null("plan"), string_null("plan_hash")] {
            let added = Table::alter().table(name("approval")).add_column(column).to_owned();
            manager.alter_table(added).await?;
        }
        manager.drop_index(drop_place()).await?;
        manager.create_index(place(&["run_id", "position", "generation"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(drop_place()).await?;
        manager.create_index(place(&["run_id", "position"])).await?;
        for column in ["plan_hash", "plan", "generation"] {
            let dropped = Table::alter().table(name("approval")).drop_column(name(column)).to_owned();
            manager.alter_table(dropped).await?;
        }
        let handle = Table::alter().table(name("run_call")).drop_column(name("handle")).to_owned();
        manager.alter_table(handle).await
    }
}

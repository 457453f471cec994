//! What could be read of a document with faults, so that policies say who may know of it.

use sea_orm_migration::prelude::*;

use super::name;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let draft = ColumnDef::new(name("draft")).text().null().to_owned();
        manager.alter_table(Table::alter().table(name("source_document")).add_column(draft).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter().table(name("source_document")).drop_column(name("draft")).to_owned();
        manager.alter_table(table).await
    }
}

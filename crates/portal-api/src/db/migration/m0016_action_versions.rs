//! Actions that are kept in the portal: their drafts and published versions; and runs that try one out.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, integer, string, string_null, text, timestamp_with_time_zone as time};

use super::{id, name};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let version = Table::create()
            .table(name("action_version"))
            .col(id())
            .col(string("action_ref"))
            .col(integer("number"))
            .col(string("state"))
            .col(text("text"))
            .col(string("author"))
            .col(boolean("trusted"))
            .col(string_null("entity_etag"))
            .col(time("changed_at"))
            .to_owned();
        let number = Index::create()
            .name("action_version_action_ref_number_key")
            .table(name("action_version"))
            .col(name("action_ref"))
            .col(name("number"))
            .unique()
            .to_owned();
        let test = ColumnDef::new(name("is_test")).boolean().not_null().default(false).to_owned();
        manager.create_table(version).await?;
        manager.create_index(number).await?;
        manager.alter_table(Table::alter().table(name("run")).add_column(test).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table(name("run")).drop_column(name("is_test")).to_owned()).await?;
        manager.drop_table(Table::drop().table(name("action_version")).to_owned()).await
    }
}

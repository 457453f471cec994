//! What belongs to one person: marks on entities, saved views.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, string, text, timestamp_with_time_zone as time};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = |name: &'static str| Alias::new(name);
        let mark = Table::create()
            .table(Alias::new("mark"))
            .col(string("actor"))
            .col(string("entity_ref"))
            .col(string("mark"))
            .col(time("at"))
            .primary_key(Index::create().col(column("actor")).col(column("entity_ref")).col(column("mark")))
            .to_owned();
        let view = Table::create()
            .table(Alias::new("saved_view"))
            .col(ColumnDef::new(column("id")).big_integer().not_null().auto_increment().primary_key())
            .col(string("actor"))
            .col(string("name"))
            .col(text("query"))
            .col(boolean("shared"))
            .col(time("created_at"))
            .to_owned();
        let names = Index::create()
            .name("saved_view_actor_name_key")
            .table(Alias::new("saved_view"))
            .col(column("actor"))
            .col(column("name"))
            .unique()
            .to_owned();
        manager.create_table(mark).await?;
        manager.create_table(view).await?;
        manager.create_index(names).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["saved_view", "mark"] {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        Ok(())
    }
}

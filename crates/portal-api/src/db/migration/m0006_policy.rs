//! Rules of the organisation on top of roles and ownership.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, string, text, text_null, timestamp_with_time_zone};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let policy = Table::create()
            .table(Alias::new("policy"))
            .col(string("name").primary_key())
            .col(string("effect"))
            .col(text("verbs"))
            .col(text("condition"))
            .col(text_null("message"))
            .col(boolean("enabled"))
            .col(string("etag"))
            .col(timestamp_with_time_zone("changed_at"))
            .to_owned();
        manager.create_table(policy).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Alias::new("policy")).to_owned()).await
    }
}

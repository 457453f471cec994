//! Connectors that are kept in the database, their secrets under seal.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    integer, string, string_null, text, text_null, timestamp_with_time_zone as time,
    timestamp_with_time_zone_null as time_null,
};

use super::name;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(name("connector"))
            .col(ColumnDef::new(name("name")).string().not_null().primary_key())
            .col(string("kind"))
            .col(text("url"))
            .col(string_null("preset"))
            .col(text_null("contract"))
            .col(integer("call_limit"))
            .col(integer("rest_seconds"))
            .col(text_null("credential"))
            .col(time_null("credential_set_at"))
            .col(text_null("signing_secret"))
            .col(time_null("signing_secret_set_at"))
            .col(string("etag"))
            .col(time("created_at"))
            .col(string("created_by"))
            .col(time("updated_at"))
            .col(string("updated_by"))
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(name("connector")).to_owned()).await
    }
}

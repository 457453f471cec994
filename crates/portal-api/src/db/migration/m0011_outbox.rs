//! Messages that leave the portal.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer_null, integer, string, string_null, text, text_null, timestamp_with_time_zone as time,
    timestamp_with_time_zone_null as time_null,
};

use super::{id, index, name};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let outbox = Table::create()
            .table(name("outbox"))
            .col(id())
            .col(string("channel"))
            .col(string_null("recipient"))
            .col(text("title"))
            .col(text_null("text"))
            .col(text_null("link"))
            .col(string("dedupe_key"))
            .col(string("state"))
            .col(integer("attempts"))
            .col(time("next_at"))
            .col(text_null("last_error"))
            .col(big_integer_null("run_id"))
            .col(time("created_at"))
            .col(time_null("sent_at"))
            .to_owned();
        manager.create_table(outbox).await?;
        let once = Index::create()
            .name("outbox_dedupe_key_key")
            .table(name("outbox"))
            .col(name("dedupe_key"))
            .unique()
            .to_owned();
        manager.create_index(once).await?;
        manager.create_index(index("outbox", &["state", "channel", "id"])).await?;
        manager.create_index(index("outbox", &["created_at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(name("outbox")).to_owned()).await
    }
}

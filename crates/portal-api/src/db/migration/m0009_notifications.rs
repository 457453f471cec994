//! What people are told, and what they have read of it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string, string_null, text, text_null, timestamp_with_time_zone as time};

use super::{id, name};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let notification = Table::create()
            .table(name("notification"))
            .col(id())
            .col(string("recipient"))
            .col(text("title"))
            .col(text_null("text"))
            .col(text_null("link"))
            .col(string("severity"))
            .col(string_null("topic"))
            .col(string_null("scope"))
            .col(string("origin"))
            .col(time("at"))
            .to_owned();
        let read = Table::create()
            .table(name("notification_read"))
            .col(string("actor"))
            .col(big_integer("notification_id"))
            .primary_key(Index::create().col(name("actor")).col(name("notification_id")))
            .to_owned();
        let once = Index::create()
            .name("notification_origin_recipient_key")
            .table(name("notification"))
            .col(name("origin"))
            .col(name("recipient"))
            .unique()
            .to_owned();
        let newest = Index::create()
            .name("notification_recipient_id_idx")
            .table(name("notification"))
            .col(name("recipient"))
            .col(name("id"))
            .to_owned();
        manager.create_table(notification).await?;
        manager.create_table(read).await?;
        manager.create_index(once).await?;
        manager.create_index(newest).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["notification_read", "notification"] {
            manager.drop_table(Table::drop().table(name(table)).to_owned()).await?;
        }
        Ok(())
    }
}

//! Accounts, their sessions and tokens, and the audit log.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    boolean, string, string_null, text, text_null, timestamp_with_time_zone as time,
    timestamp_with_time_zone_null as time_null,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let key = |name: &'static str| ColumnDef::new(Alias::new(name)).string().not_null().primary_key().to_owned();
        let account = Table::create()
            .table(Alias::new("account"))
            .col(key("id"))
            .col(ColumnDef::new(Alias::new("name")).string().not_null().unique_key())
            .col(string("title"))
            .col(string("role"))
            .col(string_null("user_ref"))
            .col(boolean("disabled"))
            .col(text_null("password_hash"))
            .col(time("created_at"))
            .col(time_null("signed_in_at"))
            .to_owned();
        // Of sessions, tokens and links only the hash is stored: what the
        // database shows signs nobody in.
        let session = Table::create()
            .table(Alias::new("session"))
            .col(key("hash"))
            .col(string("id"))
            .col(string("account_id"))
            .col(time("created_at"))
            .col(time("seen_at"))
            .col(time("expires_at"))
            .col(string("address"))
            .col(text("agent"))
            .to_owned();
        let token = Table::create()
            .table(Alias::new("api_token"))
            .col(key("hash"))
            .col(string("id"))
            .col(string("account_id"))
            .col(string("name"))
            .col(string("hint"))
            .col(string("role"))
            .col(text_null("scopes"))
            .col(time("created_at"))
            .col(time("expires_at"))
            .col(time_null("used_at"))
            .to_owned();
        let link = Table::create()
            .table(Alias::new("sign_in_link"))
            .col(key("hash"))
            .col(string("account_id"))
            .col(time("expires_at"))
            .to_owned();
        let audit = Table::create()
            .table(Alias::new("audit"))
            .col(ColumnDef::new(Alias::new("seq")).big_integer().not_null().primary_key())
            .col(time("at"))
            .col(string("actor"))
            .col(string("name"))
            .col(string("action"))
            .col(text("target"))
            .col(string("outcome"))
            .col(string("request_id"))
            .col(string("address"))
            .col(text("detail"))
            .col(string("hash"))
            .to_owned();
        for table in [account, session, token, link, audit] {
            manager.create_table(table).await?;
        }
        for table in ["session", "api_token", "sign_in_link"] {
            let index = Index::create()
                .name(format!("{table}_account_id_idx"))
                .table(Alias::new(table))
                .col(Alias::new("account_id"))
                .to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["audit", "sign_in_link", "api_token", "session", "account"] {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        Ok(())
    }
}

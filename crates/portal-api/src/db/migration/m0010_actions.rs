//! What runs ask of others: calls that are answered later, approvals and their votes, and
//! resources that expire.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, integer, integer_null, string, string_null, text, text_null,
    timestamp_with_time_zone as time, timestamp_with_time_zone_null as time_null,
};

use super::{id, index, name};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let target = Table::alter().table(name("run")).add_column(string_null("target")).to_owned();
        manager.alter_table(target).await?;
        let call = Table::create()
            .table(name("run_call"))
            .col(id())
            .col(big_integer("run_id"))
            .col(integer("position"))
            .col(integer("turn"))
            .col(integer("generation"))
            .col(text("signing_key"))
            .col(text_null("result"))
            .col(integer_null("progress"))
            .col(text("links"))
            .col(time("created_at"))
            .col(time("deadline"))
            .col(time_null("ended_at"))
            .to_owned();
        let approval = Table::create()
            .table(name("approval"))
            .col(id())
            .col(big_integer("run_id"))
            .col(integer("position"))
            .col(text("title"))
            .col(text("ask"))
            .col(string("state"))
            .col(time("created_at"))
            .col(time("expires_at"))
            .col(time_null("decided_at"))
            .to_owned();
        let approver = Table::create()
            .table(name("approval_approver"))
            .col(big_integer("approval_id"))
            .col(string("entity_ref"))
            .primary_key(Index::create().col(name("approval_id")).col(name("entity_ref")))
            .to_owned();
        let vote = Table::create()
            .table(name("approval_vote"))
            .col(big_integer("approval_id"))
            .col(string("actor"))
            .col(string("name"))
            .col(string_null("user_ref"))
            .col(text("as_approvers"))
            .col(boolean("approves"))
            .col(text_null("comment"))
            .col(time("at"))
            .primary_key(Index::create().col(name("approval_id")).col(name("actor")))
            .to_owned();
        let expiry = Table::create()
            .table(name("entity_expiry"))
            .col(ColumnDef::new(name("entity_ref")).string().not_null().primary_key())
            .col(big_integer("run_id"))
            .col(time("expires_at"))
            .col(string_null("action"))
            .col(text("answers"))
            .col(big_integer("extensions"))
            .col(string_null("clean_up"))
            .to_owned();
        for table in [call, approval, approver, vote, expiry] {
            manager.create_table(table).await?;
        }
        let once = Index::create()
            .name("run_call_place_key")
            .table(name("run_call"))
            .col(name("run_id"))
            .col(name("position"))
            .col(name("turn"))
            .col(name("generation"))
            .unique()
            .to_owned();
        let asked_once = Index::create()
            .name("approval_place_key")
            .table(name("approval"))
            .col(name("run_id"))
            .col(name("position"))
            .unique()
            .to_owned();
        manager.create_index(once).await?;
        manager.create_index(asked_once).await?;
        manager.create_index(index("approval", &["state", "id"])).await?;
        manager.create_index(index("approval_approver", &["entity_ref"])).await?;
        manager.create_index(index("entity_expiry", &["expires_at"])).await?;
        manager.create_index(index("run", &["target", "id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["entity_expiry", "approval_vote", "approval_approver", "approval", "run_call"] {
            manager.drop_table(Table::drop().table(name(table)).to_owned()).await?;
        }
        manager.drop_index(Index::drop().name("run_target_id_idx").table(name("run")).to_owned()).await?;
        let target = Table::alter().table(name("run")).drop_column(name("target")).to_owned();
        manager.alter_table(target).await
    }
}

//! Actions that start by themselves: what each waits for and last did, what started it, and
//! how far the change feed was looked at for that.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, string, text, text_null, timestamp_with_time_zone as time,
    timestamp_with_time_zone_null as time_null,
};

use super::{index, name};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let chain = Table::alter().table(name("run")).add_column(text_null("chain")).to_owned();
        manager.alter_table(chain).await?;
        let state = Table::create()
            .table(name("trigger_state"))
            .col(string("action_ref"))
            .col(integer("position"))
            .col(string("kind"))
            .col(text("says"))
            .col(text("scope"))
            .col(big_integer("since_seq"))
            .col(time_null("next_at"))
            .col(big_integer_null("last_run"))
            .col(time_null("last_at"))
            .col(text_null("last_problem"))
            .col(time_null("problem_at"))
            .primary_key(Index::create().col(name("action_ref")).col(name("position")))
            .to_owned();
        let event = Table::create()
            .table(name("trigger_event"))
            .col(ColumnDef::new(name("key")).string().not_null().primary_key())
            .col(string("action_ref"))
            .col(integer("position"))
            .col(big_integer_null("run_id"))
            .col(time("at"))
            .to_owned();
        let cursor = Table::create()
            .table(name("trigger_cursor"))
            .col(ColumnDef::new(name("id")).integer().not_null().primary_key())
            .col(big_integer("seq"))
            .to_owned();
        for table in [state, event, cursor] {
            manager.create_table(table).await?;
        }
        manager.create_index(index("trigger_state", &["next_at"])).await?;
        manager.create_index(index("trigger_event", &["action_ref", "position", "at"])).await?;
        manager.create_index(index("trigger_event", &["at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["trigger_cursor", "trigger_event", "trigger_state"] {
            manager.drop_table(Table::drop().table(name(table)).to_owned()).await?;
        }
        let chain = Table::alter().table(name("run")).drop_column(name("chain")).to_owned();
        manager.alter_table(chain).await
    }
}

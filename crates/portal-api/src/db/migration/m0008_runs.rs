//! Runs of templates and actions: their steps, logs, and the files between two steps.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, integer, string, string_null, text, text_null, timestamp_with_time_zone as time,
    timestamp_with_time_zone_null as time_null,
};

use super::{id, index, name};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let run = Table::create()
            .table(name("run"))
            .col(id())
            .col(string("definition"))
            .col(string("title"))
            .col(string("state"))
            .col(string("actor"))
            .col(string_null("user_ref"))
            .col(text("spec"))
            .col(text("answers"))
            .col(text_null("secrets"))
            .col(text("output"))
            .col(string_null("error_code"))
            .col(text_null("error"))
            .col(string_null("error_step"))
            .col(boolean("cancel_requested"))
            .col(time("created_at"))
            .col(time_null("started_at"))
            .col(time_null("finished_at"))
            .to_owned();
        let step = Table::create()
            .table(name("run_step"))
            .col(big_integer("run_id"))
            .col(integer("position"))
            .col(string("step_id"))
            .col(text("name"))
            .col(string("action"))
            .col(string("state"))
            .col(integer("attempts"))
            .col(text_null("turns"))
            .col(text_null("output"))
            .col(text_null("error"))
            .col(time_null("started_at"))
            .col(time_null("finished_at"))
            .primary_key(Index::create().col(name("run_id")).col(name("position")))
            .to_owned();
        let log = Table::create()
            .table(name("run_log"))
            .col(id())
            .col(big_integer("run_id"))
            .col(string_null("step_id"))
            .col(time("at"))
            .col(text("text"))
            .to_owned();
        let workspace = Table::create()
            .table(name("run_workspace"))
            .col(ColumnDef::new(name("run_id")).big_integer().not_null().primary_key())
            .col(ColumnDef::new(name("content")).blob().not_null())
            .to_owned();
        let entity = Table::create()
            .table(name("run_entity"))
            .col(string("entity_ref"))
            .col(big_integer("run_id"))
            .primary_key(Index::create().col(name("entity_ref")).col(name("run_id")))
            .to_owned();
        for table in [run, step, log, workspace, entity] {
            manager.create_table(table).await?;
        }
        let indexes = [
            ("run", ["definition", "id"]),
            ("run", ["actor", "id"]),
            ("run", ["state", "id"]),
            ("run_log", ["run_id", "id"]),
        ];
        for (table, columns) in indexes {
            manager.create_index(index(table, &columns)).await?;
        }
        manager.create_index(index("run_entity", &["run_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["run_entity", "run_workspace", "run_log", "run_step", "run"] {
            manager.drop_table(Table::drop().table(name(table)).to_owned()).await?;
        }
        Ok(())
    }
}

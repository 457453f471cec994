//! The catalog, its change feed, sources, and the seams for what comes next:
//! events and jobs.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, string, string_null, text, text_null,
    timestamp_with_time_zone as time, timestamp_with_time_zone_null as time_null,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// In the order of creation; dropped in reverse.
fn tables() -> Vec<TableCreateStatement> {
    vec![
        change(),
        definition(),
        entity(),
        source(),
        source_file(),
        source_document(),
        pass(),
        kind(),
        event(),
        job(),
        idempotency_key(),
        webhook_delivery(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &str, table: &'static str, columns: &[&'static str]| {
        let mut index = Index::create();
        index.name(name).table(Alias::new(table));
        for column in columns {
            index.col(Alias::new(*column));
        }
        index
    };
    vec![
        index("entity_entity_ref_key", "entity", &["entity_ref"]).unique().to_owned(),
        index("entity_uid_key", "entity", &["uid"]).unique().to_owned(),
        index("entity_source_id_location_idx", "entity", &["source_id", "location"]),
        index("change_subject_seq_idx", "change", &["subject", "seq"]),
        index("change_at_idx", "change", &["at"]),
        index("source_uid_key", "source", &["uid"]).unique().to_owned(),
        index("source_document_source_id_path_idx", "source_document", &["source_id", "path"]),
        index("source_document_entity_ref_idx", "source_document", &["entity_ref"]),
        index("pass_source_id_idx", "pass", &["source_id", "id"]),
        index("event_at_idx", "event", &["at"]),
        index("job_queue_run_at_idx", "job", &["queue", "run_at"]),
        index("job_idempotency_key_key", "job", &["idempotency_key"]).unique().to_owned(),
    ]
}

fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(Alias::new(name)).to_owned()
}

fn serial(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).big_integer().not_null().auto_increment().primary_key().to_owned()
}

fn change() -> TableCreateStatement {
    table("change")
        .col(serial("seq"))
        .col(time("at"))
        .col(string("actor"))
        .col(string("cause"))
        .col(string("subject"))
        .col(string("operation"))
        .col(text_null("document"))
        .to_owned()
}

fn definition() -> TableCreateStatement {
    table("definition").col(string("hash").primary_key()).col(text("body")).to_owned()
}

fn entity() -> TableCreateStatement {
    table("entity")
        .col(serial("id"))
        .col(string("entity_ref"))
        .col(string("uid"))
        .col(string("etag"))
        .col(text("document"))
        .col(string_null("definition_hash"))
        .col(big_integer_null("source_id"))
        .col(text("location"))
        .col(integer("document_index"))
        .col(integer("line"))
        .col(boolean("stale"))
        .col(time_null("orphan_since"))
        .col(big_integer("changed_seq"))
        .col(time("changed_at"))
        .to_owned()
}

fn source() -> TableCreateStatement {
    table("source")
        .col(serial("id"))
        .col(string("uid"))
        .col(string("source_type"))
        .col(text("target"))
        .col(string_null("branch"))
        .col(text("globs"))
        .col(string("origin"))
        .col(boolean("trusted"))
        .col(integer("interval_seconds"))
        .col(string_null("credential"))
        .col(string_null("webhook_secret"))
        .col(string("state"))
        .col(text_null("failure"))
        .col(string_null("revision"))
        .col(time_null("read_at"))
        .col(time_null("next_pass_at"))
        .col(string("etag"))
        .col(time("created_at"))
        .to_owned()
}

fn source_file() -> TableCreateStatement {
    table("source_file")
        .col(big_integer("source_id"))
        .col(text("path"))
        .col(string("hash"))
        .col(string_null("etag"))
        .col(text("links"))
        .primary_key(Index::create().col(Alias::new("source_id")).col(Alias::new("path")))
        .to_owned()
}

fn source_document() -> TableCreateStatement {
    table("source_document")
        .col(serial("id"))
        .col(big_integer("source_id"))
        .col(text("path"))
        .col(integer("document_index"))
        .col(integer("line"))
        .col(string_null("entity_ref"))
        .col(string("status"))
        .col(text("faults"))
        .to_owned()
}

fn pass() -> TableCreateStatement {
    table("pass")
        .col(serial("id"))
        .col(big_integer("source_id"))
        .col(time("started_at"))
        .col(time_null("finished_at"))
        .col(string("trigger"))
        .col(string_null("outcome"))
        .col(string_null("revision"))
        .col(big_integer("documents"))
        .col(big_integer("created"))
        .col(big_integer("updated"))
        .col(big_integer("unchanged"))
        .col(big_integer("removed"))
        .col(big_integer("errors"))
        .col(text_null("failure"))
        .to_owned()
}

fn kind() -> TableCreateStatement {
    table("kind").col(string("kind").primary_key()).col(text("definition")).to_owned()
}

fn event() -> TableCreateStatement {
    table("event")
        .col(serial("id"))
        .col(time("at"))
        .col(string("actor"))
        .col(string("actor_type"))
        .col(string("surface"))
        .col(string("verb"))
        .col(text("object"))
        .col(string("outcome"))
        .col(integer("duration_ms"))
        .col(integer_null("rank"))
        .col(integer_null("result_count"))
        .to_owned()
}

fn integer_null(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).integer().null().to_owned()
}

fn job() -> TableCreateStatement {
    table("job")
        .col(serial("id"))
        .col(string("queue"))
        .col(text("payload"))
        .col(time("run_at"))
        .col(integer("attempts"))
        .col(string_null("lease_owner"))
        .col(time_null("lease_until"))
        .col(big_integer("fencing_token"))
        .col(string_null("idempotency_key"))
        .col(text_null("last_error"))
        .col(time("created_at"))
        .to_owned()
}

fn idempotency_key() -> TableCreateStatement {
    table("idempotency_key")
        .col(string("actor"))
        .col(string("key"))
        .col(string("request_hash"))
        .col(integer("status"))
        .col(text("body"))
        .col(time("created_at"))
        .primary_key(Index::create().col(Alias::new("actor")).col(Alias::new("key")))
        .to_owned()
}

fn webhook_delivery() -> TableCreateStatement {
    table("webhook_delivery")
        .col(big_integer("source_id"))
        .col(string("delivery"))
        .col(time("received_at"))
        .primary_key(Index::create().col(Alias::new("source_id")).col(Alias::new("delivery")))
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables().iter().rev() {
            if let Some(name) = table.get_table_name() {
                manager.drop_table(Table::drop().table(name.clone()).to_owned()).await?;
            }
        }
        Ok(())
    }
}

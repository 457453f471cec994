//! Documentation: pages and images of entities, each content once.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob, string, text, text_null, timestamp_with_time_zone as time};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// In the order of creation; dropped in reverse.
fn tables() -> [TableCreateStatement; 3] {
    let table = |name: &'static str| Table::create().table(Alias::new(name)).to_owned();
    [
        table("documentation")
            .col(string("entity_ref").primary_key())
            .col(big_integer("source_id"))
            .col(text("root"))
            .col(string("hash"))
            .col(text("outline"))
            .col(time("changed_at"))
            .to_owned(),
        table("documentation_file")
            .col(string("entity_ref"))
            .col(text("path"))
            .col(text_null("title"))
            .col(string("media_type"))
            .col(string("hash"))
            .primary_key(Index::create().col(Alias::new("entity_ref")).col(Alias::new("path")))
            .to_owned(),
        table("documentation_content").col(string("hash").primary_key()).col(blob("body")).to_owned(),
    ]
}

fn indexes() -> [IndexCreateStatement; 2] {
    let index = |name: &str, table: &'static str, column: &'static str| {
        Index::create().name(name).table(Alias::new(table)).col(Alias::new(column)).to_owned()
    };
    [
        index("documentation_source_id_idx", "documentation", "source_id"),
        index("documentation_file_hash_idx", "documentation_file", "hash"),
    ]
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
        for table in ["documentation_content", "documentation_file", "documentation"] {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        Ok(())
    }
}

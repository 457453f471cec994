//! Rights to decide that are handed to others for a time, and votes that are given so.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, string, string_null, text_null, timestamp_with_time_zone as time};

use super::{id, index, name};

#[derive(DeriveMigrationName)]
pub struct Migration;

const VOTE: [&str; 3] = ["person", "for_name", "for_user_ref"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let delegation = Table::create()
            .table(name("delegation"))
            .col(id())
            .col(string("actor"))
            .col(string("name"))
            .col(string_null("user_ref"))
            .col(string("delegate_ref"))
            .col(big_integer_null("approval_id"))
            .col(text_null("reason"))
            .col(time("created_at"))
            .col(time("until"))
            .to_owned();
        manager.create_table(delegation).await?;
        manager.create_index(index("delegation", &["actor"])).await?;
        manager.create_index(index("delegation", &["delegate_ref"])).await?;
        for column in VOTE {
            let added = Table::alter().table(name("approval_vote")).add_column(string_null(column)).to_owned();
            manager.alter_table(added).await?;
        }
        // Votes from before have no person, and are kept apart by who gave them.
        let once = Index::create()
            .name("approval_vote_person_key")
            .table(name("approval_vote"))
            .col(name("approval_id"))
            .col(name("person"))
            .unique()
            .to_owned();
        manager.create_index(once).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let once = Index::drop().name("approval_vote_person_key").table(name("approval_vote")).to_owned();
        manager.drop_index(once).await?;
        for column in VOTE {
            let dropped = Table::alter().table(name("approval_vote")).drop_column(name(column)).to_owned();
            manager.alter_table(dropped).await?;
        }
        manager.drop_table(Table::drop().table(name("delegation")).to_owned()).await
    }
}

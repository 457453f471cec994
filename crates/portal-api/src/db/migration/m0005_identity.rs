//! Who accounts are to providers of identities, and the groups that those name.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{string, text_null};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let groups = Table::alter().table(Alias::new("account")).add_column(text_null("groups")).to_owned();
        manager.alter_table(groups).await?;
        let identity = Table::create()
            .table(Alias::new("account_identity"))
            .col(string("issuer"))
            .col(string("subject"))
            .col(string("account_id"))
            .primary_key(Index::create().col(Alias::new("issuer")).col(Alias::new("subject")))
            .to_owned();
        manager.create_table(identity).await?;
        let index = Index::create()
            .name("account_identity_account_id_idx")
            .table(Alias::new("account_identity"))
            .col(Alias::new("account_id"))
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Alias::new("account_identity")).to_owned()).await?;
        let groups = Table::alter().table(Alias::new("account")).drop_column(Alias::new("groups")).to_owned();
        manager.alter_table(groups).await
    }
}

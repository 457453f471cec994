//! The schema. Migrations add, then backfill, then remove, so that the release
//! before still runs on the new schema; both directions work.

use sea_orm_migration::prelude::*;

mod m0001_spine;
mod m0002_documentation;
mod m0003_personal;
mod m0004_access;
mod m0005_identity;
mod m0006_policy;
mod m0007_signing_key;
mod m0008_runs;
mod m0009_notifications;
mod m0010_actions;
mod m0011_outbox;
mod m0012_triggers;
mod m0013_platforms;
mod m0014_connectors;
mod m0015_delegations;
mod m0016_action_versions;
mod m0017_drafts;

pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_spine::Migration),
            Box::new(m0002_documentation::Migration),
            Box::new(m0003_personal::Migration),
            Box::new(m0004_access::Migration),
            Box::new(m0005_identity::Migration),
            Box::new(m0006_policy::Migration),
            Box::new(m0007_signing_key::Migration),
            Box::new(m0008_runs::Migration),
            Box::new(m0009_notifications::Migration),
            Box::new(m0010_actions::Migration),
            Box::new(m0011_outbox::Migration),
            Box::new(m0012_triggers::Migration),
            Box::new(m0013_platforms::Migration),
            Box::new(m0014_connectors::Migration),
            Box::new(m0015_delegations::Migration),
            Box::new(m0016_action_versions::Migration),
            Box::new(m0017_drafts::Migration),
        ]
    }
}

fn name(text: &'static str) -> Alias {
    Alias::new(text)
}

/// A key that the database counts.
fn id() -> ColumnDef {
    ColumnDef::new(name("id")).big_integer().not_null().auto_increment().primary_key().to_owned()
}

/// An index named after its columns.
fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("{table}_{}_idx", columns.join("_"))).table(name(table));
    for column in columns {
        index.col(name(column));
    }
    index.to_owned()
}

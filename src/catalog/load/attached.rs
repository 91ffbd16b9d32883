//! Loads the objects attached to relations: rules, triggers, policies.

use super::lock_batches::query_deparsed;
use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, KeyTrigger, Policy, Rule, Trigger};
use crate::connect::Session;
use crate::pg::Ident;

/// Reads the rules of users, without those that make views.
pub(super) async fn load_rules(session: &Session) -> Result<Vec<Rule>, Error> {
    const WHAT: &str = "rules";
    let rows = query_deparsed(session, WHAT, include_str!("../sql/rules.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            Ok(Rule {
                id: row.id(Class::Rule)?,
                name: row.name("name")?,
                relation: row.oid("relation")?,
                definition: row.sql("definition")?,
                enabled: row.value::<&str>("enabled")?.parse()?,
            })
        })
        .collect()
}

/// Reads the triggers of users.
pub(super) async fn load_triggers(session: &Session) -> Result<Vec<Trigger>, Error> {
    const WHAT: &str = "triggers";
    let rows = query(session, WHAT, include_str!("../sql/triggers.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            Ok(Trigger {
                id: row.id(Class::Trigger)?,
                name: row.name("name")?,
                relation: row.oid("relation")?,
                definition: row.optional_sql("definition")?,
                enabled: row.value::<&str>("enabled")?.parse()?,
            })
        })
        .collect()
}

/// Reads the internal triggers of keys that do not fire as usual.
pub(super) async fn load_key_triggers(session: &Session) -> Result<Vec<KeyTrigger>, Error> {
    const WHAT: &str = "triggers of keys";
    let text = include_str!("../sql/key_triggers.sql");
    let rows = query(session, WHAT, text, &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            Ok(KeyTrigger {
                id: row.id(Class::Trigger)?,
                constraint_oid: row.oid("constraint_oid")?,
                constraint: row.name("constraint")?,
                table: row.qualified("table_schema", "table_name")?,
                relation: row.qualified("schema", "name")?,
                function: row.name("function")?,
                enabled: row.value::<&str>("enabled")?.parse()?,
            })
        })
        .collect()
}

/// Reads row security policies.
pub(super) async fn load_policies(session: &Session) -> Result<Vec<Policy>, Error> {
    const WHAT: &str = "policies";
    let rows = query_deparsed(session, WHAT, include_str!("../sql/policies.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            let roles: Vec<&str> = row.value("roles")?;
            Ok(Policy {
                id: row.id(Class::Policy)?,
                name: row.name("name")?,
                relation: row.oid("relation")?,
                command: row.value::<&str>("command")?.parse()?,
                is_permissive: row.value("polpermissive")?,
                roles: roles.into_iter().map(Ident::from_catalog).collect(),
                using: row.optional_sql("using_expression")?,
                with_check: row.optional_sql("check_expression")?,
            })
        })
        .collect()
}

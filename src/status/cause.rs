//! Why an apply worker may fail. The server writes its error to its log only, so the definitions are compared: what is
//! missing on the target stops the worker at the first change that uses it.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Row;

use super::error::Error;
use super::facts::TargetFacts;
use super::tables::{SeenTables, name_parts};
use crate::cluster::{Code, Finding, Level};
use crate::connect::{self, Session};
use crate::logical::{FoundSubscription, read_table_name as read_name};
use crate::pg::{Ident, QualifiedName, Side, Sides, Sql};
use crate::remedy::Remedy;
use crate::sql;

/// A column, as far as it may stop the apply worker.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    name: Ident,
    is_generated: bool,
    /// Whether a row needs a value for it.
    is_required: bool,
}

type Columns = BTreeMap<QualifiedName, Vec<Column>>;

/// Finds why the apply worker may fail.
///
/// # Errors
/// A server refused a query.
pub(super) async fn find_causes(
    sessions: Sides<&Session>,
    tables: &SeenTables,
    target: &TargetFacts,
) -> Result<Vec<Finding>, Error> {
    let missing = tables.published.difference(&tables.existing);
    let mut found: Vec<Finding> = missing.map(judge_missing_table).collect();
    let (ours, theirs) = tokio::join!(
        load_columns(sessions.source, tables),
        load_columns(sessions.target, tables)
    );
    let ours = ours.map_err(Error::query(Side::Source))?;
    let theirs = theirs.map_err(Error::query(Side::Target))?;
    found.extend(compare_columns(&ours, &theirs));
    found.extend(find_missing_partitions(sessions, tables).await?);
    if let Some(subscription) = &target.subscription {
        let denied = find_denied(sessions.target, subscription).await;
        found.extend(denied.map_err(Error::query(Side::Target))?);
    }
    Ok(found)
}

fn judge_missing_table(table: &QualifiedName) -> Finding {
    let message = format!("published table {table} is missing");
    Finding::new(
        Code::TableMissingOnTarget,
        Level::Error,
        Side::Target,
        message,
    )
    .about(table)
    .remedy(format!(
        "create table {table} on the target as on the source; the apply worker then continues"
    ))
}

/// Finds partitions that only the source has. Rows for them have no place on a target with the same partitioned table.
async fn find_missing_partitions(
    sessions: Sides<&Session>,
    tables: &SeenTables,
) -> Result<Vec<Finding>, Error> {
    let ours = load_partitions(sessions.source, &tables.published).await;
    let ours = ours.map_err(Error::query(Side::Source))?;
    let theirs = load_partitions(sessions.target, &tables.published).await;
    let theirs = theirs.map_err(Error::query(Side::Target))?;
    // A target without partitions of its own has another layout, which may be on purpose.
    if theirs.is_empty() {
        return Ok(Vec::new());
    }
    Ok(ours
        .difference(&theirs)
        .map(judge_missing_partition)
        .collect())
}

fn judge_missing_partition(partition: &QualifiedName) -> Finding {
    let message = format!("partition {partition} is missing");
    let code = Code::TableMissingOnTarget;
    Finding::new(code, Level::Error, Side::Target, message)
        .about(partition)
        .remedy(format!(
            "create partition {partition} on the target as on the source; the apply worker then continues"
        ))
}

async fn load_partitions(
    session: &Session,
    tables: &BTreeSet<QualifiedName>,
) -> Result<BTreeSet<QualifiedName>, connect::Error> {
    let sql = Sql::fixed(include_str!("sql/partitions.sql"));
    let (schemas, names) = name_parts(tables);
    let rows = session.query(&sql, &[&schemas, &names]).await?;
    Ok(rows.iter().map(read_name).collect())
}

async fn load_columns(session: &Session, tables: &SeenTables) -> Result<Columns, connect::Error> {
    let sql = Sql::fixed(include_str!("sql/columns.sql"));
    let (schemas, names) = name_parts(&tables.published);
    let rows = session.query(&sql, &[&schemas, &names]).await?;
    let mut columns = Columns::new();
    for row in &rows {
        let column = Column {
            name: Ident::from_catalog(row.get::<_, String>("column_name")),
            is_generated: row.get("is_generated"),
            is_required: row.get("is_required"),
        };
        columns.entry(read_name(row)).or_default().push(column);
    }
    Ok(columns)
}

/// Compares the columns of the tables that exist on both servers. Pure.
fn compare_columns(source: &Columns, target: &Columns) -> Vec<Finding> {
    let mut found = Vec::new();
    for (table, ours) in source {
        let Some(theirs) = target.get(table) else {
            continue;
        };
        let has = |columns: &[Column], name: &Ident| columns.iter().any(|one| one.name == *name);
        let lacking = ours
            .iter()
            .filter(|column| !column.is_generated && !has(theirs, &column.name));
        found.extend(lacking.map(|column| judge_missing_column(table, &column.name)));
        let extra = theirs
            .iter()
            .filter(|column| column.is_required && !has(ours, &column.name));
        found.extend(extra.map(|column| judge_extra_column(table, &column.name)));
    }
    found
}

fn judge_missing_column(table: &QualifiedName, column: &Ident) -> Finding {
    let message = format!("published column {column} of table {table} is missing");
    let code = Code::ColumnMissingOnTarget;
    Finding::new(code, Level::Error, Side::Target, message)
        .about(&format!("{table}.{column}"))
        .remedy(format!(
            "add column {column} to table {table} on the target as on the source; the apply worker then continues"
        ))
}

fn judge_extra_column(table: &QualifiedName, column: &Ident) -> Finding {
    let message = format!(
        "column {column} of table {table} requires a value, and the source does not have it"
    );
    let alter = sql!(
        "ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL",
        table,
        column
    );
    Finding::new(
        Code::ColumnOnlyOnTarget,
        Level::Error,
        Side::Target,
        message,
    )
    .about(&format!("{table}.{column}"))
    .remedy(Remedy::RunOn(Side::Target, alter))
    .remedy("give it a default there")
}

/// Finds the tables that the subscription's owner may not change.
async fn find_denied(
    session: &Session,
    subscription: &FoundSubscription,
) -> Result<Vec<Finding>, connect::Error> {
    let becomes_owner = session.version().has_membership_options();
    let sql = Sql::fixed(include_str!("sql/privileges.sql"));
    let rows = session
        .query(
            &sql,
            &[
                &subscription.oid.0,
                &becomes_owner,
                &subscription.owner.as_str(),
            ],
        )
        .await?;
    let finding = |row: &Row| {
        let table = read_name(row);
        let owner = &subscription.owner;
        let message =
            format!("role {owner}, which owns the subscription, may not change table {table}");
        let grant = match becomes_owner {
            true => {
                let of = Ident::from_catalog(row.get::<_, String>("table_owner"));
                sql!("GRANT {} TO {}", of, owner)
            }
            false => sql!(
                "GRANT INSERT, UPDATE, DELETE, TRUNCATE ON {} TO {}",
                table,
                owner
            ),
        };
        Finding::new(Code::NoApplyPrivilege, Level::Error, Side::Target, message)
            .about(&table)
            .remedy(Remedy::RunOn(Side::Target, grant))
    };
    Ok(rows.iter().map(finding).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, is_generated: bool, is_required: bool) -> Column {
        Column {
            name: Ident::from_catalog(name),
            is_generated,
            is_required,
        }
    }

    #[test]
    fn columns_that_stop_the_worker_are_found() {
        let table = |columns: Vec<Column>| {
            Columns::from([(QualifiedName::from_catalog("s", "t"), columns)])
        };
        let source = table(vec![
            column("a", false, true),
            column("gone", false, false),
            column("computed", true, false),
        ]);
        let target = table(vec![
            column("a", false, true),
            column("extra", false, true),
            column("optional", false, false),
        ]);
        let found = compare_columns(&source, &target);
        let found: Vec<_> = found.iter().map(|one| one.object.as_deref()).collect();
        assert_eq!(found, [Some("s.t.gone"), Some("s.t.extra")]);
        assert!(compare_columns(&source, &source).is_empty());
        assert!(compare_columns(&source, &Columns::new()).is_empty());
    }
}

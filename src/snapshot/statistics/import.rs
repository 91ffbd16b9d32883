//! Writes the statistics of the source's planner to a target that accepts them, instead of reading every table
//! again. Tables of which the target does not accept all statistics are analyzed.

use std::collections::BTreeSet;

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::analyze_table::is_about_table;
use crate::catalog::Catalog;
use crate::catalog::load::planner_statistics::{
    COLUMN_STATISTICS, TABLE_STATISTICS, Values, load_importable_statistics,
    load_planner_statistics,
};
use crate::catalog::model::Table;
use crate::connect::{self, Session};
use crate::pg::{Ident, Literal, QualifiedName, RelKind, ServerVersion, Sql};
use crate::snapshot::error::Error;
use crate::sql;

/// Loads the names of the tables whose statistics a server of this version can import.
///
/// # Errors
/// The source cannot be asked.
pub async fn load_importable_tables(
    reader: &Session,
    target: ServerVersion,
    catalog: &Catalog,
) -> Result<BTreeSet<QualifiedName>, Error> {
    if !target.has_statistics_import() {
        return Ok(BTreeSet::new());
    }
    // The statistics of a hypertable belong to its chunks.
    let is_plain = |table: &&Table| {
        matches!(table.kind, RelKind::Table | RelKind::PartitionedTable)
            && table.hypertable.is_none()
    };
    let tables = catalog.tables.iter().filter(is_plain);
    let names: Vec<&QualifiedName> = tables.map(|table| &table.name).collect();
    let loaded = load_importable_statistics(reader, &names).await;
    loaded.map_err(Error::Catalog)
}

/// Imports the statistics of some tables in two round trips. Their indexes must exist, since `CREATE INDEX` would
/// overwrite statistics. Returns the tables of which the target did not accept all statistics, for `ANALYZE`. The
/// number of tables bounds the locks of one statement.
///
/// # Errors
/// The source cannot be asked, or a connection is lost.
pub async fn import_statistics(
    reader: &Session,
    writer: &Session,
    tables: &[&QualifiedName],
) -> Result<BTreeSet<QualifiedName>, Error> {
    let read = load_planner_statistics(reader, tables).await;
    let (of_tables, of_columns) = read.map_err(Error::Catalog)?;
    match write_statistics(writer, &of_tables, &of_columns).await {
        Ok(taken) => Ok(find_missing(tables, &taken)),
        Err(error) if !is_about_table(&error) => Err(Error::Statement {
            object: "statistics for the planner".to_owned(),
            statement: None,
            source: error,
        }),
        Err(_) if tables.len() > 1 => import_one_by_one(reader, writer, tables).await,
        Err(error) => {
            tracing::debug!(%error, "statistics were not imported");
            Ok(find_missing(tables, &[]))
        }
    }
}

/// Imports the statistics of each table by itself, so that a refusal concerns that table only.
async fn import_one_by_one(
    reader: &Session,
    writer: &Session,
    tables: &[&QualifiedName],
) -> Result<BTreeSet<QualifiedName>, Error> {
    let mut left = BTreeSet::new();
    for table in tables {
        let alone = std::slice::from_ref(table);
        left.extend(Box::pin(import_statistics(reader, writer, alone)).await?);
    }
    Ok(left)
}

/// A table, and whether the target accepted all values of a row.
type Taken = (QualifiedName, bool);

async fn write_statistics(
    writer: &Session,
    of_tables: &Values,
    of_columns: &Values,
) -> Result<Vec<Taken>, connect::Error> {
    let table = render_restore("pg_restore_relation_stats", &TABLE_STATISTICS);
    let column = render_restore("pg_restore_attribute_stats", &COLUMN_STATISTICS);
    let (mut rows, more) = tokio::try_join!(
        write_values(writer, &table, of_tables),
        write_values(writer, &column, of_columns)
    )?;
    rows.extend(more);
    let taken = |row: &Row| {
        let name = QualifiedName::from_catalog(row.get::<_, &str>(0), row.get::<_, &str>(1));
        (name, row.get(2))
    };
    Ok(rows.iter().map(taken).collect())
}

async fn write_values(
    writer: &Session,
    sql: &Sql,
    values: &Values,
) -> Result<Vec<Row>, connect::Error> {
    let parameter = |column| (column as &(dyn ToSql + Sync), Type::TEXT_ARRAY);
    let parameters: Vec<_> = values.iter().map(parameter).collect();
    writer.query_typed(sql, &parameters).await
}

/// Renders a statement that passes rows of values to a function by name: an array of texts per value. NULL counts
/// as not given.
fn render_restore(function: &'static str, values: &[(&'static str, &'static str)]) -> Sql {
    let names = values.iter().map(|(name, _)| Ident::from_catalog(*name));
    let arguments = values.iter().map(|(name, of)| {
        let column = Ident::from_catalog(*name);
        sql!("{}, {}::{}", Literal(name), column, Sql::fixed(of))
    });
    let arrays = (1..=values.len()).map(|at| {
        let number = i32::try_from(at).expect("few values");
        sql!("pg_catalog.unnest(${})", number)
    });
    sql!(
        "SELECT schemaname, relname, pg_catalog.{}({}) FROM ROWS FROM ({}) AS given ({})",
        Sql::fixed(function),
        Sql::join(arguments, ", "),
        Sql::join(arrays, ", "),
        Sql::join(names, ", ")
    )
}

/// Finds the tables of which a value was not accepted, or nothing is known.
fn find_missing(tables: &[&QualifiedName], taken: &[Taken]) -> BTreeSet<QualifiedName> {
    let is_whole = |table: &QualifiedName| {
        let mut of_table = taken.iter().filter(|(name, _)| name == table).peekable();
        of_table.peek().is_some() && of_table.all(|(_, taken)| *taken)
    };
    let left = tables.iter().filter(|table| !is_whole(table));
    left.map(|table| (*table).clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_handed_over_by_name_and_type() {
        let sql = render_restore("f", &[("schemaname", "text"), ("n", "real[]")]);
        assert_eq!(
            sql.as_str(),
            "SELECT schemaname, relname, pg_catalog.f('schemaname', \"schemaname\"::text, 'n', \"n\"::real[]) \
             FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS given (\"schemaname\", \"n\")"
        );
    }

    #[test]
    fn a_table_is_whole_if_everything_of_it_was_taken() {
        let [a, b, c] = ["a", "b", "c"].map(|name| QualifiedName::from_catalog("s", name));
        let taken = [(a.clone(), true), (b.clone(), true), (b.clone(), false)];
        assert_eq!(
            find_missing(&[&a, &b, &c], &taken),
            BTreeSet::from([b.clone(), c.clone()])
        );
    }
}

//! What the planner of a server knows of tables, as text that another server reads.

use std::collections::BTreeSet;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::row::Columns;
use crate::catalog::Error;
use crate::connect::Session;
use crate::pg::{QualifiedName, Sql};

const WHAT: &str = "statistics for the planner";

/// What is known of a table as a whole: its name, then values under the names of
/// `pg_restore_relation_stats`, with their types.
pub const TABLE_STATISTICS: [(&str, &str); 6] = [
    ("schemaname", "text"),
    ("relname", "text"),
    ("relpages", "integer"),
    ("reltuples", "real"),
    ("relallvisible", "integer"),
    ("relallfrozen", "integer"),
];

/// What is known of a column: its name, then values under the names of
/// `pg_restore_attribute_stats`, with their types.
pub const COLUMN_STATISTICS: [(&str, &str); 17] = [
    ("schemaname", "text"),
    ("relname", "text"),
    ("attname", "text"),
    ("inherited", "boolean"),
    ("null_frac", "real"),
    ("avg_width", "integer"),
    ("n_distinct", "real"),
    ("most_common_vals", "text"),
    ("most_common_freqs", "real[]"),
    ("histogram_bounds", "text"),
    ("correlation", "real"),
    ("most_common_elems", "text"),
    ("most_common_elem_freqs", "real[]"),
    ("elem_count_histogram", "real[]"),
    ("range_length_histogram", "text"),
    ("range_empty_frac", "real"),
    ("range_bounds_histogram", "text"),
];

/// Statistics of some tables: by column of [`TABLE_STATISTICS`] or [`COLUMN_STATISTICS`] the values of
/// all rows.
pub type Values = Vec<Vec<Option<String>>>;

/// Reads the statistics of tables and of their columns.
///
/// # Errors
/// The server refused a query, or the connection broke.
pub async fn load_planner_statistics(
    session: &Session,
    tables: &[&QualifiedName],
) -> Result<(Values, Values), Error> {
    let of_tables = query_statistics(session, include_str!("../sql/table_statistics.sql"), tables);
    let of_columns = query_statistics(
        session,
        include_str!("../sql/planner_statistics.sql"),
        tables,
    );
    let (of_tables, of_columns) = tokio::try_join!(of_tables, of_columns)?;
    Ok((
        by_column(&of_tables, TABLE_STATISTICS.len())?,
        by_column(&of_columns, COLUMN_STATISTICS.len())?,
    ))
}

/// Those of some tables whose statistics can be imported completely.
///
/// # Errors
/// The server refused the query, or the connection broke.
pub async fn load_importable_statistics(
    session: &Session,
    tables: &[&QualifiedName],
) -> Result<BTreeSet<QualifiedName>, Error> {
    let sql = include_str!("../sql/importable_statistics.sql");
    let rows = query_statistics(session, sql, tables).await?;
    let names = rows.iter().map(|row| Columns::new(WHAT, row));
    names.map(|row| row.qualified("schema", "name")).collect()
}

async fn query_statistics(
    session: &Session,
    sql: &'static str,
    tables: &[&QualifiedName],
) -> Result<Vec<Row>, Error> {
    let schemas: Vec<&str> = tables.iter().map(|name| name.schema.as_str()).collect();
    let names: Vec<&str> = tables.iter().map(|name| name.name.as_str()).collect();
    session
        .query_typed(
            &Sql::fixed(sql),
            &[(&schemas, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(|source| Error::Query { what: WHAT, source })
}

fn by_column(rows: &[Row], columns: usize) -> Result<Values, Error> {
    let column = |at| {
        let values = rows.iter().map(|row| row.try_get(at));
        values.collect::<Result<Vec<_>, _>>()
    };
    let all = (0..columns).map(column).collect::<Result<_, _>>();
    all.map_err(|source| Error::Column {
        what: WHAT,
        column: "statistics",
        source,
    })
}

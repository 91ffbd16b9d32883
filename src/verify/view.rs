//! One side of a database at one moment: a session that holds a snapshot open, and the tables
//! that the snapshot sees.

use tokio_postgres::Row;

use super::error::Error;
use super::plan::{Column, Form, Identity, Table};
use crate::catalog::load::timescale::{Hands, load_hands};
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Ident, Oid, QualifiedName, Side, Sql};

const TABLES: &str = include_str!("sql/tables.sql");

/// Keeps the snapshot importable until it is dropped.
#[derive(Debug)]
pub(super) struct View {
    pub(super) side: Side,
    pub(super) endpoint: Endpoint,
    /// As `SET TRANSACTION SNAPSHOT` takes it.
    pub(super) snapshot_name: String,
    /// The database's encoding, as `pg_encoding_to_char` names it.
    pub(super) encoding: String,
    /// Whether `COPY` of a table releases the table's lock as it ends, as it does before 13.
    pub(super) copy_unlocks: bool,
    _session: Session,
}

impl View {
    /// Takes a snapshot of a side's database and lists its tables.
    ///
    /// # Errors
    /// The database cannot be reached or read.
    pub(super) async fn open(side: Side, endpoint: Endpoint) -> Result<Opened, Error> {
        let session = endpoint
            .session(Purpose::Introspect)
            .await
            .map_err(|source| Error::Connect { side, source })?;
        let loaded = load_snapshot(&session)
            .await
            .map_err(|source| Error::Catalog { side, source })?;
        let hands = load_hands(&session)
            .await
            .map_err(|source| Error::Hypertables { side, source })?;
        let view = Self {
            side,
            endpoint,
            snapshot_name: loaded.name,
            encoding: loaded.encoding,
            copy_unlocks: loaded.copy_unlocks,
            _session: session,
        };
        Ok(Opened {
            view,
            tables: without_chunks(loaded.tables, &hands),
        })
    }
}

/// A view, and the tables that it shows.
pub(super) struct Opened {
    pub(super) view: View,
    pub(super) tables: Vec<Table>,
}

/// What a new snapshot shows.
struct Snapshot {
    name: String,
    encoding: String,
    copy_unlocks: bool,
    tables: Vec<Table>,
}

async fn load_snapshot(session: &Session) -> Result<Snapshot, connect::Error> {
    let begin = Sql::fixed("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    session.batch(&begin).await?;
    let export = Sql::fixed(
        "SELECT pg_catalog.pg_export_snapshot(), pg_catalog.getdatabaseencoding()::text, \
                pg_catalog.current_setting('server_version_num')::int4 < 130000",
    );
    let exported = session.query_one(&export, &[]).await?;
    let rows = session.query(&Sql::fixed(TABLES), &[]).await?;
    Ok(Snapshot {
        name: exported.get(0),
        encoding: exported.get(1),
        copy_unlocks: exported.get(2),
        tables: read_tables(&rows),
    })
}

/// The tables without chunks, and the hypertables that have them.
fn without_chunks(mut tables: Vec<Table>, hands: &Hands) -> Vec<Table> {
    tables.retain(|table| !hands.internals.contains(&table.identity.oid));
    for table in &mut tables {
        table.in_chunks = hands.hypertables.contains(&table.identity.oid);
    }
    tables
}

/// Reads tables from rows that are ordered by table.
fn read_tables(rows: &[Row]) -> Vec<Table> {
    rows.chunk_by(|one, other| read_oid(one, "oid") == read_oid(other, "oid"))
        .map(read_table)
        .collect()
}

/// Reads one table from its rows, one for each column.
fn read_table(rows: &[Row]) -> Table {
    let row = rows.first().expect("a chunk has a row");
    let bytes: i64 = row.get("bytes");
    Table {
        name: QualifiedName::from_catalog(
            row.get::<_, String>("schema_name"),
            row.get::<_, String>("table_name"),
        ),
        columns: rows.iter().filter_map(read_column).collect(),
        is_configuration: row.get("is_configuration"),
        condition: row.get::<_, Option<String>>("condition").map(Sql::deparsed),
        filter: None,
        above: read_names(row, "above_schemas", "above_names"),
        parents: read_names(row, "parent_schemas", "parent_names")
            .into_iter()
            .collect(),
        identity: Identity {
            oid: read_oid(row, "oid"),
            filenode: read_oid(row, "filenode"),
        },
        in_chunks: false,
        bytes: u64::try_from(bytes).unwrap_or(0),
    }
}

fn read_oid(row: &Row, column: &str) -> Oid {
    Oid(row.get(column))
}

/// The names in a pair of columns.
fn read_names(row: &Row, schemas: &str, names: &str) -> Vec<QualifiedName> {
    let schemas: Vec<String> = row.get(schemas);
    let names: Vec<String> = row.get(names);
    let names = schemas.into_iter().zip(names);
    names
        .map(|(schema, name)| QualifiedName::from_catalog(schema, name))
        .collect()
}

/// The row's column; the only row of a table without columns has none.
fn read_column(row: &Row) -> Option<Column> {
    let name: Option<String> = row.get("column_name");
    Some(Column {
        name: Ident::from_catalog(name?),
        type_name: row.get("type_name"),
        form: match row.get("form") {
            "integer" => Form::Integer,
            "integers" => Form::Integers,
            _ => Form::Text,
        },
        is_generated: row.get("is_generated"),
    })
}

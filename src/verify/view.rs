//! One side of a database at one moment: a session that holds a snapshot open, and the tables
//! that the snapshot sees.

use tokio_postgres::Row;

use super::error::{Error, Side};
use super::plan::{Column, Form, Identity, Table};
use crate::catalog::load::timescale::{Hands, load_hands};
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Ident, Oid, QualifiedName, Sql};

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
    /// Whether `COPY` of a table gives up the table's lock as it ends, as it does before 13.
    pub(super) copy_unlocks: bool,
    _session: Session,
}

impl View {
    /// Takes a snapshot of a side's database and lists its tables.
    ///
    /// # Errors
    /// The database cannot be reached or read.
    pub(super) async fn open(side: Side, endpoint: Endpoint) -> Result<(Self, Vec<Table>), Error> {
        let session = endpoint
            .session(Purpose::Introspect)
            .await
            .map_err(|source| Error::Connect { side, source })?;
        let look = look(&session).await;
        let (snapshot_name, encoding, copy_unlocks, tables) =
            look.map_err(|source| Error::Catalog { side, source })?;
        let hands = load_hands(&session).await;
        let hands = hands.map_err(|source| Error::Hypertables { side, source })?;
        let tables = with_chunks(tables, &hands);
        let view = Self {
            side,
            endpoint,
            snapshot_name,
            encoding,
            copy_unlocks,
            _session: session,
        };
        Ok((view, tables))
    }
}

async fn look(session: &Session) -> Result<(String, String, bool, Vec<Table>), connect::Error> {
    let begin = Sql::fixed("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    session.batch(&begin).await?;
    let export = Sql::fixed(
        "SELECT pg_catalog.pg_export_snapshot(), pg_catalog.getdatabaseencoding()::text, \
                pg_catalog.current_setting('server_version_num')::int4 < 130000",
    );
    let exported = session.query_one(&export, &[]).await?;
    let rows = session.query(&Sql::fixed(TABLES), &[]).await?;
    Ok((
        exported.get(0),
        exported.get(1),
        exported.get(2),
        tables(&rows),
    ))
}

/// The tables without chunks, and the hypertables that have them.
fn with_chunks(mut tables: Vec<Table>, hands: &Hands) -> Vec<Table> {
    tables.retain(|table| !hands.internals.contains(&table.identity.oid));
    for table in &mut tables {
        table.in_chunks = hands.hypertables.contains(&table.identity.oid);
    }
    tables
}

/// The tables of rows that are ordered by table.
fn tables(rows: &[Row]) -> Vec<Table> {
    let of_one_table = |one: &Row, other: &Row| oid(one, "oid") == oid(other, "oid");
    let table = |rows: &[Row]| {
        let row = rows.first().expect("a chunk has a row");
        let bytes: i64 = row.get("bytes");
        Table {
            name: QualifiedName::from_catalog(
                row.get::<_, String>("schema_name"),
                row.get::<_, String>("table_name"),
            ),
            columns: rows.iter().filter_map(column).collect(),
            is_configuration: row.get("is_configuration"),
            condition: row.get::<_, Option<String>>("condition").map(Sql::deparsed),
            above: names(row, "above_schemas", "above_names"),
            parents: names(row, "parent_schemas", "parent_names")
                .into_iter()
                .collect(),
            identity: Identity {
                oid: oid(row, "oid"),
                filenode: oid(row, "filenode"),
            },
            in_chunks: false,
            bytes: u64::try_from(bytes).unwrap_or(0),
        }
    };
    rows.chunk_by(of_one_table).map(table).collect()
}

fn oid(row: &Row, column: &str) -> Oid {
    Oid(row.get(column))
}

/// The names in a pair of columns.
fn names(row: &Row, schemas: &str, names: &str) -> Vec<QualifiedName> {
    let schemas: Vec<String> = row.get(schemas);
    let names: Vec<String> = row.get(names);
    let names = schemas.into_iter().zip(names);
    names
        .map(|(schema, name)| QualifiedName::from_catalog(schema, name))
        .collect()
}

/// The row's column; the only row of a table without columns has none.
fn column(row: &Row) -> Option<Column> {
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

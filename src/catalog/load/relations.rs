//! Reads tables, views and materialized views in one query, and gives them their columns.

use std::collections::HashMap;

use tokio_postgres::Row;

use super::columns::ColumnsOf;
use super::lock_batches::query_deparsed;
use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{
    Class, ForeignSource, MaterializedView, Options, Partition, PartitionKey, Size, Table, TypedAs,
    View,
};
use crate::connect::Session;
use crate::pg::{Oid, RelKind, Sql};

const WHAT: &str = "relations";

/// The relations of a database by kind.
#[derive(Default)]
pub(super) struct Relations {
    /// Tables of users.
    pub(super) tables: Vec<Table>,
    /// Views.
    pub(super) views: Vec<View>,
    /// Materialized views.
    pub(super) materialized_views: Vec<MaterializedView>,
    /// Tables of extensions that users' tables inherit from, but for those asked for.
    pub(super) parents: Vec<Table>,
    /// The relations of extensions that were asked for.
    pub(super) config: HashMap<Oid, Table>,
}

/// Reads the relations of users, and those of extensions in `config`.
pub(super) async fn load_relations(
    session: &Session,
    config: &[u32],
    columns: &mut ColumnsOf,
) -> Result<Relations, Error> {
    let rows = query_deparsed(
        session,
        WHAT,
        include_str!("../sql/relations.sql"),
        &[&config],
    )
    .await?;
    let mut relations = Relations::default();
    for row in &rows {
        relations.add(row, config, columns)?;
    }
    Ok(relations)
}

impl Relations {
    fn add(&mut self, row: &Row, config: &[u32], columns: &mut ColumnsOf) -> Result<(), Error> {
        let row = Columns::new(WHAT, row);
        let kind: RelKind = row.value::<&str>("kind")?.parse()?;
        let mut relation = read_table(&row, kind)?;
        relation.columns = columns.remove(&relation.id.oid).unwrap_or_default();
        if config.contains(&relation.id.oid.0) {
            self.config.insert(relation.id.oid, relation);
            return Ok(());
        }
        if row.value("is_member")? {
            self.parents.push(relation);
            return Ok(());
        }
        match kind {
            RelKind::View => self.views.push(read_view(&row, relation)?),
            RelKind::MaterializedView => self
                .materialized_views
                .push(read_materialized_view(&row, relation)?),
            RelKind::Table
            | RelKind::PartitionedTable
            | RelKind::Sequence
            | RelKind::Index
            | RelKind::PartitionedIndex
            | RelKind::Toast
            | RelKind::Composite
            | RelKind::ForeignTable => self.tables.push(relation),
        }
        Ok(())
    }
}

fn read_table(row: &Columns<'_>, kind: RelKind) -> Result<Table, Error> {
    let parents: Vec<u32> = row.value("parents")?;
    let of_type = match row.optional_sql("of_type_name")? {
        Some(name) => Some(TypedAs {
            oid: row.oid("of_type")?,
            name,
        }),
        None => None,
    };
    let foreign = match row.optional_name("server")? {
        Some(server) => Some(ForeignSource {
            server,
            options: row.options("foreign_options")?,
        }),
        None => None,
    };
    Ok(Table {
        foreign,
        id: row.id(Class::Relation)?,
        name: row.qualified("schema", "name")?,
        owner: row.name("owner")?,
        kind,
        persistence: row.value::<&str>("persistence")?.parse()?,
        row_type: row.oid("row_type")?,
        of_type,
        filenode: row.oid("filenode")?,
        access_method: row.optional_name("access_method")?,
        tablespace: row.optional_name("tablespace")?,
        options: row.options("options")?,
        toast_options: row.options("toast_options")?,
        columns: Vec::new(),
        parents: parents.into_iter().map(Oid).collect(),
        partition: row.optional_sql("bound")?.map(|bound| Partition { bound }),
        partition_key: partition_key(row)?,
        hypertable: None,
        replica_identity: row.value::<&str>("replica_identity")?.parse()?,
        row_security: row.value("relrowsecurity")?,
        force_row_security: row.value("relforcerowsecurity")?,
        size: read_size(row)?,
    })
}

fn partition_key(row: &Columns<'_>) -> Result<Option<PartitionKey>, Error> {
    let has_generated = row.value("key_has_generated")?;
    let key = row.optional_sql("partition_key")?;
    Ok(key.map(|definition| PartitionKey {
        definition,
        has_generated,
    }))
}

fn read_size(row: &Columns<'_>) -> Result<Size, Error> {
    let bytes = |column| {
        let bytes: Option<i64> = row.value(column)?;
        Ok::<_, Error>(bytes.map_or(0, i64::unsigned_abs))
    };
    let rows: Option<i64> = row.value("rows")?;
    Ok(Size {
        heap_bytes: bytes("heap_bytes")?,
        toast_bytes: bytes("toast_bytes")?,
        rows: rows.map(i64::unsigned_abs),
    })
}

/// What each table and materialized view takes on disk.
pub(super) async fn load_sizes(session: &Session) -> Result<HashMap<Oid, Size>, Error> {
    let what = "sizes of relations";
    let rows = query(session, what, include_str!("../sql/sizes.sql"), &[]).await?;
    let entry = |row| {
        let row = Columns::new(what, row);
        Ok((row.oid("oid")?, read_size(&row)?))
    };
    rows.iter().map(entry).collect()
}

/// A query as the server deparsed it, without its final semicolon.
fn read_definition(row: &Columns<'_>) -> Result<Sql, Error> {
    let text: &str = row.value("definition")?;
    Ok(Sql::deparsed(text.strip_suffix(';').unwrap_or(text)))
}

fn read_view(row: &Columns<'_>, relation: Table) -> Result<View, Error> {
    let (check, options): (Options, Options) = relation
        .options
        .into_iter()
        .partition(|(name, _)| name == "check_option");
    Ok(View {
        id: relation.id,
        name: relation.name,
        owner: relation.owner,
        row_type: relation.row_type,
        definition: read_definition(row)?,
        options,
        check_option: check.into_iter().map(|(_, value)| value).next(),
        columns: relation.columns,
    })
}

fn read_materialized_view(row: &Columns<'_>, relation: Table) -> Result<MaterializedView, Error> {
    Ok(MaterializedView {
        definition: read_definition(row)?,
        is_populated: row.value("relispopulated")?,
        id: relation.id,
        name: relation.name,
        owner: relation.owner,
        persistence: relation.persistence,
        row_type: relation.row_type,
        access_method: relation.access_method,
        tablespace: relation.tablespace,
        options: relation.options,
        toast_options: relation.toast_options,
        columns: relation.columns,
        size: relation.size,
    })
}

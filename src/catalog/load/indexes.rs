//! Reads indexes and extended statistics.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, Index, KeyIndex, Statistics};
use crate::connect::Session;
use crate::pg::{Ident, Oid};

/// Reads the indexes of users' tables and materialized views.
pub(super) async fn load_indexes(session: &Session) -> Result<Vec<Index>, Error> {
    const WHAT: &str = "indexes";
    let rows = query(session, WHAT, include_str!("../sql/indexes.sql"), &[]).await?;
    rows.iter()
        .map(|row| read_index(&Columns::new(WHAT, row)))
        .collect()
}

fn read_index(row: &Columns<'_>) -> Result<Index, Error> {
    let columns: Vec<i16> = row.value("statistics_columns")?;
    let targets: Vec<i32> = row.value("statistics_targets")?;
    let constraint: Option<u32> = row.value("constraint_oid")?;
    let parent: Option<u32> = row.value("parent")?;
    Ok(Index {
        id: row.id(Class::Relation)?,
        name: row.qualified("schema", "name")?,
        relation: row.oid("relation")?,
        definition: row.sql("definition")?,
        constraint: constraint.map(Oid),
        excludes: row.value("indisexclusion")?,
        key: read_key(row)?,
        tablespace: row.optional_name("tablespace")?,
        parent: parent.map(Oid),
        is_valid: row.value("is_valid")?,
        is_clustered: row.value("indisclustered")?,
        is_replica_identity: row.value("indisreplident")?,
        statistics: columns.into_iter().zip(targets).collect(),
    })
}

fn read_key(row: &Columns<'_>) -> Result<KeyIndex, Error> {
    let names = |column| {
        let names: Vec<&str> = row.value(column)?;
        Ok::<_, Error>(names.into_iter().map(Ident::from_catalog).collect())
    };
    Ok(KeyIndex {
        columns: names("key_columns")?,
        include: names("include_columns")?,
        nulls_not_distinct: row.value("nulls_not_distinct")?,
        options: row.options("options")?,
    })
}

/// Reads extended statistics.
pub(super) async fn load_statistics(session: &Session) -> Result<Vec<Statistics>, Error> {
    const WHAT: &str = "extended statistics";
    let rows = query(session, WHAT, include_str!("../sql/statistics.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            Ok(Statistics {
                id: row.id(Class::Statistics)?,
                name: row.qualified("schema", "name")?,
                owner: row.name("owner")?,
                relation: row.oid("relation")?,
                definition: row.sql("definition")?,
                has_expressions: row.value("has_expressions")?,
                target: row.value("target")?,
            })
        })
        .collect()
}

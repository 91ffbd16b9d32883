//! Reads sequences.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, Owned, Sequence, SequenceOwner};
use crate::connect::Session;
use crate::pg::Oid;

const WHAT: &str = "sequences";

/// Reads the sequences of users.
pub(super) async fn load_sequences(session: &Session) -> Result<Vec<Sequence>, Error> {
    let rows = query(session, WHAT, include_str!("../sql/sequences.sql"), &[]).await?;
    rows.iter()
        .map(|row| read_sequence(&Columns::new(WHAT, row)))
        .collect()
}

fn read_sequence(row: &Columns<'_>) -> Result<Sequence, Error> {
    Ok(Sequence {
        id: row.id(Class::Relation)?,
        name: row.qualified("schema", "name")?,
        owner: row.name("owner")?,
        persistence: row.value::<&str>("persistence")?.parse()?,
        type_name: row.sql("type_name")?,
        start: row.value("seqstart")?,
        increment: row.value("seqincrement")?,
        min: row.value("seqmin")?,
        max: row.value("seqmax")?,
        cache: row.value("seqcache")?,
        cycle: row.value("seqcycle")?,
        owned_by: read_owner(row)?,
    })
}

fn read_owner(row: &Columns<'_>) -> Result<Option<SequenceOwner>, Error> {
    let Some(table) = row.value::<Option<u32>>("owner_table")? else {
        return Ok(None);
    };
    Ok(Some(SequenceOwner {
        table: Oid(table),
        column: row.value("owner_column")?,
        how: match row.value("owner_kind")? {
            "i" => Owned::Identity,
            _ => Owned::By,
        },
    }))
}

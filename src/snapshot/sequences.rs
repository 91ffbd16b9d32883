//! The values of sequences. They are no part of the snapshot: a sequence is read after the rows, so
//! that it never lies behind a key that was copied.

use std::collections::HashMap;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::error::Error;
use crate::catalog::Catalog;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Literal, Oid, QualifiedName, RelKind, Sql, SqlState};
use crate::snapshot::definitions::section::stoppable;
use crate::sql;
use crate::task::Scope;

/// Sequences read and set by one statement.
const BATCH: usize = 200;

/// What became of a database's sequences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopiedSequences {
    /// How many were set.
    pub count: usize,
    /// Sequences that the source no longer has, by the names they had at the snapshot.
    pub gone: Vec<QualifiedName>,
    /// Sequences of extensions that the target's version of the extension does not have.
    pub absent: Vec<QualifiedName>,
}

/// Which sequences get the source's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichSequences {
    /// Those of users, and those that extensions register as configuration.
    All,
    /// Those that extensions register as configuration.
    Configuration,
}

/// A sequence of the source by the name that it has on the target.
#[derive(Clone, Copy)]
struct Named<'c> {
    oid: Oid,
    name: &'c QualifiedName,
}

/// Sets sequences of the target to the source's values.
///
/// # Errors
/// A sequence cannot be read or set, or the scope was stopped.
pub async fn copy_sequences(
    source: &Endpoint,
    target: &Endpoint,
    (catalog, which): (&Catalog, WhichSequences),
    scope: &Scope,
) -> Result<CopiedSequences, Error> {
    let (mut sequences, of_extensions) = (own(catalog, which), configuration(catalog));
    let mut copied = CopiedSequences::default();
    if sequences.is_empty() && of_extensions.is_empty() {
        return Ok(copied);
    }
    let reader = source
        .session(Purpose::Introspect)
        .await
        .map_err(Error::Connect)?;
    let writer = target
        .session(Purpose::Build)
        .await
        .map_err(Error::Connect)?;
    for sequence in of_extensions {
        let known = stoppable(&[&writer], scope, async {
            let known = exists(&writer, sequence.name).await;
            known.map_err(Error::Sequences)
        })
        .await?;
        if known {
            sequences.push(sequence);
        } else {
            copied.absent.push(sequence.name.clone());
        }
    }
    for batch in sequences.chunks(BATCH) {
        let values = stoppable(&[&reader], scope, async {
            read(&reader, batch).await.map_err(Error::Sequences)
        })
        .await?;
        let is_gone = |sequence: &&Named<'_>| !values.contains_key(&sequence.oid);
        let gone = batch.iter().filter(is_gone);
        copied
            .gone
            .extend(gone.map(|sequence| sequence.name.clone()));
        copied.count += values.len();
        if values.is_empty() {
            continue;
        }
        let sets = batch.iter().filter_map(|sequence| {
            let value = values.get(&sequence.oid)?;
            Some(value.set(sequence.name))
        });
        let set = sql!("SELECT {}", Sql::join(sets, ", "));
        stoppable(&[&writer], scope, async {
            writer.batch(&set).await.map_err(Error::Sequences)
        })
        .await?;
    }
    Ok(copied)
}

/// The sequences of users, if they are wanted.
fn own(catalog: &Catalog, which: WhichSequences) -> Vec<Named<'_>> {
    match which {
        WhichSequences::Configuration => Vec::new(),
        WhichSequences::All => {
            let sequences = catalog.sequences.iter();
            let named = sequences.map(|sequence| Named {
                oid: sequence.id.oid,
                name: &sequence.name,
            });
            named.collect()
        }
    }
}

/// The sequences that extensions register as configuration. Others of theirs keep the values that
/// their scripts gave them, as with `pg_dump`.
fn configuration(catalog: &Catalog) -> Vec<Named<'_>> {
    let extensions = catalog.extensions.iter();
    let config = extensions.flat_map(|extension| &extension.config);
    let sequences = config.filter(|config| config.table.kind == RelKind::Sequence);
    let named = sequences.map(|config| Named {
        oid: config.table.id.oid,
        name: &config.table.name,
    });
    named.collect()
}

/// Whether the target has a relation of this name.
async fn exists(writer: &Session, name: &QualifiedName) -> Result<bool, connect::Error> {
    let ask = Sql::fixed("SELECT pg_catalog.to_regclass($1::text) IS NOT NULL");
    let row = writer.query_one(&ask, &[&quoted(name)]).await?;
    Ok(row.get(0))
}

/// Reads the sequences that are still there, by the names that they have now. No lock keeps one from
/// being dropped or renamed since the snapshot, or between two statements: what was read says itself
/// which sequence it is.
async fn read(
    reader: &Session,
    sequences: &[Named<'_>],
) -> Result<HashMap<Oid, Value>, connect::Error> {
    let oids: Vec<u32> = sequences.iter().map(|one| one.oid.0).collect();
    loop {
        let present = present(reader, &oids).await?;
        if present.is_empty() {
            return Ok(HashMap::new());
        }
        let reads = present.values().map(|name| {
            sql!(
                "SELECT tableoid AS oid, last_value, is_called FROM {}",
                name
            )
        });
        let read = Sql::join(reads, " UNION ALL ");
        match reader.query(&read, &[]).await {
            Err(error) if error.sqlstate().is_some_and(means_another) => {}
            Err(error) => return Err(error),
            Ok(rows) => {
                let values: HashMap<Oid, Value> = rows.iter().map(value).collect();
                if present.keys().all(|oid| values.contains_key(oid)) {
                    return Ok(values);
                }
            }
        }
    }
}

/// Whether a code means that a name no longer means a sequence.
fn means_another(code: SqlState) -> bool {
    matches!(
        code,
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN | SqlState::INTERNAL_ERROR
    )
}

/// Those of the sequences that exist now, with their names.
async fn present(
    reader: &Session,
    oids: &[u32],
) -> Result<HashMap<Oid, QualifiedName>, connect::Error> {
    let sql = Sql::fixed(
        "SELECT c.oid, n.nspname::text, c.relname::text \
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
          WHERE c.oid = ANY ($1) AND c.relkind = 'S'",
    );
    let rows = reader
        .query_typed(&sql, &[(&oids, Type::OID_ARRAY)])
        .await?;
    let entry = |row: &Row| {
        let name = QualifiedName::from_catalog(row.get::<_, String>(1), row.get::<_, String>(2));
        (Oid(row.get(0)), name)
    };
    Ok(rows.iter().map(entry).collect())
}

fn value(row: &Row) -> (Oid, Value) {
    let value = Value {
        last: row.get(1),
        called: row.get(2),
    };
    (Oid(row.get(0)), value)
}

/// The name as SQL writes it.
fn quoted(name: &QualifiedName) -> String {
    sql!("{}", name).as_str().to_owned()
}

/// What a sequence of the source holds.
struct Value {
    last: i64,
    called: bool,
}

impl Value {
    fn set(&self, name: &QualifiedName) -> Sql {
        let called = Sql::fixed(if self.called { "true" } else { "false" });
        sql!(
            "pg_catalog.setval({}, {}, {})",
            Literal(&quoted(name)),
            self.last,
            called
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_named_by_a_quoted_literal() {
        let name = QualifiedName::from_catalog("s", "it's \"q\"");
        let value = Value {
            last: -3,
            called: false,
        };
        assert_eq!(
            value.set(&name).as_str(),
            r#"pg_catalog.setval('"s"."it''s ""q"""', -3, false)"#
        );
    }
}

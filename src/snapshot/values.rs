//! The values of sequences. They are no part of the snapshot: a sequence is read after the rows, so
//! that it never lies behind a key that was copied.

use tokio_postgres::Row;

use super::Error;
use super::build::stoppable;
use crate::catalog::Catalog;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Literal, QualifiedName, Sql, SqlState};
use crate::sql;
use crate::task::Scope;

/// Sequences read and set by one statement.
const BATCH: usize = 200;

/// What became of a database's sequences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopiedSequences {
    /// How many were set.
    pub count: usize,
    /// Sequences that the source no longer has under the name they had at the snapshot.
    pub gone: Vec<QualifiedName>,
}

/// Sets every sequence of the target to the source's value.
///
/// # Errors
/// A sequence cannot be read or set, or the scope was stopped.
pub async fn copy_sequences(
    source: &Endpoint,
    target: &Endpoint,
    catalog: &Catalog,
    scope: &Scope,
) -> Result<CopiedSequences, Error> {
    let names = catalog.sequences.iter().map(|sequence| &sequence.name);
    let names: Vec<&QualifiedName> = names.collect();
    let mut copied = CopiedSequences::default();
    if names.is_empty() {
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
    for batch in names.chunks(BATCH) {
        let values = stoppable(&[&reader], scope, async {
            read(&reader, batch).await.map_err(Error::Sequences)
        })
        .await?;
        let is_gone = |name: &&&QualifiedName| !values.iter().any(|value| value.name == **name);
        copied
            .gone
            .extend(batch.iter().filter(is_gone).map(|name| (*name).clone()));
        copied.count += values.len();
        if values.is_empty() {
            continue;
        }
        let set = sql!("SELECT {}", Sql::join(values.iter().map(Value::set), ", "));
        stoppable(&[&writer], scope, async {
            writer.batch(&set).await.map_err(Error::Sequences)
        })
        .await?;
    }
    Ok(copied)
}

/// Reads the sequences that are still there. No lock keeps one from being dropped since the
/// snapshot, or between two statements.
async fn read<'a>(
    reader: &Session,
    names: &[&'a QualifiedName],
) -> Result<Vec<Value<'a>>, connect::Error> {
    loop {
        let present = present(reader, names).await?;
        if present.is_empty() {
            return Ok(Vec::new());
        }
        let reads = present
            .iter()
            .enumerate()
            .map(|(at, name)| sql!("SELECT {} AS at, last_value, is_called FROM {}", at, *name));
        let read = sql!("{} ORDER BY at", Sql::join(reads, " UNION ALL "));
        match reader.query(&read, &[]).await {
            Err(error) if error.sqlstate() == Some(SqlState::UNDEFINED_TABLE) => {}
            Err(error) => return Err(error),
            Ok(rows) => {
                let value = |(name, row): (&&'a QualifiedName, &Row)| Value {
                    name,
                    last: row.get(1),
                    called: row.get(2),
                };
                return Ok(present.iter().zip(&rows).map(value).collect());
            }
        }
    }
}

/// Those of the names that stand for a relation now.
async fn present<'a>(
    reader: &Session,
    names: &[&'a QualifiedName],
) -> Result<Vec<&'a QualifiedName>, connect::Error> {
    let sql = Sql::fixed(
        "SELECT pg_catalog.to_regclass(name) IS NOT NULL \
         FROM ROWS FROM (pg_catalog.unnest($1::text[])) WITH ORDINALITY AS n (name, at) ORDER BY at",
    );
    let quoted: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let rows = reader.query(&sql, &[&quoted]).await?;
    let still = names.iter().zip(&rows).filter(|(_, row)| row.get(0));
    Ok(still.map(|(name, _)| *name).collect())
}

/// The name as SQL writes it.
fn quoted(name: &QualifiedName) -> String {
    sql!("{}", name).as_str().to_owned()
}

/// What a sequence of the source holds.
struct Value<'a> {
    name: &'a QualifiedName,
    last: i64,
    called: bool,
}

impl Value<'_> {
    fn set(&self) -> Sql {
        let called = Sql::fixed(if self.called { "true" } else { "false" });
        sql!(
            "pg_catalog.setval({}, {}, {})",
            Literal(&quoted(self.name)),
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
            name: &name,
            last: -3,
            called: false,
        };
        assert_eq!(
            value.set().as_str(),
            r#"pg_catalog.setval('"s"."it''s ""q"""', -3, false)"#
        );
    }
}

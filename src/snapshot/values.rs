//! The values of sequences. They are no part of the snapshot: a sequence is read after the rows, so
//! that it never lies behind a key that was copied.

use super::Error;
use super::build::stoppable;
use crate::catalog::Catalog;
use crate::connect::{Endpoint, Purpose};
use crate::pg::{Literal, QualifiedName, Sql};
use crate::sql;
use crate::task::Scope;

/// Sequences read and set by one statement.
const BATCH: usize = 200;

/// Sets every sequence of the target to the source's value; the number of sequences.
///
/// # Errors
/// A sequence cannot be read or set, or the scope was stopped.
pub async fn copy_sequences(
    source: &Endpoint,
    target: &Endpoint,
    catalog: &Catalog,
    scope: &Scope,
) -> Result<usize, Error> {
    let names: Vec<&QualifiedName> = catalog
        .sequences
        .iter()
        .map(|sequence| &sequence.name)
        .collect();
    if names.is_empty() {
        return Ok(0);
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
        let reads = batch
            .iter()
            .enumerate()
            .map(|(at, name)| sql!("SELECT {} AS at, last_value, is_called FROM {}", at, name));
        let read = sql!("{} ORDER BY at", Sql::join(reads, " UNION ALL "));
        let rows = reader.query(&read, &[]).await.map_err(Error::Sequences)?;
        let sets = batch.iter().zip(&rows).map(|(name, row)| {
            let (value, called): (i64, bool) = (row.get(1), row.get(2));
            set_value(name, value, called)
        });
        let set = sql!("SELECT {}", Sql::join(sets, ", "));
        stoppable(&writer, scope, async {
            writer.batch(&set).await.map_err(Error::Sequences)
        })
        .await?;
    }
    Ok(names.len())
}

fn set_value(name: &QualifiedName, value: i64, called: bool) -> Sql {
    let quoted = sql!("{}", name);
    let called = Sql::fixed(if called { "true" } else { "false" });
    sql!(
        "pg_catalog.setval({}, {}, {})",
        Literal(quoted.as_str()),
        value,
        called
    )
}

/// Makes planner statistics of every table that got rows, `jobs` tables at a time.
///
/// # Errors
/// The target refuses, or the scope was stopped.
pub async fn analyze(
    target: &Endpoint,
    tables: Vec<QualifiedName>,
    jobs: usize,
    scope: &Scope,
) -> Result<(), Error> {
    let queue = super::queue::Queue::new(tables);
    let mut group = crate::task::Group::new(scope);
    for _ in 0..jobs.min(queue.len()) {
        let (queue, target, scope) = (queue.clone(), target.clone(), group.scope().clone());
        group.spawn(async move {
            let session = target
                .session(Purpose::Build)
                .await
                .map_err(Error::Connect)?;
            while let Some(table) = queue.pop() {
                stoppable(&session, &scope, async {
                    let done = session.batch(&sql!("ANALYZE {}", table)).await;
                    done.map_err(|source| Error::Statement {
                        object: format!("statistics of {table}"),
                        statement: None,
                        source,
                    })
                })
                .await?;
            }
            Ok(())
        });
    }
    group.join().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_named_by_a_quoted_literal() {
        let name = QualifiedName::from_catalog("s", "it's \"q\"");
        assert_eq!(
            set_value(&name, -3, false).as_str(),
            r#"pg_catalog.setval('"s"."it''s ""q"""', -3, false)"#
        );
    }
}

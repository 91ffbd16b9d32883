//! The values of sequences. They do not belong to the snapshot: a sequence is read after the rows, so that it is
//! never behind a copied key.

use std::collections::HashMap;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::error::Error;
use super::stop::run_stoppable;
use crate::catalog::Catalog;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Literal, Oid, QualifiedName, RelKind, Sides, Sql, SqlState};
use crate::sql;
use crate::task::Scope;

/// Sequences read and set by one statement.
const BATCH: usize = 200;

/// The result for the sequences of a database.
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
    endpoints: Sides<&Endpoint>,
    catalog: &Catalog,
    which: WhichSequences,
    scope: &Scope,
) -> Result<CopiedSequences, Error> {
    let (mut sequences, of_extensions) = (select_own(catalog, which), select_configured(catalog));
    let mut copied = CopiedSequences::default();
    if sequences.is_empty() && of_extensions.is_empty() {
        return Ok(copied);
    }
    let reader = endpoints
        .source
        .session(Purpose::Introspect)
        .await
        .map_err(Error::Connect)?;
    let writer = endpoints
        .target
        .session(Purpose::Build)
        .await
        .map_err(Error::Connect)?;
    for sequence in of_extensions {
        let known = run_stoppable(&[&writer], scope, async {
            let known = has_relation(&writer, sequence.name).await;
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
        let values = run_stoppable(&[&reader], scope, async {
            load_values(&reader, batch).await.map_err(Error::Sequences)
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
            Some(value.render_setval(sequence.name))
        });
        let set = sql!("SELECT {}", Sql::join(sets, ", "));
        run_stoppable(&[&writer], scope, async {
            writer.batch(&set).await.map_err(Error::Sequences)
        })
        .await?;
    }
    Ok(copied)
}

/// Selects the sequences of users, if they are wanted.
fn select_own(catalog: &Catalog, which: WhichSequences) -> Vec<Named<'_>> {
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

/// Selects the sequences that extensions register as configuration. Their other sequences keep the values of
/// their scripts, as with `pg_dump`.
fn select_configured(catalog: &Catalog) -> Vec<Named<'_>> {
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
async fn has_relation(writer: &Session, name: &QualifiedName) -> Result<bool, connect::Error> {
    let ask = Sql::fixed("SELECT pg_catalog.to_regclass($1::text) IS NOT NULL");
    let row = writer.query_one(&ask, &[&render_name(name)]).await?;
    Ok(row.get(0))
}

/// Loads the values of the sequences that still exist, by their current names. No lock prevents that one is
/// dropped or renamed after the snapshot, or between two statements. So each row contains the oid of its sequence.
async fn load_values(
    reader: &Session,
    sequences: &[Named<'_>],
) -> Result<HashMap<Oid, Value>, connect::Error> {
    let oids: Vec<u32> = sequences.iter().map(|one| one.oid.0).collect();
    loop {
        let present = load_present(reader, &oids).await?;
        if present.is_empty() {
            return Ok(HashMap::new());
        }
        let read = render_read(present.values());
        match reader.query(&read, &[]).await {
            Err(error) if error.sqlstate().is_some_and(means_another) => {}
            Err(error) => return Err(error),
            Ok(rows) => {
                let values: HashMap<Oid, Value> = rows.iter().map(parse_value).collect();
                if present.keys().all(|oid| values.contains_key(oid)) {
                    return Ok(values);
                }
            }
        }
    }
}

/// Renders the query of the values of sequences, with the oid of each.
fn render_read<'n>(names: impl Iterator<Item = &'n QualifiedName>) -> Sql {
    let reads = names.map(|name| {
        sql!(
            "SELECT tableoid AS oid, last_value, is_called FROM {}",
            name
        )
    });
    Sql::join(reads, " UNION ALL ")
}

/// Whether a code means that a name no longer denotes a sequence.
fn means_another(code: SqlState) -> bool {
    matches!(
        code,
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN | SqlState::INTERNAL_ERROR
    )
}

/// Loads those of the sequences that exist now, with their names.
async fn load_present(
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

fn parse_value(row: &Row) -> (Oid, Value) {
    let value = Value {
        last: row.get(1),
        called: row.get(2),
    };
    (Oid(row.get(0)), value)
}

/// Renders the name as SQL.
fn render_name(name: &QualifiedName) -> String {
    sql!("{}", name).as_str().to_owned()
}

/// The state of a sequence on the source.
struct Value {
    last: i64,
    called: bool,
}

impl Value {
    fn render_setval(&self, name: &QualifiedName) -> Sql {
        let called = Sql::fixed(if self.called { "true" } else { "false" });
        sql!(
            "pg_catalog.setval({}, {}, {})",
            Literal(&render_name(name)),
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
            value.render_setval(&name).as_str(),
            r#"pg_catalog.setval('"s"."it''s ""q"""', -3, false)"#
        );
    }
}

//! Our publication on the source: an explicit list of tables, never FOR ALL TABLES. A table created later
//! would break its own updates without an identity, and the target's apply without a table. Insert-only tables are in a
//! second publication beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::{Definition, Operations, inserts_name};
use super::error::PublishError;
use super::found::FoundPublication;
use super::mark::{Copied, FormerIdentity, Mark};
use crate::connect::locks::{LockMode, LockWait};
use crate::connect::{self, Session};
use crate::pg::{Ident, Literal, QualifiedName, Sql, SqlState};
use crate::selection::RowFilter;
use crate::sql;

/// The publication's name in every database, unless another one is asked for.
pub const PUBLICATION: &str = "seren_replication_pub";

/// Tables that one statement adds: each holds a lock until its end, and the lock table is shared.
const BATCH_TABLES: usize = 500;

/// Text of one statement, in bytes.
const BATCH_BYTES: usize = 64 * 1024;

/// Creates the publication, empty and with its mark, so that it is known as ours after any failure. Then it
/// sets the identities, since a published table without one cannot be updated. The tables come last. Each
/// statement holds its locks for itself, and is repeated where another session's lock is in its way.
///
/// # Errors
/// The server refused a statement, or waited for a lock for too long; what was created so far stays.
pub async fn create_publication(
    session: &Session,
    name: &Ident,
    wanted: &Definition,
    mark: &Mark,
) -> Result<(), PublishError> {
    let mut create = render_create(name, Operations::All, wanted.via_root, mark);
    if !wanted.insert_only.is_empty() {
        let inserts = render_create_inserts(name, wanted.via_root, mark);
        create = sql!("{}; {}", create, inserts);
    }
    // One message of the simple protocol is one transaction.
    session.batch(&create).await?;
    set_full(session, &mark.identities).await?;
    for operations in Operations::BOTH {
        let tables = wanted.tables_of(operations);
        let publication = operations.name_publication(name);
        add_tables(session, &publication, &tables, &wanted.filters).await?;
    }
    Ok(())
}

/// Creates the publication of insert-only tables.
///
/// # Errors
/// The server refused the statement.
pub(super) async fn create_inserts(
    session: &Session,
    name: &Ident,
    via_root: bool,
    mark: &Mark,
) -> Result<(), connect::Error> {
    let create = render_create_inserts(name, via_root, mark);
    session.batch(&create).await
}

fn render_create_inserts(name: &Ident, via_root: bool, mark: &Mark) -> Sql {
    let name = inserts_name(name);
    render_create(&name, Operations::Inserts, via_root, &mark.of_second())
}

fn render_create(name: &Ident, operations: Operations, via_root: bool, mark: &Mark) -> Sql {
    let mut create = sql!(
        "CREATE PUBLICATION {} WITH (publish = {}",
        name,
        operations.render()
    );
    if via_root {
        create.push(&Sql::fixed(", publish_via_partition_root = true"));
    }
    sql!("{}); {}", create, render_comment(name, mark))
}

/// Adds tables to a publication of ours that replicates already. Each is then copied by the subscription at a snapshot of
/// its own. The publication of insert-only tables is created if it is the first such table.
///
/// # Errors
/// The server refused a statement, or waited for a lock for too long; what was added so far stays.
pub async fn extend_publication(
    session: &Session,
    found: &FoundPublication,
    additions: &Definition,
) -> Result<(), PublishError> {
    if let (Some(mark), None, false) = (
        &found.mark,
        &found.inserts,
        additions.insert_only.is_empty(),
    ) {
        let via_root = found.definition().via_root;
        create_inserts(session, &found.name, via_root, mark).await?;
    }
    for operations in Operations::BOTH {
        let tables = additions.tables_of(operations);
        let publication = operations.name_publication(&found.name);
        add_tables(session, &publication, &tables, &additions.filters).await?;
    }
    Ok(())
}

/// Notes on a publication of ours which tables it publishes: what it lacks of them later was removed by somebody else.
/// Tables that it no longer publishes stay noted.
///
/// # Errors
/// The server refused the statement.
pub async fn note_listed(
    session: &Session,
    found: &FoundPublication,
) -> Result<(), connect::Error> {
    let Some(mark) = &found.mark else {
        return Ok(());
    };
    let copied = mark.copied.as_ref();
    let mut listed = copied.and_then(Copied::listed).unwrap_or_default();
    listed.add_missing(&found.listed);
    let copied = copied.map_or_else(
        || Copied::new(None, &listed),
        |copied| copied.with_listed(&listed),
    );
    let mark = mark.completed(Some(copied));
    mark_publication(session, found, &mark).await
}

/// Adds tables: those with a filter one by one, each under the settings that give its predicate its meaning.
pub(super) async fn add_tables(
    session: &Session,
    name: &Ident,
    tables: &BTreeSet<QualifiedName>,
    filters: &BTreeMap<QualifiedName, RowFilter>,
) -> Result<(), PublishError> {
    let (filtered, whole): (BTreeSet<_>, BTreeSet<_>) = tables
        .iter()
        .cloned()
        .partition(|table| filters.contains_key(table));
    alter_tables(session, name, "ADD", &whole).await?;
    let mode = LockMode::ShareUpdateExclusive;
    let mut wait = LockWait::new(
        session.endpoint(),
        mode,
        "locks on tables of the publication",
    );
    for (table, filter) in filters
        .iter()
        .filter(|(table, _)| filtered.contains(*table))
    {
        let add = sql!(
            "{}; ALTER PUBLICATION {} ADD TABLE ONLY {} WHERE {}",
            filter.render_settings(),
            name,
            table,
            filter.predicate
        );
        let added = wait.execute_when_unlocked(session, &add).await;
        added.map_err(|source| refuse_filter(source, table, filter))?;
    }
    Ok(())
}

/// What an error about a table with a filter is: that of its filter, unless the table is gone or in use.
fn refuse_filter(
    source: connect::Error,
    table: &QualifiedName,
    filter: &RowFilter,
) -> PublishError {
    let is_of_filter = source.answer().is_some_and(|answer| {
        matches!(answer.code.class(), "0A" | "22" | "42") && !is_of_table(answer.code)
    });
    match is_of_filter {
        true => PublishError::Filter {
            table: Box::new(table.clone()),
            predicate: filter.predicate.text().to_owned(),
            source,
        },
        false => PublishError::Server(source),
    }
}

const fn is_of_table(code: SqlState) -> bool {
    matches!(
        code,
        SqlState::UNDEFINED_TABLE
            | SqlState::UNDEFINED_OBJECT
            | SqlState::DUPLICATE_OBJECT
            | SqlState::INSUFFICIENT_PRIVILEGE
    )
}

/// Drops tables from a publication.
pub(super) async fn drop_tables(
    session: &Session,
    name: &Ident,
    tables: &BTreeSet<QualifiedName>,
) -> Result<(), connect::Error> {
    alter_tables(session, name, "DROP", tables).await
}

/// Gives tables the whole row as their identity. Their former identities must be in the mark already.
///
/// # Errors
/// The server refused a statement.
pub(super) async fn set_full(
    session: &Session,
    tables: &[FormerIdentity],
) -> Result<(), connect::Error> {
    let full =
        |former: &FormerIdentity| sql!("ALTER TABLE ONLY {} REPLICA IDENTITY FULL", former.table());
    alter_identities(session, tables.iter().map(full)).await
}

/// Adds or drops tables in few statements, or one by one where the server's lock table is small.
async fn alter_tables(
    session: &Session,
    name: &Ident,
    verb: &'static str,
    tables: &BTreeSet<QualifiedName>,
) -> Result<(), connect::Error> {
    let mode = LockMode::ShareUpdateExclusive;
    let mut wait = LockWait::new(
        session.endpoint(),
        mode,
        "locks on tables of the publication",
    );
    for batch in split_batches(tables) {
        let done = wait
            .execute_when_unlocked(session, &render_alter(name, verb, &batch))
            .await;
        match done {
            Err(error) if error.sqlstate() == Some(SqlState::OUT_OF_MEMORY) => {
                for one in &batch {
                    let alone = render_alter(name, verb, std::slice::from_ref(one));
                    wait.execute_when_unlocked(session, &alone).await?;
                }
            }
            other => other?,
        }
    }
    Ok(())
}

/// Writes a mark on the publication, and on that of insert-only tables beside it.
///
/// # Errors
/// The server refused the statement.
pub(super) async fn mark_publication(
    session: &Session,
    found: &FoundPublication,
    mark: &Mark,
) -> Result<(), connect::Error> {
    let first = render_comment(&found.name, mark);
    let second = found.inserts.as_ref();
    let second = second.map(|name| render_comment(name, &mark.of_second()));
    let both: Vec<Sql> = std::iter::once(first).chain(second).collect();
    session.batch(&Sql::join(&both, "; ")).await
}

fn render_comment(name: &Ident, mark: &Mark) -> Sql {
    sql!(
        "COMMENT ON PUBLICATION {} IS {}",
        name,
        Literal(&mark.text())
    )
}

/// Removes the publication and brings the identities back that were changed for it. The mark goes
/// last: it is the only place that knows them.
///
/// # Errors
/// The server refused a statement; repeating continues.
pub async fn remove_publication(
    session: &Session,
    found: &FoundPublication,
) -> Result<(), connect::Error> {
    let identities = found.mark.iter().flat_map(|mark| &mark.identities);
    let identities: Vec<&FormerIdentity> = identities.collect();
    if !identities.is_empty() {
        // A table that is still published could not be updated without the identity.
        drop_all_tables(session, found).await?;
        let changed = load_full_identities(session).await?;
        let present = identities
            .iter()
            .filter(|one| changed.contains(&one.table()));
        alter_identities(session, present.map(|one| one.render_restore())).await?;
    }
    let mode = LockMode::ShareUpdateExclusive;
    let mut wait = LockWait::new(session.endpoint(), mode, "locks to drop the publication");
    let drop = found.drop_statement();
    match wait.execute_when_unlocked(session, &drop).await {
        // To drop it as a whole takes a lock for every table.
        Err(error) if error.sqlstate() == Some(SqlState::OUT_OF_MEMORY) => {
            drop_all_tables(session, found).await?;
            wait.execute_when_unlocked(session, &drop).await
        }
        other => other,
    }
}

/// Drops all tables from what was found.
async fn drop_all_tables(
    session: &Session,
    found: &FoundPublication,
) -> Result<(), connect::Error> {
    for operations in Operations::BOTH {
        if let Some(name) = found.publication_of(operations) {
            let tables = found.definition().tables_of(operations);
            alter_tables(session, name, "DROP", &tables).await?;
        }
    }
    Ok(())
}

/// The tables whose identity is the whole row now.
async fn load_full_identities(
    session: &Session,
) -> Result<BTreeSet<QualifiedName>, connect::Error> {
    let sql = Sql::fixed(
        "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c \
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
          WHERE c.relreplident = 'f'",
    );
    let rows = session.query(&sql, &[]).await?;
    let names = rows
        .iter()
        .map(|row| QualifiedName::from_catalog(row.get::<_, String>(0), row.get::<_, String>(1)));
    Ok(names.collect())
}

/// Changes identities one by one. Whoever reads or writes a table waits behind the change while that waits
/// for its lock: on a source in use it waits shortly, and again.
async fn alter_identities(
    session: &Session,
    statements: impl Iterator<Item = Sql>,
) -> Result<(), connect::Error> {
    let mode = LockMode::AccessExclusive;
    let what = "locks on tables that get another replica identity";
    for statement in statements {
        let mut wait = LockWait::new(session.endpoint(), mode, what);
        wait.execute_when_unlocked(session, &statement).await?;
    }
    Ok(())
}

/// Tables as statements name them, as many to a batch as one statement may change.
fn split_batches(tables: &BTreeSet<QualifiedName>) -> Vec<Vec<Sql>> {
    let mut batches = Vec::new();
    let mut batch: Vec<Sql> = Vec::new();
    let mut bytes = 0;
    for table in tables {
        let one = sql!("ONLY {}", table);
        bytes += one.as_str().len();
        batch.push(one);
        if batch.len() == BATCH_TABLES || bytes >= BATCH_BYTES {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

fn render_alter(name: &Ident, verb: &'static str, tables: &[Sql]) -> Sql {
    let verb = Sql::fixed(verb);
    sql!(
        "ALTER PUBLICATION {} {} TABLE {}",
        name,
        verb,
        Sql::join(tables, ", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_tables_take_few_statements() {
        let table = |n: usize| QualifiedName::from_catalog("public", format!("table_{n}"));
        let tables: BTreeSet<_> = (0..10_000).map(table).collect();
        assert_eq!(split_batches(&tables).len(), 20);
        assert!(split_batches(&BTreeSet::new()).is_empty());
    }

    #[test]
    fn names_are_quoted() {
        let batches = split_batches(&BTreeSet::from([QualifiedName::from_catalog(
            "s",
            "a\"; DROP",
        )]));
        assert_eq!(
            render_alter(&Ident::from_catalog(PUBLICATION), "ADD", &batches[0]).as_str(),
            r#"ALTER PUBLICATION "seren_replication_pub" ADD TABLE ONLY "s"."a""; DROP""#
        );
    }
}

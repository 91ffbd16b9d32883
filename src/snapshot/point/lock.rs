//! ACCESS SHARE locks on every table that the snapshot shows, held until all rows are read.
//!
//! A rewrite (`TRUNCATE`, `ALTER TABLE … TYPE`, …) after the snapshot reads as an empty table under it, and
//! is not decoded either: rows would be lost. The locks are taken right *after* the snapshot, and then each
//! table must be what the snapshot shows: with the same file, name and columns. A rewrite gives a table
//! another file, so one between snapshot and lock is found, and later ones wait until the locks end.
//!
//! Taken in this order, the locks are not held while the creation of a slot waits for other transactions,
//! which may wait for those locks in turn.
//!
//! The session that has the locks sees the snapshot and reads the definitions, too: a session that has a lock on a
//! table gets it again, even in front of DDL that waits for it; another one would queue behind that DDL. It
//! never writes, so it has no transaction id. What the tables are by now is asked by a session outside of the snapshot.

use std::collections::{BTreeSet, HashMap, HashSet};

use tokio_postgres::types::Type;

use super::lease::render_begin;
use super::listed_tables::{ListedTable, list_tables};
use super::sessions::Reader;
use crate::connect::Session;
use crate::connect::locks::{LockMode, LockWait};
use crate::event::{Event, Warning};
use crate::pg::{Oid, QualifiedName, Sql, SqlState};
use crate::snapshot::error::Error;
use crate::snapshot::stop::run_stoppable;
use crate::sql;
use crate::task::Scope;

/// Names in one `LOCK TABLE`, in bytes of SQL.
const BATCH: usize = 64 * 1024;

/// The locks of one database; released on drop.
#[derive(Debug)]
pub(crate) struct TableLocks {
    session: Session,
    tables: Vec<ListedTable>,
    are_locked: bool,
}

/// The result of an attempt to lock.
pub(crate) enum LockResult {
    Locked(Box<TableLocks>),
    /// A table is not what the snapshot shows; the text names it.
    Changed(String),
}

impl TableLocks {
    /// Lists the tables that a snapshot shows, and locks them with the session `reader`, which imports the snapshot.
    /// If a lock cannot be obtained, all are released before the next attempt.
    ///
    /// # Errors
    /// A lock could not be obtained for too long (the error names its holder); the server refused; or a stop.
    pub(crate) async fn take(
        reader: Reader,
        snapshot: &str,
        latest: &Session,
        excluded: &BTreeSet<QualifiedName>,
        scope: &Scope,
    ) -> Result<LockResult, Error> {
        let begin = render_begin(Some(snapshot));
        let names = reader.import_snapshot(snapshot, excluded).await;
        let locks = render_locks(names.map_err(Error::Lock)?.iter());
        let Reader { session, pid, .. } = reader;
        let source = session.endpoint();
        let what = format!("locks on the tables of database {}", source.database());
        let mut wait = LockWait::new(source, LockMode::AccessShare, what);
        // One message: no network delay between the first lock and the last.
        let mut statements = Sql::join(&locks, "; ");
        loop {
            let locking = async { session.batch(&statements).await.map_err(Error::Lock) };
            let error = match run_stoppable(&[&session], scope, locking).await {
                Ok(()) => return compare_locked(session, pid, latest, excluded).await,
                Err(Error::Lock(error)) => error,
                Err(error) => return Err(error),
            };
            let rollback = Sql::fixed("ROLLBACK");
            session.batch(&rollback).await.map_err(Error::Lock)?;
            match error.sqlstate() {
                // The server's lock table holds fewer locks than there are tables.
                Some(SqlState::OUT_OF_MEMORY) => {
                    session.batch(&begin).await.map_err(Error::Lock)?;
                    return Self::list_without_locks(session, excluded, scope).await;
                }
                Some(SqlState::UNDEFINED_TABLE | SqlState::INVALID_SCHEMA_NAME) => {
                    return Ok(LockResult::Changed(error.to_string()));
                }
                _ => wait.pause_after(error).await.map_err(Error::Lock)?,
            }
            if scope.stop.is_cancelled() {
                return Err(Error::Stopped);
            }
            statements = Sql::join(std::iter::once(&begin).chain(&locks), "; ");
        }
    }

    /// Locks none of the tables: once all rows are read, the tables are compared with this list.
    async fn list_without_locks(
        session: Session,
        excluded: &BTreeSet<QualifiedName>,
        scope: &Scope,
    ) -> Result<LockResult, Error> {
        let tables = list_tables(&session, excluded).await.map_err(Error::Lock)?;
        let warning = Event::Warning(Warning::TablesNotLocked);
        scope.events.emit(warning).await;
        Ok(LockResult::Locked(Box::new(Self {
            session,
            tables,
            are_locked: false,
        })))
    }

    /// Returns the session that has the locks and sees the snapshot.
    pub(crate) fn reader(&self) -> &Session {
        &self.session
    }

    /// Whether the tables are locked, and not only listed.
    pub(crate) fn are_locked(&self) -> bool {
        self.are_locked
    }

    /// Returns the locked tables, by oid.
    pub(crate) fn tables(&self) -> &[ListedTable] {
        &self.tables
    }

    /// Keeps the session from looking idle to proxies and firewalls.
    ///
    /// # Errors
    /// The session, and with it the locks, is gone.
    pub(crate) async fn touch(&self) -> Result<(), Error> {
        self.session
            .batch(&Sql::fixed("SELECT 1"))
            .await
            .map_err(Error::Lock)
    }
}

/// Compares the locked tables with the snapshot.
async fn compare_locked(
    session: Session,
    pid: i32,
    latest: &Session,
    excluded: &BTreeSet<QualifiedName>,
) -> Result<LockResult, Error> {
    let (shown, now) = tokio::join!(
        list_tables(&session, excluded),
        list_locked_now(latest, pid)
    );
    let tables = shown.map_err(Error::Lock)?;
    Ok(match find_difference(&tables, &now.map_err(Error::Lock)?) {
        Some(what) => LockResult::Changed(what),
        None => LockResult::Locked(Box::new(TableLocks {
            session,
            tables,
            are_locked: true,
        })),
    })
}

/// Lists the tables that a process has locked, as they are now.
async fn list_locked_now(
    latest: &Session,
    pid: i32,
) -> Result<Vec<ListedTable>, crate::connect::Error> {
    let mut now = list_tables(latest, &BTreeSet::new()).await?;
    // A renamed schema is not excluded by these locks: what has a table's name now may not be locked.
    let locks = Sql::fixed(
        "SELECT relation FROM pg_catalog.pg_locks \
          WHERE pid = $1 AND locktype = 'relation' AND granted",
    );
    let rows = latest.query_typed(&locks, &[(&pid, Type::INT4)]).await?;
    let locked: HashSet<Oid> = rows.iter().map(|row| Oid(row.get(0))).collect();
    now.retain(|table| locked.contains(&table.oid));
    Ok(now)
}

/// Finds the first table of a snapshot that is not the same now. Tables created since are not read.
fn find_difference(shown: &[ListedTable], now: &[ListedTable]) -> Option<String> {
    let now: HashMap<Oid, &ListedTable> = now.iter().map(|table| (table.oid, table)).collect();
    shown.iter().find_map(|table| match now.get(&table.oid) {
        Some(same) if *same == table => None,
        Some(_) => Some(format!("table {} was altered", table.name)),
        None => Some(format!("table {} was dropped or renamed", table.name)),
    })
}

/// Renders the statements that lock these tables, as one text.
pub(crate) fn render_lock_text(tables: &[ListedTable]) -> Sql {
    let locks = render_locks(tables.iter().map(|table| &table.name));
    Sql::join(&locks, "; ")
}

/// Renders statements that lock all tables in order, as many tables per statement as fit.
pub(crate) fn render_locks<'a>(tables: impl Iterator<Item = &'a QualifiedName>) -> Vec<Sql> {
    let mut batches = Vec::new();
    let mut batch = Sql::default();
    for table in tables {
        let only = sql!("ONLY {}", table);
        if batch.is_empty() {
            batch = only;
        } else if batch.as_str().len() + ", ".len() + only.as_str().len() <= BATCH {
            batch.push(&sql!(", {}", only));
        } else {
            batches.push(std::mem::replace(&mut batch, only));
        }
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    let lock = |names: Sql| sql!("LOCK TABLE {} IN ACCESS SHARE MODE", names);
    batches.into_iter().map(lock).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::point::listed_tables::listed;

    fn statements(names: &[QualifiedName]) -> Vec<Sql> {
        render_locks(names.iter())
    }

    #[test]
    fn a_batch_is_limited_by_the_length_of_its_text() {
        let short: Vec<_> = (0..1000)
            .map(|number| QualifiedName::from_catalog("s", format!("t{number}")))
            .collect();
        assert_eq!(statements(&short).len(), 1);
        // 63 bytes each, of which every quote is doubled.
        let long: Vec<_> = (0..1000)
            .map(|number| {
                let name = format!("{}{number:04}{}", "\"".repeat(20), "ü".repeat(19));
                QualifiedName::from_catalog("\"".repeat(63), name)
            })
            .collect();
        let batches = statements(&long);
        assert!(batches.len() > 2);
        let clause = "LOCK TABLE  IN ACCESS SHARE MODE".len();
        for batch in &batches {
            assert!(batch.as_str().len() <= BATCH + clause);
        }
        for batch in &batches[..batches.len() - 1] {
            assert!(batch.as_str().len() > BATCH - 300);
        }
    }

    #[test]
    fn every_table_is_locked_once_in_order() {
        let tables: Vec<_> = (0..9999)
            .map(|number| QualifiedName::from_catalog("public", format!("table {number}")))
            .collect();
        let batches = statements(&tables);
        assert!(batches.len() > 1);
        let text: String = batches.iter().map(Sql::as_str).collect();
        let locked: Vec<_> = text.split("ONLY ").skip(1).collect();
        assert_eq!(locked.len(), tables.len());
        for (text, table) in locked.iter().zip(&tables) {
            assert!(text.starts_with(sql!("{}", table).as_str()));
        }
    }

    #[test]
    fn the_same_tables_are_no_difference_whatever_was_made_since() {
        let tables = [listed(1, "a", "r:1"), listed(2, "b", "r:2")];
        assert_eq!(find_difference(&tables, &tables), None);
        assert_eq!(find_difference(&tables[..1], &tables), None);
    }

    #[test]
    fn a_rewritten_and_a_missing_table_are_named() {
        let shown = [listed(1, "a", "r:1"), listed(2, "b", "r:2")];
        let rewritten = [listed(1, "a", "r:9"), listed(2, "b", "r:2")];
        assert_eq!(
            find_difference(&shown, &rewritten).unwrap(),
            "table s.a was altered"
        );
        assert_eq!(
            find_difference(&shown, &shown[..1]).unwrap(),
            "table s.b was dropped or renamed"
        );
    }

    #[test]
    fn a_few_tables_take_one_statement_and_none_takes_none() {
        assert!(statements(&[]).is_empty());
        let two = [
            QualifiedName::from_catalog("s", "a"),
            QualifiedName::from_catalog("s", "B"),
        ];
        let expected = r#"LOCK TABLE ONLY "s"."a", ONLY "s"."B" IN ACCESS SHARE MODE"#;
        let got = statements(&two);
        assert_eq!(got.iter().map(Sql::as_str).collect::<Vec<_>>(), [expected]);
    }
}

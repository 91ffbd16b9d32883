//! ACCESS SHARE locks on every table that the snapshot shows, held until the rows are out.
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

use super::lease;
use super::sessions::Reader;
use crate::connect::Session;
use crate::connect::locks::{LockMode, LockWait};
use crate::event::Event;
use crate::pg::{Oid, QualifiedName, Sql, SqlState};
use crate::snapshot::definitions::section::stoppable;
use crate::snapshot::error::Error;
use crate::sql;
use crate::task::Scope;

/// Names in one `LOCK TABLE`, in bytes of SQL.
const BATCH: usize = 64 * 1024;

/// A table as it was when it was listed. Equal values mean: same name, storage and columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::snapshot) struct ListedTable {
    pub(in crate::snapshot) oid: Oid,
    pub(in crate::snapshot) name: QualifiedName,
    storage: String,
    columns: String,
}

/// The locks of one database; released on drop.
#[derive(Debug)]
pub(in crate::snapshot) struct TableLocks {
    session: Session,
    tables: Vec<ListedTable>,
    are_locked: bool,
}

/// What came of an attempt to lock.
pub(in crate::snapshot) enum Taken {
    Locks(Box<TableLocks>),
    /// A table is not what the snapshot shows; the text names it.
    Changed(String),
}

impl TableLocks {
    /// Lists the tables that a snapshot shows, and locks them with the session `reader`, which sees the snapshot from
    /// then on; its transaction has begun already if it `is_ahead`. Where a lock is not to be had, all are released before the next attempt.
    ///
    /// # Errors
    /// A lock was not to be had for too long, named with who holds it; the server refused; or a stop.
    pub(in crate::snapshot) async fn take(
        reader: Reader,
        (snapshot, is_ahead): (&str, bool),
        latest: &Session,
        left_out: &BTreeSet<QualifiedName>,
        scope: &Scope,
    ) -> Result<Taken, Error> {
        let begin = lease::begin(Some(snapshot));
        let names = reader.see((snapshot, is_ahead), left_out).await;
        let locks = lock_statements(names.map_err(Error::Lock)?.iter());
        let Reader { session, pid } = reader;
        let source = session.endpoint();
        let what = format!("locks on the tables of database {}", source.database());
        let mut wait = LockWait::new(source, LockMode::AccessShare, what);
        // One message: no network lies between the first lock and the last.
        let mut statements = Sql::join(&locks, "; ");
        loop {
            let locking = async { session.batch(&statements).await.map_err(Error::Lock) };
            let error = match stoppable(&[&session], scope, locking).await {
                Ok(()) => return compared(session, (pid, latest), left_out).await,
                Err(Error::Lock(error)) => error,
                Err(error) => return Err(error),
            };
            let rollback = Sql::fixed("ROLLBACK");
            session.batch(&rollback).await.map_err(Error::Lock)?;
            match error.sqlstate() {
                // The server's lock table holds fewer locks than there are tables.
                Some(SqlState::OUT_OF_MEMORY) => {
                    session.batch(&begin).await.map_err(Error::Lock)?;
                    return Self::without(session, left_out, scope).await;
                }
                Some(SqlState::UNDEFINED_TABLE | SqlState::INVALID_SCHEMA_NAME) => {
                    return Ok(Taken::Changed(error.to_string()));
                }
                _ => wait.pause_after(error).await.map_err(Error::Lock)?,
            }
            if scope.stop.is_cancelled() {
                return Err(Error::Stopped);
            }
            statements = Sql::join(std::iter::once(&begin).chain(&locks), "; ");
        }
    }

    /// Locks none of the tables: whoever copies rows compares them with this list once they are out.
    async fn without(
        session: Session,
        left_out: &BTreeSet<QualifiedName>,
        scope: &Scope,
    ) -> Result<Taken, Error> {
        let tables = list_tables(&session, left_out).await.map_err(Error::Lock)?;
        let text = "the source's max_locks_per_transaction is too small to lock all tables: none is \
                    locked, and the run fails if one is rewritten or altered meanwhile";
        scope.events.emit(Event::Warning(text.to_owned())).await;
        Ok(Taken::Locks(Box::new(Self {
            session,
            tables,
            are_locked: false,
        })))
    }

    /// The session that has the locks and sees the snapshot.
    pub(in crate::snapshot) fn reader(&self) -> &Session {
        &self.session
    }

    /// Whether the tables are locked, and not only listed.
    pub(in crate::snapshot) fn are_locked(&self) -> bool {
        self.are_locked
    }

    /// What is locked, by oid.
    pub(in crate::snapshot) fn tables(&self) -> &[ListedTable] {
        &self.tables
    }

    /// Keeps the session from looking idle to what stands between us and the server.
    ///
    /// # Errors
    /// The session, and with it the locks, is gone.
    pub(in crate::snapshot) async fn touch(&self) -> Result<(), Error> {
        self.session
            .batch(&Sql::fixed("SELECT 1"))
            .await
            .map_err(Error::Lock)
    }
}

/// What came of locks, by what the tables are under them.
async fn compared(
    session: Session,
    (pid, latest): (i32, &Session),
    left_out: &BTreeSet<QualifiedName>,
) -> Result<Taken, Error> {
    let (shown, now) = tokio::join!(list_tables(&session, left_out), locked_now(latest, pid));
    let tables = shown.map_err(Error::Lock)?;
    Ok(match difference(&tables, &now.map_err(Error::Lock)?) {
        Some(what) => Taken::Changed(what),
        None => Taken::Locks(Box::new(TableLocks {
            session,
            tables,
            are_locked: true,
        })),
    })
}

/// The tables as they are now, of those that a process has locked.
async fn locked_now(latest: &Session, pid: i32) -> Result<Vec<ListedTable>, crate::connect::Error> {
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

/// The first table of a snapshot that is not the same now. Tables made since are not read.
fn difference(shown: &[ListedTable], now: &[ListedTable]) -> Option<String> {
    let now: HashMap<Oid, &ListedTable> = now.iter().map(|table| (table.oid, table)).collect();
    shown.iter().find_map(|table| match now.get(&table.oid) {
        Some(same) if *same == table => None,
        Some(_) => Some(format!("table {} was altered", table.name)),
        None => Some(format!("table {} was dropped or renamed", table.name)),
    })
}

/// The statements that lock these tables, as one text.
pub(in crate::snapshot) fn lock_text(tables: &[ListedTable]) -> Sql {
    let locks = lock_statements(tables.iter().map(|table| &table.name));
    Sql::join(&locks, "; ")
}

/// Statements that lock all tables in order, as many in each as a batch holds, and at least one.
pub(in crate::snapshot) fn lock_statements<'a>(
    tables: impl Iterator<Item = &'a QualifiedName>,
) -> Vec<Sql> {
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

/// What is a table to lock, with all that is compared.
const TABLES: &str = include_str!("sql/tables.sql");

/// The names of the tables as the session's transaction sees them, but those left out. The server computes nothing else.
pub(in crate::snapshot) async fn list_names(
    session: &Session,
    left_out: &BTreeSet<QualifiedName>,
) -> Result<Vec<QualifiedName>, crate::connect::Error> {
    let names = sql!(
        "SELECT nspname, relname FROM (\n{}\n) tables",
        Sql::fixed(TABLES)
    );
    let rows = session.query(&names, &[]).await?;
    let name = |row: &tokio_postgres::Row| {
        QualifiedName::from_catalog(row.get::<_, String>(0), row.get::<_, String>(1))
    };
    let names = rows.iter().map(name);
    Ok(names.filter(|name| !left_out.contains(name)).collect())
}

/// The tables as the session's transaction sees them, but those left out.
pub(in crate::snapshot) async fn list_tables(
    session: &Session,
    left_out: &BTreeSet<QualifiedName>,
) -> Result<Vec<ListedTable>, crate::connect::Error> {
    let rows = session.query(&Sql::fixed(TABLES), &[]).await?;
    let listed = rows.iter().map(|row| ListedTable {
        oid: Oid(row.get(0)),
        name: QualifiedName::from_catalog(row.get::<_, String>(1), row.get::<_, String>(2)),
        storage: row.get(3),
        columns: row.get(4),
    });
    Ok(listed
        .filter(|table| !left_out.contains(&table.name))
        .collect())
}

/// A listed table for tests of what depends on it.
#[cfg(test)]
pub(in crate::snapshot) fn listed(oid: u32, name: &str, storage: &str) -> ListedTable {
    ListedTable {
        oid: Oid(oid),
        name: QualifiedName::from_catalog("s", name),
        storage: storage.to_owned(),
        columns: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(names: &[QualifiedName]) -> Vec<Sql> {
        lock_statements(names.iter())
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
        assert_eq!(difference(&tables, &tables), None);
        assert_eq!(difference(&tables[..1], &tables), None);
    }

    #[test]
    fn a_rewritten_and_a_missing_table_are_named() {
        let shown = [listed(1, "a", "r:1"), listed(2, "b", "r:2")];
        let rewritten = [listed(1, "a", "r:9"), listed(2, "b", "r:2")];
        assert_eq!(
            difference(&shown, &rewritten).unwrap(),
            "table s.a was altered"
        );
        assert_eq!(
            difference(&shown, &shown[..1]).unwrap(),
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

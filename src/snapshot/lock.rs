//! ACCESS SHARE locks on every table, taken before the snapshot and held until the rows are out.
//!
//! A rewrite (`TRUNCATE`, `ALTER TABLE … TYPE`, …) between snapshot and lock would read as an empty
//! table under the snapshot, and is not decoded either: rows would be lost. With the locks
//! taken *first*, a rewrite is either finished before the snapshot or waits until the end.
//!
//! The session runs READ COMMITTED and never writes, so it has no transaction id that the
//! creation of a slot would wait for.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Error;
use super::build::stoppable;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::event::Event;
use crate::pg::{Oid, QualifiedName, Sql, SqlState};
use crate::sql;
use crate::task::Scope;

/// How long one attempt waits for a lock before the blockers are named. Production traffic queues
/// behind a waiting lock request only if that is stronger than ours, so the wait is harmless.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// Attempts at the locks before the run gives up.
const ATTEMPTS: u32 = 4;

/// Names in one `LOCK TABLE`, in bytes of SQL.
const BATCH: usize = 64 * 1024;

/// A table as it was when it was listed. Equal values mean: same name, storage and columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListedTable {
    pub(super) oid: Oid,
    pub(super) name: QualifiedName,
    storage: String,
    columns: String,
}

/// A session that waits for one of our locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// Its process id on the server.
    pub pid: i32,
    /// Its statement, the first 200 characters.
    pub statement: String,
    /// The table it waits for; empty when it waits behind another waiter.
    pub table: String,
    /// Whether a transaction that has written may be waiting behind it.
    pub holds_up_writers: bool,
}

impl std::fmt::Display for Waiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "pid {} ({})", self.pid, one_line(&self.statement))
    }
}

/// A statement without line breaks and other control characters.
fn one_line(statement: &str) -> String {
    statement
        .chars()
        .map(|part| if part.is_control() { ' ' } else { part })
        .collect()
}

/// The locks of one database; released on drop.
#[derive(Debug)]
pub(super) struct TableLocks {
    session: Session,
    pid: i32,
    tables: Vec<ListedTable>,
    are_locked: bool,
}

impl TableLocks {
    /// Lists and locks all tables but those left out; repeats until what is locked is what is
    /// listed.
    ///
    /// # Errors
    /// A lock is not to be had within its time, named with its blockers; or the server refuses.
    pub(super) async fn take(
        source: &Endpoint,
        left_out: &BTreeSet<QualifiedName>,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let session = source
            .session(Purpose::Introspect)
            .await
            .map_err(Error::Connect)?;
        let pid = backend_pid(&session).await?;
        for attempt in 1..=ATTEMPTS {
            let listing = async { lock_listed(&session, left_out).await.map_err(Error::Lock) };
            match stoppable(&[&session], scope, listing).await {
                Ok(Some(tables)) => {
                    return Ok(Self {
                        session,
                        pid,
                        tables,
                        are_locked: true,
                    });
                }
                // The server's lock table holds fewer locks than there are tables.
                Err(Error::Lock(error)) if is(&error, SqlState::OUT_OF_MEMORY) => {
                    return Self::without(session, pid, left_out, scope).await;
                }
                // A table was renamed, dropped or made between list and lock.
                Ok(None) => {}
                Err(Error::Lock(error)) if is(&error, SqlState::UNDEFINED_TABLE) => {}
                Err(Error::Lock(error)) if is(&error, SqlState::LOCK_NOT_AVAILABLE) => {
                    let blockers = blockers(source).await?;
                    if attempt == ATTEMPTS {
                        return Err(Error::LockNotAvailable {
                            blockers,
                            source: error,
                        });
                    }
                    let text = format!("waiting for table locks, which {blockers} excludes");
                    scope.events.emit(Event::Warning(text)).await;
                }
                Err(error) => return Err(error),
            }
            let rollback = Sql::fixed("ROLLBACK");
            session.batch(&rollback).await.map_err(Error::Lock)?;
        }
        let what = "tables kept changing while they were locked".to_owned();
        Err(Error::Unsettled { what })
    }

    /// Lists the tables and locks none: the run goes on, and whoever copies rows compares the tables
    /// with this list once they are out.
    async fn without(
        session: Session,
        pid: i32,
        left_out: &BTreeSet<QualifiedName>,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let rollback = Sql::fixed("ROLLBACK");
        session.batch(&rollback).await.map_err(Error::Lock)?;
        let text = "the source's max_locks_per_transaction is too small to lock all tables: none is \
                    locked, and the run fails if one is rewritten or altered meanwhile";
        scope.events.emit(Event::Warning(text.to_owned())).await;
        let tables = list_tables(&session, left_out).await.map_err(Error::Lock)?;
        Ok(Self {
            session,
            pid,
            tables,
            are_locked: false,
        })
    }

    /// Whether the tables are locked, and not only listed.
    pub(super) fn are_locked(&self) -> bool {
        self.are_locked
    }

    /// What is locked, by oid.
    pub(super) fn tables(&self) -> &[ListedTable] {
        &self.tables
    }

    /// The process id that holds the locks.
    pub(super) fn pid(&self) -> i32 {
        self.pid
    }

    /// Keeps the session from looking idle to what stands between us and the server.
    ///
    /// # Errors
    /// The session, and with it the locks, is gone.
    pub(super) async fn touch(&self) -> Result<(), Error> {
        self.session
            .batch(&Sql::fixed("SELECT 1"))
            .await
            .map_err(Error::Lock)
    }
}

fn is(error: &connect::Error, code: SqlState) -> bool {
    error.sqlstate() == Some(code)
}

/// Who holds locks that exclude reading, in words.
async fn blockers(source: &Endpoint) -> Result<String, Error> {
    let session = source
        .session(Purpose::Introspect)
        .await
        .map_err(Error::Connect)?;
    let sql = Sql::fixed(include_str!("sql/blockers.sql"));
    let rows = session.query(&sql, &[]).await.map_err(Error::Lock)?;
    let describe = |row: &tokio_postgres::Row| {
        let (pid, statement, table): (i32, &str, &str) = (row.get(0), row.get(1), row.get(2));
        format!("pid {pid} on {} ({})", one_line(table), one_line(statement))
    };
    let named: Vec<String> = rows.iter().map(describe).collect();
    Ok(if named.is_empty() {
        "another session".to_owned()
    } else {
        named.join(", ")
    })
}

/// One attempt: `None` when the tables changed between list and lock.
async fn lock_listed(
    session: &Session,
    left_out: &BTreeSet<QualifiedName>,
) -> Result<Option<Vec<ListedTable>>, crate::connect::Error> {
    let begin = sql!(
        "BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY; SET LOCAL lock_timeout = {}",
        u64::try_from(LOCK_TIMEOUT.as_millis()).expect("half a minute in milliseconds")
    );
    session.batch(&begin).await?;
    let listed = list_tables(session, left_out).await?;
    for statement in lock_statements(listed.iter().map(|table| &table.name)) {
        session.batch(&statement).await?;
    }
    let locked = list_tables(session, left_out).await?;
    Ok((listed == locked).then_some(locked))
}

/// Statements that lock all tables in order, as many in each as a batch holds, and at least one.
fn lock_statements<'a>(tables: impl Iterator<Item = &'a QualifiedName>) -> Vec<Sql> {
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

/// The tables as the session's transaction sees them, but those left out.
pub(super) async fn list_tables(
    session: &Session,
    left_out: &BTreeSet<QualifiedName>,
) -> Result<Vec<ListedTable>, crate::connect::Error> {
    let rows = session
        .query(&Sql::fixed(include_str!("sql/tables.sql")), &[])
        .await?;
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

/// Who waits for the locks of `pid`.
pub(super) async fn waiters(session: &Session, pid: i32) -> Result<Vec<Waiter>, Error> {
    let sql = Sql::fixed(include_str!("sql/waiting.sql"));
    let rows = session.query(&sql, &[&pid]).await.map_err(Error::Lock)?;
    let waiter = |row: &tokio_postgres::Row| Waiter {
        pid: row.get(0),
        statement: row.get(1),
        table: row.get(2),
        holds_up_writers: row.get(3),
    };
    Ok(rows.iter().map(waiter).collect())
}

/// The session's own process id.
pub(super) async fn backend_pid(session: &Session) -> Result<i32, Error> {
    let sql = Sql::fixed("SELECT pg_catalog.pg_backend_pid()");
    Ok(session
        .query_one(&sql, &[])
        .await
        .map_err(Error::Lock)?
        .get(0))
}

/// The transactions that a slot's creation waits for, for people: pid, age, statement.
pub(super) async fn old_transactions(session: &Session) -> Result<Vec<String>, Error> {
    let sql = Sql::fixed(include_str!("sql/old_transactions.sql"));
    let rows = session.query(&sql, &[]).await.map_err(Error::Lock)?;
    let describe = |row: &tokio_postgres::Row| {
        let (pid, seconds): (i32, i64) = (row.get(0), row.get(1));
        format!("pid {pid} ({}), open for {seconds} s", one_line(row.get(2)))
    };
    Ok(rows.iter().map(describe).collect())
}

/// A listed table for tests of what depends on it.
#[cfg(test)]
pub(super) fn listed(oid: u32, name: &str, storage: &str) -> ListedTable {
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

//! Sessions that wait for our locks. Nobody is to wait for us: what we do on the source ends then, with all
//! of its locks, and is repeated or reported.
//!
//! Every session of ours counts, not only the one that locks the tables: a reader locks indexes and views,
//! too. Statements that wait for old snapshots or for all lock holders by nature are exempt (`CREATE INDEX
//! CONCURRENTLY`, `REINDEX CONCURRENTLY`, `DETACH PARTITION CONCURRENTLY`): they are only named.

use std::collections::{HashMap, HashSet};
use std::fmt;

use tokio::time::{Duration, Instant};

use super::locks::one_line;
use super::{Endpoint, Error, Purpose, Session};
use crate::event::{Event, Warning};
use crate::pg::Sql;
use crate::task::Scope;

/// How often waiting sessions are looked for. With the time that a stop takes, nobody waits for 5 s.
const LOOK: Duration = Duration::from_secs(1);

/// How often, while the consistent point is established: what ends then is soon repeated.
const SOON: Duration = Duration::from_millis(250);

/// How often a session is named that is left to wait.
const AGAIN: Duration = Duration::from_secs(60);

/// Looks that may fail before a warning says that nobody watches.
const BLIND: u32 = 5;

/// A session that waits for one of our locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// Its process id on the server.
    pub pid: i32,
    /// Its role.
    pub user: String,
    /// The relation that it waits for; empty where it waits for something else.
    pub relation: String,
    /// Its statement, the first 200 characters.
    pub statement: String,
    /// Whether it waits for old snapshots or for all lock holders, as its statement always does.
    pub by_nature: bool,
    /// Sessions that wait behind it.
    pub behind: i64,
    /// When its statement began, where that may be known.
    pub since: String,
}

impl fmt::Display for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} of role {}", self.pid, one_line(&self.user))?;
        if self.relation.is_empty() {
            f.write_str(" waits for this run")?;
        } else {
            write!(f, " waits for a lock on {}", one_line(&self.relation))?;
        }
        if self.behind > 0 {
            write!(f, ", with {} more behind it", self.behind)?;
        }
        write!(f, " ({})", one_line(&self.statement))
    }
}

/// What becomes of a session that waits for our locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The work ends for it.
    Yield,
    /// It waits, and is named every minute.
    Keep,
}

/// Looks for sessions that wait for locks of `source`'s sessions; those that the work must end for come
/// first.
pub async fn load_waiters(session: &Session, source: &Endpoint) -> Result<Vec<Waiter>, Error> {
    let sql = Sql::fixed(include_str!("sql/waiting.sql"));
    let rows = session.query(&sql, &[&source.processes()]).await?;
    Ok(rows.iter().map(read_waiter).collect())
}

fn read_waiter(row: &tokio_postgres::Row) -> Waiter {
    Waiter {
        pid: row.get("pid"),
        user: row.get("user"),
        relation: row.get("relation"),
        statement: row.get("statement"),
        by_nature: row.get("by_nature"),
        behind: row.get("behind"),
        since: row.get("since"),
    }
}

/// Watches work that lasts; returns when a session waits for a lock of it that is not to be kept waiting.
/// Cancel safe.
pub async fn watch_work(source: &Endpoint, waiting: Waiting, scope: &Scope) -> Waiter {
    let watch = Watch::new(source, LOOK, Duration::ZERO, waiting);
    watch.run_watch(scope).await
}

/// Watches readers; returns when a statement has waited for them for longer than `patience`.
/// Cancel safe.
pub async fn watch_readers(source: &Endpoint, patience: Duration, scope: &Scope) -> Waiter {
    let watch = Watch::new(source, SOON, patience, Waiting::Yield);
    watch.run_watch(scope).await
}

/// Looks again and again.
struct Watch<'w> {
    source: &'w Endpoint,
    every: Duration,
    patience: Duration,
    waiting: Waiting,
    /// When a statement was first seen to wait.
    seen: HashMap<(i32, String), Instant>,
    session: Option<Session>,
    failures: u32,
    named: HashSet<i32>,
    reported: Instant,
}

impl<'w> Watch<'w> {
    fn new(source: &'w Endpoint, every: Duration, patience: Duration, waiting: Waiting) -> Self {
        Self {
            source,
            every,
            patience,
            waiting,
            seen: HashMap::new(),
            session: None,
            failures: 0,
            named: HashSet::new(),
            reported: Instant::now(),
        }
    }

    async fn run_watch(mut self, scope: &Scope) -> Waiter {
        let mut looks = tokio::time::interval_at(Instant::now() + self.every, self.every);
        loop {
            looks.tick().await;
            match self.look_for_waiters().await {
                Ok(waiters) => {
                    self.failures = 0;
                    if let Some(waiter) = self.judge_waiters(waiters, scope).await {
                        return waiter;
                    }
                }
                Err(error) => self.note_failure(&error, scope).await,
            }
        }
    }

    async fn look_for_waiters(&mut self) -> Result<Vec<Waiter>, Error> {
        let session = match &mut self.session {
            Some(session) => session,
            None => self
                .session
                .insert(self.source.session(Purpose::Introspect).await?),
        };
        load_waiters(session, self.source).await
    }

    async fn note_failure(&mut self, error: &Error, scope: &Scope) {
        self.session = None;
        self.failures += 1;
        tracing::debug!(%error, "sessions that wait for our locks could not be looked for");
        if self.failures == BLIND {
            let cause = error.to_string();
            let unknown = Event::Warning(Warning::WaitersUnknown { cause });
            scope.events.emit(unknown).await;
        }
    }

    /// The session that the work must end for, if there is one. The others are named.
    async fn judge_waiters(&mut self, waiters: Vec<Waiter>, scope: &Scope) -> Option<Waiter> {
        if self.reported.elapsed() >= AGAIN {
            self.reported = Instant::now();
            self.named.clear();
        }
        let now = Instant::now();
        let key = |waiter: &Waiter| (waiter.pid, waiter.since.clone());
        let still: HashSet<_> = waiters.iter().map(key).collect();
        self.seen.retain(|waiter, _| still.contains(waiter));
        for waiter in waiters {
            let first = *self.seen.entry(key(&waiter)).or_insert(now);
            let is_left = waiter.by_nature || self.waiting == Waiting::Keep;
            if !is_left && now - first >= self.patience {
                return Some(waiter);
            }
            if !is_left {
                continue;
            }
            if self.named.insert(waiter.pid) {
                let waiter = waiter.to_string();
                let waits = Event::Warning(Warning::WaitsForRun { waiter });
                scope.events.emit(waits).await;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiter_is_named_with_what_it_waits_for() {
        let waiter = Waiter {
            pid: 7,
            user: "app".to_owned(),
            relation: "s.t".to_owned(),
            statement: "TRUNCATE\ns.t".to_owned(),
            by_nature: false,
            behind: 2,
            since: String::new(),
        };
        assert_eq!(
            waiter.to_string(),
            "pid 7 of role app waits for a lock on s.t, with 2 more behind it (TRUNCATE s.t)"
        );
        let other = Waiter {
            relation: String::new(),
            behind: 0,
            ..waiter
        };
        assert_eq!(
            other.to_string(),
            "pid 7 of role app waits for this run (TRUNCATE s.t)"
        );
    }
}

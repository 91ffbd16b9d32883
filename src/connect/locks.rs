//! Waiting for locks of other sessions: never for long, and never silently.
//!
//! The server finds a deadlock only among sessions that wait. Ours hold locks and wait for
//! nothing on the server. A session of ours may queue behind a session that waits for another session of
//! ours. It would wait forever, and so would every later session. On the source each wait of ours therefore
//! ends after a fraction of the server's `deadlock_timeout`. The waiting session releases all its locks, and
//! then tries again, up to a limit. [`LockWait`] keeps that limit and names who is in the way.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::types::ToSql;

use super::{Endpoint, Error, Purpose, Session};
use crate::event::{Event, SILENCE, Warning};
use crate::pg::Sql;

/// How often it is reported from then on.
const AGAIN: Duration = Duration::from_secs(60);

/// The pause before the second attempt; doubled up to [`LONGEST`] for each further one.
const SHORTEST: Duration = Duration::from_millis(50);

/// The longest pause between two attempts.
const LONGEST: Duration = Duration::from_secs(1);

/// How many lock holders a message names.
const NAMED: usize = 5;

/// The lock mode that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// `ACCESS SHARE`: to read.
    AccessShare,
    /// `SHARE UPDATE EXCLUSIVE`: to add a table to a publication.
    ShareUpdateExclusive,
    /// `ACCESS EXCLUSIVE`: to change or drop a table.
    AccessExclusive,
    /// `ACCESS EXCLUSIVE` on a large object: to drop it.
    LargeObject,
}

impl LockMode {
    /// The modes that exclude it (manual, "Explicit Locking").
    fn conflicting_modes(self) -> &'static [&'static str] {
        const ALL: &[&str] = &[
            "AccessExclusiveLock",
            "ExclusiveLock",
            "ShareRowExclusiveLock",
            "ShareLock",
            "ShareUpdateExclusiveLock",
            "RowExclusiveLock",
            "RowShareLock",
            "AccessShareLock",
        ];
        match self {
            Self::AccessShare => &ALL[..1],
            Self::ShareUpdateExclusive => &ALL[..5],
            Self::AccessExclusive | Self::LargeObject => ALL,
        }
    }
}

/// A session or prepared transaction that has a lock on a relation, or waits for one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LockHolder {
    /// Its process id; none for a prepared transaction.
    pid: Option<i32>,
    /// The global identifier of a prepared transaction.
    gid: Option<String>,
    /// Its role.
    user: String,
    /// Seconds since its transaction began or was prepared.
    seconds: i64,
    /// The relation.
    relation: String,
    /// The lock mode.
    mode: String,
    /// Whether it has the lock, rather than waiting for it.
    is_granted: bool,
    /// Its statement, the first 200 characters.
    statement: String,
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.pid, &self.gid) {
            (Some(pid), _) => write!(f, "pid {pid}")?,
            (None, Some(gid)) => write!(f, "prepared transaction '{}'", one_line(gid))?,
            (None, None) => f.write_str("a prepared transaction")?,
        }
        let verb = if self.is_granted {
            "holds"
        } else {
            "waits for"
        };
        write!(
            f,
            " of role {} {verb} {} on {}, open for {} s",
            one_line(&self.user),
            self.mode,
            one_line(&self.relation),
            self.seconds
        )?;
        if self.statement.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", one_line(&self.statement))
    }
}

/// A text without line breaks and other control characters.
pub fn one_line(text: &str) -> String {
    text.chars()
        .map(|part| if part.is_control() { ' ' } else { part })
        .collect()
}

/// Loads the sessions that have or await a lock that conflicts with `mode`; the oldest first. The lock is on a
/// relation or large object of the session's database. These process ids and the session itself are excluded.
///
/// # Errors
/// The server refused the query, or the connection broke.
async fn load_lock_holders(
    session: &Session,
    mode: LockMode,
    own: &[i32],
) -> Result<Vec<LockHolder>, Error> {
    let sql = Sql::fixed(include_str!("sql/lock_holders.sql"));
    let on_objects = mode == LockMode::LargeObject;
    let parameters: [&(dyn ToSql + Sync); 3] = [&mode.conflicting_modes(), &own, &on_objects];
    let rows = session.query(&sql, &parameters).await?;
    Ok(rows.iter().map(read_holder).collect())
}

fn read_holder(row: &tokio_postgres::Row) -> LockHolder {
    LockHolder {
        pid: row.get("pid"),
        gid: row.get("gid"),
        user: row.get("user"),
        seconds: row.get("seconds"),
        relation: row.get("relation"),
        mode: row.get("mode"),
        is_granted: row.get("granted"),
        statement: row.get("statement"),
    }
}

/// A wait for locks of other sessions, built from attempts that each hold nothing when they end.
#[derive(Debug)]
pub struct LockWait<'w> {
    endpoint: &'w Endpoint,
    mode: LockMode,
    what: String,
    begun: Option<Instant>,
    reported: Option<Instant>,
    last_report: Option<String>,
    pause: Duration,
}

impl<'w> LockWait<'w> {
    /// A wait that has not begun. `what` is waited for, such as `locks on the tables of database d`.
    pub fn new(endpoint: &'w Endpoint, mode: LockMode, what: impl Into<String>) -> Self {
        Self {
            endpoint,
            mode,
            what: what.into(),
            begun: None,
            reported: None,
            last_report: None,
            pause: SHORTEST,
        }
    }

    /// Runs a statement until no lock is in its way. Each attempt is a transaction of its own.
    ///
    /// # Errors
    /// As [`pause_after`](Self::pause_after).
    pub async fn execute_when_unlocked(
        &mut self,
        session: &Session,
        statement: &Sql,
    ) -> Result<(), Error> {
        loop {
            match session.batch(statement).await {
                Ok(()) => return Ok(()),
                Err(error) => self.pause_after(error).await?,
            }
        }
    }

    /// What was last reported of it, if it took long.
    pub fn last_report(&self) -> Option<&str> {
        self.last_report.as_deref()
    }

    /// Pauses after an attempt that ended with `error`. Whoever is in the way is reported after some seconds.
    ///
    /// # Errors
    /// `error`, unless another attempt may succeed; [`Error::LockWait`] once the limit is reached.
    pub async fn pause_after(&mut self, error: Error) -> Result<(), Error> {
        if !error.is_lock_conflict() {
            return Err(error);
        }
        let now = Instant::now();
        let begun = *self.begun.get_or_insert(now);
        let elapsed = now - begun;
        if elapsed >= self.endpoint.lock_limit() {
            return Err(Error::LockWait {
                what: self.what.clone(),
                seconds: elapsed.as_secs(),
                holders: self.load_holders().await,
                source: Box::new(error),
            });
        }
        let quiet = self.reported.map_or(SILENCE, |_| AGAIN);
        if now - self.reported.unwrap_or(begun) >= quiet {
            self.reported = Some(now);
            let holders = self.load_holders().await;
            let warning = Warning::LockWait {
                what: self.what.clone(),
                seconds: elapsed.as_secs(),
                holders,
            };
            let events = self.endpoint.events();
            if events.is_silent() {
                tracing::warn!("{warning}");
            }
            self.last_report = Some(warning.to_string());
            events.emit(Event::Warning(warning)).await;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST);
        Ok(())
    }

    /// Who is in the way, in words.
    async fn load_holders(&self) -> String {
        match self.load_rows().await {
            Ok(holders) => describe_holders(&holders),
            Err(error) => format!("who holds them is unknown: {error}"),
        }
    }

    async fn load_rows(&self) -> Result<Vec<LockHolder>, Error> {
        let session = self.endpoint.session(Purpose::Introspect).await?;
        load_lock_holders(&session, self.mode, &self.endpoint.processes()).await
    }
}

/// Lock holders in words.
fn describe_holders(holders: &[LockHolder]) -> String {
    if holders.is_empty() {
        return "no session that holds a lock now".to_owned();
    }
    let named: Vec<_> = holders
        .iter()
        .take(NAMED)
        .map(ToString::to_string)
        .collect();
    match holders.len().saturating_sub(NAMED) {
        0 => named.join("; "),
        more => format!("{}; and {more} more", named.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder() -> LockHolder {
        LockHolder {
            pid: Some(7),
            gid: None,
            user: "app".to_owned(),
            seconds: 12,
            relation: "s.t".to_owned(),
            mode: "AccessExclusiveLock".to_owned(),
            is_granted: false,
            statement: "TRUNCATE\ns.t".to_owned(),
        }
    }

    #[test]
    fn a_holder_is_named_with_role_age_relation_and_statement() {
        assert_eq!(
            holder().to_string(),
            "pid 7 of role app waits for AccessExclusiveLock on s.t, open for 12 s (TRUNCATE s.t)"
        );
        let prepared = LockHolder {
            pid: None,
            gid: Some("order 1".to_owned()),
            is_granted: true,
            statement: String::new(),
            ..holder()
        };
        assert_eq!(
            prepared.to_string(),
            "prepared transaction 'order 1' of role app holds AccessExclusiveLock on s.t, open for 12 s"
        );
    }

    #[test]
    fn a_message_names_a_few() {
        let text = describe_holders(&vec![holder(); 7]);
        assert!(text.ends_with("; and 2 more"), "{text}");
        assert_eq!(text.matches("pid 7").count(), 5);
    }

    #[test]
    fn weaker_modes_have_fewer_conflicts() {
        let conflicts = |mode: LockMode| mode.conflicting_modes().len();
        assert_eq!(conflicts(LockMode::AccessShare), 1);
        assert_eq!(conflicts(LockMode::ShareUpdateExclusive), 5);
        assert_eq!(conflicts(LockMode::AccessExclusive), 8);
    }
}

//! How far the target is behind, measured from end to end.
//!
//! The end of the source's WAL is read, and the time until the target has applied it is taken. A subscriber acknowledges
//! a position when it has applied everything before it. So the time is that of a transaction that commits now. The
//! distance in bytes would count WAL of other databases; positions that move prove no applied row.

use std::time::{Duration, Instant};

use super::error::Error;
use super::facts::SourceFacts;
use super::report::{Lag, LagTime};
use super::source::read_lsn;
use crate::connect::Session;
use crate::pg::{Literal, Lsn, Side, SlotName, Sql};
use crate::sql;
use crate::task::Scope;

/// The shortest and the longest time between two looks.
const PAUSES: [Duration; 2] = [Duration::from_millis(4), Duration::from_millis(100)];

/// The part of the time so far that is waited until the next look: the error of the measurement.
const SHARE: u32 = 10;

/// The prefix of the message that a heartbeat writes.
const PREFIX: &str = "postgres-seren-replicator";

/// A measured lag, and whether the target has applied anything meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) lag: Lag,
    pub(super) has_moved: bool,
}

/// What is measured, and how.
pub(super) struct Measurement<'a> {
    pub(super) source: &'a Session,
    pub(super) slot: &'a SlotName,
    /// How long is waited at most.
    pub(super) limit: Duration,
    /// Whether to write a message first.
    pub(super) heartbeat: bool,
}

/// The position of the end of WAL, and when it was read.
struct End {
    lsn: Lsn,
    at: Instant,
}

impl Measurement<'_> {
    /// Measures the lag. `facts` are what the source has shown a moment ago.
    ///
    /// # Errors
    /// The source refused a query, or the scope was stopped.
    pub(super) async fn measure(
        &self,
        facts: &SourceFacts,
        scope: &Scope,
    ) -> Result<Measured, Error> {
        let first = applied_position(facts);
        if !self.heartbeat && is_level(facts) {
            let lag = Lag {
                time: LagTime::Within(Duration::ZERO),
                bytes: Some(0),
            };
            let has_moved = false;
            return Ok(Measured { lag, has_moved });
        }
        let end = self.load_end().await?;
        loop {
            let asked = Instant::now();
            let applied = self.load_applied().await?;
            let seen = midpoint(asked);
            let waited = seen.saturating_duration_since(end.at);
            let is_there = applied.is_some_and(|applied| applied >= end.lsn);
            if is_there || waited >= self.limit {
                let time = match is_there {
                    true => LagTime::Within(waited),
                    false => LagTime::Exceeds(self.limit),
                };
                let bytes = applied.map(|applied| end.lsn.get().saturating_sub(applied.get()));
                let lag = Lag { time, bytes };
                let has_moved = applied > first;
                return Ok(Measured { lag, has_moved });
            }
            let pause = (waited / SHARE).clamp(PAUSES[0], PAUSES[1]);
            tokio::select! {
                biased;
                () = scope.stop.cancelled() => return Err(Error::Stopped),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// The end of the source's WAL; with a heartbeat behind a message that is decoded like a row.
    async fn load_end(&self) -> Result<End, Error> {
        let wrap = Error::query(Side::Source);
        if self.heartbeat {
            let endpoint = self.source.endpoint();
            let session = endpoint.session(crate::connect::Purpose::Control).await;
            let session = session.map_err(Error::connect(Side::Source))?;
            session.batch(&render_heartbeat()).await.map_err(wrap)?;
        }
        let asked = Instant::now();
        let sql = Sql::fixed("SELECT pg_catalog.pg_current_wal_flush_lsn()::text AS lsn");
        let row = self.source.query_one(&sql, &[]).await.map_err(wrap)?;
        Ok(End {
            lsn: read_lsn(&row, "lsn").unwrap_or_default(),
            at: midpoint(asked),
        })
    }

    async fn load_applied(&self) -> Result<Option<Lsn>, Error> {
        let sql = Sql::fixed(include_str!("sql/position.sql"));
        let rows = self.source.query(&sql, &[&self.slot.as_str()]).await;
        let rows = rows.map_err(Error::query(Side::Source))?;
        Ok(rows.first().and_then(|row| read_lsn(row, "applied")))
    }
}

/// A message in a transaction of its own, whose commit is on disk afterwards.
fn render_heartbeat() -> Sql {
    sql!(
        "BEGIN; SET LOCAL synchronous_commit = local; \
         SELECT pg_catalog.pg_logical_emit_message(true, {}, 'heartbeat'); COMMIT",
        Literal(PREFIX)
    )
}

/// The moment in the middle between a question and now: about when the server has answered it.
fn midpoint(asked: Instant) -> Instant {
    asked + asked.elapsed() / 2
}

/// How far the target has applied, as the source knows it.
pub(super) fn applied_position(facts: &SourceFacts) -> Option<Lsn> {
    let replayed = facts.sender.as_ref().and_then(|sender| sender.replay);
    let confirmed = || facts.slot.as_ref().and_then(|slot| slot.confirmed_lsn);
    replayed.or_else(confirmed)
}

/// Whether the target has applied everything: one query has read both positions.
fn is_level(facts: &SourceFacts) -> bool {
    let replayed = facts.sender.as_ref().and_then(|sender| sender.replay);
    replayed
        .zip(facts.flush_lsn)
        .is_some_and(|(replayed, end)| replayed >= end)
}

/// The distance in bytes between the end of the source's WAL and what the target has applied.
pub(super) fn distance(facts: &SourceFacts) -> Option<u64> {
    let (end, applied) = (facts.flush_lsn?, applied_position(facts)?);
    Some(end.get().saturating_sub(applied.get()))
}

//! How much of the target's memory and workers each of our sessions takes for building indexes.
//!
//! `shared_buffers` is what an administrator has measured out; `effective_cache_size` is a guess that
//! says how much may be there at all. Our sessions take less than both, and less than what autovacuum may
//! take meanwhile. A server that runs out of memory loses more time than it would have saved.

use super::{Error, Session};
use crate::pg::{Literal, Sql, SqlState};
use crate::sql;

/// Most memory for one session, in kB: what every build of every major takes.
const MOST_MEMORY: u64 = 2 * 1024 * 1024 - 1;

/// Most parallel workers of one session: beyond that the leader, which merges, is what they wait for.
const MOST_WORKERS: u64 = 4;

/// Background workers that a server needs for other ends: launchers and the like.
const OTHER_WORKERS: u64 = 2;

/// What a server says of its memory and its workers; memory in kB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// `shared_buffers`.
    pub shared_buffers: u64,
    /// `effective_cache_size`.
    pub effective_cache_size: u64,
    /// `maintenance_work_mem`.
    pub maintenance_work_mem: u64,
    /// What autovacuum may take with all its workers.
    pub autovacuum: u64,
    /// `max_worker_processes`.
    pub max_worker_processes: u64,
    /// `max_parallel_workers`.
    pub max_parallel_workers: u64,
    /// `max_parallel_maintenance_workers`.
    pub max_parallel_maintenance_workers: u64,
}

impl Capacity {
    /// Asks a server.
    ///
    /// # Errors
    /// The server refused the query, or the connection broke.
    pub async fn read(session: &Session) -> Result<Self, Error> {
        let row = session.query_one(&Sql::fixed(CAPACITY), &[]).await?;
        let at = |place| u64::try_from(row.get::<_, i64>(place)).unwrap_or(0);
        Ok(Self {
            shared_buffers: at(0),
            effective_cache_size: at(1),
            maintenance_work_mem: at(2),
            autovacuum: at(3),
            max_worker_processes: at(4),
            max_parallel_workers: at(5),
            max_parallel_maintenance_workers: at(6),
        })
    }
}

/// `pg_settings` gives memory in units of 8 kB or 1 kB. Without `autovacuum_work_mem` autovacuum takes
/// what the server's own `maintenance_work_mem` says.
const CAPACITY: &str = "\
    WITH number AS (SELECT name, CASE unit WHEN '8kB' THEN 8 ELSE 1 END * setting::pg_catalog.int8 AS value \
                      FROM pg_catalog.pg_settings WHERE vartype = 'integer'), \
         memory AS (SELECT coalesce(nullif(max(value) FILTER (WHERE name = 'autovacuum_work_mem'), -1), \
                                    max(value) FILTER (WHERE name = 'maintenance_work_mem')) AS of_worker \
                      FROM number) \
    SELECT max(value) FILTER (WHERE name = 'shared_buffers'), \
           max(value) FILTER (WHERE name = 'effective_cache_size'), \
           max(value) FILTER (WHERE name = 'maintenance_work_mem'), \
           CASE WHEN pg_catalog.current_setting('autovacuum')::pg_catalog.bool \
                THEN max(value) FILTER (WHERE name = 'autovacuum_max_workers') * max(memory.of_worker) \
                ELSE 0 END, \
           max(value) FILTER (WHERE name = 'max_worker_processes'), \
           max(value) FILTER (WHERE name = 'max_parallel_workers'), \
           max(value) FILTER (WHERE name = 'max_parallel_maintenance_workers') \
      FROM number, memory";

/// What each of our sessions takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// `maintenance_work_mem`, in kB.
    pub maintenance_work_mem: u64,
    /// `max_parallel_maintenance_workers`.
    pub workers: u64,
}

impl Tuning {
    /// What each of so many sessions at work at once takes; never less than the server gives by itself.
    pub fn new(capacity: &Capacity, sessions: usize) -> Self {
        let sessions = u64::try_from(sessions).unwrap_or(u64::MAX).max(1);
        let share = capacity
            .shared_buffers
            .min(capacity.effective_cache_size / 4)
            .saturating_sub(capacity.autovacuum);
        let memory = (share / sessions).min(MOST_MEMORY);
        let pool = capacity
            .max_worker_processes
            .saturating_sub(OTHER_WORKERS)
            .min(capacity.max_parallel_workers);
        let workers = (pool / sessions).min(MOST_WORKERS);
        Self {
            maintenance_work_mem: memory.max(capacity.maintenance_work_mem),
            workers: workers.max(capacity.max_parallel_maintenance_workers),
        }
    }

    /// Sets it on a session that is in no transaction. What the server refuses stays as it is.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn apply(&self, session: &Session) -> Result<(), Error> {
        let memory = format!("{}kB", self.maintenance_work_mem);
        let settings = [
            sql!("SET maintenance_work_mem = {}", Literal(&memory)),
            sql!("SET max_parallel_maintenance_workers = {}", self.workers),
        ];
        let mut answers = Vec::new();
        for setting in &settings {
            answers.push(session.send(setting).await?);
        }
        for answer in answers {
            match answer.finish().await {
                Err((_, error)) if !error.sqlstate().is_some_and(SqlState::is_refusal) => {
                    return Err(error);
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1024;
    const GB: u64 = 1024 * MB;

    /// A server as it comes.
    const UNTUNED: Capacity = Capacity {
        shared_buffers: 128 * MB,
        effective_cache_size: 4 * GB,
        maintenance_work_mem: 64 * MB,
        autovacuum: 3 * 64 * MB,
        max_worker_processes: 8,
        max_parallel_workers: 8,
        max_parallel_maintenance_workers: 2,
    };

    /// One with 64 GB.
    const LARGE: Capacity = Capacity {
        shared_buffers: 16 * GB,
        effective_cache_size: 48 * GB,
        autovacuum: 3 * GB,
        ..UNTUNED
    };

    #[test]
    fn an_untuned_server_keeps_its_own() {
        for sessions in [1, 2, 8, 256] {
            let tuning = Tuning::new(&UNTUNED, sessions);
            assert_eq!(tuning.maintenance_work_mem, 64 * MB);
        }
    }

    #[test]
    fn all_sessions_together_stay_below_a_share_of_the_memory() {
        let tuning = Tuning::new(&LARGE, 8);
        assert_eq!(tuning.maintenance_work_mem, (12 - 3) * GB / 8);
        assert_eq!(tuning.workers, 2);
        let alone = Tuning::new(&LARGE, 1);
        assert_eq!(alone.maintenance_work_mem, MOST_MEMORY);
        assert_eq!(alone.workers, 4);
    }

    #[test]
    fn nothing_is_taken_below_the_servers_own() {
        let generous = Capacity {
            maintenance_work_mem: 4 * GB,
            max_parallel_maintenance_workers: 6,
            ..UNTUNED
        };
        let tuning = Tuning::new(&generous, 0);
        assert_eq!((tuning.maintenance_work_mem, tuning.workers), (4 * GB, 6));
        let nothing = Tuning::new(&Capacity::default(), 8);
        assert_eq!((nothing.maintenance_work_mem, nothing.workers), (0, 0));
    }
}

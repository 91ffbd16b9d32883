//! Whether the servers have enough free connections for the workers. Loading asks, judging is pure.

use std::collections::BTreeSet;

use super::finding::{Finding, Level, Side};
use crate::connect::{self, Session};
use crate::migrate::{Error, Options};
use crate::pg::Sql;

/// What limits connections.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Limited {
    Server,
    Role(String),
    Database(String),
}

/// How many connections a limit still allows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Free {
    limited: Limited,
    count: i64,
}

/// What a copy opens on one side.
struct Need {
    /// Whatever the number of workers: locks, snapshots, watchers.
    fixed: i64,
    per_worker: i64,
}

impl Need {
    const fn of(side: Side) -> Self {
        match side {
            // The run's lock, table locks, the consistent point and its copy, three watchers; each worker
            // reads.
            Side::Source => Self {
                fixed: 7,
                per_worker: 1,
            },
            // The run's lock, the recorder; each worker writes rows and builds.
            Side::Target | Side::Both => Self {
                fixed: 2,
                per_worker: 2,
            },
        }
    }

    const fn with(&self, workers: i64) -> i64 {
        self.fixed + self.per_worker * workers
    }

    /// As many workers as this many connections suffice for.
    const fn workers(&self, free: i64) -> i64 {
        (free - self.fixed) / self.per_worker
    }
}

/// Examines both clusters for the workers that copy these databases of the source.
///
/// # Errors
/// A server refused the question.
pub(in crate::migrate) async fn examine_connections(
    [source, target]: [&Session; 2],
    databases: &BTreeSet<&str>,
    options: &Options,
) -> Result<Vec<Finding>, Error> {
    let written = databases.iter().map(|name| options.map.target(name));
    let written: BTreeSet<&str> = written.collect();
    let mut findings = Vec::new();
    let sides = [
        (Side::Source, source, databases),
        (Side::Target, target, &written),
    ];
    for (side, session, databases) in sides {
        let free = load_free(session).await.map_err(Error::examine(side))?;
        findings.extend(judge_connections(side, &free, databases, options.jobs));
    }
    Ok(findings)
}

/// Asks a cluster.
///
/// # Errors
/// The server refused the question.
async fn load_free(session: &Session) -> Result<Vec<Free>, connect::Error> {
    let sql = Sql::fixed(include_str!("../sql/connections.sql"));
    let rows = session.query(&sql, &[]).await?;
    let free = rows.iter().map(|row| {
        let name = row.get::<_, Option<String>>("name").unwrap_or_default();
        Free {
            limited: match row.get::<_, &str>("kind") {
                "role" => Limited::Role(name),
                "database" => Limited::Database(name),
                _ => Limited::Server,
            },
            count: row.get("free"),
        }
    });
    Ok(free.collect())
}

/// Judges the limits of one side for this many workers; of databases only those that take part.
fn judge_connections(
    side: Side,
    free: &[Free],
    databases: &BTreeSet<&str>,
    jobs: usize,
) -> Vec<Finding> {
    let need = Need::of(side);
    let jobs = i64::try_from(jobs).unwrap_or(i64::MAX / need.per_worker - need.fixed);
    let takes_part = |free: &&Free| match &free.limited {
        Limited::Database(name) => databases.contains(name.as_str()),
        Limited::Server | Limited::Role(_) => true,
    };
    let short = free.iter().filter(takes_part);
    let short = short.filter(|free| free.count < need.with(jobs));
    short.map(|free| judge(side, free, &need, jobs)).collect()
}

fn judge(side: Side, free: &Free, need: &Need, jobs: i64) -> Finding {
    let count = free.count.max(0);
    let (place, raise) = match &free.limited {
        Limited::Server => ("the server".to_owned(), "raise max_connections"),
        Limited::Role(name) => (format!("role {name}"), "ALTER ROLE … CONNECTION LIMIT"),
        Limited::Database(name) => {
            let place = format!("database {name}");
            (place, "ALTER DATABASE … CONNECTION LIMIT")
        }
    };
    let (least, wanted) = (need.with(1), need.with(jobs));
    if count < least {
        let message = format!(
            "{place} has {count} free connections; at least {least} are needed, and {wanted} for {jobs} workers"
        );
        return Finding::new(Level::Error, side, message)
            .cure(format!("{raise}, or end other sessions"));
    }
    let message =
        format!("{place} has {count} free connections; {wanted} are needed for {jobs} workers");
    let fitting = need.workers(count);
    let cure = format!("{raise}, or pass --jobs {fitting}; otherwise fewer workers copy");
    Finding::new(Level::Warning, side, message).cure(cure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(limited: Limited, count: i64) -> Vec<Free> {
        vec![Free { limited, count }]
    }

    #[test]
    fn both_numbers_are_in_the_finding() {
        let judge = |side, count| {
            let free = free(Limited::Role("app".to_owned()), count);
            let findings = judge_connections(side, &free, &BTreeSet::new(), 4);
            findings.first().map(ToString::to_string)
        };
        assert_eq!(judge(Side::Source, 11), None);
        assert_eq!(
            judge(Side::Source, 9).unwrap(),
            "warning  source: role app has 9 free connections; 11 are needed for 4 workers; \
             ALTER ROLE … CONNECTION LIMIT, or pass --jobs 2; otherwise fewer workers copy"
        );
        assert_eq!(judge(Side::Target, 10), None);
        assert_eq!(
            judge(Side::Target, 3).unwrap(),
            "error    target: role app has 3 free connections; at least 4 are needed, and 10 for 4 workers; \
             ALTER ROLE … CONNECTION LIMIT, or end other sessions"
        );
    }

    #[test]
    fn only_databases_that_take_part_count() {
        let limits = free(Limited::Database("a".to_owned()), 0);
        let judge = |name| judge_connections(Side::Source, &limits, &BTreeSet::from([name]), 1);
        assert_eq!(judge("a").len(), 1);
        assert!(judge("b").is_empty());
    }
}

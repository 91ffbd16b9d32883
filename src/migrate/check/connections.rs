//! Whether the servers have enough free connections for the workers. Loading asks, judging is pure.

use std::collections::BTreeSet;

use crate::cluster::finding::{Code, Finding, Level};
use crate::cluster::maintenance;
use crate::cluster::server::Cluster;
use crate::connect::{self, ConnectionNeed, Endpoint, Purpose, Session};
use crate::migrate::error::Error;
use crate::migrate::options::Options;
use crate::pg::{Counted, Side, Sides, Sql};
use crate::remedy::{Remedy, Setting};
use crate::{snapshot, verify};

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

/// The connections that a command opens on one server.
#[derive(Clone, Copy, Debug)]
struct Wanted<'a> {
    databases: &'a BTreeSet<&'a str>,
    need: &'a ConnectionNeed,
    jobs: usize,
}

/// What a copy opens on both sides: the engine's connections, the run's lock, and on the target the recorder's.
const COPY: Sides<ConnectionNeed> = Sides {
    source: ConnectionNeed {
        fixed: snapshot::SOURCE_NEED.fixed + 1,
        ..snapshot::SOURCE_NEED
    },
    target: ConnectionNeed {
        fixed: snapshot::TARGET_NEED.fixed + 2,
        ..snapshot::TARGET_NEED
    },
};

/// What a comparison opens on both sides.
const COMPARISON: Sides<ConnectionNeed> = Sides {
    source: verify::SOURCE_NEED,
    target: verify::TARGET_NEED,
};

/// What is compared on one server.
#[derive(Clone, Debug)]
pub struct ComparedServer<'a> {
    /// The server.
    pub endpoint: &'a Endpoint,
    /// Its databases.
    pub databases: BTreeSet<&'a str>,
}

/// Examines both clusters for the workers that copy these databases of the source.
///
/// # Errors
/// A server refused the question.
pub(crate) async fn examine_connections(
    servers: &Sides<Cluster>,
    databases: &BTreeSet<&str>,
    options: &Options,
) -> Result<Vec<Finding>, Error> {
    let written = databases.iter().map(|name| options.map.target(name));
    let written: BTreeSet<&str> = written.collect();
    let jobs = options.jobs;
    let on_source = Wanted {
        databases,
        need: &COPY.source,
        jobs,
    };
    let on_target = Wanted {
        databases: &written,
        need: &COPY.target,
        jobs,
    };
    let mut findings = examine_side(Side::Source, &servers.source.session, on_source).await?;
    findings.extend(examine_side(Side::Target, &servers.target.session, on_target).await?);
    Ok(findings)
}

/// Examines both clusters for the workers that compare databases, by their names on each side. A side that
/// cannot be asked has no findings: the comparison itself says why.
pub async fn examine_comparison(servers: &Sides<ComparedServer<'_>>, jobs: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    for side in [Side::Source, Side::Target] {
        match examine_compared(side, servers.get(side), jobs).await {
            Ok(found) => findings.extend(found),
            Err(error) => tracing::debug!(%error, %side, "connection limits were not examined"),
        }
    }
    findings
}

async fn examine_compared(
    side: Side,
    server: &ComparedServer<'_>,
    jobs: usize,
) -> Result<Vec<Finding>, Error> {
    let session = maintenance::open_session(side, server.endpoint, Purpose::Introspect).await?;
    let wanted = Wanted {
        databases: &server.databases,
        need: COMPARISON.get(side),
        jobs,
    };
    examine_side(side, &session, wanted).await
}

async fn examine_side(
    side: Side,
    session: &Session,
    wanted: Wanted<'_>,
) -> Result<Vec<Finding>, Error> {
    let free = load_free(session).await.map_err(Error::examine(side))?;
    Ok(judge_connections(side, &free, wanted))
}

/// Asks a cluster.
///
/// # Errors
/// The server refused the question.
async fn load_free(session: &Session) -> Result<Vec<Free>, connect::Error> {
    let sql = Sql::fixed(include_str!("../sql/connections.sql"));
    let own = session.endpoint().processes();
    let rows = session.query(&sql, &[&own]).await?;
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
fn judge_connections(side: Side, free: &[Free], wanted: Wanted<'_>) -> Vec<Finding> {
    let Wanted {
        databases, need, ..
    } = wanted;
    let jobs = i64::try_from(wanted.jobs).unwrap_or(i64::MAX / need.per_worker - need.fixed);
    let takes_part = |free: &&Free| match &free.limited {
        Limited::Database(name) => databases.contains(name.as_str()),
        Limited::Server | Limited::Role(_) => true,
    };
    let short = free.iter().filter(takes_part);
    let short = short.filter(|free| free.count < need.with(jobs));
    short
        .map(|free| judge_limit(side, free, need, jobs))
        .collect()
}

fn judge_limit(side: Side, free: &Free, need: &ConnectionNeed, jobs: i64) -> Finding {
    let count = free.count.max(0);
    let (place, raise) = match &free.limited {
        Limited::Server => ("the server".to_owned(), "raise max_connections"),
        Limited::Role(name) => (format!("role {name}"), "ALTER ROLE … CONNECTION LIMIT"),
        Limited::Database(name) => {
            let place = format!("database {name}");
            (place, "ALTER DATABASE … CONNECTION LIMIT")
        }
    };
    let finding = |level: Level, message: String| {
        let finding = Finding::new(Code::TooFewConnections, level, side, message);
        match &free.limited {
            Limited::Server => finding,
            Limited::Role(_) | Limited::Database(_) => finding.about(&place),
        }
    };
    let (least, wanted) = (need.with(1), need.with(jobs));
    let (free, workers) = (Counted(count, "free connection"), Counted(jobs, "worker"));
    if count < least {
        let message =
            format!("{place} has {free}; at least {least} are needed, and {wanted} for {workers}");
        return finding(Level::Error, message)
            .remedy(raise)
            .remedy("end other sessions");
    }
    let message = format!("{place} has {free}; {wanted} are needed for {workers}");
    let fitting = need.workers(count);
    let jobs = Remedy::PassValue(Setting::Jobs, fitting.to_string());
    let fewer = "continue with fewer workers".into();
    finding(Level::Warning, message).with_remedies([raise.into(), jobs, fewer])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(limited: Limited, count: i64) -> Vec<Free> {
        vec![Free { limited, count }]
    }

    #[test]
    fn both_numbers_are_in_the_finding() {
        let need = ConnectionNeed {
            fixed: 7,
            per_worker: 2,
        };
        let judge = |count| {
            let free = free(Limited::Role("app".to_owned()), count);
            let findings = judge_connections(
                Side::Source,
                &free,
                Wanted {
                    databases: &BTreeSet::new(),
                    need: &need,
                    jobs: 4,
                },
            );
            findings.into_iter().next()
        };
        assert_eq!(judge(15), None);
        assert_eq!(
            judge(12).unwrap().to_string(),
            "warning  source: role app has 12 free connections; 15 are needed for 4 workers"
        );
        assert_eq!(
            judge(12).unwrap().remedies[1],
            Remedy::PassValue(Setting::Jobs, "2".to_owned())
        );
        assert_eq!(
            judge(8).unwrap().to_string(),
            "error    source: role app has 8 free connections; at least 9 are needed, and 15 for 4 workers"
        );
        assert_eq!(
            judge(8).unwrap().remedies,
            ["ALTER ROLE … CONNECTION LIMIT", "end other sessions"].map(Remedy::from)
        );
    }

    #[test]
    fn only_databases_that_take_part_count() {
        let limits = free(Limited::Database("a".to_owned()), 0);
        let need = &COPY.source;
        let judge = |name| {
            let databases = &BTreeSet::from([name]);
            judge_connections(
                Side::Source,
                &limits,
                Wanted {
                    databases,
                    need,
                    jobs: 1,
                },
            )
        };
        assert_eq!(judge("a").len(), 1);
        assert!(judge("b").is_empty());
    }
}

//! Waits until a replication has caught up: every table of the subscription is ready, and the target has applied what the
//! source had flushed a moment ago.

use std::time::{Duration, Instant};

use super::error::Error;
use super::options::Options;
use super::plan::PlannedDatabase;
use crate::cluster::{Finding, Level};
use crate::event::Event;
use crate::remedy::Remedy;
use crate::status::{
    self, FollowedDatabase, Lag, LagTime, Observation, Outcome, TableState, Verdict, Watcher,
};
use crate::task::Scope;

/// How long the lag is measured at most, each time.
const LAG_LIMIT: Duration = Duration::from_secs(1);

/// How long a replication may be inactive or broken: its workers are just being started.
const STARTING: Duration = Duration::from_secs(20);

/// The time between two observations.
const PAUSE: Duration = Duration::from_millis(200);

/// A database that has caught up.
#[derive(Clone, Debug)]
pub(super) struct CaughtUp {
    pub(super) lag: Lag,
    pub(super) tables: usize,
    pub(super) elapsed: Duration,
}

/// What an observation means for the wait.
#[derive(Clone, Debug, PartialEq)]
enum Wait {
    Over { lag: Lag, tables: usize },
    Goes { behind: Option<u64>, tables: usize },
    Stuck(Vec<Finding>),
}

/// Waits until a database has caught up.
///
/// # Errors
/// It has not within the time limit, it does not work, or the scope was stopped.
pub(super) async fn wait_for_database(
    planned: &PlannedDatabase,
    options: &Options,
    scope: &Scope,
) -> Result<CaughtUp, Error> {
    let begun = Instant::now();
    let mut watcher = Watcher::new(&status::Options {
        servers: options.servers.clone(),
        // Tables that do not take part are of no interest here.
        databases: vec![FollowedDatabase {
            scope: None,
            ..planned.replicated.database.clone()
        }],
        lag_limit: LAG_LIMIT,
        heartbeat: false,
        max_retained_wal: options.max_retained_wal,
    });
    let mut stuck_since: Option<Instant> = None;
    let mut state;
    loop {
        let report = watcher.observe(scope).await?;
        let observed = report.databases.into_iter().next().map(|one| one.outcome);
        match judge(observed.as_ref()) {
            Wait::Over { lag, tables } => {
                let elapsed = begun.elapsed();
                let database = planned.replicated.database.source.clone();
                scope
                    .events
                    .emit(Event::CaughtUp { database, elapsed })
                    .await;
                return Ok(CaughtUp {
                    lag,
                    tables,
                    elapsed,
                });
            }
            Wait::Goes { behind, tables } => {
                stuck_since = None;
                state = describe_state(behind, tables);
                report_progress(planned, (behind, tables), begun.elapsed(), scope);
            }
            Wait::Stuck(findings) => {
                let since = *stuck_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= STARTING {
                    return Err(broken(planned, &findings));
                }
                state = "its workers have not started".to_owned();
                report_progress(planned, (None, 0), begun.elapsed(), scope);
            }
        }
        if begun.elapsed() >= options.timeout {
            return Err(Error::TimedOut {
                database: planned.replicated.database.source.clone(),
                seconds: options.timeout.as_secs(),
                state,
            });
        }
        tokio::select! {
            biased;
            () = scope.stop.cancelled() => return Err(Error::Stopped),
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

fn report_progress(
    planned: &PlannedDatabase,
    (behind, tables): (Option<u64>, usize),
    elapsed: Duration,
    scope: &Scope,
) {
    scope.events.tick(Event::CatchingUp {
        database: planned.replicated.database.source.clone(),
        behind,
        tables,
        elapsed,
    });
}

fn describe_state(behind: Option<u64>, tables: usize) -> String {
    let behind = behind.map_or_else(
        || "the distance is not known".to_owned(),
        |bytes| format!("{bytes} bytes of WAL are to be applied"),
    );
    match tables {
        0 => behind,
        tables => format!("{behind}, and the initial copy of tables is not complete: {tables}"),
    }
}

/// Judges an observation. Tables that are no part of the subscription do not delay it. Pure.
fn judge(observed: Option<&Outcome>) -> Wait {
    let nothing = Wait::Goes {
        behind: None,
        tables: 0,
    };
    let observation = match observed {
        Some(Outcome::Observed(observation)) => observation,
        // A server that does not answer now may answer again.
        Some(Outcome::Unknown(_)) | None => return nothing,
    };
    let errors = blocking_findings(observation);
    if !errors.is_empty() {
        return Wait::Stuck(errors);
    }
    let tables = observation.target.tables.len();
    let unready = tables - observation.target.count_tables(TableState::Ready);
    match observation.lag.time {
        time if time.is_caught_up() && unready == 0 => Wait::Over {
            lag: observation.lag,
            tables,
        },
        LagTime::Within(_) | LagTime::Exceeds(_) => Wait::Goes {
            behind: observation.lag.bytes,
            tables: unready,
        },
        LagTime::Unknown if observation.verdict == Verdict::Lagging => Wait::Goes {
            behind: observation.lag.bytes,
            tables: unready,
        },
        LagTime::Unknown => Wait::Stuck(observation.findings.clone()),
    }
}

fn blocking_findings(observation: &Observation) -> Vec<Finding> {
    if observation.verdict < Verdict::NotActive {
        return Vec::new();
    }
    let errors = observation.findings.iter();
    errors
        .filter(|finding| finding.level == Level::Error)
        .cloned()
        .collect()
}

fn broken(planned: &PlannedDatabase, findings: &[Finding]) -> Error {
    let reasons: Vec<String> = findings.iter().map(|one| one.message.clone()).collect();
    let reason = match reasons.is_empty() {
        true => "the apply worker has not connected to the source".to_owned(),
        false => reasons.join("; "),
    };
    let remedies: Vec<Remedy> = findings
        .iter()
        .flat_map(|one| one.remedies.clone())
        .collect();
    Error::Broken {
        database: planned.replicated.database.source.clone(),
        reason,
        remedies,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Code;
    use crate::pg::Side;
    use crate::status::samples;

    fn judged(change: fn(&mut Observation)) -> Wait {
        let mut observation = samples::level();
        change(&mut observation);
        judge(Some(&Outcome::Observed(Box::new(observation))))
    }

    #[test]
    fn it_is_over_when_all_tables_are_ready_and_the_lag_is_short() {
        assert!(matches!(judged(|_| {}), Wait::Over { tables: 2, .. }));
        let copying = judged(|seen| seen.target.tables[0].state = TableState::Copying);
        assert!(matches!(copying, Wait::Goes { tables: 1, .. }));
        let slow = judged(|seen| seen.lag.time = LagTime::Within(Duration::from_secs(1)));
        assert!(matches!(slow, Wait::Goes { tables: 0, .. }));
        let behind = judged(|seen| seen.lag.time = LagTime::Exceeds(Duration::from_secs(1)));
        assert!(matches!(behind, Wait::Goes { .. }));
    }

    #[test]
    fn a_table_that_does_not_take_part_does_not_delay_it() {
        let new = judged(|seen| seen.verdict = Verdict::Lagging);
        assert!(matches!(new, Wait::Over { .. }));
    }

    #[test]
    fn a_fault_is_stuck_and_a_server_that_does_not_answer_is_waited_for() {
        let broken = judged(|seen| {
            seen.verdict = Verdict::Broken;
            let (level, side) = (Level::Error, Side::Target);
            seen.findings = vec![Finding::new(Code::ApplyFails, level, side, "it fails")];
        });
        assert!(matches!(broken, Wait::Stuck(findings) if findings.len() == 1));
        let idle = judged(|seen| {
            seen.verdict = Verdict::NotActive;
            seen.lag.time = LagTime::Unknown;
        });
        assert!(matches!(idle, Wait::Stuck(_)));
        assert!(matches!(judge(None), Wait::Goes { .. }));
    }
}

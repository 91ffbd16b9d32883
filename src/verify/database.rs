//! One database: both snapshots, the plan, and workers that compare its tables.
//!
//! ```text
//! View(source) ─ snapshot ─┬─ Lane ┐           each worker: the next pair of the queue, one
//!                          └─ Lane ┤ workers   lane per side, both read at the same time
//! View(target) ─ snapshot ─┬─ Lane ┤
//!                          └─ Lane ┘
//! ```

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::{Error, Side};
use super::lane::{Lane, Reading};
use super::partition::{Compared, settle};
use super::plan::{Half, Pair, Plan, Single, common_encoding, plan_pairs};
use super::progress::Progress;
use super::report::{Class, DatabaseReport, Outcome, TableReport, Verdict};
use super::view::View;
use super::wanted::Wanted;
use super::{DatabasePair, Options};
use crate::event::Event;
use crate::pg::{Literal, QualifiedName};
use crate::sql;
use crate::task::{Background, Crew, Group, Scope};

/// How long the last worker tries to get a connection where a server has none left.
const CONNECTION_WAIT: Duration = Duration::from_secs(30);

/// The time between two attempts.
const CONNECTION_PAUSE: Duration = Duration::from_millis(200);

/// Compares one database.
///
/// # Errors
/// Only [`Error::Stopped`]; every other error is part of the report.
pub(super) async fn compare(
    pair: &DatabasePair,
    options: &Options,
    scope: &Scope,
) -> Result<DatabaseReport, Error> {
    let begin = Instant::now();
    let outcome = match open(pair, options, scope).await {
        Ok((source, target, plan)) => {
            let run = Run::new(pair, [source, target], plan, scope).await;
            run.compare(options.jobs, scope).await?
        }
        Err(Error::Stopped) => return Err(Error::Stopped),
        Err(
            error @ Error::Connect {
                side: Side::Target, ..
            },
        ) if error.is_missing_database() => Outcome::MissingOnTarget,
        Err(error) => Outcome::NotCompared(Arc::new(error)),
    };
    Ok(DatabaseReport {
        source: pair.source.clone(),
        target: pair.target.clone(),
        outcome,
        elapsed: begin.elapsed(),
    })
}

/// Takes both snapshots and matches the tables that they see.
async fn open(
    pair: &DatabasePair,
    options: &Options,
    scope: &Scope,
) -> Result<(View, View, Plan), Error> {
    let source = View::open(Side::Source, options.source.with_database(&pair.source));
    let target = View::open(Side::Target, options.target.with_database(&pair.target));
    let (source, target) = tokio::select! {
        biased;
        () = scope.stop.cancelled() => return Err(Error::Stopped),
        // Both are awaited, so that the reported error does not depend on who is quicker.
        views = async { tokio::join!(source, target) } => views,
    };
    let ((source, mut source_tables), (target, mut target_tables)) = (source?, target?);
    for tables in [&mut source_tables, &mut target_tables] {
        // What belongs to an extension goes with it.
        tables.retain(|table| table.is_configuration || pair.tables.takes(table.lineage()));
        // A table below one that takes no part is alone on the target.
        for table in tables.iter_mut() {
            let takes = |parent: &QualifiedName| pair.tables.takes(std::iter::once(parent));
            table.parents.retain(takes);
        }
    }
    Ok((source, target, plan_pairs(source_tables, target_tables)))
}

/// The work on one database.
struct Run {
    views: [Arc<View>; 2],
    shared: Arc<Shared>,
    progress: Progress,
    missing: Vec<Single>,
    target_only: Vec<Single>,
}

/// What the workers of a database share.
struct Shared {
    database: String,
    encoding: String,
    queue: Mutex<VecDeque<Pair>>,
    done: Mutex<Vec<Compared>>,
    /// The tables that are being read.
    wanted: Wanted,
    /// The workers at work.
    crew: Crew,
    /// Why a worker gave up before the queue was empty.
    unreachable: Mutex<Option<Arc<Error>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run {
    async fn new(pair: &DatabasePair, views: [View; 2], plan: Plan, scope: &Scope) -> Self {
        let planned = Event::VerifyPlanned {
            database: pair.source.clone(),
            tables: plan.pairs.len(),
            bytes: plan.pairs.iter().map(|pair| pair.bytes).sum(),
        };
        scope.events.emit(planned).await;
        let shared = Shared {
            database: pair.source.clone(),
            encoding: common_encoding(&views[0].encoding, &views[1].encoding).to_owned(),
            queue: Mutex::new(plan.pairs.into()),
            done: Mutex::default(),
            wanted: Wanted::default(),
            crew: Crew::default(),
            unreachable: Mutex::default(),
        };
        Self {
            progress: Progress::new(&pair.source, &scope.events),
            views: views.map(Arc::new),
            shared: Arc::new(shared),
            missing: plan.missing,
            target_only: plan.target_only,
        }
    }

    async fn compare(self, jobs: usize, scope: &Scope) -> Result<Outcome, Error> {
        let workers = lock(&self.shared.queue).len().min(jobs.max(1));
        let watched = self.views[0].endpoint.clone();
        let watch = self.shared.wanted.clone().watch(watched, scope.clone());
        let _watch = Background::spawn(watch);
        let mut group = Group::new(scope);
        for number in 0..workers {
            let mut lanes = self.lanes();
            // The first worker is complete before others want connections: where these are few,
            // one that can work is better than several that each lack a side.
            if number == 0 && !connect(&mut lanes, &self.shared, scope).await? {
                break;
            }
            self.shared.crew.join(workers);
            group.spawn(work(lanes, Arc::clone(&self.shared), group.scope().clone()));
        }
        group.join().await?;
        Ok(self.outcome())
    }

    fn lanes(&self) -> [Lane; 2] {
        let lane = |view: &Arc<View>| Lane::new(Arc::clone(view), self.progress.clone());
        self.views.each_ref().map(lane)
    }

    /// All there is to say, once the workers have ended.
    fn outcome(self) -> Outcome {
        let mut tables = std::mem::take(&mut *lock(&self.shared.done));
        tables.extend(self.shared.left_over());
        settle(
            &mut tables,
            &[self.missing.as_slice(), &self.target_only].concat(),
        );
        let mut tables: Vec<_> = tables.into_iter().map(|(table, _)| table).collect();
        tables.extend(self.missing.into_iter().map(missing));
        tables.sort_by(|one, other| one.name.cmp(&other.name));
        let target_only = self
            .target_only
            .into_iter()
            .map(|table| table.name)
            .collect();
        Outcome::Compared {
            tables,
            target_only,
        }
    }
}

fn missing(table: Single) -> TableReport {
    TableReport {
        name: table.name,
        verdict: Verdict::MissingOnTarget,
        mismatches: Vec::new(),
        elapsed: Duration::ZERO,
    }
}

impl Shared {
    fn next(&self) -> Option<Pair> {
        lock(&self.queue).pop_front()
    }

    /// The tables that no worker could take on.
    fn left_over(&self) -> Vec<Compared> {
        let queue = std::mem::take(&mut *lock(&self.queue));
        let reason = || {
            let reason = lock(&self.unreachable).clone();
            reason.expect("the last worker leaves tables only when it cannot connect")
        };
        let report = |pair: Pair| pair.report(Verdict::NotCompared(reason()), Duration::ZERO);
        queue.into_iter().map(report).collect()
    }

    fn reading(&self, pair: &Pair, half: &Half) -> Reading {
        let (rows, encoding) = (pair.rows(half), Literal(&self.encoding));
        let copy = sql!(
            "COPY {} TO STDOUT (FORMAT text, ENCODING {})",
            rows,
            encoding
        );
        Reading {
            copy,
            lock: pair
                .is_whole_table(half)
                .then(|| sql!("LOCK TABLE ONLY {} IN ACCESS SHARE MODE", pair.name)),
            identity: half.identity,
        }
    }
}

impl Pair {
    fn report(self, verdict: Verdict, elapsed: Duration) -> Compared {
        let (name, mismatches) = (self.name, self.mismatches);
        (
            TableReport {
                name,
                verdict,
                mismatches,
                elapsed,
            },
            self.root,
        )
    }
}

/// A worker: compares tables until there are none. One that cannot connect leaves the rest to the
/// others.
async fn work(mut lanes: [Lane; 2], shared: Arc<Shared>, scope: Scope) -> Result<(), Error> {
    while connect(&mut lanes, &shared, &scope).await? {
        let Some(pair) = shared.next() else {
            return Ok(());
        };
        let begin = Instant::now();
        let verdict;
        (verdict, lanes) = both(lanes, &shared, &pair, &scope).await;
        if scope.stop.is_cancelled() {
            return Err(Error::Stopped);
        }
        let compared = pair.report(verdict, begin.elapsed());
        scope
            .events
            .emit(verified(&shared.database, &compared))
            .await;
        lock(&shared.done).push(compared);
    }
    Ok(())
}

/// Makes sure that both lanes are connected; false, and noted, if one cannot be. Where a server has no
/// connection left, a worker beside others leaves its work to them, and the last one tries again.
async fn connect(lanes: &mut [Lane; 2], shared: &Shared, scope: &Scope) -> Result<bool, Error> {
    let begin = Instant::now();
    loop {
        let [source, target] = &mut *lanes;
        let connected = tokio::select! {
            biased;
            () = scope.stop.cancelled() => return Err(Error::Stopped),
            connected = async { tokio::try_join!(source.connect(), target.connect()) } => connected,
        };
        let Err(error) = connected else {
            return Ok(true);
        };
        if !error.lacks_connection() || begin.elapsed() > CONNECTION_WAIT {
            lock(&shared.unreachable).get_or_insert_with(|| Arc::new(error));
            return Ok(false);
        }
        if shared.crew.leave(&error, scope).await {
            return Ok(false);
        }
        tokio::select! {
            () = scope.stop.cancelled() => return Err(Error::Stopped),
            () = tokio::time::sleep(CONNECTION_PAUSE) => {}
        }
    }
}

fn verified(database: &str, (report, root): &Compared) -> Event {
    let equal = match report.class(false) {
        Class::Equal => Some(true),
        // Where a partition's rows differ, the table is still to be settled.
        Class::Different => root.is_none().then_some(false),
        Class::NotCompared => None,
    };
    Event::TableVerified {
        database: database.to_owned(),
        table: report.name.clone(),
        equal,
        rows: report.verdict.rows(),
    }
}

/// Reads a table on both sides at the same time, the target's on a task of its own. So one large table keeps
/// two cores busy. An error of one side stops the other.
async fn both(
    [mut source, mut target]: [Lane; 2],
    shared: &Shared,
    pair: &Pair,
    scope: &Scope,
) -> (Verdict, [Lane; 2]) {
    let scope = scope.child();
    shared.wanted.begin(&pair.name, &scope.stop);
    let other = Background::spawn({
        let (reading, scope) = (shared.reading(pair, &pair.target), scope.clone());
        async move {
            let result = target.digest(&reading, &scope).await;
            if result.is_err() {
                scope.stop.cancel();
            }
            (result, target)
        }
    });
    let one = source
        .digest(&shared.reading(pair, &pair.source), &scope)
        .await;
    if one.is_err() {
        scope.stop.cancel();
    }
    let (other, target) = other.join().await;
    let verdict = match (one, other, shared.wanted.end(&pair.name)) {
        (Ok(source), Ok(target), _) => Verdict::of(source, target),
        // The other side may have been read to its end before.
        (Err(Error::Stopped), Ok(_) | Err(Error::Stopped), Some(waiter))
        | (Ok(_), Err(Error::Stopped), Some(waiter)) => {
            let waiter = Box::new(waiter);
            Verdict::NotCompared(Arc::new(Error::Wanted { waiter }))
        }
        // The one that stopped the other is the reason.
        (Err(Error::Stopped) | Ok(_), Err(error), _) | (Err(error), _, _) => {
            Verdict::NotCompared(Arc::new(error))
        }
    };
    (verdict, [source, target])
}

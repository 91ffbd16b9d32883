//! One database: both snapshots, the plan, and workers that compare its tables.
//!
//! ```text
//! View(source) ─ snapshot ─┬─ TableReader ┐           each worker: the next pair of the queue,
//!                          └─ TableReader ┤ workers   one reader per side, both at the same time
//! View(target) ─ snapshot ─┬─ TableReader ┤
//!                          └─ TableReader ┘
//! ```

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::digest::Contents;
use super::error::Error;
use super::options::{DatabasePair, Options};
use super::partition::{Compared, settle_partitions};
use super::plan::{Half, Pair, Plan, Single, Table, common_encoding, plan_pairs};
use super::progress::Progress;
use super::report::{Class, DatabaseReport, Outcome, TableReport, Verdict};
use super::table_reader::{Reading, TableReader};
use super::view::View;
use super::wanted::Wanted;
use crate::connect::waiters::Waiter;
use crate::event::Event;
use crate::pg::{Literal, QualifiedName, Side, Sides, Sql};
use crate::selection::{RowsRule, TableRules};
use crate::sql;
use crate::task::{Background, Crew, Group, Scope};

/// How long the last worker tries to get a connection where a server has none left.
const CONNECTION_WAIT: Duration = Duration::from_secs(30);

/// The time between two attempts.
const CONNECTION_PAUSE: Duration = Duration::from_millis(200);

/// Compares one database.
///
/// # Errors
/// Only [`Error::Stopped`]; any other failure is part of the report.
pub(super) async fn compare_database(
    pair: &DatabasePair,
    options: &Options,
    scope: &Scope,
) -> Result<DatabaseReport, Error> {
    let begin = Instant::now();
    let outcome = match Box::pin(open_views(pair, options, scope)).await {
        Ok((views, plan)) => {
            let run = Run::new(pair, views, plan, scope).await;
            run.compare_tables(options.jobs, scope).await?
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
async fn open_views(
    pair: &DatabasePair,
    options: &Options,
    scope: &Scope,
) -> Result<(Sides<View>, Plan), Error> {
    let servers = &options.servers;
    let source = View::open(Side::Source, servers.source.with_database(&pair.source));
    let target = View::open(Side::Target, servers.target.with_database(&pair.target));
    let what = format!("the tables of database {} on both servers", pair.source);
    let (source, target) = tokio::select! {
        biased;
        () = scope.stop.cancelled() => return Err(Error::Stopped),
        // Both are awaited, so that which error is reported does not depend on who is quicker.
        opened = scope.events.reporting(what, async { tokio::join!(source, target) }) => opened,
    };
    let (source, target) = (source?, target?);
    let mut ours = selected_tables(source.tables, pair);
    let insert_only = find_insert_only(&ours, &pair.scope.rules);
    let not_followed = apply_rules(&mut ours, &pair.scope.rules);
    let mut theirs = selected_tables(target.tables, pair);
    theirs.retain(|table| !not_followed.contains(&table.name));
    let mut plan = plan_pairs(ours, theirs);
    plan.not_followed = not_followed.into_iter().collect();
    plan.insert_only = insert_only;
    let views = Sides {
        source: source.view,
        target: target.view,
    };
    Ok((views, plan))
}

/// Keeps the tables that take part. What belongs to an extension is copied with it.
fn selected_tables(mut tables: Vec<Table>, pair: &DatabasePair) -> Vec<Table> {
    let choice = &pair.scope.choice;
    tables.retain(|table| table.is_configuration || choice.takes(table.lineage()));
    // A table below one that takes no part is a table by itself on the target.
    for table in &mut tables {
        table
            .parents
            .retain(|parent| choice.takes(std::iter::once(parent)));
    }
    tables
}

/// The tables of which only `INSERT` and `TRUNCATE` are replicated, by name.
fn find_insert_only(tables: &[Table], rules: &TableRules) -> Vec<QualifiedName> {
    let insert_only = tables
        .iter()
        .filter(|table| rules.of(table.lineage()).is_insert_only());
    let names: BTreeSet<QualifiedName> = insert_only.map(|table| table.name.clone()).collect();
    names.into_iter().collect()
}

/// Applies the rules to the source's tables: of one without rows the target must hold none, of a filtered one exactly
/// the rows that meet its predicate, and those whose changes are not replicated are not compared. Returns the latter.
fn apply_rules(tables: &mut Vec<Table>, rules: &TableRules) -> BTreeSet<QualifiedName> {
    let mut not_followed = BTreeSet::new();
    tables.retain_mut(|table| {
        let rule = rules.of(table.lineage());
        if rule.rows == Some(RowsRule::None) {
            table.condition = Some(Sql::fixed("WHERE false"));
            return true;
        }
        table.filter = rule.filter().cloned();
        let is_followed = rule.is_followed();
        if !is_followed {
            not_followed.insert(table.name.clone());
        }
        is_followed
    });
    not_followed
}

/// The work on one database.
struct Run {
    views: Sides<Arc<View>>,
    shared: Arc<Shared>,
    progress: Progress,
    missing: Vec<Single>,
    target_only: Vec<Single>,
    not_followed: Vec<QualifiedName>,
    insert_only: Vec<QualifiedName>,
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

fn lock_mutex<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run {
    async fn new(pair: &DatabasePair, views: Sides<View>, plan: Plan, scope: &Scope) -> Self {
        let planned = Event::VerifyPlanned {
            database: pair.source.clone(),
            tables: plan.pairs.len(),
            bytes: plan.pairs.iter().map(|pair| pair.bytes).sum(),
        };
        scope.events.emit(planned).await;
        let shared = Shared {
            database: pair.source.clone(),
            encoding: common_encoding(&views.source.encoding, &views.target.encoding).to_owned(),
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
            not_followed: plan.not_followed,
            insert_only: plan.insert_only,
        }
    }

    async fn compare_tables(self, jobs: usize, scope: &Scope) -> Result<Outcome, Error> {
        let workers = lock_mutex(&self.shared.queue).len().min(jobs.max(1));
        let watched = self.views.source.endpoint.clone();
        let watch = self
            .shared
            .wanted
            .clone()
            .watch_waiters(watched, scope.clone());
        let _watch = Background::spawn(watch);
        let mut group = Group::new(scope);
        for number in 0..workers {
            let mut readers = self.new_readers();
            // The first worker is complete before others want connections: where these are few,
            // one that can work is better than several that each lack a side.
            if number == 0 && !connect_both(&mut readers, &self.shared, scope).await? {
                break;
            }
            self.shared.crew.join(workers);
            group.spawn(run_worker(
                readers,
                Arc::clone(&self.shared),
                group.scope().clone(),
            ));
        }
        group.join().await?;
        Ok(self.into_outcome())
    }

    fn new_readers(&self) -> Sides<TableReader> {
        let views = self.views.as_ref();
        views.map(|view| TableReader::new(Arc::clone(view), self.progress.clone()))
    }

    /// The result, once the workers have ended.
    fn into_outcome(self) -> Outcome {
        let mut tables = std::mem::take(&mut *lock_mutex(&self.shared.done));
        tables.extend(self.shared.left_over());
        let single = [self.missing.as_slice(), &self.target_only].concat();
        settle_partitions(&mut tables, &single);
        let mut tables: Vec<_> = tables.into_iter().map(|one| one.table).collect();
        tables.extend(self.missing.into_iter().map(report_missing));
        tables.sort_by(|one, other| one.name.cmp(&other.name));
        let target_only = self
            .target_only
            .into_iter()
            .map(|table| table.name)
            .collect();
        Outcome::Compared {
            tables,
            target_only,
            not_followed: self.not_followed,
            insert_only: self.insert_only,
        }
    }
}

fn report_missing(table: Single) -> TableReport {
    TableReport {
        name: table.name,
        verdict: Verdict::MissingOnTarget,
        mismatches: Vec::new(),
        elapsed: Duration::ZERO,
    }
}

impl Shared {
    fn next_pair(&self) -> Option<Pair> {
        lock_mutex(&self.queue).pop_front()
    }

    /// The tables that no worker could take on.
    fn left_over(&self) -> Vec<Compared> {
        let queue = std::mem::take(&mut *lock_mutex(&self.queue));
        queue
            .into_iter()
            .map(|pair| {
                let reason = lock_mutex(&self.unreachable).clone();
                let reason =
                    reason.expect("the last worker leaves tables only when it cannot connect");
                pair.into_compared(Verdict::NotCompared(reason), Duration::ZERO)
            })
            .collect()
    }

    fn plan_reading(&self, pair: &Pair, half: &Half) -> Reading {
        let (rows, encoding) = (pair.render_rows(half), Literal(&self.encoding));
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
            settings: pair.render_settings(),
            identity: half.identity,
        }
    }
}

impl Pair {
    fn into_compared(self, verdict: Verdict, elapsed: Duration) -> Compared {
        let table = TableReport {
            name: self.name,
            verdict,
            mismatches: self.mismatches,
            elapsed,
        };
        let root = self.root;
        Compared { table, root }
    }
}

/// A worker: compares tables until there are none. One that cannot connect leaves the rest to the
/// others.
async fn run_worker(
    mut readers: Sides<TableReader>,
    shared: Arc<Shared>,
    scope: Scope,
) -> Result<(), Error> {
    while connect_both(&mut readers, &shared, &scope).await? {
        let Some(pair) = shared.next_pair() else {
            return Ok(());
        };
        let begin = Instant::now();
        let verdict;
        (verdict, readers) = read_both(readers, &shared, &pair, &scope).await;
        if scope.stop.is_cancelled() {
            return Err(Error::Stopped);
        }
        let compared = pair.into_compared(verdict, begin.elapsed());
        scope
            .events
            .emit(verified_event(&shared.database, &compared))
            .await;
        lock_mutex(&shared.done).push(compared);
    }
    Ok(())
}

/// Makes sure that both readers are connected; false, and noted, if one cannot be. Where a server has no
/// connection left, a worker beside others leaves its work to them, and the last one tries again.
async fn connect_both(
    readers: &mut Sides<TableReader>,
    shared: &Shared,
    scope: &Scope,
) -> Result<bool, Error> {
    let begin = Instant::now();
    loop {
        let Sides { source, target } = &mut *readers;
        let connected = tokio::select! {
            biased;
            () = scope.stop.cancelled() => return Err(Error::Stopped),
            connected = async { tokio::try_join!(source.ensure_connection(), target.ensure_connection()) } => connected,
        };
        let Err(error) = connected else {
            return Ok(true);
        };
        if !error.lacks_connection() || begin.elapsed() > CONNECTION_WAIT {
            lock_mutex(&shared.unreachable).get_or_insert_with(|| Arc::new(error));
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

fn verified_event(database: &str, compared: &Compared) -> Event {
    let report = &compared.table;
    let equal = match report.class(false) {
        Class::Equal => Some(true),
        // Where a partition's rows differ, the table is still to be settled.
        Class::Different => compared.root.is_none().then_some(false),
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
async fn read_both(
    readers: Sides<TableReader>,
    shared: &Shared,
    pair: &Pair,
    scope: &Scope,
) -> (Verdict, Sides<TableReader>) {
    let scope = scope.child();
    shared.wanted.begin_reading(&pair.name, &scope.stop);
    let readings = pair
        .halves
        .as_ref()
        .map(|half| shared.plan_reading(pair, half));
    let target = Background::spawn(digest_side(readers.target, readings.target, scope.clone()));
    let (one, source) = digest_side(readers.source, readings.source, scope).await;
    let (other, target) = target.join().await;
    let verdict = judge_contents(one, other, shared.wanted.end_reading(&pair.name));
    (verdict, Sides { source, target })
}

/// Digests one side; its error stops the other side.
async fn digest_side(
    mut reader: TableReader,
    reading: Reading,
    scope: Scope,
) -> (Result<Contents, Error>, TableReader) {
    let result = reader.digest_table(&reading, &scope).await;
    if result.is_err() {
        scope.stop.cancel();
    }
    (result, reader)
}

fn judge_contents(
    source: Result<Contents, Error>,
    target: Result<Contents, Error>,
    waiter: Option<Waiter>,
) -> Verdict {
    match (source, target, waiter) {
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
    }
}

//! Phases 5 to 13 of `init`.

use std::future::Future;
use std::time::Instant;

use crate::cluster::promise::{self, Promise};
use crate::cluster::run_lock::{LockKey, RunLocks};
use crate::ddl::cluster::database::{DatabaseOptions, render_create, render_finish};
use crate::ddl::cluster::membership::Assumption;
use crate::event::{Event, Note, Phase, RemovedReplication};
use crate::migrate::Options;
use crate::migrate::error::Error;
use crate::migrate::execute::database;
use crate::migrate::execute::fill::{failed, filled};
use crate::migrate::execute::publication::{self, Held};
use crate::migrate::execute::roles::{self};
use crate::migrate::execute::slot_guard::Foundation;
use crate::migrate::plan::replication::keys;
use crate::migrate::planned::{PlannedDatabase, Prepared};
use crate::migrate::record::{self, Record, Resume};
use crate::migrate::report::{DatabaseReport, KeptSlot, Report};
use crate::migrate::target_action::Fate;
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::Lsn;
use crate::snapshot::WatchedSlots;
use crate::task::Scope;

/// Carries out what [`prepare`](crate::migrate::plan::prepare()) planned. The user has agreed.
///
/// # Errors
/// The first phase that failed, or a lock, slot or publication of the run that was lost. Databases finished
/// before stay, with slot and publication; the one at hand is removed if this run has made it. Of it and
/// those to come no slot, publication, session or lock remains.
///
/// # Panics
/// The findings of `prepared` refuse the run.
pub async fn execute(
    prepared: Prepared,
    options: &Options,
    scope: &Scope,
) -> Result<Report, Error> {
    assert_eq!(
        prepared.errors(),
        0,
        "refused findings end a run before it begins"
    );
    let begun = Instant::now();
    // First of all: nothing that another run may be at is even looked at again.
    let foundation = Foundation {
        locks: take_locks(&prepared.databases, options).await?,
        slots: WatchedSlots::default(),
    };
    let is_kept = |planned: &PlannedDatabase| matches!(planned.fate, Fate::Keep { .. });
    let (kept, mut planned): (Vec<_>, Vec<_>) = prepared.databases.into_iter().partition(is_kept);
    for planned in &mut planned {
        planned.slots = foundation.slots.clone();
    }
    let promises: Vec<Promise> = kept.iter().filter_map(|one| one.promise.clone()).collect();
    for promise in &promises {
        foundation.slots.add(&promise.slot);
    }
    let cluster = prepared.cluster;
    let cluster = cluster.expect("a plan without errors has read the roles");
    let mut report = Report {
        kept: kept.iter().map(|one| one.name().to_owned()).collect(),
        ..Report::default()
    };
    let context = RunContext {
        cluster: &cluster,
        foundation: &foundation,
        options,
    };
    let todo = Todo {
        planned,
        promises,
        resume: prepared.resume,
    };
    let done = Box::pin(run_guarded(todo, context, &mut report, scope)).await;
    foundation.locks.release().await;
    done?;
    report.elapsed = begun.elapsed();
    Ok(report)
}

/// What the parts of a run share.
#[derive(Clone, Copy)]
struct RunContext<'a> {
    cluster: &'a TargetCluster,
    foundation: &'a Foundation,
    options: &'a Options,
}

/// What a run is to do.
struct Todo {
    planned: Vec<PlannedDatabase>,
    /// What must stay true of the databases that it keeps.
    promises: Vec<Promise>,
    resume: Option<Resume>,
}

/// Takes the locks of a run on both sides, also for databases that it only keeps.
async fn take_locks(databases: &[PlannedDatabase], options: &Options) -> Result<RunLocks, Error> {
    let keys = databases.iter().map(|one| keys(options, &one.database));
    let (on_source, on_target): (Vec<_>, Vec<_>) = keys.unzip();
    let on_source: Vec<LockKey> = on_source.into_iter().flatten().collect();
    let mut locks = RunLocks::default();
    locks.take_source(&options.source, &on_source).await?;
    locks.take_target(&options.target, &on_target).await?;
    Ok(locks)
}

/// All that writes, from the publications on. Ends with a look at everything that the run promises.
async fn run_guarded(
    todo: Todo,
    context: RunContext<'_>,
    report: &mut Report,
    scope: &Scope,
) -> Result<(), Error> {
    let Todo {
        mut planned,
        mut promises,
        resume,
    } = todo;
    let (cluster, options) = (context.cluster, context.options);
    let assumption = cluster.assume();
    let lent = record::lent(&assumption, &cluster.options.target.connected_as);
    let adopted = options.replication.adopt.as_ref();
    let record = Record::begin(resume, &planned, (lent, adopted))?;
    let tag = record.tag();
    let mut held = Vec::new();
    let guard = scope.child();
    let work = async {
        if options.replicate {
            let publishing = publication::publish(&mut planned, &tag, (options, &mut held), &guard);
            phase(&guard, None, Phase::Publication, publishing).await?;
        } else {
            held.resize_with(planned.len(), || None);
        }
        let place = (cluster, &record, &assumption);
        Box::pin(copy_all((planned, &held), place, options, report, &guard)).await
    };
    let foundation = context.foundation;
    let despite_stop = &options.despite_stop();
    let mut done = foundation.guard(options, &guard, Box::pin(work)).await;
    if done.is_ok() {
        promises.extend(finished(&held, report).map(|(held, point)| held.promise(point, true)));
        done = keep_promises(&promises, foundation, despite_stop).await;
    }
    if let Err(error) = &done {
        let remains = Remains {
            held: &held,
            finished: report.databases.len(),
            promises: &promises,
        };
        clean_up(remains, error, despite_stop, scope).await;
    }
    done
}

/// What was copied, with its consistent point.
fn finished<'a>(
    held: &'a [Option<Held>],
    report: &'a Report,
) -> impl Iterator<Item = (&'a Held, Option<Lsn>)> {
    let databases = report.databases.iter().map(|one| one.consistent_point);
    let pairs = held.iter().zip(databases);
    pairs.filter_map(|(held, point)| Some((held.as_ref()?, point)))
}

/// The last act of a run: each promise is looked at on the servers.
async fn keep_promises(
    promises: &[Promise],
    foundation: &Foundation,
    options: &Options,
) -> Result<(), Error> {
    for promise in promises {
        promise::must_hold(promise, options.servers()).await?;
    }
    Ok(foundation.locks.verify().await?)
}

/// What a failed run has on the source.
struct Remains<'a> {
    held: &'a [Option<Held>],
    /// How many of them are of databases that are copied whole.
    finished: usize,
    promises: &'a [Promise],
}

/// Takes back what serves no more, and says what stays.
async fn clean_up(remains: Remains<'_>, error: &Error, options: &Options, scope: &Scope) {
    let held = remains.held;
    let (finished, open) = held.split_at(remains.finished.min(held.len()));
    publication::withdraw(open.iter().flatten(), scope).await;
    let lost = error.lost_slot();
    let is_held = |promise: &&Promise| held.iter().flatten().any(|one| *one.slot() == promise.slot);
    let kept = remains.promises.iter().filter(|one| !is_held(one));
    for promise in kept.filter(|promise| lost == Some(&promise.slot)) {
        publication::give_up(promise, options, scope).await;
    }
    for held in finished.iter().flatten() {
        let broken = is_broken(held, remains.promises, options);
        let (database, slot) = (held.database().to_owned(), held.slot().clone());
        let note = if lost == Some(held.slot()) || broken.await {
            publication::withdraw(std::iter::once(held), scope).await;
            Note::ReplicationRemoved(RemovedReplication {
                database,
                slot,
                publication: held.publication().clone(),
            })
        } else {
            Note::SlotRemains { database, slot }
        };
        scope.events.emit(Event::Note(note)).await;
    }
}

/// Whether a finished database cannot be followed any more. What cannot be asked is left as it is.
async fn is_broken(held: &Held, promises: &[Promise], options: &Options) -> bool {
    let mut promises = promises.iter();
    let Some(promise) = promises.find(|one| one.database == held.database()) else {
        return false;
    };
    matches!(promise::check(promise, options.servers()).await, Ok(broken) if !broken.is_empty())
}

/// The phases after the publications. What is finished is in the report, also after an error.
async fn copy_all(
    (planned, held): (Vec<PlannedDatabase>, &[Option<Held>]),
    (cluster, record, assumption): (&TargetCluster, &Record, &Assumption),
    options: &Options,
    report: &mut Report,
    scope: &Scope,
) -> Result<(), Error> {
    let making = async {
        let differences = roles::make(cluster, options).await?;
        roles::act(&assumption.grants, options).await?;
        Ok::<_, Error>(differences)
    };
    let working = async {
        report.differences = phase(scope, None, Phase::Roles, making).await?;
        let planned = planned.into_iter().zip(held);
        Box::pin(databases(
            planned,
            (cluster, record),
            options,
            report,
            scope,
        ))
        .await
    };
    let done = Box::pin(working).await;
    // Also after a failure: nobody wants to stay a member of everyone.
    let giving_back = record.give_back(cluster, assumption);
    let ended = roles::act(&giving_back, &options.despite_stop()).await;
    let ended = ended.and_then(|()| record.given_back());
    done?;
    ended
}

async fn databases(
    planned: impl Iterator<Item = (PlannedDatabase, &Option<Held>)>,
    place: (&TargetCluster, &Record),
    options: &Options,
    report: &mut Report,
    scope: &Scope,
) -> Result<(), Error> {
    for (planned, held) in planned {
        let done = one_database((planned, held.as_ref()), place, options, scope).await?;
        if let Some(held) = held {
            report.slots.push(KeptSlot {
                database: held.database().to_owned(),
                slot: held.slot().clone(),
            });
        }
        report.databases.push(done);
    }
    Ok(())
}

/// Emits the beginning and the end of a phase around work.
pub(crate) async fn phase<T, E>(
    scope: &Scope,
    database: Option<&str>,
    phase: Phase,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let database = database.map(str::to_owned);
    let begun = Instant::now();
    scope
        .events
        .emit(Event::PhaseStarted {
            database: database.clone(),
            phase,
        })
        .await;
    let done = work.await?;
    let elapsed = begun.elapsed();
    scope
        .events
        .emit(Event::PhaseFinished {
            database,
            phase,
            elapsed,
        })
        .await;
    Ok(done)
}

async fn one_database(
    (mut planned, held): (PlannedDatabase, Option<&Held>),
    (cluster, record): (&TargetCluster, &Record),
    options: &Options,
    scope: &Scope,
) -> Result<DatabaseReport, Error> {
    if scope.stop.is_cancelled() {
        return Err(Error::Stopped);
    }
    let begun = Instant::now();
    let name = planned.name().to_owned();
    let wanted = DatabaseOptions {
        name: planned.target(),
        locale: options.cluster.locale.as_deref(),
        existing: planned.existing.as_ref(),
        script: &cluster.options,
    };
    let create = render_create(&planned.database, wanted)?;
    let finish = render_finish(&planned.database, wanted);
    planned.record = record.clone();
    let filling = filled(&mut planned, &create, cluster, options, scope);
    let (oid, done, recorded) = Box::pin(filling).await?;
    let finishing = async {
        let refused =
            database::finish(&options.target.despite_stop(), &name, &finish.statements).await?;
        finish_replication((held, done.consistent_point), record, options).await?;
        Ok::<_, Error>(refused)
    };
    let refused = match finishing.await {
        Ok(refused) => refused,
        Err(error) => return Err(failed(&planned, oid, options, error.into()).await),
    };
    if let Some(recorded) = recorded {
        let (tables, point) = (done.tables.len(), done.consistent_point);
        recorded.finish(tables, done.rows(), point).await?;
    }
    let mut differences = done.differences;
    let omissions = finish.omissions.iter().chain(&refused);
    differences.extend(omissions.map(ToString::to_string));
    Ok(DatabaseReport {
        elapsed: begun.elapsed(),
        differences,
        ..done
    })
}

/// Looks whether the database can be followed from its consistent point, and says so in its mark. All of
/// this comes before it counts as finished.
async fn finish_replication(
    (held, point): (Option<&Held>, Option<Lsn>),
    record: &Record,
    options: &Options,
) -> Result<(), Error> {
    let Some(held) = held else {
        return Ok(());
    };
    let promise = held.promise(point, false);
    promise::must_hold(&promise, options.servers()).await?;
    held.complete().await?;
    record.published(&promise)
}

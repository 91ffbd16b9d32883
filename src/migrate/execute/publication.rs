//! The publications of a run, and their removal: the publication in every database of the source. What is created
//! here is taken back unless the copy of that database ends well.

use crate::migrate::replication::Replication;
use crate::migrate::replication::Whose;
use crate::migrate::replication::ways_out;
use std::sync::Arc;

use crate::cluster::promise::Promise;
use crate::connect::locks::LockMode;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::event::{Event, Note, RemovedReplication, Warning};
use crate::logical::{
    self, Definition, FoundPublication, Mark, PublishError, Publisher, RunTag, Seconds,
};
use crate::migrate::error::Error;
use crate::migrate::execute::execution::Execution;
use crate::migrate::options::Options;
use crate::migrate::planned::PlannedDatabase;
use crate::migrate::repeats::Repeats;
use crate::pg::Side;
use crate::pg::{Ident, Lsn, SlotName};
use crate::remedy::Remedy;
use crate::task::Scope;

/// A publication of this run, or one that serves it.
#[derive(Debug)]
pub(crate) struct Held {
    source: Endpoint,
    replication: Replication,
    tag: RunTag,
    /// None until it is created or found, and as long as a slot of our name may be somebody else's.
    publisher: Option<Arc<Publisher>>,
}

impl Held {
    /// The slot that goes with it.
    pub(crate) fn slot(&self) -> &SlotName {
        &self.replication.slot
    }

    /// Whether the slot is a failover slot.
    pub(crate) fn is_failover(&self) -> bool {
        self.replication.is_failover
    }

    /// Returns what keeps the publication equal to the locked tables.
    pub(crate) fn publisher(&self) -> Option<Arc<Publisher>> {
        self.publisher.clone()
    }

    /// The source's database.
    pub(crate) fn database(&self) -> &str {
        self.source.database()
    }

    /// The publication's name.
    pub(crate) fn publication(&self) -> &Ident {
        &self.replication.publishing.name
    }

    /// The names of the publications with the published tables.
    pub(crate) fn publications(&self) -> Vec<Ident> {
        let listed = self.publisher.as_ref().map(|publisher| publisher.listed());
        let second = listed.is_some_and(|listed| !listed.insert_only.is_empty());
        let second = second.then(|| logical::inserts_name(self.publication()));
        let first = self.publication().clone();
        std::iter::once(first).chain(second).collect()
    }

    /// What is promised of the database once it is copied.
    pub(crate) fn promise(&self, point: Option<Lsn>, complete: bool) -> Promise {
        let publisher = self.publisher.as_ref();
        let mark = publisher.and_then(|publisher| publisher.mark());
        Promise {
            database: self.database().to_owned(),
            target: self.replication.target.clone(),
            slot: self.slot().clone(),
            point,
            publication: self.publication().clone(),
            run: mark.map(|mark| mark.name().to_owned()),
            listed: publisher.map(|publisher| publisher.listed()),
            complete,
        }
    }

    /// Notes on the publication that its copy has ended well.
    ///
    /// # Errors
    /// The source refused.
    pub(crate) async fn mark_complete(&self, point: Option<Lsn>) -> Result<(), Error> {
        let Some(publisher) = &self.publisher else {
            return Ok(());
        };
        let side = Side::Source;
        let session = self.source.despite_stop().session(Purpose::Control).await;
        let session = session.map_err(Error::connect(side))?;
        let done = publisher.complete(&session, point).await;
        done.map_err(|source| self.refused(source))
    }

    fn foreign(&self, publication: &Ident, differences: String, remedies: Vec<Remedy>) -> Error {
        Error::ForeignPublication {
            publication: publication.clone(),
            database: self.database().to_owned(),
            differences,
            remedies,
        }
    }

    fn refused(&self, source: connect::Error) -> Error {
        Error::Publication {
            publication: Box::new(self.publication().clone()),
            database: self.database().to_owned(),
            source,
        }
    }
}

/// Creates the publications of all databases that are to replicate and puts them into `held`, with `None`
/// for others. After a refusal nothing of them remains.
///
/// # Errors
/// A server refused a statement, a table has lost its identity since the checks, what exists belongs to
/// another run, or the scope was stopped.
pub(crate) async fn publish_databases(
    planned: &[PlannedDatabase],
    execution: Execution<'_>,
    held: &mut Vec<Option<Held>>,
    scope: &Scope,
) -> Result<(), Error> {
    let tag = execution.record.tag();
    for database in planned {
        let Some(mut replication) = database.replication.clone() else {
            held.push(None);
            continue;
        };
        replication.ours.numbers.insert(tag.number.clone());
        let mut one = Held {
            source: execution.options.source.with_database(database.name()),
            replication,
            tag: tag.clone(),
            publisher: None,
        };
        let done = publish_one(&mut one, scope).await;
        held.push(Some(one));
        if let Err(error) = done {
            withdraw_all(held.iter().flatten(), scope).await;
            held.clear();
            return Err(error);
        }
    }
    Ok(())
}

async fn publish_one(held: &mut Held, scope: &Scope) -> Result<(), Error> {
    let side = Side::Source;
    let session = held.source.session(Purpose::Control).await;
    let session = session.map_err(Error::connect(side))?;
    // A statement may wait for a lock, and would continue to wait without us.
    let publish = Box::pin(publish_in(&session, held, scope));
    let published = scope.cancelling(session.request_cancel(), publish).await;
    published.unwrap_or(Err(Error::Stopped))
}

/// Creates one publication; again, where definitions change meanwhile.
async fn publish_in(session: &Session, held: &mut Held, scope: &Scope) -> Result<(), Error> {
    let source = held.source.clone();
    let what = format!(
        "locks to publish the tables of database {}",
        source.database()
    );
    let mut repeats = Repeats::new(&source, LockMode::ShareUpdateExclusive, what);
    loop {
        match publish_once(session, held, scope).await {
            Ok(()) => return Ok(()),
            Err(error) => repeats.after(error).await?,
        }
    }
}

async fn publish_once(session: &Session, held: &mut Held, scope: &Scope) -> Result<(), Error> {
    let name = held.publication().clone();
    let seconds = Seconds::of(&held.replication.publishing.insert_only);
    let found = logical::find_publication(session, &name, seconds).await;
    let mut found = found.map_err(|source| held.refused(source))?;
    if let Some(found) = &found {
        refuse_other_runs(held, found)?;
    }
    claim_slot(session, held, found.as_ref()).await?;
    if let Some(earlier) = found.take_if(|found| held.replication.owns(found)) {
        drop_slot_of(session, held, &earlier, scope).await?;
        let removed = logical::remove_publication(session, &earlier).await;
        removed.map_err(|source| held.refused(source))?;
    }
    let published = held.replication.load_published(session, None).await?;
    if let Some(blocked) = published.blocked.first() {
        return Err(Error::Unpublishable {
            database: held.database().to_owned(),
            blocked: Box::new(blocked.clone()),
        });
    }
    let wanted = Definition::new(&published, session.version());
    if !wanted.insert_only.is_empty() {
        clear_other_inserts(session, held, scope).await?;
    }
    let publishing = held.replication.publishing.clone();
    if let Some(found) = found {
        let differences = found.differences(&wanted);
        if differences.is_empty() {
            held.publisher = Some(Arc::new(Publisher::new(publishing, None)));
            return Ok(());
        }
        return Err(held.foreign(&name, differences.join("; "), Vec::new()));
    }
    let Replication {
        run, target, slot, ..
    } = &held.replication;
    let mut mark = Mark::new(
        run.clone(),
        held.tag.clone(),
        target,
        slot.as_str(),
        wanted.digest(),
    );
    mark.identities.clone_from(&published.identities);
    held.publisher = Some(Arc::new(Publisher::new(publishing, Some(mark.clone()))));
    let created = logical::create_publication(session, &name, &wanted, &mark).await;
    created.map_err(|error| {
        if let PublishError::Server(source) = error {
            return held.refused(source);
        }
        Error::NotPublished {
            publication: Box::new(name),
            database: held.database().to_owned(),
            source: Box::new(error),
        }
    })
}

/// Removes the publication of insert-only tables that an earlier run has left without the other, and refuses to
/// continue where it is somebody else's.
async fn clear_other_inserts(session: &Session, held: &Held, scope: &Scope) -> Result<(), Error> {
    let found = logical::find_other_inserts(session, held.publication()).await;
    let Some(found) = found.map_err(|source| held.refused(source))? else {
        return Ok(());
    };
    refuse_other_runs(held, &found)?;
    if !held.replication.owns(&found) {
        let differences = "was not created by this program".to_owned();
        return Err(held.foreign(&found.name, differences, Vec::new()));
    }
    drop_slot_of(session, held, &found, scope).await?;
    let removed = logical::remove_publication(session, &found).await;
    removed.map_err(|source| held.refused(source))
}

/// Refuses to continue where the publication is another run's.
fn refuse_other_runs(held: &Held, found: &FoundPublication) -> Result<(), Error> {
    let Some(mark) = &found.mark else {
        return Ok(());
    };
    let whose = held.replication.whose(mark);
    if whose == Whose::Ours {
        return Ok(());
    }
    let run = mark.describe();
    let differences = format!("is of {run}");
    Err(held.foreign(&found.name, differences, ways_out(whose, mark)))
}

/// Refuses to continue where a slot of our name is another run's.
async fn claim_slot(
    session: &Session,
    held: &Held,
    found: Option<&FoundPublication>,
) -> Result<(), Error> {
    let slot = logical::find_slot(session, held.slot()).await;
    let slot = slot.map_err(Error::examine(Side::Source))?;
    if slot.is_none() || held.replication.owns_slot(found) {
        return Ok(());
    }
    Err(Error::ForeignSlot {
        database: held.database().to_owned(),
        slot: held.slot().clone(),
    })
}

/// Drops the slot of an earlier run that had another name, such as that of an adopted one.
async fn drop_slot_of(
    session: &Session,
    held: &Held,
    earlier: &FoundPublication,
    scope: &Scope,
) -> Result<(), Error> {
    let slot = earlier.mark.as_ref().map(|mark| mark.slot.as_str());
    let slot = slot.filter(|slot| *slot != held.slot().as_str());
    let Some(slot) = slot.and_then(|slot| SlotName::new(slot).ok()) else {
        return Ok(());
    };
    let dropped = logical::drop_slot(session, &slot).await;
    if dropped.map_err(|source| held.refused(source))? {
        scope
            .events
            .emit(Event::Note(Note::SlotDropped { slot }))
            .await;
    }
    Ok(())
}

/// What became of the slot and the publication of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Withdrawal {
    /// Both were dropped.
    Removed,
    /// They are not this run's, or not any more.
    NotOurs,
    /// They could not be dropped; that is reported.
    Failed,
}

/// Drops slots and publications of databases whose copy has not ended well.
pub(crate) async fn withdraw_all(held: impl Iterator<Item = &Held>, scope: &Scope) {
    for held in held {
        withdraw(held, scope).await;
    }
}

/// Drops the slot and the publication of a database. What cannot be dropped is reported with what removes it.
pub(crate) async fn withdraw(held: &Held, scope: &Scope) -> Withdrawal {
    let Some(publisher) = &held.publisher else {
        return Withdrawal::NotOurs;
    };
    let error = match withdraw_one(held, publisher).await {
        Ok(withdrawal) => return withdrawal,
        Err(error) => error,
    };
    let remains = Warning::ReplicationRemains {
        database: held.database().to_owned(),
        slot: held.slot().clone(),
        publication: Some(held.publication().clone()),
        cause: error.to_string(),
    };
    scope.events.emit(Event::Warning(remains)).await;
    Withdrawal::Failed
}

/// Takes back the slot and the publication of a database that this run only keeps, since the slot serves no
/// more or must not stay.
pub(crate) async fn give_up(promise: &Promise, options: &Options, scope: &Scope) {
    let (database, slot) = (promise.database.clone(), promise.slot.clone());
    let warning = match remove_promised(promise, options).await {
        Ok(Withdrawal::NotOurs | Withdrawal::Failed) => return,
        Ok(Withdrawal::Removed) => Warning::ReplicationRemoved(RemovedReplication {
            database,
            slot,
            publication: promise.publication.clone(),
        }),
        Err(error) => Warning::ReplicationRemains {
            database,
            slot,
            publication: None,
            cause: error.to_string(),
        },
    };
    scope.events.emit(Event::Warning(warning)).await;
}

async fn remove_promised(
    promise: &Promise,
    options: &Options,
) -> Result<Withdrawal, connect::Error> {
    let endpoint = options.source.with_database(&promise.database);
    let session = endpoint.session(Purpose::Control).await?;
    let name = &promise.publication;
    let found = logical::find_publication(&session, name, Seconds::Marked).await?;
    if let Some(found) = &found
        && run_of(found) != promise.run.as_deref()
    {
        return Ok(Withdrawal::NotOurs);
    }
    let objects = RunObjects {
        slot: &promise.slot,
        publication: &promise.publication,
        run: promise.run.as_deref(),
    };
    drop_objects(&session, objects, found).await
}

async fn withdraw_one(held: &Held, publisher: &Publisher) -> Result<Withdrawal, connect::Error> {
    let session = held.source.despite_stop().session(Purpose::Control).await?;
    let name = held.publication();
    let found = logical::find_publication(&session, name, Seconds::Marked).await?;
    let own = publisher.mark();
    let run = own.as_ref().map(Mark::name);
    // Without our locks another run may have begun in our place: then the slot is its own, too.
    if let Some(found) = &found
        && found.mark.is_some()
        && run_of(found) != run
    {
        return Ok(Withdrawal::NotOurs);
    }
    let objects = RunObjects {
        slot: held.slot(),
        publication: held.publication(),
        run,
    };
    drop_objects(&session, objects, found).await
}

/// The name of the run that has marked a publication.
fn run_of(found: &FoundPublication) -> Option<&str> {
    found.mark.as_ref().map(Mark::name)
}

/// What a run has created on the source for a database.
#[derive(Clone, Copy)]
struct RunObjects<'a> {
    slot: &'a SlotName,
    publication: &'a Ident,
    /// The name of the run, if it has marked the publication.
    run: Option<&'a str>,
}

/// Drops a slot, and what was found of its publications if a run has created it; also the publication of insert-only
/// tables alone, if somebody has dropped the other.
async fn drop_objects(
    session: &Session,
    objects: RunObjects<'_>,
    found: Option<FoundPublication>,
) -> Result<Withdrawal, connect::Error> {
    logical::drop_slot(session, objects.slot).await?;
    let other = logical::find_other_inserts(session, objects.publication).await?;
    let other = other.filter(|other| run_of(other) == objects.run);
    let all = found.into_iter().chain(other);
    for found in all.filter(|found| found.mark.is_some()) {
        logical::remove_publication(session, &found).await?;
    }
    Ok(Withdrawal::Removed)
}

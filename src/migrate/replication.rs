//! Phase 4 of `init`, and its undoing: the publication in every database of the source. What is made
//! here is taken back unless the copy of that database ends well.

use std::collections::{BTreeMap, BTreeSet};

use super::prepare::PlannedDatabase;
use super::{Error, Options, Side};
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::event::Event;
use crate::logical::{
    self, Definition, FormerIdentity, FoundPublication, Judge, LoadError, Mark, PUBLICATION,
    Published, RunId,
};
use crate::pg::{QualifiedName, ReplicaIdentity, SlotName};
use crate::task::Scope;

/// What the replication of one database takes.
#[derive(Clone, Debug)]
pub(super) struct Replication {
    /// Between which clusters.
    pub(super) run: RunId,
    /// The target database's name.
    pub(super) target: String,
    /// The slot.
    pub(super) slot: SlotName,
    /// Tables that do not take part.
    pub(super) left_out: BTreeSet<QualifiedName>,
    /// Hypertables.
    pub(super) hypertables: BTreeSet<QualifiedName>,
    /// Whether tables without an identity get the whole row as one.
    pub(super) make_full: bool,
}

impl Replication {
    /// Whether a publication is this run's, from this attempt or an earlier one.
    pub(super) fn owns(&self, found: &FoundPublication) -> bool {
        let mark = found.mark.as_ref();
        mark.is_some_and(|mark| mark.is_of(&self.run, &self.target))
    }

    /// What is to be published of the session's database, once an earlier publication of this run is
    /// gone and identities are what they were.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub(super) async fn published(
        &self,
        session: &Session,
        found: Option<&FoundPublication>,
    ) -> Result<Published, Error> {
        let candidates = logical::load_candidates(session).await;
        let mut candidates = candidates.map_err(|error| match error {
            LoadError::Server(source) => Error::examine(Side::Source)(source),
            LoadError::Letter(source) => Error::Catalog {
                side: Side::Source,
                place: "tables".to_owned(),
                source: source.into(),
            },
        })?;
        let earlier = found.filter(|found| self.owns(found));
        let changed = earlier.and_then(|found| found.mark.as_ref());
        let changed = changed.iter().flat_map(|mark| &mark.identities);
        let changed: BTreeMap<QualifiedName, &FormerIdentity> =
            changed.map(|one| (one.table(), one)).collect();
        for candidate in &mut candidates {
            let former = changed.get(&candidate.name);
            if let Some(former) = former
                && candidate.identity == ReplicaIdentity::Full
            {
                // A key that serves then is not known now: such members of a tree are listed, too.
                candidate.identity = former.identity();
            }
        }
        Ok(logical::judge(
            &candidates,
            Judge {
                version: session.version(),
                left_out: &self.left_out,
                hypertables: &self.hypertables,
                make_full: self.make_full,
            },
        ))
    }
}

/// A publication of this run, or one that serves it.
#[derive(Debug)]
pub(super) struct Held {
    source: Endpoint,
    replication: Replication,
    /// The mark; none where the publication is somebody else's.
    mark: Option<Mark>,
}

impl Held {
    /// The slot that goes with it.
    pub(super) fn slot(&self) -> &SlotName {
        &self.replication.slot
    }

    /// The source's database.
    pub(super) fn database(&self) -> &str {
        self.source.database()
    }
}

/// Makes the publications of all databases that are to replicate; `None` for others. After a refusal
/// nothing of them stays.
///
/// # Errors
/// A server refused a statement, a table has lost its identity since the checks, or the scope was
/// stopped.
pub(super) async fn publish(
    planned: &mut [PlannedDatabase],
    options: &Options,
    scope: &Scope,
) -> Result<Vec<Option<Held>>, Error> {
    let mut held = Vec::new();
    for database in planned {
        let Some(replication) = database.replication.clone() else {
            held.push(None);
            continue;
        };
        let mut one = Held {
            source: options.source.with_database(database.name()),
            replication,
            mark: None,
        };
        match publish_one(&mut one, scope).await {
            Ok(identities) => {
                database.before.identities = identities;
                held.push(Some(one));
            }
            Err(error) => {
                held.push(Some(one));
                withdraw(&held, scope).await;
                return Err(error);
            }
        }
    }
    Ok(held)
}

/// Makes one publication; the identities that it has changed.
async fn publish_one(held: &mut Held, scope: &Scope) -> Result<Vec<FormerIdentity>, Error> {
    let side = Side::Source;
    let session = held.source.session(Purpose::Control).await;
    let session = session.map_err(|source| Error::Connect { side, source })?;
    tokio::select! {
        biased;
        done = publish_in(&session, held) => done,
        () = scope.stop.cancelled() => {
            // A statement may wait for a lock, and would go on to wait without us.
            if let Err(error) = session.canceller().cancel().await {
                tracing::debug!(%error, "a cancel request did not reach the server");
            }
            Err(Error::Stopped)
        }
    }
}

async fn publish_in(session: &Session, held: &mut Held) -> Result<Vec<FormerIdentity>, Error> {
    let database = held.source.database().to_owned();
    let wrap = |source| Error::Publication {
        database: database.clone(),
        source,
    };
    let replication = &held.replication;
    let mut found = logical::find_publication(session).await.map_err(wrap)?;
    if let Some(earlier) = found.take_if(|found| replication.owns(found)) {
        let removed = logical::remove_publication(session, &earlier).await;
        removed.map_err(wrap)?;
    }
    let published = replication.published(session, None).await?;
    if let Some(blocked) = published.blocked.first() {
        let blocked = Box::new(blocked.clone());
        return Err(Error::Unpublishable { database, blocked });
    }
    let wanted = Definition::new(&published, session.version());
    if let Some(found) = found {
        let differences = found.differences(&wanted);
        return if differences.is_empty() {
            Ok(Vec::new())
        } else {
            Err(Error::ForeignPublication {
                database,
                differences: differences.join("; "),
            })
        };
    }
    let (run, slot) = (replication.run.clone(), replication.slot.as_str());
    let mut mark = Mark::new(run, &replication.target, slot, wanted.digest());
    mark.identities.clone_from(&published.identities);
    held.mark = Some(mark.clone());
    let created = logical::create_publication(session, &wanted, &mark).await;
    created.map_err(wrap)?;
    Ok(published.identities)
}

/// Notes on a publication that its copy has ended well, and tells which tables it does not list: those
/// made meanwhile.
///
/// # Errors
/// The source refused.
pub(super) async fn complete(held: &Held, scope: &Scope) -> Result<(), Error> {
    let side = Side::Source;
    let database = held.source.database();
    let wrap = |source| Error::Publication {
        database: database.to_owned(),
        source,
    };
    let session = held.source.session(Purpose::Control).await;
    let session = session.map_err(|source| Error::Connect { side, source })?;
    if let Some(mark) = &held.mark {
        let marked = logical::mark_publication(&session, &mark.completed()).await;
        marked.map_err(wrap)?;
    }
    let found = logical::find_publication(&session).await.map_err(wrap)?;
    let published = held.replication.published(&session, None).await?;
    let wanted = Definition::new(&published, session.version());
    let differences = match found {
        Some(found) => found.differences(&wanted),
        None => vec!["is gone".to_owned()],
    };
    if !differences.is_empty() {
        let text = format!(
            "database {database}: publication {PUBLICATION} no longer fits, so that not every change \
             would be followed: it {}",
            differences.join("; ")
        );
        scope.events.emit(Event::Warning(text)).await;
    }
    Ok(())
}

/// Takes back slots and publications of databases whose copy has not ended well. What cannot be
/// removed is told with what removes it.
pub(super) async fn withdraw(held: &[Option<Held>], scope: &Scope) {
    for held in held.iter().flatten() {
        if let Err(error) = withdraw_one(held).await {
            let text = format!(
                "database {}: replication slot {} and publication {PUBLICATION} stay on the source, \
                 and the slot keeps its log: {error}; remove them with teardown",
                held.database(),
                held.slot()
            );
            scope.events.emit(Event::Warning(text)).await;
        }
    }
}

async fn withdraw_one(held: &Held) -> Result<(), connect::Error> {
    let session = held.source.session(Purpose::Control).await?;
    logical::drop_slot(&session, held.slot()).await?;
    let found = logical::find_publication(&session).await?;
    match found.filter(|found| held.replication.owns(found)) {
        Some(found) => logical::remove_publication(&session, &found).await,
        None => Ok(()),
    }
}

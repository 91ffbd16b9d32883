//! The publication of one database during a run. It is kept equal to the tables that are locked until the
//! slot is created. The slot decodes with the catalog of its own time, so
//! a table that is added to the publication later lacks the changes in between.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::candidate::{LoadError, load_candidates};
use super::definition::{Definition, Operations};
use super::error::PublishError;
use super::found::{FoundPublication, Seconds, find_publication};
use super::identity::{Judge, Published, judge};
use super::listed::ListedTables;
use super::mark::{Copied, FormerIdentity, Mark};
use super::publication::{add_tables, create_inserts, drop_tables, mark_publication, set_full};
use crate::connect::{self, Session};
use crate::pg::{Ident, Lsn, QualifiedName, ReplicaIdentity};
use crate::selection::RowFilter;

/// Attempts at a publication while tables come and go.
const ATTEMPTS: u32 = 20;

/// What of a database is published, and under which name.
#[derive(Clone, Debug)]
pub struct Publishing {
    /// The publication's name.
    pub name: Ident,
    /// Tables that do not take part.
    pub excluded: BTreeSet<QualifiedName>,
    /// Hypertables.
    pub hypertables: BTreeSet<QualifiedName>,
    /// Tables of which only `INSERT` and `TRUNCATE` are published.
    pub insert_only: BTreeSet<QualifiedName>,
    /// The filters of tables of which only some rows take part.
    pub filters: BTreeMap<QualifiedName, RowFilter>,
    /// Whether tables without an identity get `REPLICA IDENTITY FULL`.
    pub make_full: bool,
}

impl Publishing {
    /// Judges the tables of the session's database as if the identities in `changed` were what they were
    /// before.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub async fn judge(
        &self,
        session: &Session,
        changed: &[FormerIdentity],
    ) -> Result<Published, LoadError> {
        let mut candidates = load_candidates(session).await?;
        let changed: BTreeMap<QualifiedName, &FormerIdentity> =
            changed.iter().map(|one| (one.table(), one)).collect();
        for candidate in &mut candidates {
            if let Some(former) = changed.get(&candidate.name)
                && candidate.identity == ReplicaIdentity::Full
            {
                // A key that serves then is not known now: such members of a tree are listed, too.
                candidate.identity = former.identity();
            }
        }
        Ok(judge(
            &candidates,
            Judge {
                version: session.version(),
                excluded: &self.excluded,
                hypertables: &self.hypertables,
                insert_only: &self.insert_only,
                filters: &self.filters,
                make_full: self.make_full,
            },
        ))
    }
}

/// The publication of a run at work.
#[derive(Debug)]
pub struct Publisher {
    publishing: Publishing,
    current: Mutex<Current>,
}

#[derive(Clone, Debug)]
struct Current {
    /// None where the publication is somebody else's.
    mark: Option<Mark>,
    listed: ListedTables,
}

impl Publisher {
    /// A publication that exists; with this mark if it is ours.
    pub fn new(publishing: Publishing, mark: Option<Mark>) -> Self {
        let current = Current {
            mark,
            listed: ListedTables::default(),
        };
        Self {
            publishing,
            current: Mutex::new(current),
        }
    }

    fn lock_current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The publication's name.
    pub fn name(&self) -> &Ident {
        &self.publishing.name
    }

    /// The mark as it is now.
    pub fn mark(&self) -> Option<Mark> {
        self.lock_current().mark.clone()
    }

    /// The tables that were published when the slot was created.
    pub fn listed(&self) -> ListedTables {
        self.lock_current().listed.clone()
    }

    /// The identities that the run has changed, as they were.
    pub fn identities(&self) -> Vec<FormerIdentity> {
        let mark = &self.lock_current().mark;
        mark.as_ref()
            .map(|mark| mark.identities.clone())
            .unwrap_or_default()
    }

    /// Notes that the copy has ended well, and the consistent point of its rows.
    ///
    /// # Errors
    /// The server refused the statement.
    pub async fn complete(
        &self,
        session: &Session,
        point: Option<Lsn>,
    ) -> Result<(), connect::Error> {
        let Some(mark) = self.mark() else {
            return Ok(());
        };
        let listed = self.listed();
        let mark = mark.completed(point.map(|point| Copied::new(Some(point), &listed)));
        if let Some(found) = self.find(session).await? {
            mark_publication(session, &found, &mark).await?;
        }
        self.lock_current().mark = Some(mark);
        Ok(())
    }

    async fn find(&self, session: &Session) -> Result<Option<FoundPublication>, connect::Error> {
        let seconds = Seconds::of(&self.publishing.insert_only);
        find_publication(session, self.name(), seconds).await
    }

    /// Whether the publication lists exactly those of the locked tables that belong in it; then they are what
    /// the run has published. Newer tables are none of the snapshot's.
    ///
    /// # Errors
    /// A locked table may not be published, somebody else has changed the publication, or the server refused.
    pub async fn is_settled(
        &self,
        session: &Session,
        locked: &BTreeSet<QualifiedName>,
    ) -> Result<bool, PublishError> {
        let found = self.find_existing(session).await?;
        let former = self.identities();
        let published = self.publishing.judge(session, &former).await?;
        let mut blocked = published.blocked.iter();
        if let Some(blocked) = blocked.find(|one| locked.contains(&one.table)) {
            return Err(PublishError::Blocked(Box::new(blocked.clone())));
        }
        let wanted = Definition::new(&published, session.version());
        let altered = found.compare_filters(&wanted);
        if !altered.is_empty() {
            let differences = altered.join("; ");
            return Err(PublishError::Altered { differences });
        }
        let is_settled = Operations::BOTH.into_iter().all(|operations| {
            let has = found.definition().tables_of(operations);
            let wants = wanted.tables_of(operations);
            let mut lacks = wants.difference(&has);
            !lacks.any(|table| locked.contains(table)) && has.is_subset(&wants)
        });
        if is_settled {
            self.lock_current().listed = found.listed;
        }
        Ok(is_settled)
    }

    /// Adds tables that were created since, and removes those that are no longer to be published. A slot
    /// that exists by then is too old. None of our locks on tables may be held: a changed identity takes one
    /// that excludes them.
    ///
    /// # Errors
    /// Somebody else has changed the publication, or the server refused.
    pub async fn settle(&self, session: &Session) -> Result<(), PublishError> {
        for _ in 1..ATTEMPTS {
            match self.try_settle(session).await {
                // Nothing is locked: some may be gone, or have another name, by now.
                Err(error) if error.is_about_a_vanished_table() => {}
                done => return done,
            }
        }
        self.try_settle(session).await
    }

    async fn try_settle(&self, session: &Session) -> Result<(), PublishError> {
        let found = self.find_existing(session).await?;
        let former = self.identities();
        let mut published = self.publishing.judge(session, &former).await?;
        // Those matter only if the next snapshot shows them.
        for blocked in &published.blocked {
            published.tables.remove(&blocked.table);
            published.insert_only.remove(&blocked.table);
        }
        let wanted = Definition::new(&published, session.version());
        let Some(mark) = self.mark() else {
            let differences = found.differences(&wanted).join("; ");
            return Err(PublishError::Altered { differences });
        };
        let is_fresh = |one: &FormerIdentity| !former.iter().any(|old| old.table() == one.table());
        published.identities.retain(is_fresh);
        let change = Change {
            found: &found,
            wanted: &wanted,
            identities: &published.identities,
        };
        self.apply_differences(session, mark, change).await
    }

    /// The publication, if it is still what the run has created or found.
    async fn find_existing(&self, session: &Session) -> Result<FoundPublication, PublishError> {
        let found = self.find(session).await?;
        let found = found.ok_or(PublishError::Gone)?;
        let tag = |mark: &Option<Mark>| mark.as_ref().map(|mark| mark.name().to_owned());
        if tag(&found.mark) != tag(&self.mark()) {
            return Err(PublishError::Taken);
        }
        let odd = found.odd_options(session.version().has_publish_via_root());
        if odd.is_empty() {
            Ok(found)
        } else {
            let differences = odd.join("; ");
            Err(PublishError::Altered { differences })
        }
    }

    /// Changes the publication. The mark goes first: it is what knows the former identities.
    async fn apply_differences(
        &self,
        session: &Session,
        mut mark: Mark,
        change: Change<'_>,
    ) -> Result<(), PublishError> {
        mark.scope = change.wanted.digest();
        mark.identities.extend_from_slice(change.identities);
        mark_publication(session, change.found, &mark).await?;
        self.lock_current().mark = Some(mark.clone());
        if !change.wanted.insert_only.is_empty() && change.found.inserts.is_none() {
            create_inserts(session, self.name(), change.wanted.via_root, &mark).await?;
        }
        if !change.identities.is_empty() {
            set_full(session, change.identities).await?;
        }
        for operations in Operations::BOTH {
            let has = change.found.definition().tables_of(operations);
            let wants = change.wanted.tables_of(operations);
            let publication = operations.name_publication(self.name());
            let remove: BTreeSet<QualifiedName> = has.difference(&wants).cloned().collect();
            drop_tables(session, &publication, &remove).await?;
            let add: BTreeSet<QualifiedName> = wants.difference(&has).cloned().collect();
            add_tables(session, &publication, &add, &change.wanted.filters).await?;
        }
        Ok(())
    }
}

/// What is to be changed of a publication.
struct Change<'a> {
    found: &'a FoundPublication,
    wanted: &'a Definition,
    identities: &'a [FormerIdentity],
}

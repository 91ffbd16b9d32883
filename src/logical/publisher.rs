//! The publication of one database during a run. It is kept equal to the tables that are locked until the
//! slot is created. The slot decodes with the catalog of its own time, so
//! a table that is added to the publication later lacks the changes in between.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::candidate::{LoadError, load_candidates};
use super::definition::Definition;
use super::error::PublishError;
use super::found::{FoundPublication, find_publication};
use super::identity::{Judge, Published, judge};
use super::mark::{FormerIdentity, Mark};
use super::publication::{add_tables, drop_tables, mark_publication, set_full};
use crate::connect::{self, Session};
use crate::pg::{Ident, Oid, QualifiedName, ReplicaIdentity};
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
    tables: BTreeSet<Oid>,
    filters: BTreeMap<Oid, String>,
}

impl Publisher {
    /// A publication that exists; with this mark if it is ours.
    pub fn new(publishing: Publishing, mark: Option<Mark>) -> Self {
        let current = Current {
            mark,
            tables: BTreeSet::new(),
            filters: BTreeMap::new(),
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
    pub fn tables(&self) -> BTreeSet<Oid> {
        self.lock_current().tables.clone()
    }

    /// Digests of the filters of these tables, as the server holds them.
    pub fn filters(&self) -> BTreeMap<Oid, String> {
        self.lock_current().filters.clone()
    }

    /// The identities that the run has changed, as they were.
    pub fn identities(&self) -> Vec<FormerIdentity> {
        let mark = &self.lock_current().mark;
        mark.as_ref()
            .map(|mark| mark.identities.clone())
            .unwrap_or_default()
    }

    /// Notes that the copy has ended well.
    ///
    /// # Errors
    /// The server refused the statement.
    pub async fn complete(&self, session: &Session) -> Result<(), connect::Error> {
        let Some(mark) = self.mark() else {
            return Ok(());
        };
        let mark = mark.completed();
        mark_publication(session, self.name(), &mark).await?;
        self.lock_current().mark = Some(mark);
        Ok(())
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
        let has = &found.definition().tables;
        let lacks = published.tables.difference(has);
        let is_settled = lacks.filter(|table| locked.contains(*table)).count() == 0
            && has.is_subset(&published.tables);
        if is_settled {
            let mut current = self.lock_current();
            (current.tables, current.filters) = (found.oids, found.filter_digests);
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
        let found = find_publication(session, self.name()).await?;
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
        mark_publication(session, self.name(), &mark).await?;
        self.lock_current().mark = Some(mark);
        if !change.identities.is_empty() {
            set_full(session, change.identities).await?;
        }
        let (has, wants) = (&change.found.definition().tables, &change.wanted.tables);
        let add: BTreeSet<QualifiedName> = wants.difference(has).cloned().collect();
        let remove: BTreeSet<QualifiedName> = has.difference(wants).cloned().collect();
        drop_tables(session, self.name(), &remove).await?;
        add_tables(session, self.name(), &add, &change.wanted.filters).await
    }
}

/// What is to be changed of a publication.
struct Change<'a> {
    found: &'a FoundPublication,
    wanted: &'a Definition,
    identities: &'a [FormerIdentity],
}

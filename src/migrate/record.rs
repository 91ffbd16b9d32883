//! The record that a run keeps of what it does, for the run that continues after an interruption.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::checkpoint::{self, DatabasePair, Membership, MissingObject, Origin, Recorder, Store};
use crate::cluster::promise::Promise;
use crate::connect::Endpoint;
use crate::ddl::Kind;
use crate::ddl::cluster::{TemporaryMembership, TemporaryMemberships};
use crate::logical::RunTag;
use crate::migrate::error::Error;
use crate::migrate::missing_text::render_missing;
use crate::migrate::resume::{Resume, RunStart};
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::{Ident, Lsn, Oid, SlotName, Sql};
use crate::snapshot::Refused;

/// Lists the memberships that our role gets for the run.
pub(crate) fn granted_memberships(
    temporary: &TemporaryMemberships,
    member: &Ident,
) -> impl Iterator<Item = Membership> {
    temporary.memberships.iter().map(|loan| Membership {
        role: loan.role.as_str().to_owned(),
        member: member.as_str().to_owned(),
        before: loan.before,
    })
}

/// Lists what is missing, as it is recorded.
fn list_missing(refused: &Refused) -> BTreeSet<MissingObject> {
    let object = |kind: Kind, object: &String| MissingObject {
        kind: kind.name().to_owned(),
        object: object.clone(),
    };
    let refusals = refused.refusals.iter();
    let skipped = refused.skipped.iter();
    refusals
        .map(|one| object(one.kind, &one.object))
        .chain(skipped.map(|one| object(one.kind, &one.object)))
        .collect()
}

/// Where a run records what it does; a run of which nothing is to be recorded has an empty one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    store: Option<Arc<Store>>,
    /// What each database held when its journal was dropped.
    seals: Arc<Mutex<BTreeMap<DatabasePair, String>>>,
}

impl Record {
    /// Begins to record a run, if that is wanted.
    ///
    /// # Errors
    /// Another run has begun meanwhile, or the state cannot be written.
    pub(crate) fn begin_run(resume: Option<Resume>, start: &RunStart) -> Result<Self, Error> {
        let store = resume.map(|resume| resume.record_start(start));
        Ok(Self {
            store: store.transpose()?.map(Arc::new),
            seals: Arc::default(),
        })
    }

    /// Continues a finished run, whose databases are to be completed.
    ///
    /// # Errors
    /// The state cannot be written.
    pub(crate) fn continue_run(
        resume: Option<Resume>,
        memberships: impl Iterator<Item = Membership>,
    ) -> Result<Self, Error> {
        let store = resume.map(|resume| resume.record_memberships(memberships));
        Ok(Self {
            store: store.transpose()?.flatten().map(Arc::new),
            seals: Arc::default(),
        })
    }

    /// What ends all memberships that our role was granted temporarily, also by a run that was killed, as far as
    /// their roles exist.
    pub(crate) fn pending_revokes(
        &self,
        cluster: &TargetCluster,
        temporary: &TemporaryMemberships,
    ) -> Vec<Sql> {
        let mut revokes = temporary.revokes.clone();
        let unrevoked = self.store.iter().flat_map(|store| store.run().unrevoked);
        for membership in unrevoked {
            let member = Ident::from_catalog(membership.member);
            let loan = TemporaryMembership {
                role: Ident::from_catalog(membership.role),
                before: membership.before,
            };
            let end = loan.render_revoke(&member);
            let exists = |role| cluster.roles.roles.contains_key(role);
            if exists(&loan.role) && exists(&member) && !revokes.contains(&end) {
                revokes.push(end);
            }
        }
        revokes
    }

    /// Records that all that was granted temporarily is given back.
    pub(crate) fn record_revoked(&self) -> Result<(), Error> {
        if let Some(store) = &self.store {
            store.change(|run| run.unrevoked.clear())?;
        }
        Ok(())
    }

    /// Records that everything in the target's database from now on is ours.
    pub(crate) fn record_begun(
        &self,
        pair: &DatabasePair,
        oid: Oid,
        origin: Origin,
    ) -> Result<(), Error> {
        self.lock_seals().remove(pair);
        if let Some(store) = &self.store {
            store.change_database(pair, |database| database.begin(oid, origin))?;
            store.write_missing(pair, None)?;
        }
        Ok(())
    }

    /// What names this run in its marks.
    pub(crate) fn tag(&self) -> RunTag {
        let recorded = self.store.as_ref().and_then(|store| store.run().tag);
        recorded.unwrap_or_default()
    }

    /// Records the slot of a database at once: whoever is killed now leaves it.
    pub(crate) fn record_point(
        &self,
        pair: &DatabasePair,
        lsn: Lsn,
        slot: &SlotName,
    ) -> Result<(), Error> {
        if let Some(store) = &self.store {
            store.change_database(pair, |database| database.record_point(lsn, slot))?;
        }
        Ok(())
    }

    /// Records what is published of a database.
    pub(crate) fn record_published(&self, promise: &Promise) -> Result<(), Error> {
        if let Some(store) = &self.store {
            let pair = DatabasePair::new(&promise.database, &promise.target);
            let listed = promise.listed.clone().unwrap_or_default();
            store.change_database(&pair, |database| {
                database.publish(
                    promise.publication.as_str(),
                    promise.run.as_deref(),
                    &listed,
                );
            })?;
        }
        Ok(())
    }

    /// Records what the database holds, right before its journal is dropped.
    pub(crate) fn record_seal(&self, pair: &DatabasePair, seal: String) -> Result<(), Error> {
        self.lock_seals().insert(pair.clone(), seal.clone());
        if let Some(store) = &self.store {
            store.change_database(pair, |database| database.seal = Some(seal))?;
        }
        Ok(())
    }

    /// Records what is missing of a database, also in a file for people; returns its path, if there is one.
    pub(crate) fn record_missing(
        &self,
        pair: &DatabasePair,
        refused: Option<&Refused>,
    ) -> Result<Option<PathBuf>, Error> {
        let Some(store) = &self.store else {
            return Ok(None);
        };
        let missing = refused.map(list_missing).unwrap_or_default();
        store.change_database(pair, |database| database.missing = missing)?;
        let text = refused.map(|refused| render_missing(pair, refused));
        Ok(store.write_missing(pair, text.as_deref())?)
    }

    /// What the database held when this run dropped its journal.
    pub(crate) fn recorded_seal(&self, pair: &DatabasePair) -> Option<String> {
        self.lock_seals().get(pair).cloned()
    }

    fn lock_seals(&self) -> MutexGuard<'_, BTreeMap<DatabasePair, String>> {
        self.seals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that nothing of ours is on the target under this name.
    pub(crate) fn record_removed(&self, pair: &DatabasePair) -> Result<(), Error> {
        if let Some(store) = &self.store {
            store.change_database(pair, checkpoint::Database::forget)?;
        }
        Ok(())
    }

    /// Begins to record what happens within a database.
    pub(crate) async fn start_recorder(
        &self,
        pair: &DatabasePair,
        target: &Endpoint,
        stop: CancellationToken,
    ) -> Result<Option<Recorder>, Error> {
        let Some(store) = &self.store else {
            return Ok(None);
        };
        let store = Arc::clone(store);
        let recorder = Recorder::start(store, pair.clone(), target, stop).await?;
        Ok(Some(recorder))
    }
}

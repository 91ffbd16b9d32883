//! What an interrupted run has left, and the record that this one keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::catalog::cluster::Database;
use crate::checkpoint::{
    Chosen, DatabasePair, Decision, Deviation, Membership, Origin, Pair, Recorder, Run, Selection,
    SourceDatabase, Stage, Store, decide,
};
use crate::cluster::facts::ServerFacts;
use crate::cluster::finding::{Finding, Level};
use crate::cluster::promise::Promise;
use crate::connect::Endpoint;
use crate::ddl::cluster::membership::{Assumption, Loan};
use crate::logical::RunTag;
use crate::migrate::Options;
use crate::migrate::error::Error;
use crate::migrate::planned::PlannedDatabase;
use crate::migrate::replication::Ours;
use crate::migrate::target_action::Fate;
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::Side;
use crate::pg::{Ident, Lsn, Oid, SlotName, Sql};
use crate::remedy::Command;
use crate::selection::{DatabaseMap, TableChoice};
use crate::sql;

/// The state of earlier runs between the same clusters, held so that no other run changes it.
#[derive(Debug)]
pub(crate) struct Resume {
    root: PathBuf,
    pair: Pair,
    store: Option<Store>,
    run: Run,
    /// Databases that are recorded and that the source has no more.
    gone: Vec<DatabasePair>,
}

impl Resume {
    /// Reads what is recorded of these clusters, if a record is to be kept at all.
    ///
    /// # Errors
    /// Another run is at work, or the record cannot be used.
    pub(crate) fn find(
        options: &Options,
        (source, target): (&ServerFacts, &ServerFacts),
    ) -> Result<Option<Self>, Error> {
        let systems = (&source.system_identifier, &target.system_identifier);
        let (Some(state), (Some(source), Some(target))) = (&options.state, systems) else {
            return Ok(None);
        };
        let pair = Pair {
            source: source.clone(),
            target: target.clone(),
        };
        let store = Store::find(&state.root, &pair, state.resume)?;
        let run = store.as_ref().map(Store::run);
        Ok(Some(Self {
            root: state.root.clone(),
            run: run.unwrap_or_else(|| Run::new(pair.clone())),
            pair,
            store,
            gone: Vec::new(),
        }))
    }

    /// What the record says of a database, which `standing` is the target's one of that name.
    pub(crate) fn decide(
        resume: Option<&Self>,
        (database, target, selection): (&Database, &str, &Selection),
        standing: Option<&Database>,
    ) -> Interrupted {
        let pair = DatabasePair::new(database.name.as_str(), target);
        let recorded = resume.and_then(|one| one.run.resumed(&pair));
        let standing = standing.map(|standing| standing.oid);
        Interrupted {
            decision: decide(
                recorded,
                SourceDatabase {
                    oid: database.oid,
                    selection,
                },
                standing,
            ),
            seal: recorded.and_then(|recorded| recorded.seal.clone()),
        }
    }

    /// Copies to other databases of the target than this run's, which were begun and stay incomplete.
    fn elsewhere(&self, map: &DatabaseMap) -> Vec<Finding> {
        let begun = self.run.databases.iter().filter(|(pair, database)| {
            matches!(database.stage, Stage::Begun { .. }) && map.target(&pair.source) != pair.target
        });
        begun
            .map(|(pair, database)| {
                let [source, target] = [&pair.source, &pair.target].map(Ident::from_catalog);
                let slot = database.slot.as_ref().map_or_else(String::new, |slot| {
                    format!(", and its replication slot {slot} retains WAL on the source")
                });
                let message = format!(
                    "an interrupted run was copying it to database {target}, which stays incomplete{slot}"
                );
                let is_made = matches!(
                    &database.stage,
                    Stage::Begun {
                        origin: Origin::Made,
                        ..
                    }
                );
                let drop = is_made.then(|| {
                    let drop = sql!("DROP DATABASE {}", target);
                    format!("after that, run on the target: {};", drop.as_str()).into()
                });
                let finding = Finding::new(Level::Warning, Side::Target, message);
                finding
                    .in_database(source.as_str())
                    .remedy(pair.remedy("continue that copy", Command::Init))
                    .remedy(pair.remedy("remove it", Command::Teardown))
                    .with_remedies(drop)
            })
            .collect()
    }

    /// What distinguishes our own leftovers of a database from other runs'.
    pub(crate) fn ours(&self, database: &DatabasePair) -> Ours {
        let recorded = self.run.databases.get(database);
        Ours {
            numbers: self.run.numbers.clone(),
            is_old: self.store.is_some(),
            adopted: None,
            slot: recorded.and_then(|one| one.slot.clone()),
        }
    }

    /// What must be true of a database that the interrupted run has finished.
    pub(crate) fn promise(&self, database: &Database, options: &Options) -> Option<Promise> {
        let name = database.name.as_str();
        let target = options.map.target(name);
        let recorded = self.run.resumed(&DatabasePair::new(name, target))?;
        let slot = SlotName::new(recorded.slot.clone()?).ok()?;
        let is_finished = matches!(recorded.stage, Stage::Finished { .. });
        let usual = options.replication.publication.as_str();
        let publication = recorded.publication.as_deref().unwrap_or(usual);
        let is_recorded = recorded.publication.is_some();
        let tables = recorded.published.iter().map(|oid| Oid(*oid));
        (is_finished && options.replicate).then(|| Promise {
            database: name.to_owned(),
            target: target.to_owned(),
            slot,
            point: recorded.consistent_point,
            publication: Ident::from_catalog(publication),
            // Older versions had no numbers, and recorded no publication.
            run: match is_recorded {
                true => recorded.mark.clone(),
                false => Some(self.pair.id()),
            },
            tables: is_recorded.then(|| tables.collect()),
            complete: true,
        })
    }

    /// Looks for databases of the interrupted run that this one does not continue.
    pub(crate) fn left(
        &mut self,
        offered: &[Database],
        selected: &BTreeSet<Ident>,
        map: &DatabaseMap,
    ) -> Vec<Finding> {
        let names = self.run.databases.keys();
        let is_offered =
            |pair: &DatabasePair| offered.iter().any(|one| one.name.as_str() == pair.source);
        let (offered, gone): (Vec<_>, Vec<_>) = names.cloned().partition(is_offered);
        self.gone = gone;
        let is_selected =
            |pair: &DatabasePair| selected.iter().any(|one| one.as_str() == pair.source);
        let found = |pair: &DatabasePair, message: &str| {
            self.run.resumed(pair)?;
            let finding = Finding::new(Level::Note, Side::Target, message);
            let cure = "what the target has of it remains";
            Some(finding.in_database(&pair.source).remedy(cure))
        };
        let unselected = offered.iter().filter(|name| !is_selected(name));
        let unselected = unselected.filter_map(|name| {
            let message = "the interrupted run was to copy it, and it is not selected now";
            found(name, message)
        });
        let gone = self.gone.iter().filter_map(|name| {
            let message = "the interrupted run was to copy it, and the source has it no more";
            found(name, message)
        });
        let elsewhere = self.elsewhere(map);
        unselected.chain(gone).chain(elsewhere).collect()
    }

    /// Begins to keep the record: what is to be copied, and what our role is granted temporarily for that.
    ///
    /// # Errors
    /// Another run has begun meanwhile, or the state cannot be written.
    fn begin(self, begin: BeginRecord<'_>) -> Result<Record, Error> {
        let BeginRecord {
            planned,
            lent,
            adopted,
        } = begin;
        let store = match self.store {
            Some(store) => store,
            None => Store::create(&self.root, &self.pair)?,
        };
        store.change(|run| {
            run.begin();
            run.numbers.extend(adopted.map(str::to_owned));
            run.owed.extend(lent);
            run.databases.retain(|pair, _| !self.gone.contains(pair));
            run.set_aside(&planned.iter().map(PlannedDatabase::pair).collect());
            for one in planned {
                match one.fate {
                    Fate::Create | Fate::Use | Fate::Replace { .. } => {
                        run.plan(&one.pair(), one.database.oid, one.selection.clone());
                    }
                    // What is ours and exists there stays ours until it is gone.
                    Fate::Remake { oid, .. } => adopt_or_take_up(run, one, (oid, Origin::Made)),
                    Fate::Clear { oid, .. } => adopt_or_take_up(run, one, (oid, one.used())),
                    Fate::Keep { .. } => run.take_up(&one.pair()),
                }
            }
        })?;
        Ok(Record {
            store: Some(Arc::new(store)),
            seals: Arc::default(),
        })
    }
}

/// Records that a database is continued; of an adopted run that it has begun.
fn adopt_or_take_up(run: &mut Run, planned: &PlannedDatabase, (oid, origin): (Oid, Origin)) {
    let pair = planned.pair();
    let recorded = run.databases.get(&pair);
    let is_begun = |one: &crate::checkpoint::Database| matches!(&one.stage, Stage::Begun { target_oid, .. } if *target_oid == oid.0);
    if recorded.is_some_and(is_begun) {
        run.take_up(&pair);
        return;
    }
    run.plan(&pair, planned.database.oid, planned.selection.clone());
    let database = run.databases.get_mut(&pair);
    let database = database.expect("a database that was just planned");
    database.begin(oid, origin);
}

/// What an interrupted run has recorded of a database, as far as it counts.
pub(crate) struct Interrupted {
    pub(crate) decision: Decision,
    /// What the database held when its journal was dropped.
    pub(crate) seal: Option<String>,
}

/// What decides what of a database is copied, and how.
pub(crate) fn selection(options: &Options, choice: &TableChoice) -> Selection {
    let carried = &options.carried;
    let deviations = [
        (Deviation::SchemaOnly, options.schema_only),
        (
            Deviation::NoReplication,
            !options.replicate && !options.schema_only,
        ),
        (Deviation::NoOwners, !carried.owners),
        (Deviation::NoPrivileges, !carried.privileges),
        (Deviation::NoComments, !carried.comments),
        (Deviation::NoSecurityLabels, !carried.security_labels),
        (Deviation::NoTablespaces, !carried.tablespaces),
        (Deviation::ServiceObjects, !options.cluster.provider),
    ];
    let deviations = deviations.into_iter().filter(|(_, applies)| *applies);
    let roles = carried.role_map.olds().map(|old| Deviation::RoleMapped {
        from: old.as_str().to_owned(),
        to: carried.role_map.of(old).as_str().to_owned(),
    });
    let skipped = carried.skipped_extensions.iter();
    let skipped = skipped.map(|name| Deviation::ExtensionSkipped(name.as_str().to_owned()));
    let locale = options.cluster.locale.iter().cloned();
    Selection {
        tables: Chosen::from(choice),
        deviations: deviations
            .map(|(deviation, _)| deviation)
            .chain(roles)
            .chain(skipped)
            .chain(locale.map(Deviation::Locale))
            .collect(),
    }
}

/// The memberships that an assumption makes.
pub(crate) fn granted_memberships(
    assumption: &Assumption,
    member: &Ident,
) -> impl Iterator<Item = Membership> {
    assumption.loans.iter().map(|loan| Membership {
        role: loan.role.as_str().to_owned(),
        member: member.as_str().to_owned(),
        before: loan.before,
    })
}

/// What a run begins its record with.
pub(crate) struct BeginRecord<'a> {
    /// The databases that it copies.
    pub(crate) planned: &'a [PlannedDatabase],
    /// The memberships that its role is granted for the time of the run.
    pub(crate) lent: Vec<Membership>,
    /// The run that it adopts.
    pub(crate) adopted: Option<&'a str>,
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
    pub(crate) fn begin(resume: Option<Resume>, begin: BeginRecord<'_>) -> Result<Self, Error> {
        match resume {
            Some(resume) => resume.begin(begin),
            None => Ok(Self::default()),
        }
    }

    /// What ends all memberships that our role was granted temporarily, also by a run that was killed, as far as
    /// their roles exist.
    pub(crate) fn pending_revokes(
        &self,
        cluster: &TargetCluster,
        assumption: &Assumption,
    ) -> Vec<Sql> {
        let mut revokes = assumption.revokes.clone();
        let owed = self.store.iter().flat_map(|store| store.run().owed);
        for owed in owed {
            let member = Ident::from_catalog(owed.member);
            let loan = Loan {
                role: Ident::from_catalog(owed.role),
                before: owed.before,
            };
            let end = loan.render_end(&member);
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
            store.change(|run| run.owed.clear())?;
        }
        Ok(())
    }

    /// Records that everything in the target's database from now on is ours.
    pub(crate) fn record_begun(
        &self,
        planned: &PlannedDatabase,
        oid: Oid,
        origin: Origin,
    ) -> Result<(), Error> {
        self.lock_seals().remove(&planned.pair());
        if let Some(store) = &self.store {
            store.change_database(&planned.pair(), |database| database.begin(oid, origin))?;
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
        planned: &PlannedDatabase,
        lsn: Lsn,
        slot: &SlotName,
    ) -> Result<(), Error> {
        if let Some(store) = &self.store {
            store.change_database(&planned.pair(), |database| database.record_point(lsn, slot))?;
        }
        Ok(())
    }

    /// Records what is published of a database.
    pub(crate) fn record_published(&self, promise: &Promise) -> Result<(), Error> {
        if let Some(store) = &self.store {
            let pair = DatabasePair::new(&promise.database, &promise.target);
            let tables = promise.tables.iter().flatten().copied();
            store.change_database(&pair, |database| {
                database.publish(promise.publication.as_str(), promise.run.as_deref(), tables);
            })?;
        }
        Ok(())
    }

    /// Records what the database holds, right before its journal is dropped.
    pub(crate) fn record_seal(&self, planned: &PlannedDatabase, seal: String) -> Result<(), Error> {
        self.lock_seals().insert(planned.pair(), seal.clone());
        if let Some(store) = &self.store {
            store.change_database(&planned.pair(), |database| database.seal = Some(seal))?;
        }
        Ok(())
    }

    /// What the database held when this run dropped its journal.
    pub(crate) fn recorded_seal(&self, planned: &PlannedDatabase) -> Option<String> {
        self.lock_seals().get(&planned.pair()).cloned()
    }

    fn lock_seals(&self) -> MutexGuard<'_, BTreeMap<DatabasePair, String>> {
        self.seals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that nothing of ours is on the target under this name.
    pub(crate) fn record_removed(&self, planned: &PlannedDatabase) -> Result<(), Error> {
        if let Some(store) = &self.store {
            store.change_database(&planned.pair(), crate::checkpoint::Database::forget)?;
        }
        Ok(())
    }

    /// Begins to record what happens within a database.
    pub(crate) async fn start_recorder(
        &self,
        planned: &PlannedDatabase,
        target: &Endpoint,
        stop: CancellationToken,
    ) -> Result<Option<Recorder>, Error> {
        let Some(store) = &self.store else {
            return Ok(None);
        };
        let store = Arc::clone(store);
        let recorder = Recorder::start(store, planned.pair(), target, stop).await?;
        Ok(Some(recorder))
    }
}

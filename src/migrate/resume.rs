//! What an interrupted run has recorded, and what of it this run continues.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::catalog::cluster::Database;
use crate::checkpoint::{
    self, DatabasePair, Decision, Membership, MissingObject, Origin, Pair, Run, Selection,
    SourceDatabase, Stage, Store, decide,
};
use crate::cluster::RunInstant;
use crate::cluster::facts::ServerFacts;
use crate::cluster::finding::{Code, Finding, Level};
use crate::cluster::promise::Promise;
use crate::cluster::server::Cluster;
use crate::connect::Endpoint;
use crate::migrate::error::Error;
use crate::migrate::options::{Options, StateOptions};
use crate::migrate::replication::Ours;
use crate::pg::{Ident, Oid, Side, Sides, SlotName};
use crate::remedy::{Command, Remedy};
use crate::selection::DatabaseMap;
use crate::sql;

/// The state of earlier runs between the same clusters, held so that no other run changes it.
#[derive(Debug)]
pub(crate) struct Resume {
    root: PathBuf,
    pair: Pair,
    store: Option<Store>,
    run: Run,
    /// Databases that are recorded and no longer exist on the source.
    gone: Vec<DatabasePair>,
}

/// A database of the source as this run is to copy it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WantedDatabase<'a> {
    pub(crate) source: &'a Database,
    /// Its name on the target.
    pub(crate) target: &'a str,
    pub(crate) selection: &'a Selection,
}

/// Whose records of a database count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// That of the run to be resumed.
    ByInterruptedRun,
    /// Also that of a complete run.
    ByAnyRun,
}

impl Recorded {
    /// Whose records count for what a run is asked to do.
    pub(crate) const fn for_run(options: &Options) -> Self {
        match options.definitions_only {
            true => Self::ByAnyRun,
            false => Self::ByInterruptedRun,
        }
    }
}

/// What an interrupted run has recorded of a database, as far as it applies.
#[derive(Debug)]
pub(crate) struct Interrupted {
    pub(crate) decision: Decision,
    /// A digest of what the database held when its journal was dropped.
    pub(crate) seal: Option<String>,
    /// What is missing of a database that it has finished.
    pub(crate) missing: BTreeSet<MissingObject>,
    /// Whether any run has finished what exists without objects that the target had refused.
    pub(crate) is_completable: bool,
}

/// What a run records when it begins to write.
#[derive(Debug)]
pub(crate) struct RunStart {
    pub(crate) databases: Vec<DatabaseStart>,
    /// Memberships that our role gets for the run.
    pub(crate) memberships: Vec<Membership>,
    /// The run that this one adopts.
    pub(crate) adopted: Option<String>,
    /// The instant that its filters use as the current time.
    pub(crate) instant: Option<String>,
}

/// What a run records of one database when it begins to write.
#[derive(Debug)]
pub(crate) struct DatabaseStart {
    pub(crate) pair: DatabasePair,
    pub(crate) source_oid: Oid,
    pub(crate) selection: Selection,
    pub(crate) existing: Leftover,
}

/// What an interrupted run has left of a database on the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leftover {
    /// Nothing that counts: the database is copied from the beginning.
    Nothing,
    /// An incomplete copy, which is ours until it is removed.
    Begun {
        /// The target's database.
        oid: Oid,
        /// Whether the run had created it.
        origin: Origin,
    },
    /// A complete copy, which is kept.
    Finished,
}

impl Resume {
    /// Opens the record of these clusters, if the run keeps one and both clusters can be identified.
    ///
    /// # Errors
    /// Another run is at work, or the record cannot be used.
    pub(crate) fn open_state(
        state: Option<&StateOptions>,
        servers: Sides<&ServerFacts>,
    ) -> Result<Option<Self>, Error> {
        let systems = servers.map(|facts| facts.system_identifier.clone());
        let (Some(state), Some(source), Some(target)) = (state, systems.source, systems.target)
        else {
            return Ok(None);
        };
        let pair = Pair { source, target };
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

    /// Decides what the record means for a database; `existing` is the target's database of that name.
    pub(crate) fn decide_database(
        resume: Option<&Self>,
        wanted: WantedDatabase<'_>,
        existing: Option<&Database>,
        by: Recorded,
    ) -> Interrupted {
        let pair = DatabasePair::new(wanted.source.name.as_str(), wanted.target);
        let recorded = resume.and_then(|one| match by {
            Recorded::ByInterruptedRun => one.run.resumed(&pair),
            Recorded::ByAnyRun => one.run.databases.get(&pair),
        });
        let source = SourceDatabase {
            oid: wanted.source.oid,
            selection: wanted.selection,
        };
        let existing = existing.map(|existing| existing.oid);
        Interrupted {
            decision: decide(recorded, source, existing),
            seal: recorded.and_then(|recorded| recorded.seal.clone()),
            missing: recorded.map(|one| one.missing.clone()).unwrap_or_default(),
            is_completable: resume
                .and_then(|one| one.run.databases.get(&pair))
                .is_some_and(|one| !one.missing.is_empty() && one.target_oid() == existing),
        }
    }

    /// Returns what identifies our own leftovers of a database.
    pub(crate) fn identify_ours(&self, database: &DatabasePair) -> Ours {
        let recorded = self.run.databases.get(database);
        Ours {
            numbers: self.run.numbers.clone(),
            is_old: self.store.is_some(),
            adopted: None,
            slot: recorded.and_then(|one| one.slot.clone()),
        }
    }

    /// Returns the instant that the filters of the run to be continued use as the current time.
    pub(crate) fn recorded_instant(&self, by: Recorded) -> Option<RunInstant> {
        let is_continued = by == Recorded::ByAnyRun || !self.run.is_complete();
        let instant = self.run.instant.as_ref().filter(|_| is_continued);
        instant.map(RunInstant::recorded)
    }

    /// Returns what must be true of a database that the interrupted run has finished.
    pub(crate) fn recorded_promise(
        &self,
        database: &Database,
        options: &Options,
    ) -> Option<Promise> {
        let name = database.name.as_str();
        let target = options.map.target(name);
        let recorded = self.run.resumed(&DatabasePair::new(name, target))?;
        let is_finished = matches!(recorded.stage, Stage::Finished { .. });
        if !is_finished || !options.replicate {
            return None;
        }
        let is_recorded = recorded.publication.is_some();
        let usual = options.replication.publication.as_str();
        Some(Promise {
            database: name.to_owned(),
            target: target.to_owned(),
            slot: SlotName::new(recorded.slot.clone()?).ok()?,
            point: recorded.consistent_point,
            publication: Ident::from_catalog(recorded.publication.as_deref().unwrap_or(usual)),
            // Older versions had no numbers, and recorded no publication.
            run: match is_recorded {
                true => recorded.mark.clone(),
                false => Some(self.pair.id()),
            },
            listed: is_recorded.then(|| recorded.listed_tables()),
            complete: true,
        })
    }

    /// Finds databases of the interrupted run that this one does not continue.
    pub(crate) fn find_unselected(
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
            |pair: &&DatabasePair| selected.iter().any(|one| one.as_str() == pair.source);
        let unselected = offered.iter().filter(|pair| !is_selected(pair));
        let unselected = unselected.filter_map(|pair| {
            self.judge_discontinued(
                pair,
                "the interrupted run was to copy it, and it is not selected now",
            )
        });
        let gone = self.gone.iter().filter_map(|pair| {
            self.judge_discontinued(
                pair,
                "the interrupted run was to copy it, and the source no longer has it",
            )
        });
        unselected
            .chain(gone)
            .chain(self.judge_other_targets(map))
            .collect()
    }

    /// Reports a database that the interrupted run was to copy, unless its record no longer applies.
    fn judge_discontinued(&self, pair: &DatabasePair, message: &str) -> Option<Finding> {
        self.run.resumed(pair)?;
        let finding = Finding::new(Code::CopyDiscontinued, Level::Note, Side::Target, message);
        let finding = finding.in_database(&pair.source).about(&pair.target);
        Some(finding.remedy("what the target has of it remains"))
    }

    /// Reports incomplete copies into other databases of the target than this run's.
    fn judge_other_targets(&self, map: &DatabaseMap) -> impl Iterator<Item = Finding> {
        let begun = self.run.databases.iter().filter(|(pair, database)| {
            matches!(database.stage, Stage::Begun { .. }) && map.target(&pair.source) != pair.target
        });
        begun.map(|(pair, database)| judge_other_target(pair, database))
    }

    /// Continues a finished run: only the memberships that our role gets are recorded.
    ///
    /// # Errors
    /// The state cannot be written.
    pub(crate) fn record_memberships(
        self,
        memberships: impl Iterator<Item = Membership>,
    ) -> Result<Option<Store>, Error> {
        let Some(store) = self.store else {
            return Ok(None);
        };
        store.change(|run| run.unrevoked.extend(memberships))?;
        Ok(Some(store))
    }

    /// Records what is to be copied and which memberships our role gets for that.
    ///
    /// # Errors
    /// Another run has begun meanwhile, or the state cannot be written.
    pub(crate) fn record_start(self, start: &RunStart) -> Result<Store, Error> {
        let store = match self.store {
            Some(store) => store,
            None => Store::create(&self.root, &self.pair)?,
        };
        store.change(|run| {
            run.begin();
            run.instant.clone_from(&start.instant);
            run.numbers.extend(start.adopted.clone());
            run.unrevoked.extend(start.memberships.iter().cloned());
            run.databases.retain(|pair, _| !self.gone.contains(pair));
            let planned = start.databases.iter().map(|one| one.pair.clone());
            run.set_aside(&planned.collect());
            for database in &start.databases {
                database.record_in(run);
            }
        })?;
        Ok(store)
    }
}

/// Loads the instant that filters of the latest run between two servers use as the current time, if the state in this
/// folder records it.
///
/// # Errors
/// A server cannot be reached, or the state cannot be read.
pub async fn load_recorded_instant(
    servers: Sides<&Endpoint>,
    root: &Path,
) -> Result<Option<RunInstant>, Error> {
    let servers = Cluster::open_pair(servers).await?;
    let systems = servers
        .as_ref()
        .map(|server| server.system_identifier().map(str::to_owned));
    let (Some(source), Some(target)) = (systems.source, systems.target) else {
        return Ok(None);
    };
    let recorded = checkpoint::read_instant(root, &Pair { source, target })?;
    Ok(recorded.map(RunInstant::recorded))
}

impl DatabaseStart {
    fn record_in(&self, run: &mut Run) {
        match &self.existing {
            Leftover::Nothing => run.plan(&self.pair, self.source_oid, self.selection.clone()),
            Leftover::Begun { oid, origin } => self.record_begun(run, *oid, origin.clone()),
            Leftover::Finished => run.take_up(&self.pair),
        }
    }

    /// Records an incomplete copy: the interrupted run's own record is kept, an adopted run has none.
    fn record_begun(&self, run: &mut Run, oid: Oid, origin: Origin) {
        let recorded = run.databases.get(&self.pair);
        if recorded.is_some_and(|one| is_begun(one, oid)) {
            run.take_up(&self.pair);
            return;
        }
        run.plan(&self.pair, self.source_oid, self.selection.clone());
        let database = run.databases.get_mut(&self.pair);
        let database = database.expect("a database that was just planned");
        database.begin(oid, origin);
    }
}

fn is_begun(recorded: &checkpoint::Database, oid: Oid) -> bool {
    matches!(&recorded.stage, Stage::Begun { target_oid, .. } if *target_oid == oid.0)
}

/// Reports an incomplete copy, with the ways to continue and to remove it.
fn judge_other_target(pair: &DatabasePair, recorded: &checkpoint::Database) -> Finding {
    let [source, target] = [&pair.source, &pair.target].map(Ident::from_catalog);
    let slot = recorded.slot.as_ref().map_or_else(String::new, |slot| {
        format!(", and its replication slot {slot} retains WAL on the source")
    });
    let message = format!(
        "an interrupted run was copying it to database {target}, which stays incomplete{slot}"
    );
    let is_made = matches!(
        &recorded.stage,
        Stage::Begun {
            origin: Origin::Made,
            ..
        }
    );
    let teardown = pair.remedy("remove it", Command::Teardown);
    let remove = match is_made {
        true => Remedy::Steps(vec![
            teardown,
            Remedy::RunOn(Side::Target, sql!("DROP DATABASE {}", target)),
        ]),
        false => teardown,
    };
    Finding::new(Code::CopyElsewhere, Level::Warning, Side::Target, message)
        .in_database(source.as_str())
        .about(&target)
        .remedy(pair.remedy("continue that copy", Command::Init))
        .remedy(remove)
}

//! What an interrupted run has left, and the record that this one keeps.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::check::{Finding, Level, ServerFacts, Side};
use super::fate::Fate;
use super::prepare::PlannedDatabase;
use super::promise::Promise;
use super::replication::Ours;
use super::roles::TargetCluster;
use super::{Error, Options};
use crate::catalog::cluster::Database;
use crate::checkpoint::{
    Chosen, Decision, Membership, Origin, Pair, Recorder, Run, Selection, Stage, Store, decide,
};
use crate::connect::Endpoint;
use crate::ddl::object::membership::{Assumption, Loan};
use crate::logical::RunTag;
use crate::pg::{Ident, Oid, SlotName, Sql};
use crate::selection::TableChoice;

/// The state of earlier runs between the same clusters, held so that no other run changes it.
#[derive(Debug)]
pub(super) struct Resume {
    root: PathBuf,
    pair: Pair,
    store: Option<Store>,
    run: Run,
    /// Databases that are recorded and that the source has no more.
    gone: Vec<String>,
}

impl Resume {
    /// Reads what is recorded of these clusters, if a record is to be kept at all.
    ///
    /// # Errors
    /// Another run is at work, or the record cannot be used.
    pub(super) fn find(
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
    pub(super) fn decide(
        resume: Option<&Self>,
        (database, selection): (&Database, &Selection),
        standing: Option<&Database>,
    ) -> Decision {
        let recorded = resume.and_then(|one| one.run.resumed(database.name.as_str()));
        let standing = standing.map(|standing| standing.oid);
        decide(recorded, (database.oid, selection), standing)
    }

    /// What tells our own leftovers of a database from other runs'.
    pub(super) fn ours(&self, database: &str) -> Ours {
        let recorded = self.run.databases.get(database);
        Ours {
            numbers: self.run.numbers.clone(),
            is_old: self.store.is_some(),
            adopted: None,
            slot: recorded.and_then(|one| one.slot.clone()),
        }
    }

    /// What must be true of a database that the interrupted run has finished.
    pub(super) fn promise(&self, database: &Database, options: &Options) -> Option<Promise> {
        let name = database.name.as_str();
        let recorded = self.run.resumed(name)?;
        let slot = SlotName::new(recorded.slot.clone()?).ok()?;
        let is_finished = matches!(recorded.stage, Stage::Finished { .. });
        let usual = options.replication.publication.as_str();
        let publication = recorded.publication.as_deref().unwrap_or(usual);
        let is_recorded = recorded.publication.is_some();
        let tables = recorded.published.iter().map(|oid| Oid(*oid));
        (is_finished && options.replicate).then(|| Promise {
            database: name.to_owned(),
            target: options.map.target(name).to_owned(),
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

    /// Looks for databases of the interrupted run that this one does not go on with.
    pub(super) fn left(
        &mut self,
        offered: &[Database],
        selected: &BTreeSet<Ident>,
    ) -> Vec<Finding> {
        let names = self.run.databases.keys();
        let is_offered = |name: &&String| offered.iter().any(|one| one.name.as_str() == *name);
        let (offered, gone): (Vec<_>, Vec<_>) = names.cloned().partition(|name| is_offered(&name));
        self.gone = gone;
        let is_selected = |name: &String| selected.iter().any(|one| one.as_str() == name);
        let found = |name: &String, message: &str| {
            self.run.resumed(name)?;
            let finding = Finding::new(Level::Note, Side::Target, message);
            let cure = "whatever the target has of it stays";
            Some(finding.in_database(name).cure(cure))
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
        unselected.chain(gone).collect()
    }

    /// Begins to keep the record: what is to be copied, and what our role is lent for that.
    ///
    /// # Errors
    /// Another run has begun meanwhile, or the state cannot be written.
    fn begin(
        self,
        planned: &[PlannedDatabase],
        (lent, adopted): (impl Iterator<Item = Membership>, Option<&String>),
    ) -> Result<Record, Error> {
        let store = match self.store {
            Some(store) => store,
            None => Store::create(&self.root, &self.pair)?,
        };
        store.change(|run| {
            run.begin();
            run.numbers.extend(adopted.cloned());
            run.owed.extend(lent);
            run.databases.retain(|name, _| !self.gone.contains(name));
            for one in planned {
                match one.fate {
                    Fate::Create | Fate::Use | Fate::Replace { .. } => {
                        run.plan(one.name(), one.database.oid, one.selection.clone());
                    }
                    // What is ours and stands there stays ours until it is gone.
                    Fate::Remake { .. } | Fate::Clear { .. } | Fate::Keep { .. } => {}
                }
            }
        })?;
        Ok(Record(Some(Arc::new(store))))
    }
}

/// What decides what of a database is copied, and how.
pub(super) fn selection(options: &Options, choice: &TableChoice) -> Selection {
    let carried = &options.carried;
    let plain = [
        ("--schema-only", options.schema_only),
        ("--no-sync", !options.replicate && !options.schema_only),
        ("--no-owner", !carried.owners),
        ("--no-privileges", !carried.privileges),
        ("--no-comments", !carried.comments),
        ("--no-security-labels", !carried.security_labels),
        ("--no-tablespaces", !carried.tablespaces),
        ("--provider none", !options.cluster.provider),
    ];
    let plain = plain.into_iter().filter(|(_, given)| *given);
    let map = carried.role_map.olds().map(|old| {
        let new = carried.role_map.of(old);
        format!("--role-map {old}={new}")
    });
    let skipped = carried.skipped_extensions.iter();
    let locale = options.cluster.locale.iter();
    Selection {
        tables: Chosen::from(choice),
        flags: plain
            .map(|(flag, _)| flag.to_owned())
            .chain(map)
            .chain(skipped.map(|name| format!("--skip-extensions {name}")))
            .chain(locale.map(|name| format!("--locale {name}")))
            .collect(),
    }
}

/// The memberships that an assumption makes.
pub(super) fn lent(assumption: &Assumption, member: &Ident) -> impl Iterator<Item = Membership> {
    assumption.loans.iter().map(|loan| Membership {
        role: loan.role.as_str().to_owned(),
        member: member.as_str().to_owned(),
        before: loan.before,
    })
}

/// Where a run records what it does; a run of which nothing is to be recorded has an empty one.
#[derive(Debug)]
pub(super) struct Record(Option<Arc<Store>>);

impl Record {
    /// Begins to record a run, if that is wanted.
    ///
    /// # Errors
    /// Another run has begun meanwhile, or the state cannot be written.
    pub(super) fn begin(
        resume: Option<Resume>,
        planned: &[PlannedDatabase],
        (lent, adopted): (impl Iterator<Item = Membership>, Option<&String>),
    ) -> Result<Self, Error> {
        match resume {
            Some(resume) => resume.begin(planned, (lent, adopted)),
            None => Ok(Self(None)),
        }
    }

    /// What ends all memberships that our role was lent, also by a run that was killed, as far as
    /// their roles exist.
    pub(super) fn give_back(&self, cluster: &TargetCluster, assumption: &Assumption) -> Vec<Sql> {
        let mut revokes = assumption.revokes.clone();
        let owed = self.0.iter().flat_map(|store| store.run().owed);
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

    /// Records that all that was lent is given back.
    pub(super) fn given_back(&self) -> Result<(), Error> {
        if let Some(store) = &self.0 {
            store.change(|run| run.owed.clear())?;
        }
        Ok(())
    }

    /// Records that whatever is in the target's database from now on is ours.
    pub(super) fn begun(&self, name: &str, oid: Oid, origin: Origin) -> Result<(), Error> {
        if let Some(store) = &self.0 {
            store.change_database(name, |database| database.begin(oid, origin))?;
        }
        Ok(())
    }

    /// What names this run in its marks.
    pub(super) fn tag(&self) -> RunTag {
        let recorded = self.0.as_ref().and_then(|store| store.run().tag);
        recorded.unwrap_or_default()
    }

    /// Records what is published of a database.
    pub(super) fn published(&self, promise: &Promise) -> Result<(), Error> {
        if let Some(store) = &self.0 {
            let tables = promise.tables.iter().flatten().copied();
            store.change_database(&promise.database, |database| {
                database.publish(
                    (promise.publication.as_str(), promise.run.as_deref()),
                    tables,
                );
            })?;
        }
        Ok(())
    }

    /// Records that nothing of ours is on the target under this name.
    pub(super) fn removed(&self, name: &str) -> Result<(), Error> {
        if let Some(store) = &self.0 {
            store.change_database(name, crate::checkpoint::Database::forget)?;
        }
        Ok(())
    }

    /// Begins to record what happens within a database.
    pub(super) async fn follow(
        &self,
        name: &str,
        target: &Endpoint,
        stop: CancellationToken,
    ) -> Result<Option<Recorder>, Error> {
        let Some(store) = &self.0 else {
            return Ok(None);
        };
        let store = Arc::clone(store);
        let recorder = Recorder::start(store, name, target, stop).await?;
        Ok(Some(recorder))
    }
}

//! The pair of clusters, and the names and locks of its runs on the source.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::cluster::Database;
use crate::checkpoint::{DatabasePair, Pair, find_copies};
use crate::cluster::run_lock::LockKey;
use crate::logical::{Mark, PUBLICATION, RunId, SlotIdentity, slot_name};
use crate::pg::{Ident, Oid, SlotName};
use crate::teardown::error::Error;
use crate::teardown::marked::Marked;
use crate::teardown::options::{TeardownOptions, Which};
use crate::teardown::reached::Reached;

/// What is known of the pair before the source is examined.
pub(crate) struct SourcePair<'a> {
    /// The selected databases of the source.
    pub(crate) databases: Vec<&'a Database>,
    source_system: String,
    /// `None` if the target does not answer.
    pub(crate) target_system: Option<String>,
    pub(crate) options: &'a TeardownOptions,
}

impl<'a> SourcePair<'a> {
    /// Selects the databases and identifies the clusters.
    pub(crate) fn new(
        source: &'a Reached,
        target: Option<&Reached>,
        options: &'a TeardownOptions,
    ) -> Result<Self, Error> {
        let databases = select_databases(source, options)?;
        Ok(Self {
            databases,
            source_system: source.require_system_identifier()?,
            target_system: target.map(Reached::require_system_identifier).transpose()?,
            options,
        })
    }

    /// Returns whether a database is selected.
    pub(crate) fn has_database(&self, name: &str) -> bool {
        self.databases.iter().any(|one| one.name.as_str() == name)
    }

    /// Returns whether a publication belongs to another copy of its database than the one that
    /// is mapped.
    pub(crate) fn is_other_copy(&self, one: &Marked, mark: &Mark) -> bool {
        let name = one.database.as_str();
        let is_mapped = self.options.map.sources().any(|mapped| mapped == name);
        is_mapped && mark.target != self.options.map.target(name)
    }

    /// Returns the id of the pair's runs, if the target is known.
    pub(crate) fn run_id(&self) -> Option<RunId> {
        let target = self.target_system.as_ref()?;
        Some(RunId::new(&self.source_system, target))
    }

    /// Names the slots that a run between the two clusters would have, each with the target's database.
    pub(crate) fn name_slots(&self) -> BTreeMap<String, String> {
        let (Some(system), Which::Pair) = (&self.target_system, &self.options.which) else {
            return BTreeMap::new();
        };
        let named = self.databases.iter().map(|database| {
            let target = self.options.map.target(database.name.as_str());
            let slot = self.name_slot(database, system, target);
            (slot.as_str().to_owned(), target.to_owned())
        });
        named.collect()
    }

    fn name_slot(&self, database: &Database, target_system: &str, target: &str) -> SlotName {
        slot_name(
            database.name.as_str(),
            &SlotIdentity {
                source_system: &self.source_system,
                source_database: database.oid,
                target_system,
                target_database: target,
                publication: &self.publication_name(),
            },
        )
    }

    fn publication_name(&self) -> Ident {
        let asked = self.options.publication.clone();
        asked.unwrap_or_else(|| Ident::from_catalog(PUBLICATION))
    }

    /// Lists the locks of runs between the two clusters that have not created a publication yet, or that the
    /// state does not record.
    pub(crate) fn list_lock_keys(&self, marked: &[Marked]) -> Vec<LockKey> {
        let Some(pair) = self.run_id().filter(|_| self.options.which == Which::Pair) else {
            return Vec::new();
        };
        let name = self.publication_name();
        let is_of_other_pair = |one: &&Marked| {
            let mark = one.publication.mark.as_ref();
            one.publication.name == name && mark.is_some_and(|mark| mark.run != pair)
        };
        let others = marked.iter().filter(is_of_other_pair);
        let others: BTreeSet<Oid> = others.map(|one| one.oid).collect();
        let databases = self.databases.iter();
        let databases = databases.filter(|one| !others.contains(&one.oid));
        databases
            .map(|one| LockKey::of_source(one.name.as_str(), one.oid, &name))
            .collect()
    }

    /// Returns the copy of this pair that a slot belongs to, if the state records it.
    pub(crate) fn find_copy_of_slot(&self, slot: &str) -> Option<DatabasePair> {
        let target = self.target_system.as_ref()?;
        let root = self.options.state_root.as_ref()?;
        let pair = Pair {
            source: self.source_system.clone(),
            target: target.clone(),
        };
        let mut copies = find_copies(root, &pair).into_iter();
        copies.find(|copy| {
            let mut databases = self.databases.iter();
            let database = databases.find(|one| one.name.as_str() == copy.source);
            database.is_some_and(|one| self.name_slot(one, target, &copy.target).as_str() == slot)
        })
    }
}

/// Selects the source's databases by their names.
fn select_databases<'a>(
    source: &'a Reached,
    options: &TeardownOptions,
) -> Result<Vec<&'a Database>, Error> {
    let databases = source.databases.iter();
    let names: Vec<String> = databases
        .clone()
        .map(|one| one.name.as_str().to_owned())
        .collect();
    // The maintenance database may contain leftovers, too.
    let maintenance = BTreeSet::from(["postgres"]);
    let chosen = options.databases.choose(&names, &maintenance)?;
    let chosen: BTreeSet<String> = chosen.into_iter().collect();
    Ok(databases
        .filter(|one| chosen.contains(one.name.as_str()))
        .collect())
}

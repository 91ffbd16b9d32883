//! Which databases are replicated, and by which objects. What the user does not say is taken from the state of the run;
//! without it, on another machine, from the marks of the publications on the source.

use std::collections::BTreeMap;
use std::path::Path;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::error::Error;
use super::recorded::scope_of;
use crate::catalog::cluster::Database;
use crate::checkpoint::{self, DatabasePair, Pair, Run, read_recorded};
use crate::cluster::place::{examine_place, identify, judge_map};
use crate::cluster::server::Cluster;
use crate::cluster::{self, ServerIdentity, Wanted, select_databases};
use crate::connect::{Endpoint, Purpose};
use crate::logical::{
    FoundPublication, PUBLICATION, RunId, SUBSCRIPTION, SlotIdentity, find_marked, slot_name,
};
use crate::pg::{Ident, Oid, Side, Sides, SlotName};
use crate::selection::{DatabaseMap, TableScope};
use crate::status::{FollowedDatabase, Names};

/// How many databases are examined at the same time.
pub(super) const AT_ONCE: usize = 16;

/// What the user says of a replication.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The selection; none: what was recorded.
    pub wanted: Option<Wanted<'a>>,
    /// Databases with another name on the target.
    pub map: &'a DatabaseMap,
    /// The publication's name, if it is given.
    pub publication: Option<&'a Ident>,
    /// The subscription's name, if it is given.
    pub subscription: Option<&'a Ident>,
    /// Whether source and target may be databases of one cluster.
    pub allow_same_cluster: bool,
}

/// The replication of the selected databases.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    /// The servers.
    pub servers: Sides<Option<ServerIdentity>>,
    /// The databases, by name.
    pub databases: Vec<Replicated>,
    /// The two clusters, as states name them.
    pub(crate) pair: Option<Pair>,
    /// Whether source and target are one cluster, which was allowed.
    pub(crate) is_same_cluster: bool,
    /// Names that can be read in another way.
    pub warnings: Vec<String>,
    /// Rules without effect.
    pub notes: Vec<String>,
}

/// The replication of one database, as far as it is known before its servers are asked.
#[derive(Clone, Debug)]
pub struct Replicated {
    /// Its names, its objects and its tables.
    pub database: FollowedDatabase,
    /// Which database of the source's cluster it is.
    pub(crate) oid: Oid,
    /// What the state records of its copy.
    pub(crate) recorded: Option<checkpoint::Database>,
    /// Whether the user has selected its tables.
    pub(crate) is_selected: bool,
    /// The two clusters, as marks name them.
    pub(crate) run: RunId,
}

/// The two clusters, and what the state records of their runs.
struct Known<'a> {
    systems: Sides<String>,
    run: Option<Run>,
    offered: Vec<Database>,
    source: &'a Endpoint,
    asked: Asked<'a>,
}

/// Finds the databases that are replicated.
///
/// # Errors
/// A server cannot be reached or read, the state cannot be read, or a name selects nothing.
pub async fn find_followed(
    servers: Sides<&Endpoint>,
    asked: Asked<'_>,
    state_root: Option<&Path>,
) -> Result<Followed, Error> {
    let opened = Cluster::open_pair(servers).await?;
    let place = examine_place(&opened, asked.allow_same_cluster).await?;
    let place = place.accept()?;
    let systems = identify(&opened).map_err(cluster::Error::Place)?;
    let known = Known {
        run: read_run(&systems, state_root)?,
        systems,
        offered: opened.source.load_databases().await?,
        source: servers.source,
        asked,
    };
    let mut followed = Followed {
        servers: opened
            .as_ref()
            .map(|one| Some(ServerIdentity::of_server(one))),
        pair: Some(Pair {
            source: known.systems.source.clone(),
            target: known.systems.target.clone(),
        }),
        is_same_cluster: place.is_one,
        ..Followed::default()
    };
    let selected = known.select(&mut followed).await?;
    let finding = stream::iter(selected)
        .map(|(name, scope)| known.find_database(name, scope))
        .buffered(AT_ONCE)
        .try_collect::<Vec<Option<Replicated>>>();
    let found = Box::pin(finding).await?;
    followed.databases = found.into_iter().flatten().collect();
    followed.refuse_same_databases()?;
    let notes = place.findings.into_iter().map(|finding| finding.message);
    followed.notes.extend(notes);
    Ok(followed)
}

impl Followed {
    /// Refuses a database of the one cluster that would follow itself, or another one that is followed.
    fn refuse_same_databases(&self) -> Result<(), cluster::Error> {
        let databases = self.databases.iter().map(|one| &one.database);
        let mut map = DatabaseMap::default();
        for database in databases.clone() {
            map.add(database.source.clone(), database.target.clone());
        }
        let names = databases.map(|database| database.source.as_str()).collect();
        let conflicts = judge_map(&map, &names, self.is_same_cluster);
        match conflicts.into_iter().next() {
            Some(conflict) => Err(cluster::Error::Place(Box::new(conflict))),
            None => Ok(()),
        }
    }
}

fn read_run(systems: &Sides<String>, root: Option<&Path>) -> Result<Option<Run>, Error> {
    let Some(root) = root else {
        return Ok(None);
    };
    let pair = Pair {
        source: systems.source.clone(),
        target: systems.target.clone(),
    };
    Ok(read_recorded(root, &pair)?)
}

impl Known<'_> {
    /// The selected databases; each with the tables that the user has selected, if any were.
    async fn select(
        &self,
        followed: &mut Followed,
    ) -> Result<BTreeMap<String, Option<TableScope>>, Error> {
        if let Some(wanted) = self.asked.wanted {
            let selected = select_databases(self.source, wanted).await?;
            followed.warnings = selected.warnings;
            followed.notes = selected.notes;
            // Without tables, the recorded ones are meant.
            let has_tables =
                *wanted.tables != crate::selection::Tables::All || !wanted.rules.entries.is_empty();
            let databases = selected.databases.into_iter();
            return Ok(databases
                .map(|(name, scope)| (name, has_tables.then_some(scope)))
                .collect());
        }
        let recorded: BTreeMap<String, Option<TableScope>> = self
            .list_recorded()
            .map(|pair| (pair.source.clone(), None))
            .collect();
        if !recorded.is_empty() {
            return Ok(recorded);
        }
        let marked = self.list_marked().await?;
        if !marked.is_empty() {
            return Ok(marked.into_iter().map(|name| (name, None)).collect());
        }
        let everything = Wanted {
            databases: &crate::selection::Databases::All,
            tables: &crate::selection::Tables::All,
            rules: &crate::selection::Rules::default(),
            as_of: cluster::AsOf::Unknown,
        };
        let selected = select_databases(self.source, everything).await?;
        let names = selected.databases.into_keys();
        Ok(names.map(|name| (name, None)).collect())
    }

    /// The copies that are recorded, of databases that the source still has.
    fn list_recorded(&self) -> impl Iterator<Item = &DatabasePair> {
        let recorded = self.run.iter().flat_map(|run| run.databases.keys());
        recorded.filter(|pair| {
            let mut offered = self.offered.iter();
            offered.any(|one| one.name.as_str() == pair.source && one.allows_connections)
        })
    }

    /// The databases with a publication that is marked as one of a run between the two clusters.
    async fn list_marked(&self) -> Result<Vec<String>, Error> {
        let mut marked = Vec::new();
        for database in self.offered.iter().filter(|one| one.allows_connections) {
            let name = database.name.as_str();
            // A database may be dropped meanwhile, or refuse us: it has then nothing to select.
            if let Ok(found) = self.load_marked(name).await
                && !found.is_empty()
            {
                marked.push(name.to_owned());
            }
        }
        Ok(marked)
    }

    /// The publications of a database that runs between the two clusters have marked.
    async fn load_marked(&self, database: &str) -> Result<Vec<FoundPublication>, Error> {
        let endpoint = self.source.with_database(database);
        let session = endpoint.session(Purpose::Introspect).await;
        let session = session.map_err(cluster::Error::connect(Side::Source))?;
        let found = find_marked(&session).await;
        let mut found = found.map_err(cluster::Error::examine(Side::Source))?;
        let run = RunId::new(&self.systems.source, &self.systems.target);
        found.retain(|one| one.mark.as_ref().is_some_and(|mark| mark.run == run));
        Ok(found)
    }

    async fn find_database(
        &self,
        name: String,
        scope: Option<TableScope>,
    ) -> Result<Option<Replicated>, Error> {
        let name = name.as_str();
        let mut offered = self.offered.iter();
        let Some(database) = offered.find(|one| one.name.as_str() == name) else {
            return Ok(None);
        };
        let marked = self.load_marked(name).await?;
        let recorded = self.find_recorded(name);
        let found = self.choose_publication(marked, recorded.as_ref().map(|(pair, _)| *pair));
        let mark = found.as_ref().and_then(|found| found.mark.as_ref());
        let target = self.name_target(name, mark.map(|mark| mark.target.as_str()));
        let recorded = recorded.map(|(_, recorded)| recorded.clone());
        let publication = found.as_ref().map(|found| found.name.clone());
        let publication = publication.or_else(|| {
            let recorded = recorded.as_ref().and_then(|one| one.publication.as_ref());
            recorded.map(Ident::from_catalog)
        });
        let publication = self.asked.publication.cloned().or(publication);
        let publication = publication.unwrap_or_else(|| Ident::from_catalog(PUBLICATION));
        let slot = mark.map(|mark| mark.slot.clone());
        let slot = slot.or_else(|| recorded.as_ref().and_then(|one| one.slot.clone()));
        let slot = match slot {
            Some(slot) => SlotName::new(slot).ok(),
            None => Some(self.name_slot(database, &target, &publication)),
        };
        let is_selected = scope.is_some();
        let scope = scope.or_else(|| recorded.as_ref().map(|one| scope_of(&one.selection)));
        let subscription = self.asked.subscription.cloned();
        let names = Names {
            publication,
            subscription: subscription.unwrap_or_else(|| Ident::from_catalog(SUBSCRIPTION)),
            slot,
        };
        Ok(Some(Replicated {
            database: FollowedDatabase {
                source: name.to_owned(),
                target,
                names,
                scope,
            },
            oid: database.oid,
            recorded,
            is_selected,
            run: RunId::new(&self.systems.source, &self.systems.target),
        }))
    }

    /// Chooses the publication that is asked for: by its name, by the target's database, then the usual one.
    fn choose_publication(
        &self,
        mut marked: Vec<FoundPublication>,
        recorded: Option<&DatabasePair>,
    ) -> Option<FoundPublication> {
        if let Some(name) = self.asked.publication {
            return marked.into_iter().find(|one| one.name == *name);
        }
        let target = |one: &FoundPublication| one.mark.as_ref().map(|mark| mark.target.clone());
        let wanted = recorded.map(|pair| pair.target.clone());
        let is_usual = |one: &FoundPublication| one.name.as_str() == PUBLICATION;
        marked.sort_by_key(|one| (wanted.is_some() && target(one) != wanted, !is_usual(one)));
        marked.into_iter().next()
    }

    /// What is recorded of a database: under the target's name that is asked for, or the only one.
    fn find_recorded(&self, name: &str) -> Option<(&DatabasePair, &checkpoint::Database)> {
        let run = self.run.as_ref()?;
        let mapped = self.asked.map.target(name);
        let exact = run
            .databases
            .get_key_value(&DatabasePair::new(name, mapped));
        if exact.is_some() || self.asked.map.sources().any(|source| source == name) {
            return exact;
        }
        let mut others = run.databases.iter().filter(|(pair, _)| pair.source == name);
        others.next().filter(|_| others.next().is_none())
    }

    /// The target's name of a database: as the user maps it, as it was recorded, as the publication is marked.
    fn name_target(&self, name: &str, marked: Option<&str>) -> String {
        let map = self.asked.map;
        if map.sources().any(|source| source == name) {
            return map.target(name).to_owned();
        }
        let recorded = self.find_recorded(name);
        let recorded = recorded.map(|(pair, _)| pair.target.as_str());
        recorded.or(marked).unwrap_or(name).to_owned()
    }

    fn name_slot(&self, database: &Database, target: &str, publication: &Ident) -> SlotName {
        let identity = SlotIdentity {
            source_system: &self.systems.source,
            source_database: database.oid,
            target_system: &self.systems.target,
            target_database: target,
            publication,
        };
        slot_name(database.name.as_str(), &identity)
    }
}

//! Whether source and target are one place. URL text says nothing: one server has many spellings,
//! and a restored copy keeps its parent's system identifier. A lock taken on one side and
//! looked for on the other shows for certain.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::xxh3_64;

use crate::cluster::error::Error;
use crate::cluster::finding::{Code, Finding, Level};
use crate::cluster::server::Cluster;
use crate::connect::Session;
use crate::pg::{Printable, Side, Sides};
use crate::remedy::{Remedy, Setting};
use crate::selection::DatabaseMap;
use crate::sql;

/// What the comparison of the two clusters came to.
#[derive(Debug, Default)]
pub(crate) struct Place {
    pub(crate) findings: Vec<Finding>,
    /// Whether they are one, which was allowed.
    pub(crate) is_one: bool,
}

impl Place {
    fn with_finding(finding: Finding) -> Self {
        Self {
            findings: vec![finding],
            is_one: false,
        }
    }

    /// Fails with the finding that refuses the pair, if one does.
    ///
    /// # Errors
    /// Source and target may be the same.
    pub(crate) fn accept(self) -> Result<Self, Error> {
        let mut findings = self.findings.iter();
        match findings.find(|finding| finding.level == Level::Error) {
            Some(refused) => Err(Error::Place(Box::new(refused.clone()))),
            None => Ok(self),
        }
    }
}

/// Returns the system identifiers of both clusters, or the finding that names the missing privilege.
pub(crate) fn identify(servers: &Sides<Cluster>) -> Result<Sides<String>, Box<Finding>> {
    let Sides { source, target } = servers
        .as_ref()
        .map(|server| server.system_identifier().map(str::to_owned));
    if let (Some(source), Some(target)) = (source, target) {
        return Ok(Sides { source, target });
    }
    let message = "the system identifier cannot be read, so that nothing distinguishes the two";
    let remedy = "GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO the connecting roles";
    let finding = Finding::of_pair(Code::SystemIdentifier, Level::Error, message);
    Err(Box::new(finding.remedy(remedy)))
}

/// Compares the clusters behind two sessions.
///
/// # Errors
/// A server refused a question.
pub(crate) async fn examine_place(
    servers: &Sides<Cluster>,
    allow_same: bool,
) -> Result<Place, Error> {
    let Sides { source, target } = servers;
    let systems = match identify(servers) {
        Ok(systems) => systems,
        Err(unknown) => return Ok(Place::with_finding(*unknown)),
    };
    if systems.source != systems.target {
        return Ok(Place::default());
    }
    if source.facts.standby {
        let message = "the source is a standby of the target's cluster, or of its clone";
        let finding = Finding::of_pair(Code::StandbyOfTarget, Level::Error, message);
        return Ok(Place::with_finding(finding));
    }
    if !sees_lock(&source.session, &target.session).await? {
        let message =
            "the target is a clone of the source's cluster: same system identifier, other server";
        let finding = Finding::of_pair(Code::ClonedCluster, Level::Note, message);
        return Ok(Place::with_finding(finding));
    }
    let message = "source and target are the same cluster";
    if !allow_same {
        let settings = vec![Setting::AllowSameCluster, Setting::MapDatabase];
        let finding = Finding::of_pair(Code::SameCluster, Level::Error, message)
            .remedy("give a target in another cluster")
            .remedy(Remedy::PassAll(settings, "for every database".into()));
        return Ok(Place::with_finding(finding));
    }
    Ok(Place {
        findings: vec![Finding::of_pair(Code::SameCluster, Level::Note, message)],
        is_one: true,
    })
}

/// Whether every database has a place of its own on the target. `selected` are the source's names.
pub(crate) fn judge_map(
    map: &DatabaseMap,
    selected: &BTreeSet<&str>,
    is_one: bool,
) -> Vec<Finding> {
    let conflict = |source: &str, message: String, remedy: &'static str| {
        Finding::of_pair(Code::DatabaseNameConflict, Level::Error, message)
            .about(&Printable(source))
            .remedy(Remedy::with(remedy, Setting::MapDatabase))
    };
    let unknown = map.sources().filter(|source| !selected.contains(source));
    let mut findings: Vec<Finding> = unknown
        .map(|source| {
            let message =
                format!("database {source}, which is to get another name, is not selected");
            Finding::of_pair(Code::MappedDatabaseNotSelected, Level::Error, message)
                .about(&Printable(source))
                .remedy(Remedy::Correct(Setting::MapDatabase))
        })
        .collect();
    let mut places = BTreeMap::new();
    for source in selected {
        let target = map.target(source);
        if let Some(other) = places.insert(target, source) {
            let message = format!("databases {other} and {source} would both become {target}");
            findings.push(conflict(source, message, "give one another name"));
        }
        // In one cluster a name on the target is a database of the source.
        if is_one && selected.contains(target) {
            let message =
                format!("database {source} would become {target}, which is copied itself");
            findings.push(conflict(source, message, "give it another name"));
        }
    }
    findings
}

/// Whether an advisory lock taken on one side shows on the other.
async fn sees_lock(source: &Session, target: &Session) -> Result<bool, Error> {
    let key = lock_key();
    let (high, low) = (key >> 32, key & 0xFFFF_FFFF);
    let lock = sql!("SELECT pg_catalog.pg_advisory_lock_shared({})", signed(key));
    target
        .batch(&lock)
        .await
        .map_err(Error::examine(Side::Target))?;
    let look = sql!(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' \
         AND classid::int8 = {} AND objid::int8 = {} AND objsubid = 1 AND granted)",
        high,
        low
    );
    let seen = source
        .query_one(&look, &[])
        .await
        .map_err(Error::examine(Side::Source))?
        .get(0);
    let unlock = sql!(
        "SELECT pg_catalog.pg_advisory_unlock_shared({})",
        signed(key)
    );
    target
        .batch(&unlock)
        .await
        .map_err(Error::examine(Side::Target))?;
    Ok(seen)
}

/// The advisory lock functions take a signed number.
fn signed(key: u64) -> i64 {
    i64::from_ne_bytes(key.to_ne_bytes())
}

/// A key that no other run uses: drawn from this process and this moment, positive.
fn lock_key() -> u64 {
    let moment = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_nanos());
    let seed = format!("{}:{moment}", std::process::id());
    xxh3_64(seed.as_bytes()) >> 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> DatabaseMap {
        let mut map = DatabaseMap::default();
        for (source, target) in pairs {
            assert!(map.add((*source).to_owned(), (*target).to_owned()));
        }
        map
    }

    fn errors(pairs: &[(&str, &str)], selected: &[&str], is_one: bool) -> usize {
        let selected = selected.iter().copied().collect();
        judge_map(&map(pairs), &selected, is_one).len()
    }

    #[test]
    fn every_database_has_a_place_of_its_own() {
        assert_eq!(errors(&[("a", "x")], &["a", "b"], false), 0);
        assert_eq!(errors(&[("a", "b")], &["a", "b"], false), 1);
        assert_eq!(errors(&[("z", "x")], &["a"], false), 1);
        // Exchanged names are no trouble between two clusters.
        assert_eq!(errors(&[("a", "b"), ("b", "a")], &["a", "b"], false), 0);
    }

    #[test]
    fn in_one_cluster_no_database_may_become_a_source() {
        assert_eq!(errors(&[], &["a"], true), 1);
        assert_eq!(errors(&[("a", "x")], &["a"], true), 0);
        assert_eq!(errors(&[("a", "x")], &["a", "b"], true), 1);
        assert_eq!(errors(&[("a", "b"), ("b", "a")], &["a", "b"], true), 2);
    }

    #[test]
    fn lock_keys_are_positive_numbers() {
        assert!(signed(lock_key()) >= 0);
    }
}

//! Looks for what runs have left. Read-only.

use crate::catalog::cluster::Database;
use crate::checkpoint::{Pair, find_owed};
use crate::cluster;
use crate::cluster::run_lock::{Holder, LockKey};
use crate::cluster::server::Cluster;
use crate::connect::Endpoint;
use crate::pg::Side;
use crate::pg::{SlotName, SqlState};
use crate::teardown::error::Error;
use crate::teardown::marked::publications;
use crate::teardown::source_side::{Known, Seen};
use crate::teardown::statements::{source_statements, target_statements};
use crate::teardown::target_side::{Owned, look_at_target};
use crate::teardown::{Leftover, Leftovers, Object, TeardownOptions, Which, orphan};

/// A cluster that answers, with its databases that can be connected to.
pub(crate) struct Reached {
    pub(crate) cluster: Cluster,
    pub(crate) databases: Vec<Database>,
}

/// A side: reached, or why not.
type Answer = Result<Reached, Option<Error>>;
/// Looks at both sides. A side that does not answer is no error, as long as the other one does.
///
/// # Errors
/// Neither side answers, one that answers refuses a question, a name matches no database, a run is at
/// work, or nothing is found but runs that no local state records.
pub async fn find_leftovers(options: &TeardownOptions) -> Result<Leftovers, Error> {
    let source = reach(Side::Source, options.source.as_ref()).await;
    if let Which::Slot(slot) = &options.which {
        let source = source.map_err(|error| error.unwrap_or(Error::NoSource))?;
        return find_orphan(slot, &source, options).await;
    }
    let target = reach(Side::Target, options.target.as_ref()).await;
    let (source, target) = match (source, target) {
        (Err(Some(error)), _) | (_, Err(Some(error))) if error.is_final() => return Err(error),
        (Err(Some(error)), Err(_)) | (Err(None), Err(Some(error))) => return Err(error),
        sides => sides,
    };
    let mut found = Leftovers::default();
    let mut seen = Seen::default();
    if let (Ok(reached), Some(endpoint)) = (&source, &options.source) {
        let known = Known::new(reached, target.as_ref().ok(), options)?;
        seen = known.look(endpoint, &mut found).await?;
        refuse_beside(Side::Source, reached, &found.locks.source).await?;
    }
    if let (Ok(from), Ok(to), Some(endpoint)) = (&source, &target, &options.target) {
        found
            .objects
            .extend(memberships(from, to, options, endpoint));
    }
    if let (Ok(reached), Some(endpoint)) = (&target, &options.target) {
        let owned = match source.is_ok() {
            true => Owned::of_source(&seen),
            false => Owned::of_states(reached, options),
        };
        look_at_target(reached, endpoint, &owned, &mut found).await?;
        refuse_beside(Side::Target, reached, &found.locks.target).await?;
    }
    if options.which == Which::Pair {
        refuse_unknown(&mut found, &seen)?;
    }
    found.others.append(&mut found.unknown);
    // The target first: a subscription uses its slot.
    found.objects.append(&mut seen.objects);
    if let Err(error) = source {
        found.unreachable.push(source_statements(&found, error));
    }
    if let Err(error) = target {
        let statements = target_statements(&seen.slots, error);
        found.unreachable.push(statements);
    }
    Ok(found)
}

/// Refuses to remove what no local state records. Beside what one records, it is left alone.
fn refuse_unknown(found: &mut Leftovers, seen: &Seen) -> Result<(), Error> {
    let is_of_run = |one: &Leftover| !matches!(one.object, Object::Membership(_));
    let mut objects = found.objects.iter().chain(&seen.objects);
    let has_known = objects.any(is_of_run);
    if !has_known && !found.unknown.is_empty() {
        let found = std::mem::take(&mut found.unknown);
        return Err(Error::UnknownRuns { found });
    }
    Ok(())
}

async fn find_orphan(
    slot: &SlotName,
    source: &Reached,
    options: &TeardownOptions,
) -> Result<Leftovers, Error> {
    let mut found = Leftovers::default();
    let endpoint = options.source.as_ref().ok_or(Error::NoSource)?;
    let databases: Vec<&Database> = source.databases.iter().collect();
    let marked = publications(endpoint, &databases, options).await?;
    orphan::find(slot, (source, marked), &mut found).await?;
    refuse_beside(Side::Source, source, &found.locks.source).await?;
    Ok(found)
}

/// Memberships that a killed run has left granted to its own role: only the state knows them, which is
/// removed at the end.
fn memberships(
    source: &Reached,
    target: &Reached,
    options: &TeardownOptions,
    endpoint: &Endpoint,
) -> Vec<Leftover> {
    let systems = source
        .cluster
        .system_identifier()
        .zip(target.cluster.system_identifier());
    let (Some((source, target)), Some(root)) = (systems, &options.state_root) else {
        return Vec::new();
    };
    let pair = Pair {
        source: source.to_owned(),
        target: target.to_owned(),
    };
    let owed = find_owed(root, &pair).into_iter();
    owed.map(|membership| Leftover {
        side: Side::Target,
        database: endpoint.database().to_owned(),
        object: Object::Membership(membership),
    })
    .collect()
}

async fn reach(side: Side, endpoint: Option<&Endpoint>) -> Answer {
    let endpoint = endpoint.ok_or(None)?;
    let cluster = Cluster::open(side, endpoint).await;
    let cluster = cluster.map_err(|error| Some(error.into()))?;
    let databases = cluster.load_databases().await;
    let databases = databases.map_err(|error| Some(error.into()))?;
    let databases = databases.into_iter();
    Ok(Reached {
        databases: databases.filter(|one| one.allows_connections).collect(),
        cluster,
    })
}

/// Whether a database that was listed is dropped, or is about to be: it is gone, lets nobody in, or has ended
/// our session.
pub(crate) fn is_leaving(error: &Error) -> bool {
    let Error::Cluster(
        cluster::Error::Connect { source, .. } | cluster::Error::Examine { source, .. },
    ) = error
    else {
        return false;
    };
    matches!(
        source.sqlstate(),
        Some(
            SqlState::INVALID_CATALOG_NAME
                | SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE
                | SqlState::ADMIN_SHUTDOWN
        )
    )
}

/// Refuses to continue while a run holds one of these locks.
async fn refuse_beside(side: Side, reached: &Reached, keys: &[LockKey]) -> Result<(), Error> {
    match reached.cluster.find_holder(keys).await? {
        Some(Holder { database, by }) => Err(cluster::Error::Busy { side, database, by }.into()),
        None => Ok(()),
    }
}

//! Removes what was found, the target's objects first.

use tokio_postgres::types::ToSql;

use crate::checkpoint::{self, Membership};
use crate::cluster::run_lock::RunLocks;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::ddl::cluster::TemporaryMembership;
use crate::logical::{self, FoundPublication, FoundSubscription, Seconds};
use crate::pg::{Ident, SlotName, Sql};
use crate::teardown::error::Error;
use crate::teardown::leftover::{Leftover, Object};
use crate::teardown::leftovers::Leftovers;
use crate::teardown::options::TeardownOptions;

/// Removes all objects that were found, and returns their number. Objects that no longer exist are skipped.
///
/// # Errors
/// A server refused a statement, or an object has changed since it was found. Later objects remain, and the
/// command can be repeated.
pub async fn remove_leftovers(
    leftovers: &Leftovers,
    options: &TeardownOptions,
) -> Result<usize, Error> {
    // Held to the end: no run starts meanwhile.
    let servers = options.servers.as_ref().map(Option::as_ref);
    let locks = RunLocks::acquire(servers, &leftovers.locks).await?;
    let removed = remove_objects(leftovers, options).await;
    let removed = removed.and_then(|()| remove_state(leftovers, options));
    locks.release().await;
    removed?;
    Ok(leftovers.objects.len())
}

fn remove_state(leftovers: &Leftovers, options: &TeardownOptions) -> Result<(), Error> {
    // The state records what is left on a server that does not answer: then it is kept.
    let is_removed = options.removes_state && leftovers.unreachable.is_empty();
    if let (Some(root), Some(run), true) = (&options.state_root, &leftovers.run, is_removed) {
        checkpoint::remove_state(root, run)?;
    }
    Ok(())
}

/// The result of removing an object.
enum Removal {
    Removed,
    /// A run has changed the object since it was found.
    Kept,
}

async fn remove_objects(leftovers: &Leftovers, options: &TeardownOptions) -> Result<(), Error> {
    for leftover in &leftovers.objects {
        let endpoint = options.servers.get(leftover.side).as_ref();
        let endpoint = endpoint.expect("an object was found through its endpoint");
        let object = leftover.to_string();
        match remove_object(leftover, leftovers, endpoint).await {
            Ok(Removal::Removed) => {}
            Ok(Removal::Kept) => return Err(Error::LeftoverChanged { object }),
            Err(source) => return Err(Error::Teardown { object, source }),
        }
    }
    Ok(())
}

async fn remove_object(
    leftover: &Leftover,
    all: &Leftovers,
    endpoint: &Endpoint,
) -> Result<Removal, connect::Error> {
    let session = endpoint
        .with_database(&leftover.database)
        .session(Purpose::Control)
        .await?;
    match &leftover.object {
        Object::Subscription(found) => drop_subscription(&session, found).await?,
        Object::Origin(name) => drop_origin(&session, name).await?,
        Object::Membership(membership) => revoke_membership(&session, membership).await?,
        Object::Slot(slot) => return drop_slot(&session, slot, all).await,
        Object::Publication(before) => return drop_publication(&session, before).await,
    }
    Ok(Removal::Removed)
}

async fn drop_subscription(
    session: &Session,
    before: &FoundSubscription,
) -> Result<(), connect::Error> {
    let found = logical::find_subscription(session, &before.name).await?;
    if found.is_some_and(|found| found.oid == before.oid) {
        logical::drop_subscription(session, &before.name).await?;
    }
    Ok(())
}

async fn drop_origin(session: &Session, name: &str) -> Result<(), connect::Error> {
    if logical::has_origin(session, name).await? {
        logical::drop_origin(session, name).await?;
    }
    Ok(())
}

/// Drops a slot, unless a publication that was not found before names it. While the user was asked, another
/// run may have created a slot of the same name.
async fn drop_slot(
    session: &Session,
    slot: &SlotName,
    all: &Leftovers,
) -> Result<Removal, connect::Error> {
    let marked = logical::find_marked(session).await?;
    let is_new = |found: &FoundPublication| names_slot(found, slot) && !all.has_publication(found);
    if marked.iter().any(is_new) {
        return Ok(Removal::Kept);
    }
    logical::drop_slot(session, slot).await?;
    Ok(Removal::Removed)
}

/// Drops a publication, unless its mark has changed while the user was asked.
async fn drop_publication(
    session: &Session,
    before: &FoundPublication,
) -> Result<Removal, connect::Error> {
    match logical::find_publication(session, &before.name, Seconds::Marked).await? {
        Some(found) if found.mark == before.mark => {
            logical::remove_publication(session, &found).await?;
            Ok(Removal::Removed)
        }
        Some(_) => Ok(Removal::Kept),
        None => Ok(Removal::Removed),
    }
}

/// Revokes a temporary membership, if both of its roles exist.
async fn revoke_membership(
    session: &Session,
    membership: &Membership,
) -> Result<(), connect::Error> {
    let both = Sql::fixed(
        "SELECT pg_catalog.count(*) FROM pg_catalog.pg_roles \
          WHERE rolname IN ($1::text::name, $2::text::name)",
    );
    let names: [&(dyn ToSql + Sync); 2] = [&membership.role, &membership.member];
    let found = session.query_one(&both, &names).await?;
    if found.get::<_, i64>(0) < 2 {
        return Ok(());
    }
    let member = Ident::from_catalog(&membership.member);
    let loan = TemporaryMembership {
        role: Ident::from_catalog(&membership.role),
        before: membership.before,
    };
    session.batch(&loan.render_revoke(&member)).await
}

/// Returns whether a publication's mark names this slot.
fn names_slot(found: &FoundPublication, slot: &SlotName) -> bool {
    let mark = found.mark.as_ref();
    mark.is_some_and(|mark| mark.slot == slot.as_str())
}

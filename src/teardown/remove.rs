//! Removes what was found, the target's objects first.

use tokio_postgres::types::ToSql;

use crate::checkpoint::{self, Membership};
use crate::cluster::run_lock::RunLocks;
use crate::connect::{self, Purpose, Session};
use crate::ddl::cluster::membership::Loan;
use crate::logical::{self, FoundPublication};
use crate::pg::{Ident, Side, Sides, SlotName, Sql};
use crate::teardown::error::Error;
use crate::teardown::{Leftover, Leftovers, Object, TeardownOptions};

/// Removes everything of this run; the number of objects removed. Absent ones are fine.
///
/// # Errors
/// A server refused, or an object has changed since it was found; what comes later stays, and a repetition
/// continues.
pub async fn remove_leftovers(
    leftovers: &Leftovers,
    options: &TeardownOptions,
) -> Result<usize, Error> {
    // Held to the end: no run begins meanwhile.
    let servers = Sides {
        source: options.source.as_ref(),
        target: options.target.as_ref(),
    };
    let locks = RunLocks::acquire(servers, &leftovers.locks).await?;
    let removed = remove_all(leftovers, options).await;
    let removed = removed.and_then(|()| remove_state(leftovers, options));
    locks.release().await;
    removed?;
    Ok(leftovers.objects.len())
}

fn remove_state(leftovers: &Leftovers, options: &TeardownOptions) -> Result<(), Error> {
    // What a side that was not reached still has is known from the state.
    let is_whole = leftovers.unreachable.is_empty();
    let root = options.state_root.as_ref();
    if let (Some(root), Some(run), true) = (root, &leftovers.run, is_whole && options.removes_state)
    {
        checkpoint::remove_state(root, run)?;
    }
    Ok(())
}

/// What became of an object.
enum Removed {
    Gone,
    /// A run has changed it since it was found.
    Kept,
}

async fn remove_all(leftovers: &Leftovers, options: &TeardownOptions) -> Result<(), Error> {
    for leftover in &leftovers.objects {
        let object = || leftover.to_string();
        let removed = remove(leftover, leftovers, options).await;
        let removed = removed.map_err(|source| Error::Teardown {
            object: object(),
            source,
        });
        if let Removed::Kept = removed? {
            return Err(Error::LeftoverChanged { object: object() });
        }
    }
    Ok(())
}

async fn remove(
    leftover: &Leftover,
    all: &Leftovers,
    options: &TeardownOptions,
) -> Result<Removed, connect::Error> {
    let endpoint = match leftover.side {
        Side::Target => options.target.as_ref(),
        Side::Source => options.source.as_ref(),
    };
    let endpoint = endpoint.expect("an object was found through its endpoint");
    let endpoint = endpoint.with_database(&leftover.database);
    let session = endpoint.session(Purpose::Control).await?;
    match &leftover.object {
        Object::Subscription(_) => {
            if logical::find_subscription(&session).await?.is_some() {
                logical::drop_subscription(&session).await?;
            }
        }
        Object::Origin(name) => {
            if logical::has_origin(&session, name).await? {
                logical::drop_origin(&session, name).await?;
            }
        }
        Object::Membership(membership) => end_membership(&session, membership).await?,
        Object::Slot(slot) => {
            // While the user was asked, another run may have made one of the same name.
            let marked = logical::find_marked(&session).await?;
            let is_others =
                |found: &FoundPublication| names(found, slot) && !all.has_publication(found);
            if marked.iter().any(is_others) {
                return Ok(Removed::Kept);
            }
            logical::drop_slot(&session, slot).await?;
        }
        // Found again, since it may have changed while the user was asked.
        Object::Publication(before) => {
            match logical::find_publication(&session, &before.name).await? {
                Some(found) if found.mark == before.mark => {
                    logical::remove_publication(&session, &found).await?;
                }
                Some(_) => return Ok(Removed::Kept),
                None => {}
            }
        }
    }
    Ok(Removed::Gone)
}

/// Revokes a membership that a run was granted, as far as its roles exist.
async fn end_membership(session: &Session, membership: &Membership) -> Result<(), connect::Error> {
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
    let loan = Loan {
        role: Ident::from_catalog(&membership.role),
        before: membership.before,
    };
    session.batch(&loan.render_end(&member)).await
}

/// Whether a publication's mark names this slot.
fn names(found: &FoundPublication, slot: &SlotName) -> bool {
    let mark = found.mark.as_ref();
    mark.is_some_and(|mark| mark.slot == slot.as_str())
}

impl Leftovers {
    /// Whether a publication was found before, with the same mark.
    fn has_publication(&self, found: &FoundPublication) -> bool {
        self.objects.iter().any(|leftover| match &leftover.object {
            Object::Publication(before) => before.mark == found.mark,
            Object::Slot(_)
            | Object::Subscription(_)
            | Object::Origin(_)
            | Object::Membership(_) => false,
        })
    }
}

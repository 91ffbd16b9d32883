//! Removes what was found, the target's objects first.

use std::path::Path;

use super::{Leftover, Leftovers, Object, TeardownOptions};
use crate::connect::{self, Purpose};
use crate::logical;
use crate::migrate::{Error, Side};

/// Removes everything of this run; the number of objects removed. Absent ones are fine.
///
/// # Errors
/// A server refused; what comes later stays, and a repetition continues.
pub async fn remove_leftovers(
    leftovers: &Leftovers,
    options: &TeardownOptions,
) -> Result<usize, Error> {
    for leftover in &leftovers.objects {
        remove(leftover, options)
            .await
            .map_err(|source| Error::Teardown {
                object: leftover.to_string(),
                source,
            })?;
    }
    // What a side that was not reached still has is known from the state.
    let is_whole = leftovers.unreachable.is_empty();
    if let (Some(root), Some(run), true) = (&options.state_root, &leftovers.run, is_whole) {
        remove_state(&root.join(run.as_str()))?;
    }
    Ok(leftovers.objects.len())
}

async fn remove(leftover: &Leftover, options: &TeardownOptions) -> Result<(), connect::Error> {
    let endpoint = match leftover.side {
        Side::Target => options.target.as_ref(),
        Side::Source | Side::Both => options.source.as_ref(),
    };
    let endpoint = endpoint.expect("an object was found through its endpoint");
    let endpoint = endpoint.with_database(&leftover.database);
    let session = endpoint.session(Purpose::Control).await?;
    match &leftover.object {
        Object::Subscription(_) => match logical::find_subscription(&session).await? {
            Some(_) => logical::drop_subscription(&session).await,
            None => Ok(()),
        },
        Object::Origin(name) => match logical::has_origin(&session, name).await? {
            true => logical::drop_origin(&session, name).await,
            false => Ok(()),
        },
        Object::Slot(slot) => logical::drop_slot(&session, slot).await.map(|_| ()),
        // Found again, since it may have changed while the user was asked.
        Object::Publication(before) => match logical::find_publication(&session).await? {
            Some(found) if found.mark == before.mark => {
                logical::remove_publication(&session, &found).await
            }
            _ => Ok(()),
        },
    }
}

/// Removes the folder with the state of these runs.
fn remove_state(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::StateFolder {
            folder: folder.to_owned(),
            source: error,
        }),
        _ => Ok(()),
    }
}

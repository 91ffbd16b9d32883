//! What an adopted run has created on the target, as far as the database itself proves it.
//!
//! The local state of that run is lost. The journal in the database that it was filling names the run, the
//! database and every transaction of the run there: what it lists is removed as after an interruption of our
//! own. A database without such a journal counts by its contents.

use crate::catalog::cluster::Database;
use crate::checkpoint::{Decision, Origin};
use crate::logical::Mark;
use crate::migrate::error::Error;
use crate::migrate::journal::Filling;
use crate::migrate::options::Options;
use crate::migrate::plan::target_action;
use crate::pg::Side;

/// Its rows came from a snapshot that ended with the run.
const WHY: &str = "its copy was interrupted, and this run adopts the interrupted one";

/// Decides what happens to a database that an adopted run was filling; any other decision stays.
///
/// # Errors
/// The target cannot be asked.
pub(crate) async fn decide_adopted(
    decision: Decision,
    existing: Option<&Database>,
    mark: Option<&Mark>,
    options: &Options,
) -> Result<Decision, Error> {
    let (Decision::Fresh, Some(existing), Some(mark)) = (&decision, existing, mark) else {
        return Ok(decision);
    };
    let is_target = mark.target == existing.name.as_str() && !mark.complete;
    if !is_target || !existing.allows_connections || !existing.is_valid {
        return Ok(decision);
    }
    let session = target_action::open_database(options, existing).await?;
    let filling = Filling::load(&session).await;
    let filling = filling.map_err(Error::examine(Side::Target))?;
    Ok(match filling {
        Some(filling) if filling.run == mark.name() && filling.database == existing.oid.0 => {
            match filling.origin {
                Origin::Made => Decision::Recreate { why: WHY },
                Origin::Used { extensions } => Decision::DropCopied {
                    why: WHY,
                    extensions,
                },
            }
        }
        _ => decision,
    })
}

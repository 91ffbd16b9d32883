//! Turns the slots of databases that are kept into failover slots, where the run is asked for such slots.

use crate::migrate::error::Error;
use crate::migrate::options::Options;
use crate::migrate::planned::PlannedDatabase;
use crate::pg::Side;

/// Enables failover for the slots of kept databases that are planned so.
///
/// # Errors
/// The source cannot be reached, or refused: a session uses the slot.
pub(crate) async fn enable_failover(
    kept: &[PlannedDatabase],
    options: &Options,
) -> Result<(), Error> {
    let planned = kept.iter().filter(|one| one.enables_failover);
    let slots = planned.filter_map(|one| Some((one.name(), &one.promise.as_ref()?.slot)));
    for (database, slot) in slots {
        let source = options.source.with_database(database);
        let connection = source.replication().await;
        let mut connection = connection.map_err(Error::connect(Side::Source))?;
        let enabled = connection.enable_failover(slot).await;
        enabled.map_err(|source| Error::Failover {
            slot: slot.clone(),
            database: database.to_owned(),
            source,
        })?;
    }
    Ok(())
}

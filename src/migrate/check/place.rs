//! Whether source and target are one place. URL text says nothing: one server has many spellings,
//! and a restored copy keeps its parent's system identifier. A lock taken on one side and
//! looked for on the other tells for certain.

use xxhash_rust::xxh3::xxh3_64;

use super::super::Error;
use super::finding::{Finding, Level, Side};
use super::server::ServerFacts;
use crate::connect::Session;
use crate::sql;

/// Compares the clusters behind two sessions.
///
/// # Errors
/// A server refused a question.
pub(super) async fn judge(
    source: (&Session, &ServerFacts),
    target: (&Session, &ServerFacts),
) -> Result<Vec<Finding>, Error> {
    let (Some(one), Some(other)) = (&source.1.system_identifier, &target.1.system_identifier)
    else {
        let message = "the system identifier cannot be read, so that nothing tells the two apart";
        let cure =
            "GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO the connecting roles";
        return Ok(vec![
            Finding::new(Level::Error, Side::Both, message).cure(cure),
        ]);
    };
    if one != other {
        return Ok(Vec::new());
    }
    if source.1.standby {
        let message = "the source is a standby of the target's cluster, or of its clone";
        return Ok(vec![Finding::new(Level::Error, Side::Both, message)]);
    }
    if sees_lock(source.0, target.0).await? {
        let message = "source and target are the same cluster";
        let cure = "give a target in another cluster";
        return Ok(vec![
            Finding::new(Level::Error, Side::Both, message).cure(cure),
        ]);
    }
    let message =
        "the target is a clone of the source's cluster: same system identifier, other server";
    Ok(vec![Finding::new(Level::Note, Side::Both, message)])
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

    #[test]
    fn lock_keys_are_positive_numbers() {
        assert!(signed(lock_key()) >= 0);
    }
}

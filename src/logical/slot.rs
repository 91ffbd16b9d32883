use tokio::time::{Duration, Instant};
use tokio_postgres::Row;
use xxhash_rust::xxh3::xxh3_64;

use super::publication::PUBLICATION;
use crate::connect::{self, Session};
use crate::pg::{Ident, Lsn, Oid, SlotName, Sql, SqlState};

/// What identifies a slot of this run: one database of one cluster, copied to one database of
/// another. Host names and URLs are no part of it, since they may change between runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotIdentity<'a> {
    /// `pg_control_system().system_identifier` of the source.
    pub source_system: &'a str,
    /// The source database's oid.
    pub source_database: Oid,
    /// `pg_control_system().system_identifier` of the target.
    pub target_system: &'a str,
    /// The target database's name.
    pub target_database: &'a str,
    /// The publication's name.
    pub publication: &'a Ident,
}

/// Bytes of the database's name that fit beside the prefix, the digest and their separators.
const NAME_BYTES: usize = 63 - "seren_".len() - "_".len() - 16;

/// The slot's name: `seren_<database>_<16 hex digits>`, lower case, at most 63 bytes. Characters
/// that slots do not allow become `_`; the digest keeps such names apart.
pub fn slot_name(database: &str, identity: &SlotIdentity<'_>) -> SlotName {
    let allowed = |part: char| {
        let part = part.to_ascii_lowercase();
        if part.is_ascii_lowercase() || part.is_ascii_digit() {
            part
        } else {
            '_'
        }
    };
    let readable: String = database.chars().map(allowed).take(NAME_BYTES).collect();
    // NUL cannot occur in any of the parts, so the joined text is unambiguous.
    let oid = identity.source_database.to_string();
    let mut key = vec![
        identity.source_system,
        &oid,
        identity.target_system,
        identity.target_database,
    ];
    if identity.publication.as_str() != PUBLICATION {
        key.push(identity.publication.as_str());
    }
    let key = key.join("\0");
    SlotName::new(format!("seren_{readable}_{:016x}", xxh3_64(key.as_bytes())))
        .expect("letters, digits and underscores, at most 63 of them")
}

/// A logical slot as the server shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// The database it decodes.
    pub database: Option<String>,
    /// Who uses it.
    pub active_pid: Option<i32>,
    /// The oldest position that it keeps; none once it is lost.
    pub restart_lsn: Option<Lsn>,
    /// Where its stream continues; none while it is being created.
    pub confirmed_lsn: Option<Lsn>,
    /// Bytes of WAL that it retains.
    pub retained: Option<u64>,
    /// `wal_status`, since 13.
    pub wal_status: Option<String>,
    /// Bytes of WAL that may be written before the slot is in danger; none without a limit.
    pub safe_wal_size: Option<i64>,
    /// Since when nobody uses it, since 17.
    pub inactive_since: Option<String>,
    /// Why the server invalidated it, if it reports that.
    pub invalidation: Option<String>,
    /// Whether standbys synchronize it.
    pub is_failover: bool,
}

/// Reads all logical slots of a cluster.
///
/// # Errors
/// The server refused the question.
pub async fn load_slots(session: &Session) -> Result<Vec<Slot>, connect::Error> {
    query_slots(session, None).await
}

/// Looks for a slot.
///
/// # Errors
/// The server refused the question.
pub async fn find_slot(session: &Session, name: &SlotName) -> Result<Option<Slot>, connect::Error> {
    let found = query_slots(session, Some(name.as_str())).await?;
    Ok(found.into_iter().next())
}

async fn query_slots(session: &Session, name: Option<&str>) -> Result<Vec<Slot>, connect::Error> {
    let sql = Sql::fixed(include_str!("sql/slots.sql"));
    let rows = session.query(&sql, &[&name]).await?;
    Ok(rows.iter().map(read_slot).collect())
}

fn read_slot(row: &Row) -> Slot {
    let lsn = |column: &str| {
        let text: Option<String> = row.get(column);
        text.and_then(|text| text.parse().ok())
    };
    let retained: Option<i64> = row.get("retained");
    Slot {
        name: row.get("name"),
        database: row.get("database"),
        active_pid: row.get("active_pid"),
        restart_lsn: lsn("restart_lsn"),
        confirmed_lsn: lsn("confirmed_lsn"),
        retained: retained.and_then(|bytes| u64::try_from(bytes).ok()),
        wal_status: row.get("wal_status"),
        safe_wal_size: row.get("safe_wal_size"),
        inactive_since: row.get("inactive_since"),
        invalidation: row.get("invalidation"),
        is_failover: row.get("failover"),
    }
}

/// How long a slot whose user is just leaving may stay in use.
const LEAVING: Duration = Duration::from_secs(5);

/// How often it is tried again meanwhile.
const AGAIN: Duration = Duration::from_millis(100);

/// Drops a slot if there is one, once nobody uses it any more. Whether there was one.
///
/// # Errors
/// The slot stays in use, or the server refused.
pub async fn drop_slot(session: &Session, name: &SlotName) -> Result<bool, connect::Error> {
    let sql = Sql::fixed(
        "SELECT pg_catalog.pg_drop_replication_slot(slot_name) \
           FROM pg_catalog.pg_replication_slots WHERE slot_name = $1::text::name",
    );
    let begun = Instant::now();
    loop {
        match session.execute(&sql, &[&name.as_str()]).await {
            Ok(count) => return Ok(count > 0),
            Err(error) => match error.sqlstate() {
                Some(SqlState::OBJECT_IN_USE) if begun.elapsed() < LEAVING => {
                    tokio::time::sleep(AGAIN).await;
                }
                // Somebody else was quicker.
                Some(SqlState::UNDEFINED_OBJECT) => return Ok(false),
                _ => return Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn identity<'a>(target_database: &'a str, publication: &'a Ident) -> SlotIdentity<'a> {
        SlotIdentity {
            publication,
            source_system: "7312",
            source_database: Oid(16384),
            target_system: "7313",
            target_database,
        }
    }

    #[test]
    fn names_are_readable_and_distinct_per_target() {
        let [usual, other] = [PUBLICATION, "other"].map(Ident::from_catalog);
        let name = slot_name("My-App", &identity("a", &usual));
        assert!(name.as_str().starts_with("seren_my_app_"), "{name}");
        assert_ne!(name, slot_name("My-App", &identity("b", &usual)));
        assert_ne!(name, slot_name("My-App", &identity("a", &other)));
    }

    proptest! {
        #[test]
        fn any_database_name_gives_a_valid_slot_name(database in "\\PC{1,63}") {
            prop_assert!(slot_name(&database, &identity(&database, &Ident::from_catalog(PUBLICATION))).as_str().len() <= 63);
        }
    }
}

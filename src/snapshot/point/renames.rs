//! Finds objects that were renamed while definitions were read.
//!
//! A snapshot shows the rows of the catalogs as they were. But the functions that print definitions use the
//! *current* names of other objects. After a rename of a schema, a function or a label, a printed definition mixes
//! two moments. So after the reading, the rows that younger transactions have written are compared with the
//! snapshot's rows of the same objects.

use std::collections::BTreeMap;

use tokio_postgres::types::{ToSql, Type};

use crate::connect::{self, Session};
use crate::pg::{Oid, Sql};
use crate::snapshot::error::Error;

/// The kind and the oid of an object.
type Key = (String, Oid);

/// The state of an object.
#[derive(Debug, Default, PartialEq, Eq)]
struct State {
    name: String,
    /// The versions of its catalog rows, in their order.
    versions: Vec<String>,
}

type States = BTreeMap<Key, State>;

/// Finds the first object of the snapshot that `reader` sees whose printed properties have changed since; in words.
/// `latest` is in no transaction, and sees the latest state.
///
/// # Errors
/// The source cannot be asked.
pub async fn renamed_since(reader: &Session, latest: &Session) -> Result<Option<String>, Error> {
    let begin = Sql::fixed(
        "SELECT (pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot()) % 4294967296)::text",
    );
    let oldest = reader.query_one(&begin, &[]).await.map_err(Error::Lease)?;
    let oldest: String = oldest.get(0);
    let now = load_states(latest, None, &oldest)
        .await
        .map_err(Error::Lease)?;
    if now.is_empty() {
        return Ok(None);
    }
    let mut oids: Vec<u32> = now.keys().map(|(_, oid)| oid.0).collect();
    oids.dedup();
    // Whole objects are compared: of a view only some columns may have been written since.
    let now = load_states(latest, Some(&oids), &oldest).await;
    let shown = load_states(reader, Some(&oids), &oldest).await;
    let (now, shown) = (now.map_err(Error::Lease)?, shown.map_err(Error::Lease)?);
    Ok(find_difference(&shown, &now))
}

async fn load_states(
    session: &Session,
    only: Option<&Vec<u32>>,
    oldest: &str,
) -> Result<States, connect::Error> {
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&only, Type::OID_ARRAY), (&oldest, Type::TEXT)];
    let sql = Sql::fixed(include_str!("sql/renamed.sql"));
    let mut states = States::new();
    for row in session.query_typed(&sql, &parameters).await? {
        let key = (row.get(0), Oid(row.get(1)));
        let state = states.entry(key).or_insert_with(|| State {
            name: row.get(2),
            versions: Vec::new(),
        });
        state.versions.push(row.get(3));
    }
    Ok(states)
}

/// Finds the first difference. New objects do not matter: no object of the snapshot names them.
fn find_difference(shown: &States, now: &States) -> Option<String> {
    let is_changed = |(key, state): &(&Key, &State)| {
        let latest = now.get(*key);
        latest.is_none_or(|latest| latest.versions != state.versions)
    };
    let ((kind, _), state) = shown.iter().find(is_changed)?;
    Some(format!("{kind} {} was renamed or replaced", state.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(entries: &[(&str, u32, &str)]) -> States {
        let entry = |(kind, oid, version): &(&str, u32, &str)| {
            let key = ((*kind).to_owned(), Oid(*oid));
            let state = State {
                name: "n".to_owned(),
                versions: vec![(*version).to_owned()],
            };
            (key, state)
        };
        entries.iter().map(entry).collect()
    }

    #[test]
    fn only_what_the_snapshot_shows_matters() {
        let shown = states(&[("schema", 1, "1"), ("type", 2, "1")]);
        let more = states(&[("schema", 1, "1"), ("type", 2, "1"), ("type", 3, "9")]);
        assert_eq!(find_difference(&shown, &more), None);
        let other = states(&[("schema", 1, "2"), ("type", 2, "1")]);
        let gone = states(&[("type", 2, "1")]);
        for now in [other, gone] {
            let found = find_difference(&shown, &now).unwrap();
            assert_eq!(found, "schema n was renamed or replaced");
        }
    }
}

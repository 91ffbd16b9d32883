//! Whether definitions were read while nothing that they name was renamed.
//!
//! A snapshot shows the rows of the catalogs as they were. The functions that print definitions write the names of other
//! objects as they are *now*: a schema, a function or a label renamed since the snapshot makes a definition
//! of two moments. So after they have been read, what transactions younger than the snapshot have written is compared
//! with what the snapshot shows of the same objects.

use std::collections::BTreeMap;

use tokio_postgres::types::{ToSql, Type};

use crate::connect::{self, Session};
use crate::pg::{Oid, Sql};
use crate::snapshot::error::Error;

/// Objects with what tells their states apart, in the order of the rows.
type States = BTreeMap<(String, Oid), (String, Vec<String>)>;

/// The first object of the snapshot that `reader` sees whose name, or what else the server prints of it, has
/// changed since; in words. `latest` is in no transaction, and sees the latest state.
///
/// # Errors
/// The source cannot be asked.
pub async fn renamed_since(reader: &Session, latest: &Session) -> Result<Option<String>, Error> {
    let begin = Sql::fixed(
        "SELECT (pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot()) % 4294967296)::text",
    );
    let oldest = reader.query_one(&begin, &[]).await.map_err(Error::Lease)?;
    let oldest: String = oldest.get(0);
    let now = ask(latest, None, &oldest).await.map_err(Error::Lease)?;
    if now.is_empty() {
        return Ok(None);
    }
    let mut oids: Vec<u32> = now.keys().map(|(_, oid)| oid.0).collect();
    oids.dedup();
    // Whole objects are compared: of a view only some columns may have been written since.
    let now = ask(latest, Some(&oids), &oldest).await;
    let shown = ask(reader, Some(&oids), &oldest).await;
    let (now, shown) = (now.map_err(Error::Lease)?, shown.map_err(Error::Lease)?);
    Ok(difference(&shown, &now))
}

async fn ask(
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
        let (_, versions) = states
            .entry(key)
            .or_insert_with(|| (row.get(2), Vec::new()));
        versions.push(row.get(3));
    }
    Ok(states)
}

/// What is new does not matter: nothing that the snapshot shows names it.
fn difference(shown: &States, now: &States) -> Option<String> {
    let (key, (name, _)) = shown
        .iter()
        .find(|(key, (_, versions))| now.get(*key).is_none_or(|(_, latest)| latest != versions))?;
    Some(format!("{} {name} was renamed or replaced", key.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(entries: &[(&str, u32, &str)]) -> States {
        let entry = |(kind, oid, version): &(&str, u32, &str)| {
            let key = ((*kind).to_owned(), Oid(*oid));
            (key, ("n".to_owned(), vec![(*version).to_owned()]))
        };
        entries.iter().map(entry).collect()
    }

    #[test]
    fn only_what_the_snapshot_shows_matters() {
        let shown = states(&[("schema", 1, "1"), ("type", 2, "1")]);
        let more = states(&[("schema", 1, "1"), ("type", 2, "1"), ("type", 3, "9")]);
        assert_eq!(difference(&shown, &more), None);
        let other = states(&[("schema", 1, "2"), ("type", 2, "1")]);
        let gone = states(&[("type", 2, "1")]);
        for now in [other, gone] {
            let found = difference(&shown, &now).unwrap();
            assert_eq!(found, "schema n was renamed or replaced");
        }
    }
}

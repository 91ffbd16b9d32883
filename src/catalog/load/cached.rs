//! A reading that need not be repeated: the catalogs show whether anything has changed since.

use std::collections::HashMap;

use super::relations::load_sizes;
use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Catalog, Size};
use crate::connect::Session;
use crate::pg::Oid;

const WHAT: &str = "the fingerprint of the catalogs";

/// How many relations are cached at most, for the memory that they take.
const LIMIT: usize = 20_000;

/// Distinguishes states of a database's definitions.
///
/// A row of a table is written once: whoever changes it leaves another one, at another place or by
/// another transaction (manual, "System Columns", `ctid` and `xmin`). So two snapshots with equal
/// fingerprints show the same rows of all catalogs. What the server itself overwrites in place, such
/// as estimates of rows, is no part of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(Vec<(String, i64, Option<String>)>);

impl Fingerprint {
    /// Takes it of what the session's snapshot shows.
    ///
    /// # Errors
    /// The server refused the query, or the connection broke.
    pub async fn load(session: &Session) -> Result<Self, Error> {
        let rows = query(session, WHAT, include_str!("../sql/fingerprint.sql"), &[]).await?;
        let entry = |row| {
            let row = Columns::new(WHAT, row);
            Ok((row.value("catalog")?, row.value("rows")?, row.value("sum")?))
        };
        rows.iter().map(entry).collect::<Result<_, _>>().map(Self)
    }
}

/// What was read of a database, to be used again if nothing has changed.
///
/// This is as good as reading it again. What the server deparses follows the latest state, not the
/// snapshot; equal fingerprints before and after mean that there was only one state in between. That
/// none follows until the copy ends is up to the locks, which are taken before the second look.
#[derive(Clone, Debug)]
pub struct CachedCatalog {
    catalog: Catalog,
    fingerprint: Fingerprint,
}

impl CachedCatalog {
    /// Caches a catalog just as [`load_catalog`](super::load_catalog) gave it in the session's transaction, which
    /// has one snapshot from then to now. None where that is not safe or takes too much memory.
    ///
    /// # Errors
    /// The server refused the query, or the connection broke.
    pub async fn cache(session: &Session, catalog: &Catalog) -> Result<Option<Self>, Error> {
        let relations =
            catalog.tables.len() + catalog.views.len() + catalog.materialized_views.len();
        // The catalogs of TimescaleDB are tables of their own; where subscriptions lead to is not
        // for everyone to read.
        let is_hidden = catalog.timescale.is_some() || !catalog.subscriptions.is_empty();
        if is_hidden || relations > LIMIT {
            return Ok(None);
        }
        Ok(Some(Self {
            catalog: catalog.clone(),
            fingerprint: Fingerprint::load(session).await?,
        }))
    }

    /// The catalog as the session's snapshot shows it, with the sizes of now; None where it shows
    /// another one than was cached.
    ///
    /// # Errors
    /// The server refused a query, or the connection broke.
    pub async fn load_if_unchanged(self, session: &Session) -> Result<Option<Catalog>, Error> {
        if Fingerprint::load(session).await? != self.fingerprint {
            return Ok(None);
        }
        let mut catalog = self.catalog;
        refresh_sizes(&mut catalog, &load_sizes(session).await?);
        Ok(Some(catalog))
    }
}

fn refresh_sizes(catalog: &mut Catalog, sizes: &HashMap<Oid, Size>) {
    let config = catalog.extensions.iter_mut();
    let config = config.flat_map(|extension| extension.config.iter_mut());
    let tables = catalog.tables.iter_mut();
    let tables = tables.chain(config.map(|config| &mut config.table));
    let tables = tables.map(|table| (table.id.oid, &mut table.size));
    let views = catalog.materialized_views.iter_mut();
    let views = views.map(|view| (view.id.oid, &mut view.size));
    for (oid, size) in tables.chain(views) {
        *size = sizes.get(&oid).copied().unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Queries about the cluster, which the reading of a database does not send, and these here.
    const BESIDES: &[&str] = &[
        "importable_statistics.sql",
        "common_settings.sql",
        "databases.sql",
        "fingerprint.sql",
        "large_objects.sql",
        "memberships.sql",
        "parameter_acl.sql",
        "planner_statistics.sql",
        "role_passwords.sql",
        "role_rights.sql",
        "roles.sql",
        "settable.sql",
        "settable_by_grant.sql",
        "sizes.sql",
        "table_statistics.sql",
        "timescale.sql",
        "transfer.sql",
    ];

    /// Views of catalogs and of the server's files, and functions that are read like tables.
    const NO_CATALOGS: &[&str] = &[
        "pg_available_extension_versions",
        "pg_available_extensions",
        "pg_get_object_address",
        "pg_identify_object",
        "pg_seclabels",
    ];

    fn catalogs_of(sql: &str) -> BTreeSet<String> {
        let words: Vec<&str> = sql
            .split(|letter: char| !(letter.is_alphanumeric() || "._".contains(letter)))
            .filter(|word| !word.is_empty())
            .collect();
        let is_read = |pair: &&[&str]| matches!(pair[0], "FROM" | "JOIN" | "LATERAL");
        let names = words.windows(2).filter(is_read).filter_map(|pair| {
            let name = pair[1].strip_prefix("pg_catalog.")?;
            name.starts_with("pg_").then(|| name.to_owned())
        });
        names.collect()
    }

    #[test]
    fn every_catalog_that_is_read_is_part_of_the_fingerprint() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalog/sql");
        let fingerprint = catalogs_of(include_str!("../sql/fingerprint.sql"));
        let mut files = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if BESIDES.contains(&name) {
                continue;
            }
            files += 1;
            let read = catalogs_of(&std::fs::read_to_string(&path).unwrap());
            for catalog in read.difference(&fingerprint) {
                let is_known = NO_CATALOGS.contains(&catalog.as_str());
                assert!(is_known, "{name} reads {catalog}");
            }
        }
        assert!(files > 30);
    }
}

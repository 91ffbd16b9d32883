//! What extensions have left in a database of the target beside their own members: schemas that hold
//! them, and objects that their scripts create without making them members.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Class;
use crate::catalog::model::ObjectId;
use crate::connect::{self, Endpoint, Purpose};
use crate::pg::{Ident, Oid, Sql};

/// The schemas of users in a database, and whether our role may act for their owners.
///
/// # Errors
/// The target cannot be asked.
pub(crate) async fn load_schemas(
    target: &Endpoint,
) -> Result<BTreeMap<Ident, bool>, connect::Error> {
    let session = target.session(Purpose::Introspect).await?;
    let sql = Sql::fixed(
        "SELECT nspname::text, pg_catalog.pg_has_role(nspowner, 'USAGE') FROM pg_catalog.pg_namespace \
          WHERE nspname <> 'information_schema' AND nspname <> 'public' AND nspname !~ '^pg_'",
    );
    let rows = session.query(&sql, &[]).await?;
    let entry =
        |row: &tokio_postgres::Row| (Ident::from_catalog(row.get::<_, String>(0)), row.get(1));
    Ok(rows.iter().map(entry).collect())
}

/// The objects of the source that exist on the target as well, although no statement of ours has
/// created them there. The target's database holds nothing yet but extensions.
///
/// # Errors
/// A server cannot be asked.
pub(crate) async fn load_unowned(
    source: &Endpoint,
    target: &Endpoint,
) -> Result<BTreeSet<ObjectId>, connect::Error> {
    let mut found = BTreeSet::new();
    let session = target.session(Purpose::Introspect).await?;
    let unowned = Sql::fixed(include_str!("../sql/unowned.sql"));
    let rows = session.query(&unowned, &[]).await?;
    if rows.is_empty() {
        return Ok(found);
    }
    let reader = source.session(Purpose::Introspect).await?;
    let look_up = Sql::fixed(
        "SELECT classid, objid FROM pg_catalog.pg_get_object_address($1::text, $2::text[], $3::text[])",
    );
    for row in &rows {
        let (kind, names, arguments): (String, Vec<String>, Vec<String>) =
            (row.get(0), row.get(1), row.get(2));
        match reader.query(&look_up, &[&kind, &names, &arguments]).await {
            Ok(rows) => found.extend(rows.first().and_then(|row| {
                let class = Class::from_oid(Oid(row.get(0)))?;
                Some(ObjectId::new(class, Oid(row.get(1))))
            })),
            // The source has no such object.
            Err(error) if error.sqlstate().is_some() && !error.is_transient() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

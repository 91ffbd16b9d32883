//! What a selection means for a publication, by the tables that the database has now.

use std::collections::BTreeSet;

use super::candidate::LoadError;
use super::publisher::Publishing;
use crate::catalog::load::timescale::load_hands;
use crate::catalog::provider::Provider;
use crate::connect::{self, Session};
use crate::pg::{Ident, Oid, QualifiedName, Sql};
use crate::selection::TableScope;

/// A table with the names that decide whether it takes part.
struct ScopedTable {
    oid: Oid,
    /// Its own name, and then those of the partitioned tables above it.
    lineage: Vec<QualifiedName>,
}

impl ScopedTable {
    fn name(&self) -> &QualifiedName {
        &self.lineage[0]
    }
}

impl Publishing {
    /// Loads what a selection publishes of the session's database. Identities stay as they are.
    ///
    /// # Errors
    /// The server refused a query.
    pub async fn load_for_scope(
        session: &Session,
        name: Ident,
        scope: &TableScope,
    ) -> Result<Self, LoadError> {
        let tables = load_tables(session).await?;
        let hands = load_hands(session).await?;
        let provider = load_provider(session).await?;
        let mut publishing = Self {
            name,
            excluded: BTreeSet::new(),
            hypertables: BTreeSet::new(),
            insert_only: BTreeSet::new(),
            filters: std::collections::BTreeMap::new(),
            make_full: false,
        };
        for table in tables {
            let rule = scope.rules.of(table.lineage.iter());
            let is_internal = hands.internals.contains(&table.oid);
            let is_provided = provider.is_some_and(|one| one.owns_schema(&table.name().schema));
            let is_selected = scope.choice.takes(table.lineage.iter()) && rule.is_followed();
            let name = table.name().clone();
            if hands.hypertables.contains(&table.oid) {
                publishing.hypertables.insert(name.clone());
            }
            if !is_selected || is_internal || is_provided {
                publishing.excluded.insert(name);
                continue;
            }
            if rule.is_insert_only() {
                publishing.insert_only.insert(name.clone());
            }
            if let Some(filter) = rule.filter() {
                publishing.filters.insert(name, filter.clone());
            }
        }
        Ok(publishing)
    }
}

async fn load_tables(session: &Session) -> Result<Vec<ScopedTable>, connect::Error> {
    let sql = Sql::fixed(include_str!("sql/scope.sql"));
    let rows = session.query(&sql, &[]).await?;
    let read = |row: &tokio_postgres::Row| {
        let schemas: Vec<String> = row.get("above_schemas");
        let names: Vec<String> = row.get("above_names");
        let above = schemas.into_iter().zip(names);
        let mut lineage: Vec<QualifiedName> = above
            .map(|(schema, name)| QualifiedName::from_catalog(schema, name))
            .collect();
        // A table that is no partition has no ancestors, not even itself.
        if lineage.is_empty() {
            let (schema, name): (String, String) = (row.get("schema_name"), row.get("name"));
            lineage.push(QualifiedName::from_catalog(schema, name));
        }
        ScopedTable {
            oid: Oid(row.get("oid")),
            lineage,
        }
    };
    Ok(rows.iter().map(read).collect())
}

/// Loads which managed service runs the server, if one is recognized.
async fn load_provider(session: &Session) -> Result<Option<Provider>, connect::Error> {
    let sql = Sql::fixed("SELECT rolname::text FROM pg_catalog.pg_roles");
    let rows = session.query(&sql, &[]).await?;
    let roles: Vec<Ident> = rows
        .iter()
        .map(|row| Ident::from_catalog(row.get::<_, String>(0)))
        .collect();
    Ok(Provider::recognize(&roles))
}

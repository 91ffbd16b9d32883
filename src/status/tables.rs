//! Finds the tables that are not replicated as they should be.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Error;
use super::facts::{SourceFacts, TableState, TargetFacts};
use super::options::FollowedDatabase;
use super::report::{TableTrouble, TroubledTable};
use crate::connect::{self, Session};
use crate::logical::{
    FormerIdentity, Published, Publishing, load_sent_tables, read_table_name as read_name,
};
use crate::pg::{Ident, QualifiedName, Side, Sides, Sql};

/// The tables of a database, as both servers show them.
#[derive(Clone, Debug, Default)]
pub(super) struct SeenTables {
    /// Those that the publications send, as the subscription receives them.
    pub(super) published: BTreeSet<QualifiedName>,
    /// Those of them that exist on the target.
    pub(super) existing: BTreeSet<QualifiedName>,
    /// Tables that the subscription knows, that exist on the source, and that are no longer sent.
    pub(super) removed: BTreeSet<QualifiedName>,
    /// What the selection publishes now; none where the selection is not known.
    pub(super) wanted: Option<Published>,
}

impl SeenTables {
    /// Loads the tables of both servers.
    ///
    /// # Errors
    /// A server refused a query.
    pub(super) async fn load(
        sessions: Sides<&Session>,
        database: &FollowedDatabase,
        (source, target): (&SourceFacts, &TargetFacts),
    ) -> Result<Self, Error> {
        let on_source = Error::query(Side::Source);
        let names: Vec<&Ident> = match &source.publication {
            Some(found) => found.names().collect(),
            None => Vec::new(),
        };
        let published = load_sent_tables(sessions.source, &names).await;
        let published = published.map_err(on_source)?;
        let existing = load_existing(sessions.target, &published).await;
        let known = target.tables.iter().map(|table| &table.name);
        let unsent: BTreeSet<QualifiedName> = known
            .filter(|name| !published.contains(*name))
            .cloned()
            .collect();
        let removed = load_existing(sessions.source, &unsent).await;
        let wanted = load_wanted(sessions.source, database);
        Ok(Self {
            existing: existing.map_err(Error::query(Side::Target))?,
            removed: removed.map_err(on_source)?,
            wanted: wanted.await?,
            published,
        })
    }
}

/// The schemas and the names of tables, for parameters.
pub(super) fn name_parts(tables: &BTreeSet<QualifiedName>) -> (Vec<&str>, Vec<&str>) {
    let parts = tables.iter();
    parts
        .map(|table| (table.schema.as_str(), table.name.as_str()))
        .unzip()
}

/// Loads which of these tables exist on the target.
async fn load_existing(
    session: &Session,
    tables: &BTreeSet<QualifiedName>,
) -> Result<BTreeSet<QualifiedName>, connect::Error> {
    let sql = Sql::fixed(include_str!("sql/existing.sql"));
    let (schemas, names) = name_parts(tables);
    let rows = session.query(&sql, &[&schemas, &names]).await?;
    Ok(rows.iter().map(read_name).collect())
}

async fn load_wanted(
    session: &Session,
    database: &FollowedDatabase,
) -> Result<Option<Published>, Error> {
    let Some(scope) = &database.scope else {
        return Ok(None);
    };
    let name = database.names.publication.clone();
    let publishing = Publishing::load_for_scope(session, name, scope);
    let publishing = publishing.await.map_err(Error::Tables)?;
    let changed: &[FormerIdentity] = &[];
    let mut wanted = publishing
        .judge(session, changed)
        .await
        .map_err(Error::Tables)?;
    wanted.tables = wanted.publishable();
    Ok(Some(wanted))
}

/// Lists the tables that are not replicated as they should be, by name. Pure.
pub(super) fn find_troubled(
    seen: &SeenTables,
    source: &SourceFacts,
    target: &TargetFacts,
) -> Vec<TroubledTable> {
    let mut found: BTreeMap<QualifiedName, TableTrouble> = BTreeMap::new();
    let listed = source.publication.as_ref();
    let is_listed =
        |table: &QualifiedName| listed.is_some_and(|one| one.definition().tables.contains(table));
    if let (Some(wanted), Some(_)) = (&seen.wanted, listed) {
        let missing = wanted.tables.iter().filter(|table| !is_listed(table));
        found.extend(missing.map(|table| (table.clone(), TableTrouble::NotPublished)));
        // A partition is published as its root.
        let has_lost_root = wanted.not_followed.iter().any(is_listed);
        let blocked = wanted.blocked.iter();
        found.extend(blocked.map(|one| {
            let why = one.blocker.to_string();
            let trouble = match is_listed(&one.table) || has_lost_root {
                true => TableTrouble::LostIdentity(why),
                false => TableTrouble::NotPublishable(why),
            };
            (one.table.clone(), trouble)
        }));
    }
    let subscribed: BTreeMap<&QualifiedName, TableState> = target
        .tables
        .iter()
        .map(|table| (&table.name, table.state))
        .collect();
    for table in &seen.published {
        let trouble = if !seen.existing.contains(table) {
            TableTrouble::MissingOnTarget
        } else {
            match subscribed.get(table) {
                Some(TableState::Ready) => continue,
                Some(state) => TableTrouble::NotReady(*state),
                // Without a subscription no table has one: that is one fact, not one for each table.
                None if target.subscription.is_none() => continue,
                None => TableTrouble::NotSubscribed,
            }
        };
        found.entry(table.clone()).or_insert(trouble);
    }
    let removed = seen.removed.iter();
    found.extend(removed.map(|table| (table.clone(), TableTrouble::Unpublished)));
    let troubled = found.into_iter();
    troubled
        .map(|(table, trouble)| TroubledTable { table, trouble })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logical::{FoundPublication, FoundSubscription};
    use crate::pg::Oid;
    use crate::status::SubscribedTable;

    fn name(name: &str) -> QualifiedName {
        QualifiedName::from_catalog("s", name)
    }

    fn names(list: &[&str]) -> BTreeSet<QualifiedName> {
        list.iter().map(|one| name(one)).collect()
    }

    fn target(tables: &[(&str, TableState)]) -> TargetFacts {
        let table = |(one, state): &(&str, TableState)| SubscribedTable {
            name: name(one),
            state: *state,
        };
        TargetFacts {
            subscription: Some(FoundSubscription {
                oid: Oid(1),
                name: Ident::from_catalog("sub"),
                is_enabled: true,
                slot: None,
                publications: Vec::new(),
                is_marked: true,
                owner: Ident::from_catalog("me"),
                is_owner_superuser: true,
            }),
            tables: tables.iter().map(table).collect(),
            ..TargetFacts::default()
        }
    }

    fn source() -> SourceFacts {
        let plain = FoundPublication::plain(Ident::from_catalog("p"), std::iter::empty());
        SourceFacts {
            publication: Some(plain),
            ..SourceFacts::default()
        }
    }

    #[test]
    fn each_trouble_is_found_once() {
        let seen = SeenTables {
            published: names(&["ready", "copied", "missing", "unknown"]),
            existing: names(&["ready", "copied", "unknown"]),
            removed: names(&["removed"]),
            wanted: Some(Published {
                tables: names(&["new"]),
                ..Published::default()
            }),
        };
        let target = target(&[
            ("ready", TableState::Ready),
            ("copied", TableState::Copying),
        ]);
        let found = find_troubled(&seen, &source(), &target);
        let found: Vec<_> = found
            .into_iter()
            .map(|one| (one.table.name.as_str().to_owned(), one.trouble))
            .collect();
        assert_eq!(
            found,
            [
                (
                    "copied".to_owned(),
                    TableTrouble::NotReady(TableState::Copying)
                ),
                ("missing".to_owned(), TableTrouble::MissingOnTarget),
                ("new".to_owned(), TableTrouble::NotPublished),
                ("removed".to_owned(), TableTrouble::Unpublished),
                ("unknown".to_owned(), TableTrouble::NotSubscribed),
            ]
        );
    }

    #[test]
    fn without_a_subscription_its_tables_are_no_trouble_of_their_own() {
        let seen = SeenTables {
            published: names(&["t"]),
            existing: names(&["t"]),
            removed: BTreeSet::new(),
            wanted: None,
        };
        let found = find_troubled(&seen, &source(), &TargetFacts::default());
        assert!(found.is_empty(), "{found:?}");
    }
}

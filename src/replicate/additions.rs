//! Tables that join a replication later: they are selected, and the publication or the subscription does not have them.
//! Each is copied by the target's server, at a snapshot of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Error;
use super::followed::Replicated;
use super::found::{Found, Readers};
use super::recorded::recorded_predicates;
use crate::cluster::{Code, Finding, Level};
use crate::connect::{self, Session};
use crate::logical::{FormerIdentity, FoundPublication, Published, Publishing};
use crate::pg::{QualifiedName, Side, Sql};
use crate::remedy::Remedy;
use crate::sql;

/// What joins a replication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Additions {
    /// Tables to be added to the publication, and how.
    pub(super) published: Published,
    /// Whether the subscription is to be refreshed: for these, and for tables that it does not know.
    pub(super) refreshes: bool,
    /// Tables that cannot join now, and differences of the selection.
    pub(super) findings: Vec<Finding>,
}

/// What both servers show of the tables.
#[derive(Debug, Default)]
struct SeenTables {
    /// What the selection publishes; none where it is not known.
    wanted: Option<Published>,
    /// Tables that the publications send and the subscription does not know.
    unsubscribed: BTreeSet<QualifiedName>,
    /// Tables of interest on the target, with whether they have rows.
    on_target: BTreeMap<QualifiedName, bool>,
}

impl Additions {
    /// Finds what joins a replication, and what cannot.
    ///
    /// # Errors
    /// A server refused a query.
    pub(super) async fn find(
        readers: &Readers,
        replicated: &Replicated,
        found: &Found,
    ) -> Result<Self, Error> {
        let Some(publication) = &found.publication else {
            return Ok(Self::default());
        };
        let seen = SeenTables::load(readers, replicated, found, publication).await?;
        let predicates = replicated.recorded.as_ref();
        let predicates = predicates.map(|one| recorded_predicates(&one.selection));
        let mut additions = judge_additions(publication, &seen);
        if let (Some(wanted), true) = (&seen.wanted, replicated.is_selected) {
            let findings = compare_selection(publication, wanted, predicates.as_ref());
            additions.findings.extend(findings);
        }
        let name = &replicated.database.source;
        for finding in &mut additions.findings {
            finding.database.get_or_insert_with(|| name.clone());
        }
        Ok(additions)
    }
}

impl SeenTables {
    async fn load(
        readers: &Readers,
        replicated: &Replicated,
        found: &Found,
        publication: &FoundPublication,
    ) -> Result<Self, Error> {
        let database = &replicated.database;
        let mut seen = Self::default();
        if let Some(scope) = &database.scope {
            let name = database.names.publication.clone();
            let publishing = Publishing::load_for_scope(&readers.source, name, scope).await?;
            let changed: &[FormerIdentity] = &[];
            seen.wanted = Some(publishing.judge(&readers.source, changed).await?);
        }
        if let Some(subscription) = &found.subscription {
            let sent = load_sent(&readers.source, publication).await;
            let sent = sent.map_err(Error::query(Side::Source))?;
            let known = load_subscribed(&readers.target, subscription.oid.0).await;
            let known = known.map_err(Error::query(Side::Target))?;
            seen.unsubscribed = sent.difference(&known).cloned().collect();
        }
        let listed = &publication.definition().tables;
        let wanted = seen.wanted.iter().flat_map(|wanted| &wanted.tables);
        let new = wanted.filter(|table| !listed.contains(*table));
        let names: BTreeSet<QualifiedName> = new.chain(&seen.unsubscribed).cloned().collect();
        for table in names {
            let rows = load_has_rows(&readers.target, &table).await;
            if let Some(has_rows) = rows.map_err(Error::query(Side::Target))? {
                seen.on_target.insert(table, has_rows);
            }
        }
        Ok(seen)
    }
}

/// Loads the tables that publications send, as a subscription receives them.
async fn load_sent(
    session: &Session,
    publication: &FoundPublication,
) -> Result<BTreeSet<QualifiedName>, connect::Error> {
    let sql = Sql::fixed(
        "SELECT schemaname::text AS schema_name, tablename::text AS name \
           FROM pg_catalog.pg_publication_tables WHERE pubname::text = ANY ($1::text[])",
    );
    let names: Vec<&str> = publication.names().map(crate::pg::Ident::as_str).collect();
    let rows = session.query(&sql, &[&names]).await?;
    Ok(rows.iter().map(read_name).collect())
}

async fn load_subscribed(
    session: &Session,
    subscription: u32,
) -> Result<BTreeSet<QualifiedName>, connect::Error> {
    let sql = Sql::fixed(
        "SELECT n.nspname::text AS schema_name, c.relname::text AS name \
           FROM pg_catalog.pg_subscription_rel s \
           JOIN pg_catalog.pg_class c ON c.oid = s.srrelid \
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
          WHERE s.srsubid = $1::oid",
    );
    let rows = session.query(&sql, &[&subscription]).await?;
    Ok(rows.iter().map(read_name).collect())
}

fn read_name(row: &tokio_postgres::Row) -> QualifiedName {
    let (schema, name): (String, String) = (row.get("schema_name"), row.get("name"));
    QualifiedName::from_catalog(schema, name)
}

/// Whether a table of the target has rows; none if there is no such table.
pub(super) async fn load_has_rows(
    session: &Session,
    table: &QualifiedName,
) -> Result<Option<bool>, connect::Error> {
    let exists = Sql::fixed(
        "SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
          WHERE n.nspname = $1::text::name AND c.relname = $2::text::name AND c.relkind IN ('r', 'p')",
    );
    let names = [table.schema.as_str(), table.name.as_str()];
    if session
        .query(&exists, &[&names[0], &names[1]])
        .await?
        .is_empty()
    {
        return Ok(None);
    }
    let has_rows = sql!("SELECT EXISTS (SELECT FROM {}) AS has_rows", table);
    let row = session.query_one(&has_rows, &[]).await?;
    Ok(Some(row.get("has_rows")))
}

/// Decides which tables join. Pure.
fn judge_additions(publication: &FoundPublication, seen: &SeenTables) -> Additions {
    let mut additions = Additions::default();
    let listed = &publication.definition().tables;
    if let Some(wanted) = &seen.wanted {
        let is_ours = publication.mark.is_some();
        for table in wanted
            .tables
            .iter()
            .filter(|table| !listed.contains(*table))
        {
            let refused = match (is_ours, seen.on_target.get(table)) {
                (false, _) => Some(not_our_publication(publication, table)),
                (true, None) => Some(missing_on_target(table)),
                (true, Some(true)) => Some(not_empty(table)),
                (true, Some(false)) => None,
            };
            match refused {
                Some(finding) => additions.findings.push(finding),
                None => additions.add(wanted, table),
            }
        }
        let blocked = wanted.blocked.iter();
        let blocked = blocked.filter(|one| !listed.contains(&one.table));
        additions.findings.extend(blocked.map(|one| {
            let message = format!("table {} {}, and is not replicated", one.table, one.blocker);
            Finding::new(
                Code::TableNotPublishable,
                Level::Warning,
                Side::Source,
                message,
            )
            .about(&one.table)
            .with_remedies(one.remedies.iter().cloned().map(Remedy::Run))
        }));
    }
    let mut unsafe_to_refresh = false;
    for table in &seen.unsubscribed {
        match seen.on_target.get(table) {
            None => {
                let refused = missing_on_target(table);
                unsafe_to_refresh = true;
                additions.findings.push(refused);
            }
            Some(true) => {
                unsafe_to_refresh = true;
                additions.findings.push(not_empty(table));
            }
            Some(false) => additions.refreshes = true,
        }
    }
    additions.refreshes |= !additions.published.tables.is_empty();
    // A refresh takes in every table of the publications, also one that would get its rows twice.
    if unsafe_to_refresh {
        additions.refreshes = false;
        additions.published = Published::default();
    }
    additions
}

impl Additions {
    fn add(&mut self, wanted: &Published, table: &QualifiedName) {
        self.published.tables.insert(table.clone());
        if wanted.insert_only.contains(table) {
            self.published.insert_only.insert(table.clone());
        }
        if let Some(filter) = wanted.filters.get(table) {
            self.published.filters.insert(table.clone(), filter.clone());
        }
    }
}

fn missing_on_target(table: &QualifiedName) -> Finding {
    let message = format!("table {table} is missing, and is not replicated");
    Finding::new(
        Code::TableMissingOnTarget,
        Level::Warning,
        Side::Target,
        message,
    )
    .about(table)
    .remedy("create it there as on the source, and repeat the command")
}

fn not_empty(table: &QualifiedName) -> Finding {
    let message = format!(
        "table {table} is not empty: the initial copy would add its rows once more, so the table does not join the \
         replication"
    );
    let truncate = sql!("TRUNCATE {}", table);
    Finding::new(
        Code::TableNotSubscribed,
        Level::Warning,
        Side::Target,
        message,
    )
    .about(table)
    .remedy(Remedy::RunOn(Side::Target, truncate))
}

fn not_our_publication(publication: &FoundPublication, table: &QualifiedName) -> Finding {
    let name = &publication.name;
    let message =
        format!("table {table} is not published: publication {name} is not this program's");
    let add = sql!("ALTER PUBLICATION {} ADD TABLE {}", name, table);
    Finding::new(
        Code::TableNotPublished,
        Level::Warning,
        Side::Source,
        message,
    )
    .about(table)
    .remedy(Remedy::RunOn(Side::Source, add))
}

/// Compares what is selected now with what is replicated: nothing of a running replication is taken back or filtered
/// otherwise. Pure.
fn compare_selection(
    publication: &FoundPublication,
    wanted: &Published,
    recorded: Option<&BTreeMap<QualifiedName, String>>,
) -> Vec<Finding> {
    let has = publication.definition();
    let blocked: BTreeSet<&QualifiedName> = wanted.blocked.iter().map(|one| &one.table).collect();
    let mut found = Vec::new();
    let mut refuse = |table: &QualifiedName, message: String| {
        let code = Code::SelectionChanged;
        let finding = Finding::new(code, Level::Error, Side::Source, message);
        found.push(
            finding
                .about(table)
                .remedy("select what was copied, or copy again"),
        );
    };
    for table in &has.tables {
        if !wanted.tables.contains(table) && !blocked.contains(table) {
            refuse(
                table,
                format!("table {table} is replicated, and not selected now"),
            );
        }
    }
    for table in wanted.tables.intersection(&has.tables) {
        let inserts = has.insert_only.contains(table);
        if inserts != wanted.insert_only.contains(table) {
            let was = if inserts {
                "insert-only"
            } else {
                "with every change"
            };
            refuse(
                table,
                format!("table {table} is replicated {was}, and selected otherwise now"),
            );
        }
    }
    let Some(recorded) = recorded else {
        for difference in publication.compare_filters(&crate::logical::Definition {
            tables: wanted.tables.clone(),
            filters: wanted.filters.clone(),
            ..crate::logical::Definition::default()
        }) {
            let name = &publication.name;
            let message =
                format!("publication {name} {difference}, which is selected otherwise now");
            let finding = Finding::new(Code::SelectionChanged, Level::Error, Side::Source, message);
            found.push(
                finding
                    .about(name)
                    .remedy("select what was copied, or copy again"),
            );
        }
        return found;
    };
    let now = wanted.filters.iter();
    let now: BTreeMap<&QualifiedName, &str> = now
        .filter(|(table, filter)| wanted.tables.contains(*table) && filter.table == **table)
        .map(|(table, filter)| (table, filter.predicate.text()))
        .collect();
    for table in has.tables.intersection(&wanted.tables) {
        let was = recorded.get(table).map(String::as_str);
        let is = now.get(table).copied();
        if was != is {
            let shown = |filter: Option<&str>| {
                filter.map_or("no filter".to_owned(), |text| format!("filter {text}"))
            };
            let message = format!(
                "table {table} is replicated with {}, and selected with {} now",
                shown(was),
                shown(is)
            );
            let finding = Finding::new(Code::SelectionChanged, Level::Error, Side::Source, message);
            found.push(
                finding
                    .about(table)
                    .remedy("select what was copied, or copy again"),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logical::{Mark, RunId, RunTag};
    use crate::pg::Ident;

    fn name(name: &str) -> QualifiedName {
        QualifiedName::from_catalog("s", name)
    }

    fn names(list: &[&str]) -> BTreeSet<QualifiedName> {
        list.iter().map(|one| name(one)).collect()
    }

    fn publication() -> FoundPublication {
        let mut found = FoundPublication::plain(Ident::from_catalog("p"), std::iter::empty());
        let run = RunId::new("1", "2");
        found.mark = Some(Mark::new(run, RunTag::new(), "app", "s", String::new()));
        found
    }

    fn seen(wanted: &[&str], on_target: &[(&str, bool)], unsubscribed: &[&str]) -> SeenTables {
        SeenTables {
            wanted: Some(Published {
                tables: names(wanted),
                ..Published::default()
            }),
            unsubscribed: names(unsubscribed),
            on_target: on_target
                .iter()
                .map(|(table, has_rows)| (name(table), *has_rows))
                .collect(),
        }
    }

    #[test]
    fn only_empty_tables_of_the_target_join() {
        let seen = seen(
            &["empty", "full", "missing"],
            &[("empty", false), ("full", true)],
            &[],
        );
        let additions = judge_additions(&publication(), &seen);
        assert_eq!(additions.published.tables, names(&["empty"]));
        assert!(additions.refreshes);
        let codes: Vec<_> = additions.findings.iter().map(|one| one.code).collect();
        assert_eq!(
            codes,
            [Code::TableNotSubscribed, Code::TableMissingOnTarget]
        );
    }

    #[test]
    fn nothing_is_refreshed_beside_a_table_that_would_get_its_rows_twice() {
        let one = seen(&["empty"], &[("empty", false), ("full", true)], &["full"]);
        let additions = judge_additions(&publication(), &one);
        assert!(!additions.refreshes && additions.published.tables.is_empty());
        let other = seen(&[], &[("new", false)], &["new"]);
        assert!(judge_additions(&publication(), &other).refreshes);
        let nothing = seen(&[], &[], &[]);
        assert_eq!(
            judge_additions(&publication(), &nothing),
            Additions::default()
        );
    }

    #[test]
    fn somebody_elses_publication_is_not_changed() {
        let mut theirs = publication();
        theirs.mark = None;
        let seen = seen(&["new"], &[("new", false)], &[]);
        let additions = judge_additions(&theirs, &seen);
        assert!(additions.published.tables.is_empty() && !additions.refreshes);
        assert_eq!(additions.findings[0].code, Code::TableNotPublished);
    }
}

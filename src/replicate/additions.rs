//! Tables that join a replication later: they are selected, and the publication or the subscription does not have them.
//! Each is copied by the target's server, at a snapshot of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Error;
use super::followed::Replicated;
use super::found::{Found, Readers};
use super::recorded::recorded_predicates;
use crate::cluster::{Code, Finding, Level};
use crate::connect::{self, Session};
use crate::logical::{
    FormerIdentity, FoundPublication, Published, Publishing, load_sent_tables,
    load_subscribed_tables,
};
use crate::pg::{Ident, QualifiedName, Side, Sql};
use crate::remedy::Remedy;
use crate::sql;

/// What joins a replication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Additions {
    /// Tables to be added to the publication, and how.
    pub(super) published: Published,
    /// Whether the subscription is to be refreshed: for these, and for tables that it does not know.
    pub(super) refreshes: bool,
    /// Tables that the publications send and the subscription does not know.
    pub(super) unsubscribed: BTreeSet<QualifiedName>,
    /// Whether some of those have rows on the target, or are missing there: enabling the subscription discards changes.
    pub(super) is_unsafe: bool,
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
    /// Tables that the subscription knows.
    subscribed: BTreeSet<QualifiedName>,
    /// Tables with a recorded filter that is not given now.
    unfiltered: BTreeSet<QualifiedName>,
    /// Whether the target's server copies only the rows that meet a filter, since 15.
    copies_filtered: bool,
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
            let mut wanted = publishing.judge(&readers.source, changed).await?;
            wanted.tables = wanted.publishable();
            seen.wanted = Some(wanted);
        }
        if let (Some(recorded), false) = (&replicated.recorded, replicated.is_selected) {
            let filtered = recorded_predicates(&recorded.selection);
            seen.unfiltered = filtered.into_keys().collect();
        }
        seen.copies_filtered = readers.target.version().has_publication_filters();
        if let Some(subscription) = &found.subscription {
            let names: Vec<&Ident> = publication.names().collect();
            let sent = load_sent_tables(&readers.source, &names).await;
            let sent = sent.map_err(Error::query(Side::Source))?;
            let known = load_subscribed_tables(&readers.target, subscription.oid).await;
            seen.subscribed = known.map_err(Error::query(Side::Target))?;
            seen.unsubscribed = sent.difference(&seen.subscribed).cloned().collect();
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
                _ if seen.subscribed.contains(table) => Some(removed(table)),
                (false, _) => Some(not_our_publication(publication, table)),
                (true, None) => Some(missing_on_target(table)),
                (true, Some(true)) => Some(not_empty(table)),
                (true, Some(false)) => seen.judge_filter(wanted, table),
            };
            match refused {
                Some(finding) => additions.findings.push(finding),
                None => additions.add(wanted, table),
            }
        }
        additions
            .findings
            .extend(list_unpublishable(wanted, listed));
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
    additions.unsubscribed.clone_from(&seen.unsubscribed);
    additions.is_unsafe = unsafe_to_refresh;
    additions.refreshes |= !additions.published.tables.is_empty();
    // A refresh takes in every table of the publications, also one that would get its rows twice.
    if unsafe_to_refresh {
        additions.refreshes = false;
        additions.published = Published::default();
    }
    additions
}

/// Lists the tables that cannot be published as they are, or by our role.
fn list_unpublishable(wanted: &Published, listed: &BTreeSet<QualifiedName>) -> Vec<Finding> {
    let is_listed = |table: &QualifiedName| listed.contains(table);
    let has_lost_root = wanted.not_followed.iter().any(is_listed);
    let code = Code::TableNotPublishable;
    let warn = |message| Finding::new(code, Level::Warning, Side::Source, message);
    let blocked = wanted.blocked.iter().map(|one| {
        let lost = is_listed(&one.table) || has_lost_root;
        let meaning = match lost {
            true => "UPDATE and DELETE of it fail on the source",
            false => "it is not replicated",
        };
        warn(format!("table {} {}: {meaning}", one.table, one.blocker))
            .about(&one.table)
            .with_remedies(one.remedies.iter().cloned().map(Remedy::Run))
    });
    let not_owned = wanted.not_owned.iter().filter(|table| !is_listed(table));
    let not_owned = not_owned.map(|table| {
        warn(format!(
            "table {table} belongs to another role: our role cannot publish it"
        ))
        .about(table)
        .remedy("connect to the source as its owner")
    });
    blocked.chain(not_owned).collect()
}

impl SeenTables {
    /// Why a table may not join with the filter that it has now.
    fn judge_filter(&self, wanted: &Published, table: &QualifiedName) -> Option<Finding> {
        let filtered = wanted.filters.contains_key(table);
        let (message, remedy) = match (self.unfiltered.contains(table), filtered) {
            (true, false) => (
                "had a filter when it was copied, which is not given now",
                "give the selection of the copy again, with its filters",
            ),
            (_, true) if !self.copies_filtered => (
                "has a filter, and before PostgreSQL 15 the target's server copies all of its rows",
                "copy it with init, or replicate it without a filter",
            ),
            _ => return None,
        };
        let message = format!("table {table} {message}: it does not join");
        let code = Code::TableNotPublished;
        Some(
            Finding::new(code, Level::Warning, Side::Source, message)
                .about(table)
                .remedy(remedy),
        )
    }
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

/// A table whose changes since it was removed are lost: its rows on the target are old.
fn removed(table: &QualifiedName) -> Finding {
    let message = format!(
        "table {table} was replicated, and is no longer published: changes since then are missing on the target"
    );
    let truncate = sql!("TRUNCATE {}", table);
    Finding::new(Code::TableNotPublished, Level::Error, Side::Source, message)
        .about(table)
        .remedy(Remedy::Steps(vec![
            "run on the target ALTER SUBSCRIPTION … REFRESH PUBLICATION WITH (copy_data = false)"
                .into(),
            Remedy::RunOn(Side::Target, truncate),
            Remedy::invoke("copy it again", crate::remedy::Command::Sync),
        ]))
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
mod tests;

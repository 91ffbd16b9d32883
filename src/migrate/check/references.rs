//! References to rows that are not copied: the foreign keys that the target would refuse.

use std::collections::{HashMap, HashSet};

use crate::catalog::Catalog;
use crate::catalog::model::{Constraint, Table};
use crate::cluster::finding::{Code, Finding, Level};
use crate::connect::Session;
use crate::ddl::{Label, find_orphaned_keys};
use crate::migrate::check::database::Judge;
use crate::migrate::error::Error;
use crate::pg::{Ident, Literal, Oid, QualifiedName, RelKind, Side, Sql, SqlState};
use crate::remedy::{Remedy, Setting};
use crate::selection::{DateSettings, RowFilter};
use crate::sql;

/// How long the references of one key are counted.
const LIMIT: &str = "60s";

/// A foreign key as the server describes it.
struct Key {
    columns: Vec<Ident>,
    referenced: Vec<Ident>,
    /// The operators that compare them, as SQL.
    operators: Vec<Sql>,
}

/// Counts the references that would have no row on the target.
///
/// # Errors
/// The source refused a question.
pub(super) async fn examine_references(
    session: &Session,
    catalog: &Catalog,
    judge: Judge<'_>,
) -> Result<Vec<Finding>, Error> {
    let rules = &judge.scope.rules;
    let without_rows: HashSet<Oid> = rules.without_rows(catalog).map(|t| t.id.oid).collect();
    let filters = rules
        .filtered(catalog)
        .map(|(table, filter)| (table.id.oid, filter));
    let filters: HashMap<Oid, RowFilter> = filters.collect();
    let mut findings = Vec::new();
    for constraint in find_orphaned_keys(catalog, rules) {
        let tables = (
            catalog.table(constraint.relation),
            catalog.table(constraint.referenced),
        );
        let (Some(table), Some(parent)) = tables else {
            continue;
        };
        if judge.cluster.options.include.orphans {
            findings.extend(refuse_partitioned(constraint, table, judge));
            continue;
        }
        if !constraint.is_valid || !constraint.is_enforced {
            continue;
        }
        let reference = Reference {
            constraint,
            table,
            parent,
            without_rows: &without_rows,
            filters: &filters,
        };
        findings.extend(reference.examine(session).await?);
    }
    Ok(findings)
}

/// Before 18 a key of a partitioned table cannot stay unchecked.
fn refuse_partitioned(constraint: &Constraint, table: &Table, judge: Judge<'_>) -> Option<Finding> {
    let target = judge.cluster.options.target.version;
    let is_refused =
        table.kind == RelKind::PartitionedTable && !target.has_unchecked_partitioned_keys();
    is_refused.then(|| {
        let message = format!(
            "foreign key {} of partitioned table {} cannot stay NOT VALID on PostgreSQL {}",
            constraint.name,
            table.name,
            target.major()
        );
        Finding::new(Code::PartitionedKey, Level::Error, Side::Target, message)
            .about(&label_key(constraint, table))
            .remedy(Remedy::Omit(Setting::AllowOrphans))
    })
}

fn label_key(key: &Constraint, table: &Table) -> Label {
    Label::part("foreign key", &key.name, &table.name)
}

/// A key that refers to a table of which rows are not copied.
struct Reference<'a> {
    constraint: &'a Constraint,
    table: &'a Table,
    parent: &'a Table,
    without_rows: &'a HashSet<Oid>,
    filters: &'a HashMap<Oid, RowFilter>,
}

impl Reference<'_> {
    async fn examine(&self, session: &Session) -> Result<Option<Finding>, Error> {
        let examine = Error::examine(Side::Source);
        let key = self.load_key(session).await.map_err(examine)?;
        let mut begin = sql!(
            "SAVEPOINT counted; SET LOCAL statement_timeout = {}",
            Literal(LIMIT)
        );
        begin.push(&self.render_settings());
        session.batch(&begin).await.map_err(examine)?;
        let counted = session.query_one(&self.render_count(&key), &[]).await;
        let mut end = Sql::fixed("ROLLBACK TO SAVEPOINT counted; ");
        end.push(&DateSettings::render_end());
        session.batch(&end).await.map_err(examine)?;
        match counted {
            Ok(row) => Ok(match row.get::<_, i64>(0) {
                0 => None,
                count => Some(self.describe(count)),
            }),
            Err(error) if error.sqlstate() == Some(SqlState::QUERY_CANCELED) => {
                Ok(Some(self.describe_uncounted()))
            }
            Err(error) => Err(examine(error)),
        }
    }

    async fn load_key(&self, session: &Session) -> Result<Key, crate::connect::Error> {
        let sql = Sql::fixed(include_str!("../sql/foreign_key.sql"));
        let row = session
            .query_one(&sql, &[&self.constraint.id.oid.0])
            .await?;
        let names = |column: &str| {
            let names: Vec<String> = row.get(column);
            names.into_iter().map(Ident::from_catalog).collect()
        };
        let operators: Vec<String> = row.get("operators");
        Ok(Key {
            columns: names("columns"),
            referenced: names("referenced"),
            operators: operators.into_iter().map(Sql::deparsed).collect(),
        })
    }

    /// Renders the settings under which the filters of both tables have their meaning. Where their schemas differ, both
    /// are in the search path.
    fn render_settings(&self) -> Option<Sql> {
        let filters = [self.table, self.parent].map(|table| self.filters.get(&table.id.oid));
        let mut filters = filters.into_iter().flatten();
        let first = filters.next()?;
        let mut settings = sql!("; {}", first.render_settings());
        if let Some(second) = filters.next() {
            let (one, other) = (&first.table.schema, &second.table.schema);
            settings.push(&sql!(
                "; SET LOCAL search_path = {}, {}, public",
                one,
                other
            ));
        }
        Some(settings)
    }

    /// Renders a table in `FROM`: of a filtered one the rows that are copied.
    fn render_rows(&self, table: &Table, only: &'static str) -> Sql {
        let only = Sql::fixed(only);
        match self.filters.get(&table.id.oid) {
            None => sql!("{}{}", only, table.name),
            Some(filter) => sql!(
                "(SELECT tableoid, * FROM {}{} AS {} WHERE {})",
                only,
                table.name,
                filter.alias(),
                filter.predicate
            ),
        }
    }

    /// Renders the question: the rows that are copied and refer to one that is not.
    fn render_count(&self, key: &Key) -> Sql {
        let mut conditions: Vec<Sql> = key
            .columns
            .iter()
            .map(|column| sql!("c.{} IS NOT NULL", column))
            .collect();
        conditions.extend(self.render_copied("c"));
        if !self.without_rows.contains(&self.parent.id.oid) {
            let pairs = key.columns.iter().zip(&key.referenced).zip(&key.operators);
            let mut equal: Vec<Sql> = pairs
                .map(|((column, referenced), operator)| {
                    sql!("p.{} {} c.{}", referenced, operator, column)
                })
                .collect();
            equal.extend(self.render_copied("p"));
            conditions.push(sql!(
                "NOT EXISTS (SELECT FROM {} p WHERE {})",
                self.render_rows(self.parent, ""),
                Sql::join(&equal, " AND ")
            ));
        }
        let is_partitioned = self.table.kind == RelKind::PartitionedTable;
        let only = if is_partitioned { "" } else { "ONLY " };
        sql!(
            "SELECT pg_catalog.count(*) FROM {} c WHERE {}",
            self.render_rows(self.table, only),
            Sql::join(&conditions, " AND ")
        )
    }

    /// The condition that a row is in a table whose rows are copied.
    fn render_copied(&self, alias: &'static str) -> Option<Sql> {
        let mut oids: Vec<u32> = self.without_rows.iter().map(|oid| oid.0).collect();
        oids.sort_unstable();
        let oids: Vec<Sql> = oids.into_iter().map(|oid| sql!("{}", oid)).collect();
        (!oids.is_empty()).then(|| {
            sql!(
                "{}.tableoid <> ALL (ARRAY[{}]::pg_catalog.oid[])",
                Sql::fixed(alias),
                Sql::join(&oids, ", ")
            )
        })
    }

    fn describe(&self, count: i64) -> Finding {
        let (table, parent) = (&self.table.name, &self.parent.name);
        let rows = if count == 1 { "row" } else { "rows" };
        let verb = if count == 1 { "refers" } else { "refer" };
        let message = format!(
            "FK-related table {parent} is NOT being copied in full: {count} {rows} of {table} {verb} to rows \
             outside its scope ({})",
            self.constraint.name
        );
        let finding = Finding::new(Code::OrphanedRows, Level::Error, Side::Source, message);
        self.find_ways_out(finding)
    }

    fn describe_uncounted(&self) -> Finding {
        let (table, parent) = (&self.table.name, &self.parent.name);
        let message = format!(
            "FK-related table {parent} is NOT being copied in full: the references of {table} ({}) were not \
             counted within {LIMIT}",
            self.constraint.name
        );
        let code = Code::OrphansNotCounted;
        self.find_ways_out(Finding::new(code, Level::Warning, Side::Source, message))
    }

    fn find_ways_out(&self, finding: Finding) -> Finding {
        let (table, parent): (&QualifiedName, &QualifiedName) =
            (&self.table.name, &self.parent.name);
        finding
            .about(&label_key(self.constraint, self.table))
            .remedy(match self.filters.contains_key(&self.parent.id.oid) {
                true => format!("widen the filter of {parent}"),
                false => format!("copy the rows of {parent}"),
            })
            .remedy(format!("narrow {table}"))
            .remedy("remove the foreign key constraint before replication")
            .remedy(Remedy::pass_to(
                Setting::AllowOrphans,
                "create the key, which stays NOT VALID",
            ))
            .for_group([
                "remove these foreign key constraints before replication".into(),
                Remedy::pass_to(
                    Setting::AllowOrphans,
                    "create the keys, which stay NOT VALID",
                ),
            ])
    }
}

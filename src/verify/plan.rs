//! What is compared with what: the tables of both sides, matched by name. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::pg::{Ident, Oid, QualifiedName, Sides, Sql};
use crate::selection::RowFilter;
use crate::sql;

/// A table that holds rows of its own, as one side's catalog describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// Its name.
    pub(super) name: QualifiedName,
    /// Its columns, by position.
    pub(super) columns: Vec<Column>,
    /// Whether it belongs to an extension, and holds the user's configuration.
    pub(super) is_configuration: bool,
    /// Which rows take part, as `WHERE …`; all, if there is none.
    pub(super) condition: Option<Sql>,
    /// The filter of its copy, on the source.
    pub(super) filter: Option<RowFilter>,
    /// The partitioned tables above, the topmost last.
    pub(super) above: Vec<QualifiedName>,
    /// All tables that its rows are rows of, too: those that it is a partition of or inherits from.
    pub(super) parents: BTreeSet<QualifiedName>,
    /// Which table the name meant when the snapshot was taken.
    pub(super) identity: Identity,
    /// Whether its rows are in chunks of a hypertable, which are read with it.
    pub(super) in_chunks: bool,
    /// Estimated bytes on disk, TOAST included.
    pub(super) bytes: u64,
}

impl Table {
    /// Its name, and those of the partitioned tables above it.
    pub(super) fn lineage(&self) -> impl Iterator<Item = &QualifiedName> {
        std::iter::once(&self.name).chain(&self.above)
    }

    /// The partitioned table at the top, if this is a partition.
    fn top_table(&self) -> Option<&QualifiedName> {
        self.above.last()
    }
}

/// A table and its storage. A rewrite gives it another file, whose rows are newer than the
/// snapshot and therefore cannot be seen by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// `pg_class.oid`.
    pub(super) oid: Oid,
    /// `pg_class.relfilenode`.
    pub(super) filenode: Oid,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: Ident,
    /// Its type, as `format_type` writes it under an empty `search_path`.
    pub(super) type_name: String,
    /// How its values become text.
    pub(super) form: Form,
    /// Whether it is computed from other columns.
    pub(super) is_generated: bool,
}

/// How a column's values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// By the output function of its type.
    Text,
    /// As `integer`: the output of `"char"` above 127 is another one since 16.
    Integer,
    /// As `integer[]`, for the same reason.
    Integers,
}

impl Column {
    fn render_expression(&self) -> Sql {
        match self.form {
            Form::Text => sql!("{}", self.name),
            Form::Integer => sql!("{}::pg_catalog.int4", self.name),
            Form::Integers => sql!("{}::pg_catalog.int4[]", self.name),
        }
    }
}

/// A table of both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// Its name.
    pub(super) name: QualifiedName,
    /// The partitioned table at the top, where both sides have the same.
    pub(super) root: Option<QualifiedName>,
    /// The expressions compared, ordered by the columns' names: so all partitions of a table have
    /// the same order, and their digests can be added.
    pub(super) columns: Vec<Sql>,
    /// Whether these are columns that `COPY` of the table itself gives.
    pub(super) is_plain: bool,
    /// Where the definitions differ.
    pub(super) mismatches: Vec<Mismatch>,
    /// What is read on each side.
    pub(super) halves: Sides<Half>,
    /// Estimated bytes on the source's disk.
    pub(super) bytes: u64,
}

/// What is read of a table on one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Half {
    /// Which rows take part, as `WHERE …`.
    pub(super) condition: Option<Sql>,
    /// The filter of the copy.
    pub(super) filter: Option<RowFilter>,
    /// Which table it is.
    pub(super) identity: Identity,
    /// Whether its rows are in chunks.
    pub(super) in_chunks: bool,
}

/// Where the definitions of a table differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// The target lacks a column of the source: its values are lost.
    MissingOnTarget(Ident),
    /// The target has a column more.
    OnlyOnTarget(Ident),
    /// The types are not the same; the values are compared by their text.
    Type {
        /// The column.
        column: Ident,
        /// Its type on the source.
        source: String,
        /// Its type on the target.
        target: String,
    },
    /// On the target it is no partition of this table, or does not inherit from it: that table lacks
    /// its rows.
    ParentOnSource(QualifiedName),
    /// Only on the target it is a partition of this table, or inherits from it: that table has its rows
    /// as well.
    ParentOnTarget(QualifiedName),
}

/// What a database's comparison consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Tables of both sides, largest first, so that no long one is left to the end.
    pub(super) pairs: Vec<Pair>,
    /// Tables that the target lacks.
    pub(super) missing: Vec<Single>,
    /// Tables that only the target has.
    pub(super) target_only: Vec<Single>,
    /// Tables whose changes are not replicated: they are not compared.
    pub(super) not_followed: Vec<QualifiedName>,
    /// Tables of which only inserts and truncates are replicated.
    pub(super) insert_only: Vec<QualifiedName>,
}

/// A table of one side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Single {
    /// Its name.
    pub(super) name: QualifiedName,
    /// The partitioned table at the top.
    pub(super) root: Option<QualifiedName>,
}

impl From<Table> for Half {
    fn from(table: Table) -> Self {
        Self {
            condition: table.condition,
            filter: table.filter,
            identity: table.identity,
            in_chunks: table.in_chunks,
        }
    }
}

impl From<Table> for Single {
    fn from(table: Table) -> Self {
        Self {
            root: table.top_table().cloned(),
            name: table.name,
        }
    }
}

impl Pair {
    /// Renders what `COPY … TO` reads: the table itself where that gives the same rows. A query is planned, and
    /// the planner looks into the functions of the table's indexes, which may rely on `search_path`.
    pub(super) fn render_rows(&self, half: &Half) -> Sql {
        if self.is_whole_table(half) {
            return sql!("{} ({})", self.name, Sql::join(&self.columns, ", "));
        }
        sql!("({})", self.render_query(half))
    }

    /// Whether the table itself is read, not a query of it.
    pub(super) fn is_whole_table(&self, half: &Half) -> bool {
        self.is_plain && half.condition.is_none() && half.filter.is_none() && !half.in_chunks
    }

    /// Renders the settings under which the filter has its meaning. They hold on both sides, so that values are
    /// written in the same way.
    pub(super) fn render_settings(&self) -> Option<Sql> {
        let filter = self.halves.source.filter.as_ref();
        filter.map(RowFilter::render_settings)
    }

    /// Renders the query whose result is compared. It has `ONLY`, since a child's rows are compared with the
    /// child; a hypertable's chunks are no tables to compare. Only a query gives generated columns.
    fn render_query(&self, half: &Half) -> Sql {
        let columns = Sql::join(&self.columns, ", ");
        let only = Sql::fixed(if half.in_chunks { "" } else { "ONLY " });
        let mut query = sql!("SELECT {} FROM {}{}", columns, only, self.name);
        if let Some(filter) = &half.filter {
            query.push(&sql!(" AS {} WHERE {}", filter.alias(), filter.predicate));
        }
        if let Some(condition) = &half.condition {
            query.push(&sql!(" {}", condition));
        }
        query
    }
}

/// The encoding in which values of both sides can be compared. `SQL_ASCII` holds bytes of any
/// meaning: they are compared as they are.
pub(super) fn common_encoding<'a>(source: &'a str, target: &'a str) -> &'a str {
    const BYTES: &str = "SQL_ASCII";
    if source == target {
        source
    } else if [source, target].contains(&BYTES) {
        BYTES
    } else {
        "UTF8"
    }
}

/// Matches the tables of both sides.
pub(super) fn plan_pairs(source: Vec<Table>, target: Vec<Table>) -> Plan {
    let mut others: BTreeMap<QualifiedName, Table> = target
        .into_iter()
        .map(|table| (table.name.clone(), table))
        .collect();
    let mut plan = Plan::default();
    for table in source {
        match others.remove(&table.name) {
            Some(other) => plan.pairs.push(pair_tables(table, other)),
            None => plan.missing.push(table.into()),
        }
    }
    plan.pairs.sort_by(|one, other| {
        (Reverse(one.bytes), &one.name).cmp(&(Reverse(other.bytes), &other.name))
    });
    plan.missing.sort();
    plan.target_only = others.into_values().map(Single::from).collect();
    plan
}

fn pair_tables(source: Table, target: Table) -> Pair {
    let matched = match_columns(&source.columns, &target.columns);
    let mut mismatches = matched.mismatches;
    mismatches.extend(parent_mismatches(&source.parents, &target.parents));
    Pair {
        root: source
            .top_table()
            .filter(|root| target.top_table() == Some(*root))
            .cloned(),
        name: source.name.clone(),
        is_plain: matched.is_plain && !matched.columns.is_empty(),
        columns: matched.columns,
        mismatches,
        bytes: source.bytes,
        halves: Sides { source, target }.map(Half::from),
    }
}

/// The columns of both sides, by name.
struct MatchedColumns {
    columns: Vec<Sql>,
    is_plain: bool,
    mismatches: Vec<Mismatch>,
}

fn match_columns(source: &[Column], target: &[Column]) -> MatchedColumns {
    let theirs = columns_by_name(target);
    let ours = columns_by_name(source);
    let mut matched = MatchedColumns {
        columns: Vec::new(),
        is_plain: true,
        mismatches: Vec::new(),
    };
    for (name, column) in &ours {
        match theirs.get(name) {
            Some(other) => matched.add_column(column, other),
            None => {
                let missing = Mismatch::MissingOnTarget((*name).clone());
                matched.mismatches.push(missing);
            }
        }
    }
    let extra = theirs.keys().filter(|name| !ours.contains_key(*name));
    let extra = extra.map(|name| Mismatch::OnlyOnTarget((*name).clone()));
    matched.mismatches.extend(extra);
    matched
}

impl MatchedColumns {
    fn add_column(&mut self, column: &Column, other: &Column) {
        if column.type_name != other.type_name {
            self.mismatches.push(Mismatch::Type {
                column: column.name.clone(),
                source: column.type_name.clone(),
                target: other.type_name.clone(),
            });
        }
        let is_text = column.form != other.form || column.form == Form::Text;
        self.is_plain &= is_text && !column.is_generated && !other.is_generated;
        self.columns.push(render_comparable(column, other));
    }
}

fn parent_mismatches<'t>(
    source: &'t BTreeSet<QualifiedName>,
    target: &'t BTreeSet<QualifiedName>,
) -> impl Iterator<Item = Mismatch> + 't {
    let lost = source.difference(target).cloned();
    let more = target.difference(source).cloned();
    lost.map(Mismatch::ParentOnSource)
        .chain(more.map(Mismatch::ParentOnTarget))
}

fn columns_by_name(columns: &[Column]) -> BTreeMap<&Ident, &Column> {
    columns
        .iter()
        .map(|column| (&column.name, column))
        .collect()
}

/// The expression for a column: its form, where both sides agree on one.
fn render_comparable(source: &Column, target: &Column) -> Sql {
    if source.form == target.form {
        source.render_expression()
    } else {
        sql!("{}", source.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, bytes: u64, columns: &[(&str, &str)]) -> Table {
        let column = |(name, type_name): &(&str, &str)| Column {
            name: Ident::from_catalog(*name),
            type_name: (*type_name).to_owned(),
            form: if *type_name == "\"char\"" {
                Form::Integer
            } else {
                Form::Text
            },
            is_generated: false,
        };
        Table {
            name: QualifiedName::from_catalog("public", name),
            columns: columns.iter().map(column).collect(),
            is_configuration: false,
            condition: None,
            filter: None,
            above: Vec::new(),
            parents: BTreeSet::new(),
            identity: Identity {
                oid: Oid(1),
                filenode: Oid(2),
            },
            in_chunks: false,
            bytes,
        }
    }

    fn query(plan: &Plan) -> String {
        let pair = &plan.pairs[0];
        pair.render_query(&pair.halves.source).as_str().to_owned()
    }

    #[test]
    fn columns_are_matched_and_ordered_by_name() {
        let source = table("t", 0, &[("lost", "text"), ("b", "integer"), ("a", "text")]);
        let target = table("t", 0, &[("b", "bigint"), ("new", "text"), ("a", "text")]);
        let plan = plan_pairs(vec![source], vec![target]);
        let [pair] = &plan.pairs[..] else {
            panic!("{plan:?}")
        };
        assert_eq!(
            pair.render_query(&pair.halves.source).as_str(),
            r#"SELECT "a", "b" FROM ONLY "public"."t""#
        );
        assert_eq!(
            pair.mismatches,
            [
                Mismatch::Type {
                    column: Ident::from_catalog("b"),
                    source: "integer".to_owned(),
                    target: "bigint".to_owned(),
                },
                Mismatch::MissingOnTarget(Ident::from_catalog("lost")),
                Mismatch::OnlyOnTarget(Ident::from_catalog("new")),
            ]
        );
    }

    #[test]
    fn tables_of_one_side_are_listed_and_the_largest_pair_comes_first() {
        let source = ["lost", "small", "big"].map(|name| table(name, name.len() as u64, &[]));
        let mut source = source.to_vec();
        source[2].bytes = 100;
        let target = ["small", "big", "new"]
            .map(|name| table(name, 0, &[]))
            .to_vec();
        let plan = plan_pairs(source, target);
        let names: Vec<_> = plan
            .pairs
            .iter()
            .map(|pair| pair.name.to_string())
            .collect();
        assert_eq!(names, ["public.big", "public.small"]);
        let names = |tables: &[Single]| -> Vec<_> {
            tables.iter().map(|table| table.name.to_string()).collect()
        };
        assert_eq!(names(&plan.missing), ["public.lost"]);
        assert_eq!(names(&plan.target_only), ["public.new"]);
    }

    #[test]
    fn rows_that_another_table_lacks_or_gains_are_a_mismatch() {
        let below = |parents: &[&str]| {
            let name = |name: &&str| QualifiedName::from_catalog("public", *name);
            vec![Table {
                parents: parents.iter().map(name).collect(),
                ..table("t", 0, &[])
            }]
        };
        let name = |name| QualifiedName::from_catalog("public", name);
        let plan = plan_pairs(below(&["same", "root"]), below(&["other", "same"]));
        assert_eq!(
            plan.pairs[0].mismatches,
            [
                Mismatch::ParentOnSource(name("root")),
                Mismatch::ParentOnTarget(name("other"))
            ]
        );
    }

    #[test]
    fn a_table_without_columns_is_still_counted() {
        let plan = plan_pairs(vec![table("t", 0, &[])], vec![table("t", 0, &[])]);
        assert_eq!(query(&plan), r#"SELECT  FROM ONLY "public"."t""#);
    }

    #[test]
    fn single_bytes_are_compared_as_numbers() {
        let tables = || vec![table("t", 0, &[("c", "\"char\"")])];
        let plan = plan_pairs(tables(), tables());
        assert_eq!(
            query(&plan),
            r#"SELECT "c"::pg_catalog.int4 FROM ONLY "public"."t""#
        );
    }
}

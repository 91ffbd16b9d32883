//! The relations of a database by what becomes of them.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::catalog::model::Table;
use crate::pg::{Ident, Oid, QualifiedName};
use crate::selection::TableScope;

/// What a database holds before anything is deselected.
pub(super) struct Relations {
    pub(super) names: BTreeSet<QualifiedName>,
    pub(super) hypertables: BTreeSet<QualifiedName>,
    /// The tables in which hypertables keep their rows.
    pub(super) chunks: BTreeSet<QualifiedName>,
    pub(super) extensions: BTreeSet<Ident>,
}

impl Relations {
    pub(super) fn of(catalog: &Catalog) -> Self {
        let tables = catalog.tables.iter();
        let hypertables = tables.filter(|table| table.hypertable.is_some());
        let timescale = catalog.timescale.iter();
        let extensions = catalog.extensions.iter();
        Self {
            names: relation_names(catalog),
            hypertables: hypertables.map(|table| table.name.clone()).collect(),
            chunks: timescale
                .flat_map(|t| t.internals.values())
                .cloned()
                .collect(),
            extensions: extensions.map(|one| one.name.clone()).collect(),
        }
    }
}

/// The tables whose rows are copied, largest first.
pub(super) fn copied_tables<'c>(catalog: &'c Catalog, scope: &TableScope) -> Vec<&'c Table> {
    let without_rows = scope.rules.without_rows(catalog);
    let without_rows: BTreeSet<Oid> = without_rows.map(|table| table.id.oid).collect();
    let sources = catalog.row_sources().map(|rows| rows.table);
    let copied = sources.filter(|table| !without_rows.contains(&table.id.oid));
    let mut copied: Vec<_> = copied.collect();
    copied.sort_by_key(|table| std::cmp::Reverse(table.size.bytes()));
    copied
}

/// The tables whose changes no publication sends, since a rule says so.
pub(super) fn unpublished_names(catalog: &Catalog, scope: &TableScope) -> BTreeSet<QualifiedName> {
    let ruled = scope.rules.tables(catalog).into_iter();
    let unpublished = ruled.filter(|(_, rule)| !rule.is_followed());
    unpublished.map(|(table, _)| table.name.clone()).collect()
}

/// The tables of whose changes publications send only `INSERT` and `TRUNCATE`.
pub(super) fn insert_only_names(catalog: &Catalog, scope: &TableScope) -> BTreeSet<QualifiedName> {
    let ruled = scope.rules.tables(catalog).into_iter();
    let insert_only = ruled.filter(|(_, rule)| rule.is_insert_only());
    insert_only.map(|(table, _)| table.name.clone()).collect()
}

/// The names of tables and sequences.
pub(super) fn relation_names(catalog: &Catalog) -> BTreeSet<QualifiedName> {
    let sequences = catalog.sequences.iter().map(|sequence| &sequence.name);
    let tables = catalog.tables.iter().map(|table| &table.name);
    tables.chain(sequences).cloned().collect()
}

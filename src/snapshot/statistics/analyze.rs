//! Which relations of the target are analysed: pure.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::catalog::Catalog;
use crate::catalog::model::Table;
use crate::pg::{Oid, QualifiedName, RelKind};
use crate::snapshot::definitions::section::Tables;
use crate::snapshot::rows::plan::CopyJob;

/// Why a table above foreign ones is not analysed.
pub(in crate::snapshot) const REMOTE: &str =
    "ANALYZE would read the foreign tables among its children";

/// A relation that is analysed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::snapshot) struct Analyzed {
    /// Its oid on the source.
    pub(in crate::snapshot) oid: Oid,
    /// Its name.
    pub(in crate::snapshot) name: QualifiedName,
    /// All partitions below it are analysed with it.
    pub(in crate::snapshot) with_partitions: bool,
}

/// What is analysed, and what is not although its rows were copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::snapshot) struct Analyses {
    /// Each once.
    pub(in crate::snapshot) wanted: Vec<Analyzed>,
    /// In words.
    pub(in crate::snapshot) untold: Vec<String>,
}

/// The tables whose rows are copied, but for those whose statistics are carried over; partitioned
/// tables above them, which bring their partitions.
///
/// With foreign tables among its children, a table's servers would be asked for rows, which nothing
/// prevents: `ANALYZE ONLY` means partitioned tables.
pub(in crate::snapshot) fn analyses(
    catalog: &Catalog,
    copied: &[CopyJob],
    carried: &BTreeSet<QualifiedName>,
    tables: &Tables,
) -> Analyses {
    let remote = above_foreign_tables(catalog);
    let rows: HashSet<Oid> = copied.iter().map(|job| job.oid).collect();
    let mut analyses = Analyses::default();
    let mut covered = HashSet::new();
    for root in catalog.tables.iter().filter(|table| is_root(table)) {
        if carried.contains(&root.name) || remote.contains(&root.name) {
            continue;
        }
        let below = tables.with_below([root.id.oid].into_iter());
        if below.iter().any(|oid| rows.contains(oid)) {
            covered.extend(below);
            analyses.wanted.push(Analyzed {
                oid: root.id.oid,
                name: root.name.clone(),
                with_partitions: true,
            });
        }
    }
    for job in copied {
        let name = &job.table;
        if covered.contains(&job.oid) || carried.contains(name) {
            continue;
        }
        if remote.contains(name) {
            analyses.untold.push(without(name, REMOTE));
            continue;
        }
        analyses.wanted.push(Analyzed {
            oid: job.oid,
            name: name.clone(),
            with_partitions: false,
        });
    }
    analyses
}

/// Materialized views, which are filled at the end.
pub(in crate::snapshot) fn filled_views(catalog: &Catalog) -> impl Iterator<Item = Analyzed> {
    let views = catalog.materialized_views.iter();
    views.filter(|view| view.is_populated).map(|view| Analyzed {
        oid: view.id.oid,
        name: view.name.clone(),
        with_partitions: false,
    })
}

/// Tells of a table without statistics.
pub(in crate::snapshot) fn without(table: &QualifiedName, why: &str) -> String {
    format!("table {table} has no statistics: {why}")
}

fn is_root(table: &Table) -> bool {
    table.kind == RelKind::PartitionedTable && table.parents.is_empty()
}

/// The tables that have foreign tables among their children, at any depth.
pub(in crate::snapshot) fn above_foreign_tables(catalog: &Catalog) -> BTreeSet<QualifiedName> {
    let tables: HashMap<Oid, &Table> = catalog.tables.iter().map(|t| (t.id.oid, t)).collect();
    let foreign = catalog.tables.iter().filter(|t| t.foreign.is_some());
    let mut left: Vec<Oid> = foreign.flat_map(|t| t.parents.iter().copied()).collect();
    let mut above = BTreeSet::new();
    while let Some(oid) = left.pop() {
        let Some(table) = tables.get(&oid) else {
            continue;
        };
        if above.insert(table.name.clone()) {
            left.extend(&table.parents);
        }
    }
    above
}

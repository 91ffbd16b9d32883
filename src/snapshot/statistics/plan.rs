//! Which relations of the target are analyzed: pure.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::catalog::Catalog;
use crate::catalog::model::Table;
use crate::pg::{Oid, QualifiedName, RelKind};
use crate::snapshot::rows::job::CopyJob;
use crate::snapshot::tables::Tables;

/// Why a table above foreign ones is not analyzed.
pub(crate) const REMOTE: &str = "ANALYZE would read the foreign tables among its children";

/// A relation that is analyzed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnalyzedRelation {
    /// Its oid on the source.
    pub(crate) oid: Oid,
    /// Its name.
    pub(crate) name: QualifiedName,
    /// All partitions below it are analyzed with it.
    pub(crate) with_partitions: bool,
}

/// The relations that are analyzed, and those that are not although their rows are copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AnalyzePlan {
    /// Each relation once.
    pub(crate) relations: Vec<AnalyzedRelation>,
    /// The other ones, in words.
    pub(crate) notes: Vec<String>,
}

/// Plans the analysis of the tables whose rows are copied, except those whose statistics are imported. A
/// partitioned table above them includes its partitions.
///
/// `ANALYZE` of a table with foreign tables among its children reads rows of the foreign servers. Nothing prevents
/// that: `ANALYZE ONLY` applies to partitioned tables.
pub(crate) fn plan_analyze(
    catalog: &Catalog,
    copied: &[CopyJob],
    importable: &BTreeSet<QualifiedName>,
    tables: &Tables,
) -> AnalyzePlan {
    let remote = tables_above_foreign(catalog);
    let rows: HashSet<Oid> = copied.iter().map(|job| job.oid).collect();
    let mut plan = AnalyzePlan::default();
    let mut covered = HashSet::new();
    for root in catalog.tables.iter().filter(|table| is_root(table)) {
        if importable.contains(&root.name) || remote.contains(&root.name) {
            continue;
        }
        let below = tables.with_below([root.id.oid].into_iter());
        if below.iter().any(|oid| rows.contains(oid)) {
            covered.extend(below);
            plan.relations.push(AnalyzedRelation {
                oid: root.id.oid,
                name: root.name.clone(),
                with_partitions: true,
            });
        }
    }
    for job in copied {
        let name = &job.table;
        if covered.contains(&job.oid) || importable.contains(name) {
            continue;
        }
        if remote.contains(name) {
            plan.notes.push(render_no_statistics(name, REMOTE));
            continue;
        }
        plan.relations.push(AnalyzedRelation {
            oid: job.oid,
            name: name.clone(),
            with_partitions: false,
        });
    }
    plan
}

/// Returns the materialized views, which are filled at the end.
pub(crate) fn filled_views(catalog: &Catalog) -> impl Iterator<Item = AnalyzedRelation> {
    let views = catalog.materialized_views.iter();
    views
        .filter(|view| view.is_populated)
        .map(|view| AnalyzedRelation {
            oid: view.id.oid,
            name: view.name.clone(),
            with_partitions: false,
        })
}

/// Renders the note for a table without statistics.
pub(crate) fn render_no_statistics(table: &QualifiedName, why: &str) -> String {
    format!("table {table} has no statistics: {why}")
}

fn is_root(table: &Table) -> bool {
    table.kind == RelKind::PartitionedTable && table.parents.is_empty()
}

/// Returns the tables that have foreign tables among their children, at any depth.
pub(crate) fn tables_above_foreign(catalog: &Catalog) -> BTreeSet<QualifiedName> {
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

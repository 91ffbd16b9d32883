//! Rows that are in other partitions of the same table. Pure.
//!
//! Which partition a row belongs to may depend on what differs between servers: hash functions of
//! text with a collation, oids of enum values. A copy then puts it where the target wants it, and
//! partitions differ though the table does not. Digests add up, so that is seen without reading
//! anything again.

use std::collections::BTreeMap;

use super::digest::Contents;
use super::plan::Single;
use super::report::{TableReport, Verdict};
use crate::pg::{QualifiedName, Sides};

/// A compared table.
#[derive(Clone, Debug)]
pub(super) struct Compared {
    pub(super) table: TableReport,
    /// The partitioned table at its top.
    pub(super) root: Option<QualifiedName>,
}

/// Sums over the partitions of a table; `None` once something is not known.
type Sums = Option<Sides<Contents>>;

/// Turns differences between partitions into [`Verdict::Moved`] where all partitions together are
/// equal. A table with a partition that is missing, that only the target has, or that could not
/// be read stays as it is.
pub(super) fn settle_partitions(tables: &mut [Compared], single: &[Single]) {
    let mut sums: BTreeMap<QualifiedName, Sums> = BTreeMap::new();
    for root in single.iter().filter_map(|table| table.root.clone()) {
        sums.insert(root, None);
    }
    for Compared { table, root } in tables.iter() {
        let Some(root) = root else { continue };
        let contents = table.verdict.contents();
        let sum = sums.entry(root.clone()).or_insert(Some(Sides::default()));
        *sum = sum.zip(contents).map(|(sum, more)| add_contents(sum, more));
    }
    for Compared { table, root } in tables {
        let Some(root) = root.as_ref().filter(|root| is_equal(sums.get(*root))) else {
            continue;
        };
        if let Verdict::Different { source, target } = table.verdict {
            let root = root.clone();
            table.verdict = Verdict::Moved {
                root,
                source,
                target,
            };
        }
    }
}

fn add_contents(sum: Sides<Contents>, more: Sides<Contents>) -> Sides<Contents> {
    Sides {
        source: sum.source.plus(more.source),
        target: sum.target.plus(more.target),
    }
}

fn is_equal(sums: Option<&Sums>) -> bool {
    matches!(sums, Some(Some(sums)) if sums.source == sums.target)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::verify::{Digester, Error};

    fn contents(rows: &str) -> Contents {
        let mut digester = Digester::new();
        digester.update(rows.as_bytes());
        digester.finish().unwrap()
    }

    fn root() -> QualifiedName {
        QualifiedName::from_catalog("public", "root")
    }

    fn partition(verdict: Verdict) -> Compared {
        let table = TableReport {
            name: QualifiedName::from_catalog("public", "leaf"),
            verdict,
            mismatches: Vec::new(),
            elapsed: Duration::ZERO,
        };
        let root = Some(root());
        Compared { table, root }
    }

    fn compared(source: &str, target: &str) -> Compared {
        partition(Verdict::of(contents(source), contents(target)))
    }

    fn moved(tables: &[Compared]) -> usize {
        let is_moved =
            |compared: &&Compared| matches!(compared.table.verdict, Verdict::Moved { .. });
        tables.iter().filter(is_moved).count()
    }

    #[test]
    fn rows_in_other_partitions_are_the_same_rows() {
        let mut tables = [
            compared("1\n2\n", "1\n"),
            compared("3\n", "2\n3\n"),
            compared("", ""),
        ];
        settle_partitions(&mut tables, &[]);
        assert_eq!(moved(&tables), 2);
    }

    #[test]
    fn a_lost_row_stays_a_difference() {
        let mut tables = [compared("1\n2\n", "1\n"), compared("3\n", "3\n")];
        settle_partitions(&mut tables, &[]);
        assert_eq!(moved(&tables), 0);
    }

    #[test]
    fn what_is_not_known_settles_nothing() {
        let unknown = || partition(Verdict::NotCompared(Arc::new(Error::Stopped)));
        let mut tables = [compared("1\n", "2\n"), compared("2\n", "1\n"), unknown()];
        settle_partitions(&mut tables, &[]);
        assert_eq!(moved(&tables), 0);
        let mut tables = [compared("1\n", "2\n"), compared("2\n", "1\n")];
        let name = QualifiedName::from_catalog("public", "more");
        settle_partitions(
            &mut tables,
            &[Single {
                name,
                root: Some(root()),
            }],
        );
        assert_eq!(moved(&tables), 0);
        settle_partitions(&mut tables, &[]);
        assert_eq!(moved(&tables), 2);
    }

    #[test]
    fn tables_of_their_own_are_never_settled() {
        let mut tables = [compared("1\n", "2\n"), compared("2\n", "1\n")];
        tables[0].root = None;
        settle_partitions(&mut tables, &[]);
        assert_eq!(moved(&tables), 0);
    }
}

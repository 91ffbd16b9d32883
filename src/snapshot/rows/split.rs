//! The ranges of a large table, so that several workers read it at once: pure.
//!
//! From 14 on a server reads a range of ctids by itself (TID range scan), so pages are the measure:
//! every table has them, and they are never skewed. Before 14, a condition on ctids reads the whole table. There,
//! ranges of a key's values are used, if the rows are stored in the key's order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::pg::{Ident, Literal, QualifiedName, Sql};
use crate::sql;

/// Bytes below which a table is never split: the parts would cost more than they save.
const SMALLEST: u64 = 64 << 20;

/// Most bytes of one part, so that the workers end together, and a lost part costs little.
const LARGEST_PART: u64 = 1 << 30;

/// Parts of a table for each worker: enough that the workers end together.
const PARTS_A_WORKER: u64 = 4;

/// Bytes of a page (`block_size`; all servers that are distributed have this one).
const PAGE: u64 = 8192;

/// A range of a table's rows. Those of a table cover each of its rows once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Range {
    /// Pages from the first on, up to but without the second; None is the end.
    Pages(u64, Option<u64>),
    /// Values of a key, as text in its type's format, from the first on, up to but without the
    /// second; None is the end.
    Keys {
        /// The column: not null, the first of a unique index.
        column: Ident,
        /// The type of the server's own by which its values are compared.
        type_name: QualifiedName,
        /// The first value.
        from: Option<String>,
        /// The first value of the next range.
        until: Option<String>,
    },
}

impl Range {
    /// The condition on a row of the table.
    pub(crate) fn condition(&self) -> Sql {
        let bounds: Vec<Sql> = match self {
            Self::Pages(from, until) => {
                let tid = |page: u64| sql!("'({},0)'::pg_catalog.tid", page);
                let from = (*from > 0).then(|| sql!("ctid {} {}", at_least(), tid(*from)));
                let until = until.map(|until| sql!("ctid {} {}", below(), tid(until)));
                from.into_iter().chain(until).collect()
            }
            Self::Keys {
                column,
                type_name,
                from,
                until,
            } => {
                let bound = |operator: Sql, value: &String| {
                    let value = sql!("{}::{}", Literal(value), type_name);
                    sql!("{} {} {}", column, operator, value)
                };
                let from = from.as_ref().map(|from| bound(at_least(), from));
                let until = until.as_ref().map(|until| bound(below(), until));
                from.into_iter().chain(until).collect()
            }
        };
        if bounds.is_empty() {
            return Sql::fixed("true");
        }
        Sql::join(&bounds, " AND ")
    }
}

/// The server's own operators: no other may be found by its name.
fn at_least() -> Sql {
    Sql::fixed("OPERATOR(pg_catalog.>=)")
}

/// As [`at_least`].
fn below() -> Sql {
    Sql::fixed("OPERATOR(pg_catalog.<)")
}

/// How large tables are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Splitting {
    /// Workers that copy at once.
    pub workers: u64,
    /// Tables of more bytes are split into parts of at most so many; None decides by the sizes of all tables.
    pub larger_than: Option<u64>,
}

/// What the decision needs to know about a table.
#[derive(Clone, Copy, Debug)]
pub struct Whole {
    /// Its estimated bytes.
    pub bytes: u64,
    /// Whether it may be read in ranges.
    pub is_divisible: bool,
}

impl Splitting {
    /// Plans the number of parts of each table. The tables come largest first.
    ///
    /// A table whose rows arrive in one transaction is frozen by it, which spares the target the
    /// setting of hint bits, a vacuum later, and up to a third of its work meanwhile
    /// (docs/performance.md). So a table is split only if the workers would end far apart otherwise.
    pub fn plan_parts(&self, tables: &[Whole]) -> Vec<u64> {
        if let Some(limit) = self.larger_than {
            let parts = |table: &Whole| match table.is_divisible {
                true => table.bytes.div_ceil(limit.max(1)).max(1),
                false => 1,
            };
            return tables.iter().map(parts).collect();
        }
        let mut parts = vec![1; tables.len()];
        let candidates = tables.iter().enumerate();
        let candidates = candidates.filter(|(_, one)| one.is_divisible && one.bytes >= SMALLEST);
        for (at, table) in candidates {
            if self.is_even(tables, &parts) {
                break;
            }
            let even = table.bytes.div_ceil(self.workers * PARTS_A_WORKER);
            let size = even.clamp(SMALLEST / 2, LARGEST_PART);
            parts[at] = table.bytes.div_ceil(size);
        }
        parts
    }

    /// Whether workers that each take the largest remaining table end at about the same time. Parts fill the gaps.
    fn is_even(&self, tables: &[Whole], parts: &[u64]) -> bool {
        let all: u64 = tables.iter().map(|table| table.bytes).sum();
        let workers = self.workers.max(1);
        let mut loads: BinaryHeap<Reverse<u64>> = (0..workers).map(|_| Reverse(0)).collect();
        let mut longest = 0;
        for (table, _) in tables.iter().zip(parts).filter(|(_, parts)| **parts == 1) {
            let Reverse(least) = loads.pop().expect("a run has workers");
            longest = longest.max(least + table.bytes);
            loads.push(Reverse(least + table.bytes));
        }
        longest.saturating_mul(4) <= (all / workers).saturating_mul(5)
    }
}

/// Splits a heap of so many bytes into so many ranges of pages, or fewer if it has fewer pages. The last has no
/// end: rows may be on pages that were added since.
pub(crate) fn page_ranges(heap_bytes: u64, parts: u64) -> Vec<Range> {
    let pages = heap_bytes / PAGE;
    let parts = parts.clamp(1, pages.max(1));
    let begin = |part: u64| {
        u64::try_from(u128::from(pages) * u128::from(part) / u128::from(parts))
            .expect("a share of the pages is no more than all")
    };
    (0..parts)
        .map(|part| {
            let until = (part + 1 < parts).then(|| begin(part + 1));
            Range::Pages(begin(part), until)
        })
        .collect()
}

/// Ranges between values of a key, in its order.
pub(crate) fn key_ranges(
    column: &Ident,
    type_name: &QualifiedName,
    between: &[String],
) -> Vec<Range> {
    let mut between = between.to_vec();
    between.dedup();
    let starts = std::iter::once(None).chain(between.iter().cloned().map(Some));
    let ends = between.iter().cloned().map(Some).chain([None]);
    starts
        .zip(ends)
        .map(|(from, until)| Range::Keys {
            column: column.clone(),
            type_name: type_name.clone(),
            from,
            until,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TWO: Splitting = Splitting {
        workers: 2,
        larger_than: None,
    };

    fn parts(splitting: Splitting, megabytes: &[u64]) -> Vec<u64> {
        let table = |megabytes: &u64| Whole {
            bytes: megabytes << 20,
            is_divisible: true,
        };
        splitting.plan_parts(&megabytes.iter().map(table).collect::<Vec<_>>())
    }

    #[test]
    fn a_table_is_cut_when_its_lane_would_be_the_last() {
        assert_eq!(parts(TWO, &[600, 1]), [8, 1]);
        assert_eq!(parts(TWO, &[63, 1]), [1, 1], "too small");
        assert_eq!(parts(TWO, &[100; 10]), [1; 10], "one of many");
        assert_eq!(parts(TWO, &[332, 252, 200, 57]), [1; 4], "nearly even");
        assert_eq!(parts(TWO, &[300, 300, 300]), [8, 1, 1]);
        assert_eq!(parts(TWO, &[100_000]), [98], "parts of at most 1 GB");
        assert_eq!(parts(Splitting { workers: 1, ..TWO }, &[600, 600]), [1, 1]);
        let eight = Splitting { workers: 8, ..TWO };
        let cut = parts(eight, &[1000; 10]);
        assert_eq!(cut.iter().filter(|parts| **parts > 1).count(), 2, "{cut:?}");
        assert_eq!(parts(TWO, &[]), [0; 0]);
    }

    #[test]
    fn a_table_is_cut_when_the_user_says_so() {
        let forced = Splitting {
            larger_than: Some(100),
            ..TWO
        };
        let table = |bytes, is_divisible| Whole {
            bytes,
            is_divisible,
        };
        let tables = [table(250, true), table(250, false), table(0, true)];
        assert_eq!(forced.plan_parts(&tables), [3, 1, 1]);
    }

    #[test]
    fn a_range_is_a_condition() {
        let conditions: Vec<_> = page_ranges(10 * PAGE, 3)
            .iter()
            .map(|range| range.condition().as_str().to_owned())
            .collect();
        assert_eq!(
            conditions,
            [
                "ctid OPERATOR(pg_catalog.<) '(3,0)'::pg_catalog.tid",
                "ctid OPERATOR(pg_catalog.>=) '(3,0)'::pg_catalog.tid \
                 AND ctid OPERATOR(pg_catalog.<) '(6,0)'::pg_catalog.tid",
                "ctid OPERATOR(pg_catalog.>=) '(6,0)'::pg_catalog.tid",
            ]
        );
        let column = Ident::from_catalog("Id");
        let of_type = QualifiedName::from_catalog("pg_catalog", "int4");
        let keys = key_ranges(&column, &of_type, &["1'0".to_owned()]);
        assert_eq!(
            keys[0].condition().as_str(),
            r#""Id" OPERATOR(pg_catalog.<) '1''0'::"pg_catalog"."int4""#
        );
        assert_eq!(
            keys[1].condition().as_str(),
            r#""Id" OPERATOR(pg_catalog.>=) '1''0'::"pg_catalog"."int4""#
        );
        assert_eq!(page_ranges(0, 5)[0].condition().as_str(), "true");
    }

    proptest! {
        #[test]
        fn ranges_of_pages_cover_each_page_once(pages in 0..5000_u64, parts in 0..100_u64) {
            let ranges = page_ranges(pages * PAGE, parts);
            let mut next = 0;
            for (at, range) in ranges.iter().enumerate() {
                let Range::Pages(from, until) = range else { panic!("{range:?}") };
                prop_assert_eq!(*from, next);
                match until {
                    Some(until) => {
                        prop_assert!(until > from);
                        next = *until;
                    }
                    None => prop_assert_eq!(at, ranges.len() - 1),
                }
            }
        }
    }
}

//! Which rows go where and how: pure, from the catalog alone.

use std::collections::HashMap;

use super::job::{CopyJob, Format};
use crate::catalog::Catalog;
use crate::catalog::load::transfer::TextReason;
use crate::catalog::model::{RowSource, Table};
use crate::ddl::find_generated_by_code;
use crate::pg::{Ident, Oid, QualifiedName};
use crate::selection::RowFilter;

/// The copies of a database, each table whole, largest first, so that no long one begins last.
///
/// `unstable` holds partitions whose place may differ on the target, each with the partitioned table
/// to write through; `filters` what rows are wanted of tables.
pub fn plan_copies(
    catalog: &Catalog,
    text: &HashMap<Oid, Vec<TextReason>>,
    unstable: &HashMap<Oid, QualifiedName>,
    filters: &HashMap<Oid, RowFilter>,
) -> Vec<CopyJob> {
    let last = find_generated_by_code(catalog);
    let job = |RowSource { table, condition }: RowSource<'_>| CopyJob {
        oid: table.id.oid,
        table: table.name.clone(),
        into: unstable.get(&table.id.oid).unwrap_or(&table.name).clone(),
        columns: stored_columns(table),
        format: text
            .get(&table.id.oid)
            .map_or(Format::Binary, |why| Format::Text(why.clone())),
        condition: condition.cloned(),
        configuration: None,
        filter: filters.get(&table.id.oid).cloned(),
        comes_last: last.contains(&table.id.oid),
        in_chunks: table.hypertable.is_some(),
        bytes: table.size.bytes(),
        heap_bytes: table.size.heap_bytes,
        searched: 0,
        ranges: Vec::new(),
    };
    let mut jobs: Vec<_> = catalog.row_sources().map(job).collect();
    sort_largest_first(&mut jobs);
    jobs
}

/// Sorts copies so that no long one begins last.
pub(super) fn sort_largest_first(jobs: &mut [CopyJob]) {
    jobs.sort_by(|one, other| {
        other
            .work()
            .cmp(&one.work())
            .then_with(|| one.table.cmp(&other.table))
    });
}

fn stored_columns(table: &Table) -> Vec<Ident> {
    let stored = table
        .columns
        .iter()
        .filter(|column| column.generated.is_none());
    stored.map(|column| column.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::Sql;
    use crate::predicate::Predicate;
    use crate::selection::DateSettings;
    use crate::snapshot::rows::split::page_ranges;

    fn job() -> CopyJob {
        CopyJob {
            oid: Oid(1),
            table: QualifiedName::from_catalog("s", "a\"b"),
            into: QualifiedName::from_catalog("s", "a\"b"),
            columns: vec![Ident::from_catalog("Id"), Ident::from_catalog("select")],
            format: Format::Binary,
            condition: None,
            configuration: None,
            filter: None,
            comes_last: false,
            in_chunks: false,
            bytes: 0,
            heap_bytes: 0,
            searched: 0,
            ranges: Vec::new(),
        }
    }

    fn filter() -> RowFilter {
        RowFilter {
            written: "a = 1 OR b".to_owned(),
            predicate: Predicate::parse("a = 1 OR b").unwrap(),
            table: QualifiedName::from_catalog("s", "root"),
            columns: Vec::new(),
            not_publishable: None,
            dates: DateSettings {
                time_zone: "Europe/Paris".to_owned(),
                order: "DMY".to_owned(),
            },
        }
    }

    #[test]
    fn a_hypertable_is_read_and_written_with_its_chunks() {
        let job = CopyJob {
            in_chunks: true,
            ..job()
        };
        assert!(!job.is_emptied());
        assert_eq!(
            job.render_copy_out(None).as_str(),
            r#"COPY (SELECT "Id", "select" FROM "s"."a""b") TO STDOUT (FORMAT binary)"#
        );
        assert_eq!(
            job.render_copy_in().as_str(),
            r#"COPY "s"."a""b" ("Id", "select") FROM STDIN (FORMAT binary)"#
        );
    }

    #[test]
    fn a_table_is_emptied_and_frozen_in_its_own_transaction() {
        let job = job();
        assert_eq!(
            job.render_copy_in().as_str(),
            r#"TRUNCATE ONLY "s"."a""b"; COPY "s"."a""b" ("Id", "select") FROM STDIN (FORMAT binary, FREEZE)"#
        );
        assert_eq!(
            job.render_copy_out(None).as_str(),
            r#"COPY "s"."a""b" ("Id", "select") TO STDOUT (FORMAT binary)"#
        );
    }

    #[test]
    fn a_table_without_columns_is_copied_without_a_list() {
        let job = CopyJob {
            columns: Vec::new(),
            ..job()
        };
        assert_eq!(
            job.render_copy_out(None).as_str(),
            r#"COPY "s"."a""b" TO STDOUT (FORMAT binary)"#
        );
    }

    #[test]
    fn what_goes_through_a_root_neither_empties_nor_freezes_it() {
        let into = QualifiedName::from_catalog("s", "root");
        let job = CopyJob {
            into,
            format: Format::Text(Vec::new()),
            ..job()
        };
        assert!(!job.is_emptied());
        assert_eq!(
            job.render_copy_in().as_str(),
            r#"COPY "s"."root" ("Id", "select") FROM STDIN (FORMAT text)"#
        );
    }

    #[test]
    fn an_extension_table_gives_only_the_rows_its_author_marked() {
        let condition = Some(Sql::fixed("WHERE NOT builtin"));
        let job = CopyJob { condition, ..job() };
        assert_eq!(
            job.render_copy_out(None).as_str(),
            r#"COPY (SELECT "Id", "select" FROM ONLY "s"."a""b" WHERE NOT builtin) TO STDOUT (FORMAT binary)"#
        );
        assert!(!job.is_emptied());
    }

    #[test]
    fn of_a_range_only_the_wanted_rows_are_read_and_nobody_empties_the_table() {
        let job = CopyJob {
            filter: Some(filter()),
            ranges: page_ranges(100 * 8192, 2),
            ..job()
        };
        let parts: Vec<_> = job
            .parts()
            .map(|range| job.render_copy_out(range))
            .collect();
        assert_eq!(
            parts[0].as_str(),
            "SET LOCAL search_path = \"s\", public; SET LOCAL TimeZone = 'Europe/Paris'; \
             SET LOCAL DateStyle = 'ISO, DMY'; \
             COPY (SELECT \"Id\", \"select\" FROM ONLY \"s\".\"a\"\"b\" AS \"root\" \
             WHERE ctid OPERATOR(pg_catalog.<) '(50,0)'::pg_catalog.tid AND (a = 1 OR b)) TO STDOUT (FORMAT binary); \
             SET LOCAL search_path = ''; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'"
        );
        assert_eq!(parts.len(), 2);
        assert!(!job.is_emptied());
    }
}

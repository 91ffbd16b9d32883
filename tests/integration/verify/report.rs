//! What a comparison reports, by table.

use seren_replicator::verify::{Class, Report, TableReport, exit_code};

pub(super) fn table<'a>(report: &'a Report, name: &str) -> &'a TableReport {
    let mut tables = report.databases[0].tables().iter();
    tables
        .find(|table| table.name.to_string() == name)
        .unwrap_or_else(|| panic!("no {name} in {report:?}"))
}

pub(super) fn classes(report: &Report) -> Vec<(String, Class)> {
    let tables = report.databases[0].tables().iter();
    tables
        .map(|table| (table.name.to_string(), table.class(report.strict)))
        .collect()
}

#[track_caller]
pub(super) fn assert_all_equal(report: &Report, tables: usize) {
    assert_eq!(exit_code(report), 0, "{report:?}");
    assert_eq!(report.databases[0].tables().len(), tables, "{report:?}");
}

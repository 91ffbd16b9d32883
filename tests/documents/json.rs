//! docs/json.md lists every code of a finding.

use seren_replicator::cluster::Code;

use super::markdown::{cells, code_spans};
use super::read;

#[test]
fn the_document_lists_every_code_of_a_finding_in_order() {
    let text = read("docs/json.md");
    let section = text.split("\n## Codes of findings\n").nth(1).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let listed: Vec<String> = rows
        .map(|row| code_spans(&cells(row)[0])[0].to_owned())
        .collect();
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(listed, codes);
}

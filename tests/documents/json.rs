//! docs/json.md lists every code of a finding and every kind of an event.

use seren_replicator::cluster::Code;
use seren_replicator::ui::LogKind;

use super::markdown::{cells, code_spans};
use super::read;

/// The names in the first column of the tables of a part of the document.
fn listed(part: &str) -> Vec<String> {
    let rows = part.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| code_spans(&cells(row)[0])[0].to_owned())
        .collect()
}

#[test]
fn the_document_lists_every_code_of_a_finding_in_order() {
    let text = read("docs/json.md");
    let section = text.split("\n## Codes of findings\n").nth(1).unwrap();
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(listed(section), codes);
}

#[test]
fn the_document_lists_every_kind_of_an_event_in_order() {
    let text = read("docs/json.md");
    let section = text.split("\n| `event` | meaning |").nth(1).unwrap();
    let section = section.split("\n\n").next().unwrap();
    let kinds: Vec<_> = LogKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(listed(section), kinds);
}

//! docs/providers.md lists what is skipped on each managed service, as the program skips it.

use seren_replicator::catalog::provider::Provider;
use seren_replicator::pg::Ident;

use super::markdown::{cells, code_spans};
use super::read;

/// The rows of the table of what is skipped, without its header.
fn rows(text: &str) -> Vec<Vec<String>> {
    let table = text.split("| provider | recognized by |").nth(1).unwrap();
    let table = table.split("\n\n").next().unwrap();
    let rows = table.lines().skip(1).map(cells);
    rows.filter(|cells| !cells.is_empty()).collect()
}

/// A name that the pattern of a table matches.
fn example(pattern: &str) -> Ident {
    Ident::from_catalog(pattern.replace('*', "_x"))
}

fn examples(cell: &str) -> impl Iterator<Item = Ident> {
    code_spans(cell).into_iter().map(example)
}

#[test]
fn what_the_document_lists_is_skipped() {
    let text = read("docs/providers.md");
    let rows = rows(&text);
    assert_eq!(rows.len(), 5);
    for row in rows {
        let [_, marks, databases, roles, extensions, schemas] = &row[..] else {
            panic!("{row:?}");
        };
        for mark in examples(marks) {
            let provider = Provider::recognize([&mark]).unwrap_or_else(|| panic!("{mark}"));
            assert!(
                examples(databases).all(|name| provider.owns_database(&name)),
                "{row:?}"
            );
            assert!(
                examples(roles).all(|name| provider.owns_role(&name)),
                "{row:?}"
            );
            assert!(
                examples(extensions).all(|name| provider.owns_extension(&name)),
                "{row:?}"
            );
            assert!(
                examples(schemas).all(|name| provider.owns_schema(&name)),
                "{row:?}"
            );
        }
    }
}

#[test]
fn supabase_has_lists_of_its_own() {
    let text = read("docs/providers.md");
    let list = |title: &str| {
        let line = text.lines().find(|line| line.starts_with(title));
        line.unwrap_or_else(|| panic!("{title}")).to_owned()
    };
    let roles = list("- Skipped roles:");
    assert!(examples(&roles).all(|name| Provider::Supabase.owns_role(&name)));
    let schemas = list("- Skipped schemas:");
    assert!(examples(&schemas).all(|name| Provider::Supabase.owns_schema(&name)));
}

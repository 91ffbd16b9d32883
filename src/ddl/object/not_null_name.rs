//! Names of not-null constraints that have none on the source.

use std::collections::BTreeSet;

use crate::catalog::model::{Column, Table};
use crate::ddl::context::Context;
use crate::pg::Ident;

/// Chooses a name for a not-null constraint of a source before 18, which has none. The one that the server
/// would choose may be that of another constraint of its table; None where it cannot be.
pub(super) fn choose_not_null_name(
    context: &Context<'_>,
    table: &Table,
    column: &Column,
) -> Option<Ident> {
    if !context.target().has_not_null_constraints() {
        return None;
    }
    let mut taken = context.constraint_names(table.id.oid)?.clone();
    if !taken.iter().any(|name| name.as_str().contains(LABEL)) {
        return None;
    }
    // Columns before this one have chosen theirs in the same way.
    for other in &table.columns {
        let name = find_free_name(&table.name.name, &other.name, &taken);
        if other.name == column.name {
            return Some(name);
        }
        taken.insert(name);
    }
    None
}

/// What the names of not-null constraints end with.
const LABEL: &str = "not_null";

/// The longest name, in bytes.
const LONGEST: usize = 63;

/// The server's own name for a column's constraint, with the first number that is free.
fn find_free_name(table: &Ident, column: &Ident, taken: &BTreeSet<Ident>) -> Ident {
    let labels = (1_u32..).map(|number| format!("{LABEL}{number}"));
    let names = std::iter::once(LABEL.to_owned())
        .chain(labels)
        .map(|label| build_name(table.as_str(), column.as_str(), &label));
    let mut free = names.filter(|name| !taken.contains(name));
    free.next().expect("numbers do not end")
}

/// As the server builds names of parts: the longer one is cut first.
fn build_name(table: &str, column: &str, label: &str) -> Ident {
    let available = LONGEST - label.len() - 2;
    let (mut of_table, mut of_column) = (table.len(), column.len());
    while of_table + of_column > available {
        if of_table > of_column {
            of_table -= 1;
        } else {
            of_column -= 1;
        }
    }
    let cut = |text: &str, length: usize| text[..text.floor_char_boundary(length)].to_owned();
    let name = format!(
        "{}_{}_{label}",
        cut(table, of_table),
        cut(column, of_column)
    );
    Ident::from_catalog(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_servers_unless_it_is_taken() {
        let name = |taken: &[&str]| {
            let taken = taken
                .iter()
                .map(|name| Ident::from_catalog(*name))
                .collect();
            let [table, column] = ["t", "i"].map(Ident::from_catalog);
            find_free_name(&table, &column, &taken).as_str().to_owned()
        };
        assert_eq!(name(&["t_j_not_null"]), "t_i_not_null");
        assert_eq!(name(&["t_i_not_null", "t_i_not_null1"]), "t_i_not_null2");
    }

    #[test]
    fn long_names_are_cut_as_the_server_does() {
        let name = build_name(&"t".repeat(60), &"ü".repeat(20), "not_null");
        assert_eq!(
            name.as_str(),
            format!("{}_{}_not_null", "t".repeat(27), "ü".repeat(13))
        );
    }
}

//! Not-null constraints that do not come with their tables: those that rows may violate, and those
//! of children that were checked while their parents' were not.

use std::collections::BTreeSet;

use super::{NodeId, Nodes, Object, Part, column};
use crate::catalog::model::{Column, NotNull, ObjectId, Table};
use crate::ddl::context::Context;
use crate::ddl::statement::{Kind, Label};
use crate::pg::{Ident, Oid, Sql};
use crate::sql;

pub(super) fn collect<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for table in &context.catalog.tables {
        for column in &table.columns {
            collect_column(context, table, column, nodes);
        }
    }
}

/// A name for a not-null constraint of a source before 18, which has none, where the one that the server
/// would choose may be that of another constraint of its table. None where it cannot be.
pub(super) fn free_name(context: &Context<'_>, table: &Table, column: &Column) -> Option<Ident> {
    if !context.target().has_not_null_constraints() {
        return None;
    }
    let mut taken = context.constraint_names(table.id.oid)?.clone();
    if !taken.iter().any(|name| name.as_str().contains(LABEL)) {
        return None;
    }
    // Columns before this one have chosen theirs in the same way.
    for other in &table.columns {
        let name = chosen(&table.name.name, &other.name, &taken);
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

/// The server's own name for a column's constraint, with the first number that makes it free.
fn chosen(table: &Ident, column: &Ident, taken: &BTreeSet<Ident>) -> Ident {
    let labels = (1_u32..).map(|number| format!("{LABEL}{number}"));
    let names = std::iter::once(LABEL.to_owned())
        .chain(labels)
        .map(|label| name_of(table.as_str(), column.as_str(), &label));
    let mut free = names.filter(|name| !taken.contains(name));
    free.next().expect("numbers do not end")
}

/// As the server makes names of parts: the longer one is cut first.
fn name_of(table: &str, column: &str, label: &str) -> Ident {
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

fn collect_column<'a>(
    context: &Context<'a>,
    table: &'a Table,
    column: &'a Column,
    nodes: &mut Nodes<'a>,
) {
    match &column.not_null {
        Some(NotNull::Named {
            id,
            name,
            is_local: true,
            is_valid: false,
            definition,
            ..
        }) => nodes.push(Box::new(UncheckedNotNull {
            id: *id,
            name,
            definition,
            table,
        })),
        Some(NotNull::Named {
            id,
            name,
            is_local: false,
            is_valid: true,
            ..
        }) => {
            let parents = column::unchecked_parents(context, table, column);
            if !parents.is_empty() {
                nodes.push(Box::new(CheckedNotNull {
                    id: *id,
                    name,
                    table,
                    parents,
                }));
            }
        }
        Some(NotNull::Named { .. } | NotNull::Flag) | None => {}
    }
}

/// A not-null constraint that existing rows were not checked against; since 18.
struct UncheckedNotNull<'a> {
    id: ObjectId,
    name: &'a Ident,
    definition: &'a Sql,
    table: &'a Table,
}

impl Object for UncheckedNotNull<'_> {
    fn node(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Constraint
    }

    fn label(&self, _context: &Context<'_>) -> Label {
        Label::part("constraint", self.name, &self.table.name)
    }

    fn rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        vec![Part::Definition.of(self.table.id)]
    }

    fn relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    fn must_run_alone(&self) -> bool {
        true
    }

    fn statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "ALTER TABLE {} ADD CONSTRAINT {} {}",
            self.table.name,
            self.name,
            self.definition
        )]
    }
}

/// A child's constraint that was checked, while its parents' were not.
struct CheckedNotNull<'a> {
    id: ObjectId,
    name: &'a Ident,
    table: &'a Table,
    /// The parents' constraints.
    parents: Vec<ObjectId>,
}

impl Object for CheckedNotNull<'_> {
    fn node(&self) -> NodeId {
        Part::Validation.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Validation
    }

    fn label(&self, _context: &Context<'_>) -> Label {
        Label::part("validation of constraint", self.name, &self.table.name)
    }

    fn rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        let parents = self.parents.iter();
        parents.map(|id| Part::Definition.of(*id)).collect()
    }

    fn relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    /// Children are checked, too.
    fn must_run_alone(&self) -> bool {
        true
    }

    fn scans(&self, _context: &Context<'_>) -> Vec<Oid> {
        vec![self.table.id.oid]
    }

    fn statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "ALTER TABLE {} VALIDATE CONSTRAINT {}",
            self.table.name,
            self.name
        )]
    }
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
            chosen(&table, &column, &taken).as_str().to_owned()
        };
        assert_eq!(name(&["t_j_not_null"]), "t_i_not_null");
        assert_eq!(name(&["t_i_not_null", "t_i_not_null1"]), "t_i_not_null2");
    }

    #[test]
    fn long_names_are_cut_as_the_server_does() {
        let name = name_of(&"t".repeat(60), &"ü".repeat(20), "not_null");
        assert_eq!(
            name.as_str(),
            format!("{}_{}_not_null", "t".repeat(27), "ü".repeat(13))
        );
    }
}

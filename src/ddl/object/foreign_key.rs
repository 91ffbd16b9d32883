//! Foreign keys: added without a look at the rows, then checked, which locks less and lets
//! several tables be read at once.
//!
//! | between | how |
//! |---|---|
//! | two tables | `NOT VALID`, then `VALIDATE` |
//! | a partitioned table and a table, target 18 or newer | likewise, with its partitions |
//! | the same, older target | each leaf likewise; then the whole key, which adopts the leaves' keys |
//! | anything and a partitioned table | in one: validation would leave the parts for the other table's partitions unchecked |

use std::collections::HashSet;

use super::index;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{Constraint, ConstraintKind, ObjectId, Table};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::{Oid, RelKind, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for constraint in &context.catalog.constraints {
        let Some(table) = context.table(constraint.relation) else {
            continue;
        };
        if constraint.kind != ConstraintKind::ForeignKey {
            continue;
        }
        let way = way(context, constraint, table);
        let leaves = match &way {
            Way::ByLeaf(leaves) => leaves.clone(),
            Way::Apart => vec![table],
            Way::Whole => Vec::new(),
        };
        if let Way::ByLeaf(leaves) = &way {
            for leaf in leaves {
                nodes.push(Box::new(AddToLeaf { constraint, leaf }));
            }
        }
        for table in leaves {
            nodes.push(Box::new(Validate { constraint, table }));
        }
        nodes.push(Box::new(Add {
            constraint,
            table,
            way,
        }));
    }
}

/// How a key is created.
enum Way<'a> {
    /// Added and checked in one.
    Whole,
    /// Added unchecked, then checked.
    Apart,
    /// Added to these partitions and checked there; the whole key finds nothing left to check.
    ByLeaf(Vec<&'a Table>),
}

fn way<'a>(context: &Context<'a>, constraint: &Constraint, table: &Table) -> Way<'a> {
    let refers_to_table = context
        .table(constraint.referenced)
        .is_some_and(|table| table.kind == RelKind::Table);
    let is_checked = context.options.include.rows && constraint.is_valid && constraint.is_enforced;
    if !is_checked || !refers_to_table {
        return Way::Whole;
    }
    if table.kind == RelKind::Table || context.target().has_unchecked_partitioned_keys() {
        return Way::Apart;
    }
    match leaves(context, constraint, table) {
        leaves if leaves.is_empty() => Way::Whole,
        leaves => Way::ByLeaf(leaves),
    }
}

/// The partitions that hold a partitioned table's rows; none where the keys that they would get
/// could be taken for others of theirs.
fn leaves<'a>(context: &Context<'a>, constraint: &Constraint, table: &Table) -> Vec<&'a Table> {
    let below = context.descendants(table.id.oid);
    let oids: HashSet<Oid> = below.iter().map(|leaf| leaf.id.oid).collect();
    let is_confused = |other: &Constraint| {
        let is_alike =
            other.kind == ConstraintKind::ForeignKey && other.definition == constraint.definition;
        (other.name == constraint.name || is_alike) && oids.contains(&other.relation)
    };
    if context.catalog.constraints.iter().any(is_confused) {
        return Vec::new();
    }
    let leaves = below.into_iter();
    leaves.filter(|leaf| leaf.kind == RelKind::Table).collect()
}

/// The tables below two others, which are locked with them.
fn below(context: &Context<'_>, constraint: &Constraint) -> Vec<Oid> {
    let partitioned = [constraint.relation, constraint.referenced]
        .into_iter()
        .filter_map(|oid| context.table(oid))
        .filter(|table| table.kind == RelKind::PartitionedTable);
    let below = partitioned.flat_map(|table| context.descendants(table.id.oid));
    below.map(|table| table.id.oid).collect()
}

/// `ONLY`, unless a key of a partitioned table has to reach its partitions.
fn only(context: &Context<'_>, table: &Table) -> Sql {
    if table.kind == RelKind::PartitionedTable {
        Sql::default()
    } else {
        context.only(table)
    }
}

fn add(context: &Context<'_>, constraint: &Constraint, table: &Table, is_unchecked: bool) -> Sql {
    sql!(
        "ALTER TABLE {}{} ADD CONSTRAINT {} {}{}",
        only(context, table),
        table.name,
        constraint.name,
        constraint.definition,
        Sql::fixed(if is_unchecked { " NOT VALID" } else { "" })
    )
}

struct Add<'a> {
    constraint: &'a Constraint,
    table: &'a Table,
    way: Way<'a>,
}

impl Object for Add<'_> {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.constraint.id)
    }

    fn kind(&self) -> Kind {
        Kind::ForeignKey
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::part("foreign key", &self.constraint.name, &self.table.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.constraint.id]
    }

    /// A partitioned key can be referred to once every partition's is attached, and leaves' keys are
    /// adopted once they are checked.
    fn extra_needs(&self, context: &Context<'_>) -> Vec<NodeId> {
        let mut needs = index::attachments(context, self.constraint.index);
        if let Way::ByLeaf(leaves) = &self.way {
            let parts = leaves.iter().map(|leaf| Part::LeafValidation(leaf.id.oid));
            needs.extend(parts.map(|part| part.of(self.constraint.id)));
        }
        needs
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    fn further_relations(&self, context: &Context<'_>) -> Vec<Oid> {
        let mut further = below(context, self.constraint);
        further.push(self.constraint.referenced);
        further
    }

    fn scanned_relations(&self, context: &Context<'_>) -> Vec<Oid> {
        match self.way {
            Way::Whole => {
                let below = context.descendants(self.table.id.oid).into_iter();
                let below = below.map(|table| table.id.oid);
                below.chain([self.table.id.oid]).collect()
            }
            Way::Apart | Way::ByLeaf(_) => Vec::new(),
        }
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let is_unchecked = matches!(self.way, Way::Apart);
        vec![add(context, self.constraint, self.table, is_unchecked)]
    }
}

/// The key of a partitioned table is added to a partition, under the name that the server would
/// give it.
struct AddToLeaf<'a> {
    constraint: &'a Constraint,
    leaf: &'a Table,
}

impl Object for AddToLeaf<'_> {
    fn node_id(&self) -> NodeId {
        Part::Leaf(self.leaf.id.oid).of(self.constraint.id)
    }

    fn kind(&self) -> Kind {
        Kind::ForeignKey
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::part("foreign key", &self.constraint.name, &self.leaf.name)
    }

    /// To the catalog it belongs to the whole key.
    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn extra_needs(&self, context: &Context<'_>) -> Vec<NodeId> {
        let key = context.index(self.constraint.index).map(index::maker);
        key.into_iter().collect()
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.leaf.id.oid)
    }

    fn further_relations(&self, _context: &Context<'_>) -> Vec<Oid> {
        vec![self.constraint.referenced]
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        vec![add(context, self.constraint, self.leaf, true)]
    }
}

/// The rows of a table are checked: of that of the key, or of one of its partitions.
struct Validate<'a> {
    constraint: &'a Constraint,
    table: &'a Table,
}

impl Validate<'_> {
    fn is_of_leaf(&self) -> bool {
        self.table.id.oid != self.constraint.relation
    }
}

impl Object for Validate<'_> {
    fn node_id(&self) -> NodeId {
        let part = if self.is_of_leaf() {
            Part::LeafValidation(self.table.id.oid)
        } else {
            Part::Validation
        };
        part.of(self.constraint.id)
    }

    fn kind(&self) -> Kind {
        Kind::Validation
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::part(
            "validation of foreign key",
            &self.constraint.name,
            &self.table.name,
        )
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        let part = if self.is_of_leaf() {
            Part::Leaf(self.table.id.oid)
        } else {
            Part::Definition
        };
        vec![part.of(self.constraint.id)]
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    fn further_relations(&self, context: &Context<'_>) -> Vec<Oid> {
        if self.is_of_leaf() {
            Vec::new()
        } else {
            below(context, self.constraint)
        }
    }

    fn scanned_relations(&self, context: &Context<'_>) -> Vec<Oid> {
        let mut scans = self.further_relations(context);
        scans.push(self.table.id.oid);
        scans
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "ALTER TABLE {}{} VALIDATE CONSTRAINT {}",
            only(context, self.table),
            self.table.name,
            self.constraint.name
        )]
    }
}

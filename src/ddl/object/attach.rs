//! Partitions take their place in their parent before rows are copied, so that the parent can be
//! read and keys be made for the whole.

use super::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{ObjectId, Partition, Table};
use crate::ddl::context::Context;
use crate::ddl::statement::{Kind, Label};
use crate::pg::{Oid, Sql};
use crate::sql;

pub(super) fn collect<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for table in &context.catalog.tables {
        let parent = table.parents.first().and_then(|oid| context.table(*oid));
        if let (Some(partition), Some(parent)) = (&table.partition, parent) {
            nodes.push(Box::new(Attach {
                table,
                partition,
                parent,
            }));
        }
    }
}

struct Attach<'a> {
    table: &'a Table,
    partition: &'a Partition,
    parent: &'a Table,
}

impl Object for Attach<'_> {
    fn node(&self) -> NodeId {
        Part::Attach.of(self.table.id)
    }

    fn kind(&self) -> Kind {
        Kind::Attach
    }

    fn label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("partition", &self.table.name).on(&self.parent.name)
    }

    fn rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        [self.table.id, self.parent.id]
            .map(|id| Part::Definition.of(id))
            .to_vec()
    }

    fn relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.parent.id.oid)
    }

    fn statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "ALTER TABLE ONLY {} ATTACH PARTITION {} {}",
            self.parent.name,
            self.table.name,
            self.partition.bound
        )]
    }
}

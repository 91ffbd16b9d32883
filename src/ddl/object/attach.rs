//! Partitions take their place in their parent before rows are copied, so that the parent can be
//! read and keys be created for the whole.

use super::index;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{Index, ObjectId, Partition, Table};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::{Oid, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for table in &context.catalog.tables {
        let parent = table.parents.first().and_then(|oid| context.parent(*oid));
        if let (Some(partition), Some(parent)) = (&table.partition, parent) {
            nodes.push(Box::new(Attach {
                table,
                partition,
                parent,
                is_late: context.is_of_extension(parent.id.oid),
            }));
        }
    }
}

struct Attach<'a> {
    table: &'a Table,
    partition: &'a Partition,
    parent: &'a Table,
    is_late: bool,
}

impl Object for Attach<'_> {
    fn node_id(&self) -> NodeId {
        Part::Attach.of(self.table.id)
    }

    /// An extension's table has its indexes already. They would come with the attachment beside those
    /// of the partition, which is therefore attached once it has its own.
    fn kind(&self) -> Kind {
        if self.is_late {
            Kind::IndexAttach
        } else {
            Kind::Attach
        }
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("partition", &self.table.name).on(&self.parent.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn extra_needs(&self, context: &Context<'_>) -> Vec<NodeId> {
        let tables = [self.table.id, self.parent.id].map(|id| Part::Definition.of(id));
        let indexes = context.catalog.indexes.iter();
        let is_own = |index: &&Index| self.is_late && index.relation == self.table.id.oid;
        let indexes = indexes.filter(is_own).map(index::maker);
        tables.into_iter().chain(indexes).collect()
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.parent.id.oid)
    }

    fn further_relations(&self, _context: &Context<'_>) -> Vec<Oid> {
        let table = self.is_late.then_some(self.table.id.oid);
        table.into_iter().collect()
    }

    fn scanned_relations(&self, context: &Context<'_>) -> Vec<Oid> {
        self.further_relations(context)
    }

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "ALTER TABLE ONLY {} ATTACH PARTITION {} {}",
            self.parent.name,
            self.table.name,
            self.partition.bound
        )]
    }
}

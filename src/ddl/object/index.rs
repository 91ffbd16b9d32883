//! Indexes, their place in the parent's index, and what marks them.

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{Index, ObjectId, Table};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::necessity::Necessity;
use crate::ddl::relation::Relation;
use crate::pg::{Oid, QualifiedName, RelKind, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for index in &context.catalog.indexes {
        let Some(relation) = context.relation(index.relation) else {
            continue;
        };
        if is_skipped_index(index, relation) {
            continue;
        }
        if index.constraint.is_none() {
            nodes.push(Box::new(Create { index, relation }));
        }
        if let Some(parent) = index.parent.and_then(|parent| context.index(parent))
            && !comes_with_parent(index)
        {
            nodes.push(Box::new(Attach { index, parent }));
        }
        if let Relation::Table(table) = relation
            && index.is_replica_identity
        {
            nodes.push(Box::new(Identity { index, table }));
        }
    }
}

/// An index whose build failed. A partitioned one is not valid until all its partitions are
/// attached, which can be reproduced.
pub(crate) fn is_skipped_index(index: &Index, relation: Relation<'_>) -> bool {
    !index.is_valid && !relation.is_partitioned()
}

/// Whether a constraint is created with those of all partitions: unless it is not valid, which means
/// that partitions lack theirs.
pub(super) fn brings_partitions(index: &Index, table: &Table) -> bool {
    index.excludes && index.is_valid && table.kind == RelKind::PartitionedTable
}

/// Whether a constraint comes with that of the parent.
pub(super) fn comes_with_parent(index: &Index) -> bool {
    index.excludes && index.constraint.is_some() && index.parent.is_some()
}

/// The step that creates an index: its own, or its constraint's.
pub(super) fn maker(index: &Index) -> NodeId {
    let constraint = |oid| ObjectId::new(crate::catalog::Class::Constraint, oid);
    Part::Definition.of(index.constraint.map_or(index.id, constraint))
}

/// The attachments below a partitioned index: until they are created it is not valid.
pub(super) fn attachments(context: &Context<'_>, index: Oid) -> Vec<NodeId> {
    let mut found = Vec::new();
    let mut left = vec![index];
    while let Some(parent) = left.pop() {
        for child in context.partitions_of_index(parent) {
            found.push(Part::Attach.of(child.id));
            left.push(child.id.oid);
        }
    }
    found
}

/// What is set on an index after it is created.
pub(super) fn marks(context: &Context<'_>, index: &Index, relation: &QualifiedName) -> Vec<Sql> {
    let targets = index.statistics.iter().map(|(column, target)| {
        sql!(
            "ALTER INDEX {} ALTER COLUMN {} SET STATISTICS {}",
            index.name,
            *column,
            *target
        )
    });
    let cluster = index
        .is_clustered
        .then(|| sql!("ALTER TABLE {} CLUSTER ON {}", relation, index.name.name));
    let bound = clause::depends_on_extension(context, index.id, &sql!("INDEX {}", index.name));
    targets.chain(cluster).chain(bound).collect()
}

/// `CREATE INDEX`, in its tablespace.
pub(super) fn create(context: &Context<'_>, index: &Index) -> Sql {
    clause::in_tablespace(context, index.tablespace.as_ref(), index.definition.clone())
}

struct Create<'a> {
    index: &'a Index,
    relation: Relation<'a>,
}

impl Object for Create<'_> {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.index.id)
    }

    fn kind(&self) -> Kind {
        Kind::Index
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("index", &self.index.name).on(self.relation.name())
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.index.id]
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.relation.id().oid)
    }

    /// Several indexes of a table can be built at once: each keeps only writers away. To mark one
    /// for `CLUSTER` takes a lock that the others would wait for, and so does TimescaleDB's way.
    fn locks_shared(&self, context: &Context<'_>) -> bool {
        let is_hypertable = match self.relation {
            Relation::Table(table) => context.is_hypertable(table),
            Relation::View(_) | Relation::MaterializedView(_) => false,
        };
        !self.index.is_clustered && !is_hypertable
    }

    fn scanned_relations(&self, _context: &Context<'_>) -> Vec<Oid> {
        vec![self.relation.id().oid]
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let marks = marks(context, self.index, self.relation.name());
        [create(context, self.index)]
            .into_iter()
            .chain(marks)
            .collect()
    }
}

/// A partition's index takes its place in the parent's.
struct Attach<'a> {
    index: &'a Index,
    parent: &'a Index,
}

impl Object for Attach<'_> {
    fn node_id(&self) -> NodeId {
        Part::Attach.of(self.index.id)
    }

    fn kind(&self) -> Kind {
        Kind::IndexAttach
    }

    /// Without a partition's index that of a key is not valid.
    fn necessity(&self) -> Necessity {
        match self.parent.constraint {
            Some(_) => Necessity::Required,
            None => self.kind().necessity(),
        }
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("partition", &self.index.name).on(&self.parent.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        vec![maker(self.index), maker(self.parent)]
    }

    /// The topmost table: attaching locks upwards, so a whole tree is worked on in order.
    fn locked_relation(&self, context: &Context<'_>) -> Option<Oid> {
        let mut top = self.parent;
        while let Some(parent) = top.parent.and_then(|oid| context.index(oid)) {
            top = parent;
        }
        Some(top.relation)
    }

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "ALTER INDEX {} ATTACH PARTITION {}",
            self.parent.name,
            self.index.name
        )]
    }
}

/// An index becomes its table's replica identity: a partitioned one only when it is valid.
struct Identity<'a> {
    index: &'a Index,
    table: &'a Table,
}

impl Object for Identity<'_> {
    fn node_id(&self) -> NodeId {
        Part::ReplicaIdentity.of(self.index.id)
    }

    fn kind(&self) -> Kind {
        Kind::ReplicaIdentity
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("replica identity", &self.index.name).on(&self.table.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn extra_needs(&self, context: &Context<'_>) -> Vec<NodeId> {
        let attachments = attachments(context, self.index.id.oid);
        [maker(self.index)].into_iter().chain(attachments).collect()
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "ALTER TABLE {}{} REPLICA IDENTITY USING INDEX {}",
            context.only(self.table),
            self.table.name,
            self.index.name.name
        )]
    }
}

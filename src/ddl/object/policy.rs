//! Row security: the policies, and that they apply. Both come after the rows, which they would
//! hide from a copy.

use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{ObjectId, Policy, PolicyCommand, Table};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::{Oid, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for policy in &context.catalog.policies {
        if let Some(table) = context.table(policy.relation) {
            nodes.push(Box::new(On { policy, table }));
        }
    }
    for table in context.catalog.tables.iter().filter(|t| t.row_security) {
        nodes.push(Box::new(Enable(table)));
    }
}

struct On<'a> {
    policy: &'a Policy,
    table: &'a Table,
}

impl Object for On<'_> {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.policy.id)
    }

    fn kind(&self) -> Kind {
        Kind::Policy
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::part("policy", &self.policy.name, &self.table.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.policy.id]
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let policy = self.policy;
        let mut create = sql!("CREATE POLICY {} ON {}", policy.name, self.table.name);
        if !policy.is_permissive {
            create.push(&Sql::fixed(" AS RESTRICTIVE"));
        }
        if policy.command != PolicyCommand::All {
            create.push(&sql!(" FOR {}", Sql::fixed(policy.command.word())));
        }
        if !policy.roles.is_empty() {
            let roles = policy.roles.iter().map(|role| context.role(role));
            create.push(&sql!(" TO {}", Sql::join(roles, ", ")));
        }
        if let Some(expression) = &policy.using {
            create.push(&sql!(" USING ({})", expression));
        }
        if let Some(expression) = &policy.with_check {
            create.push(&sql!(" WITH CHECK ({})", expression));
        }
        vec![create]
    }
}

/// `ENABLE ROW LEVEL SECURITY`.
struct Enable<'a>(&'a Table);

impl Object for Enable<'_> {
    fn node_id(&self) -> NodeId {
        Part::RowSecurity.of(self.0.id)
    }

    fn kind(&self) -> Kind {
        Kind::Policy
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("row security of table", &self.0.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        vec![Part::Definition.of(self.0.id)]
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.0.id.oid)
    }

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "ALTER TABLE {} ENABLE ROW LEVEL SECURITY",
            self.0.name
        )]
    }
}

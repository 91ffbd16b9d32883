//! Operator families and operator classes.

use super::node::{NodeId, Nodes, Object, Part};
use super::{access_method, clause};
use crate::catalog::model::{ObjectId, OperatorClass, OperatorFamily};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::Sql;
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for family in &context.catalog.operator_families {
        nodes.push(Box::new(family));
    }
    for class in &context.catalog.operator_classes {
        nodes.push(Box::new(class));
    }
}

impl Object for &OperatorFamily {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::OperatorFamily
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        let method = format!(" using {}", self.method);
        Label::qualified("operator family", &self.name).with_detail(&method)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        let mut rows = vec![self.id];
        rows.extend(&self.members.rows);
        rows
    }

    fn extra_needs(&self, context: &Context<'_>) -> Vec<NodeId> {
        access_method::maker(context, &self.method)
            .into_iter()
            .collect()
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = sql!("OPERATOR FAMILY {} USING {}", self.name, self.method);
        let members = &self.members.definitions;
        let add = (!members.is_empty())
            .then(|| sql!("ALTER {} ADD {}", object, Sql::join(members, ", ")));
        [sql!("CREATE {}", object)]
            .into_iter()
            .chain(add)
            .chain(clause::owner(context, &object, &self.owner))
            .collect()
    }
}

impl OperatorClass {
    /// A class without members and without a storage type still has to say something.
    fn items(&self) -> Vec<Sql> {
        let mut items: Vec<Sql> = Vec::new();
        if let Some(storage) = &self.storage {
            items.push(sql!("STORAGE {}", storage));
        }
        items.extend(self.members.definitions.iter().cloned());
        if items.is_empty() {
            items.push(sql!("STORAGE {}", self.type_name));
        }
        items
    }
}

impl Object for &OperatorClass {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::OperatorFamily
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        let method = format!(" using {}", self.method);
        Label::qualified("operator class", &self.name).with_detail(&method)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        let mut rows = vec![self.id];
        rows.extend(&self.members.rows);
        rows
    }

    fn extra_needs(&self, context: &Context<'_>) -> Vec<NodeId> {
        access_method::maker(context, &self.method)
            .into_iter()
            .collect()
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = sql!("OPERATOR CLASS {} USING {}", self.name, self.method);
        let default = Sql::fixed(if self.is_default { " DEFAULT" } else { "" });
        let create = sql!(
            "CREATE OPERATOR CLASS {}{} FOR TYPE {} USING {} FAMILY {} AS {}",
            self.name,
            default,
            self.type_name,
            self.method,
            self.family,
            Sql::join(self.items(), ", ")
        );
        [create]
            .into_iter()
            .chain(clause::owner(context, &object, &self.owner))
            .collect()
    }
}

//! Operators.

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{ObjectId, Operator};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::Sql;
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for operator in &context.catalog.operators {
        nodes.push(Box::new(operator));
    }
}

impl Operator {
    /// Both types, as other statements name them.
    fn operands(&self) -> Sql {
        let none = Sql::fixed("NONE");
        let operand = |side: &Option<Sql>| side.clone().unwrap_or_else(|| none.clone());
        sql!("{}, {}", operand(&self.left), operand(&self.right))
    }
}

impl Object for &Operator {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Operator
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        let operands = format!("({})", self.operands().as_str());
        Label::qualified("operator", &self.name).with_detail(&operands)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    /// A commutator or negator that does not exist yet is announced by naming it.
    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = sql!("OPERATOR {} ({})", self.symbol, self.operands());
        let create = sql!("CREATE OPERATOR {} ({})", self.symbol, self.definition);
        [create]
            .into_iter()
            .chain(clause::owner(context, &object, &self.owner))
            .collect()
    }
}

/// The operators that a target without postfix operators cannot have.
pub(crate) fn find_postfix_operators(context: &Context<'_>) -> Vec<Label> {
    let operators = context.catalog.operators.iter();
    let mut labels: Vec<Label> = operators
        .filter(|operator| operator.right.is_none() && !context.target().has_postfix_operators())
        .map(|operator| operator.build_label(context))
        .collect();
    labels.sort();
    labels
}

//! Sequences: free ones, those that belong to a column (`serial`), and those of identity columns,
//! which are created by changing the column.

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{ObjectId, Owned, Sequence, SequenceOwner, Table};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::{Ident, Oid, Persistence, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for sequence in &context.catalog.sequences {
        let is_skipped =
            |by: &SequenceOwner| by.how == Owned::Identity && owner(context, by).is_none();
        if !sequence.owned_by.as_ref().is_some_and(is_skipped) {
            nodes.push(Box::new(sequence));
        }
    }
}

impl Sequence {
    /// `START WITH …` and what else describes the numbers.
    fn numbers(&self) -> Sql {
        let cycle = if self.cycle { " CYCLE" } else { "" };
        sql!(
            "START WITH {} INCREMENT BY {} MINVALUE {} MAXVALUE {} CACHE {}{}",
            self.start,
            self.increment,
            self.min,
            self.max,
            self.cache,
            Sql::fixed(cycle)
        )
    }

    fn is_unlogged(&self, context: &Context<'_>) -> bool {
        self.persistence == Persistence::Unlogged && context.target().has_unlogged_sequences()
    }

    fn create(&self, context: &Context<'_>) -> Sql {
        let unlogged = if self.is_unlogged(context) {
            "UNLOGGED "
        } else {
            ""
        };
        sql!(
            "CREATE {}SEQUENCE {} AS {} {}",
            Sql::fixed(unlogged),
            self.name,
            self.type_name,
            self.numbers()
        )
    }

    fn add_identity(&self, context: &Context<'_>, table: &Table, column: &Ident) -> Option<Sql> {
        let identity = table.column(column)?.identity?;
        // Without a word the sequence follows its table.
        let logged = if !context.target().has_unlogged_sequences()
            || self.persistence == table.persistence
        {
            ""
        } else if self.is_unlogged(context) {
            " UNLOGGED"
        } else {
            " LOGGED"
        };
        Some(sql!(
            "ALTER TABLE {} ALTER COLUMN {} ADD GENERATED {} AS IDENTITY (SEQUENCE NAME {}{} {})",
            table.name,
            column,
            Sql::fixed(identity.word()),
            self.name,
            Sql::fixed(logged),
            self.numbers()
        ))
    }
}

/// The table and column that a sequence belongs to, unless they are skipped.
fn owner<'a>(context: &Context<'a>, owner: &SequenceOwner) -> Option<(&'a Table, &'a Ident)> {
    let table = context.table(owner.table)?;
    let column = table.columns.iter().find(|c| c.number == owner.column)?;
    Some((table, &column.name))
}

impl Object for &Sequence {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Sequence
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("sequence", &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        self.owned_by.as_ref().map(|owner| owner.table)
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let found = self
            .owned_by
            .as_ref()
            .and_then(|by| Some((by, owner(context, by)?)));
        if let Some((by, (table, column))) = found
            && by.how == Owned::Identity
        {
            return self
                .add_identity(context, table, column)
                .into_iter()
                .collect();
        }
        let set_owner = clause::owner(context, &sql!("SEQUENCE {}", self.name), &self.owner);
        let owned_by = found.map(|(_, (table, column))| {
            sql!(
                "ALTER SEQUENCE {} OWNED BY {}.{}",
                self.name,
                table.name,
                column
            )
        });
        [self.create(context)]
            .into_iter()
            .chain(set_owner)
            .chain(owned_by)
            .collect()
    }
}

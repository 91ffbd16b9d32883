//! The internal triggers of keys, where they do not fire as usual. Their names hold oids, and the keys
//! that the server creates for partitions have names of its choice, so the target is asked for them.

use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::Class;
use crate::catalog::model::{KeyTrigger, ObjectId};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::{Literal, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for trigger in &context.catalog.key_triggers {
        nodes.push(Box::new(trigger));
    }
}

impl Object for &KeyTrigger {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::KeyTrigger
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        let detail = format!(" ({})", self.function);
        Label::part("trigger of key", &self.constraint, &self.relation).with_detail(&detail)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        let constraint = ObjectId::new(Class::Constraint, self.constraint_oid);
        vec![
            Part::Definition.of(constraint),
            Part::Validation.of(constraint),
        ]
    }

    /// A key locks two tables.
    fn must_run_alone(&self) -> bool {
        true
    }

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        let name = |relation| sql!("{}", Literal(sql!("{}", relation).as_str()));
        let body = sql!(
            "DECLARE trigger name; \
             BEGIN \
             FOR trigger IN WITH RECURSIVE key(oid) AS (\
             SELECT oid FROM pg_catalog.pg_constraint \
             WHERE conrelid = {}::pg_catalog.regclass AND conname = {} AND contype <> 't' \
             UNION ALL SELECT c.oid FROM pg_catalog.pg_constraint c JOIN key ON key.oid = c.conparentid \
             WHERE c.contype = 'f') \
             SELECT t.tgname FROM pg_catalog.pg_trigger t \
             JOIN key ON key.oid = t.tgconstraint \
             JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid \
             WHERE t.tgisinternal AND t.tgrelid = {}::pg_catalog.regclass AND p.proname = {} \
             LOOP EXECUTE pg_catalog.format({}, trigger); END LOOP; \
             END",
            name(&self.table),
            Literal(self.constraint.as_str()),
            name(&self.relation),
            Literal(self.function.as_str()),
            Literal(&self.change()),
        );
        vec![sql!("DO {}", Literal(body.as_str()))]
    }
}

impl KeyTrigger {
    /// The statement with a gap for the trigger's name, as `format()` takes it.
    fn change(&self) -> String {
        let change = sql!(
            "ALTER TABLE ONLY {} {} TRIGGER ",
            self.relation,
            Sql::fixed(self.enabled.word())
        );
        change.as_str().replace('%', "%%") + "%I"
    }
}

//! Privileges and default privileges.

use std::collections::HashMap;

use super::writer::Writer;
use crate::catalog::Class;
use crate::catalog::acl::ObjectAcl;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::object::grant::{
    Rendered, SkippedGrantReason, render_default_privileges, render_grants,
};
use crate::ddl::omission::OmissionReason;
use crate::ddl::options::Options;
use crate::pg::Oid;

impl Writer<'_, '_> {
    pub(super) fn write_privileges(&mut self) {
        let mut guards = self.find_guards();
        for acl in &self.context.catalog.acls {
            let creator = self.creator(acl.class, acl.oid);
            if (acl.is_system || creator.is_some()) && !self.keeps_privileges(acl) {
                let place = self.write_grants(acl, creator);
                if Class::from_oid(acl.class) == Some(Class::Relation) {
                    let guards = guards.entry(acl.oid).or_default();
                    self.script.steps[place].needs.extend(&*guards);
                    // A table's own revokes come before what its columns grant.
                    guards.push(place);
                }
            }
        }
    }

    /// The places of the steps that protect the rows of each relation: where one of them is refused, nothing is
    /// granted on the relation.
    fn find_guards(&self) -> HashMap<Oid, Vec<usize>> {
        let mut guards: HashMap<Oid, Vec<usize>> = HashMap::new();
        for (number, step) in self.plan.steps() {
            if step.object.kind() == Kind::Policy
                && let Some(relation) = step.object.locked_relation(self.context)
                && let Some(place) = self.place(number)
            {
                guards.entry(relation).or_default().push(place);
            }
        }
        guards
    }

    fn write_grants(&mut self, acl: &ObjectAcl, creator: Option<usize>) -> usize {
        let label = Label::privileges(acl);
        let acl = self.context.on_target(acl);
        let target = &self.context.options.target;
        let rendered = render_grants(&acl, target);
        let grantors = acl.actors().into_iter().filter(|role| target.reaches(role));
        self.script.grantors.extend(grantors.cloned());
        self.push_rendered(Kind::Acl, &label, creator, rendered)
    }

    pub(super) fn write_default_privileges(&mut self) {
        let Options { target, include } = self.context.options;
        for default in &self.context.catalog.default_acls {
            let default = include.role_map.default_acl(default);
            if target.reaches(&default.role) {
                self.script.grantors.insert(default.role.clone());
            }
            let rendered = render_default_privileges(&default, target);
            let label = Label::plain("default privileges of role", &default.role);
            let mut schemas = self.context.catalog.schemas.iter();
            let schema = schemas.find(|schema| Some(&schema.name) == default.schema.as_ref());
            let creator = schema.and_then(|schema| self.creator_of(schema.id));
            self.push_rendered(Kind::DefaultAcl, &label, creator, rendered);
        }
    }

    fn push_rendered(
        &mut self,
        kind: Kind,
        label: &Label,
        creator: Option<usize>,
        rendered: Rendered,
    ) -> usize {
        for skipped in rendered.skipped {
            let reason = match skipped.reason {
                SkippedGrantReason::NoSuchRole(role) => OmissionReason::NoSuchRole(role),
                SkippedGrantReason::OutOfReach(role) => OmissionReason::OutOfReach(role),
                SkippedGrantReason::NoSuchPrivilege(privilege) => {
                    OmissionReason::NoSuchPrivilege(privilege)
                }
            };
            self.omit(label.clone(), reason);
        }
        self.push_attached(kind, label, creator, rendered.statements)
    }
}

//! Security labels.

use super::writer::Writer;
use crate::catalog::Class;
use crate::catalog::model::{LabelOwner, ObjectId, SecurityLabel};
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::omission::OmissionReason;
use crate::ddl::options::Options;
use crate::pg::{Ident, Literal};
use crate::sql;

impl Writer<'_, '_> {
    /// Security labels of what steps of the chosen kinds create; roles, the database and what
    /// belongs to extensions exist already.
    pub(super) fn write_labels(&mut self, chosen: fn(Kind) -> bool) {
        let context = *self.context;
        for label in &context.catalog.labels {
            let creator = self.creator(label.class, label.oid);
            let kind = creator
                .and_then(|number| self.plan.step(number))
                .map_or(Kind::Schema, |step| step.object.kind());
            if chosen(kind) {
                self.write_label(label, creator);
            }
        }
    }

    fn write_label(&mut self, label: &SecurityLabel, creator: Option<usize>) {
        let name = Label::text("security label of", label.object.as_str());
        if let Some(reason) = self.why_no_label(label, creator.is_some()) {
            self.omit(name, reason);
            return;
        }
        let object = match &label.role {
            Some(role) => sql!("ROLE {}", self.context.role(role)),
            None => label.object.clone(),
        };
        let sql = sql!(
            "SECURITY LABEL FOR {} ON {} IS {}",
            Ident::from_catalog(label.provider.as_str()),
            object,
            Literal(&label.label)
        );
        self.push_attached(Kind::SecurityLabel, &name, creator, [sql]);
    }

    /// Why a label is not set. Roles, the database, what belongs to extensions and, with the rows,
    /// large objects exist without a step that creates them.
    fn why_no_label(&self, label: &SecurityLabel, is_created: bool) -> Option<OmissionReason> {
        let Options { target, include } = self.context.options;
        let exists = match label.owner() {
            LabelOwner::Role => {
                let mut role = label.role.iter();
                role.any(|role| self.context.has_role(role))
            }
            LabelOwner::Database => true,
            LabelOwner::Object(ObjectId {
                class: Class::LargeObject,
                ..
            }) => include.rows,
            LabelOwner::Object(id) => is_created || self.context.catalog.members.contains_key(&id),
            LabelOwner::Other => false,
        };
        if !exists {
            return Some(OmissionReason::NotCreated);
        }
        target
            .missing_label_providers
            .contains(&label.provider)
            .then(|| OmissionReason::NoLabelProvider(label.provider.clone()))
    }
}

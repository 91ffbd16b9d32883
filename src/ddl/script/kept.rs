//! What of a script is not written because the target keeps what it has.

use super::writer::Writer;
use crate::catalog::acl::{AclKind, AclName, ObjectAcl};
use crate::catalog::comment::{Comment, CommentTarget};
use crate::ddl::label::Label;
use crate::ddl::object::Part;
use crate::ddl::object::grant::render_grants;
use crate::ddl::omission::OmissionReason;
use crate::ddl::options::Options;
use crate::ddl::plan::Step as PlanStep;
use crate::pg::Ident;

impl<'a> Writer<'_, 'a> {
    /// Whether the script of an extension has created the object, without making it a member. Such an
    /// object is listed.
    pub(super) fn exists_already(&mut self, step: &PlanStep<'a>) -> bool {
        let node = step.object.node_id();
        let target = &self.context.options.target;
        // The index of a key is created by a step of its own.
        let is_whole = matches!(node.part, Part::Definition | Part::Index);
        let exists = is_whole && target.existing_objects.contains(&node.object);
        if exists {
            self.omit(step.label.clone(), OmissionReason::ByExtension);
        }
        exists
    }

    /// Whether a comment stays as it is, because the object is not ours.
    pub(super) fn keeps_comment(&mut self, comment: &Comment) -> bool {
        let target = &self.context.options.target;
        if let CommentTarget::Extension(name) = &comment.target
            && target.foreign_extensions.contains(name)
        {
            self.omit(
                Label::plain("comment on extension", name),
                OmissionReason::NotOurs,
            );
            return true;
        }
        let public =
            matches!(&comment.target, CommentTarget::Schema(name) if name.as_str() == "public");
        let is_kept = !target.is_superuser && public && !target.version.has_closed_public_schema();
        if is_kept && comment.text.is_some() {
            let name = Ident::from_catalog("public");
            self.omit(
                Label::plain("comment on schema", &name),
                OmissionReason::Superuser("a comment on schema public".to_owned()),
            );
        }
        is_kept
    }

    /// Whether the privileges of an object stay as they are, since we may not change them; reported, if
    /// there is something to report.
    pub(super) fn keeps_privileges(&mut self, acl: &ObjectAcl) -> bool {
        let Options { target, include } = self.context.options;
        let schemas = &self.context.catalog.schemas;
        let public = || schemas.iter().find(|schema| schema.is_public());
        let is_foreign = matches!((acl.kind, &acl.name), (AclKind::Schema, AclName::Plain(name))
            if target.is_foreign_schema(name));
        let is_kept = !target.is_superuser
            && (acl.is_system
                || is_foreign
                || (acl.is_public_schema()
                    && !target.version.has_closed_public_schema()
                    && public().is_some()));
        if is_kept {
            let acl = include.role_map.object_acl(acl);
            if !render_grants(&acl, target).statements.is_empty() {
                let what = "grants on what the server or an extension created".to_owned();
                let reason = if is_foreign {
                    OmissionReason::NotOurs
                } else {
                    OmissionReason::Superuser(what)
                };
                let object = Label::privileges(&acl);
                self.omit(object, reason);
            }
        }
        is_kept
    }
}

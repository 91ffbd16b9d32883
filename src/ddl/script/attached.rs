//! What belongs to an object and is no part of it: comments, security labels and privileges.

use super::writer::Writer;
use crate::ddl::kind::Kind;
use crate::ddl::temporary;

impl Writer<'_, '_> {
    /// Comments and privileges: after everything that they are about, and before materialized
    /// views are filled, which their owners may need privileges for.
    pub(super) fn write_attached(&mut self) {
        self.write_revokes();
        let include = &self.context.options.include;
        if include.comments {
            self.write_comments(|kind| !kind.comes_last());
        }
        if include.security_labels {
            self.write_labels(|kind| !kind.comes_last());
        }
        if include.privileges {
            self.write_privileges();
            self.write_default_privileges();
        }
    }

    /// Comments on and labels of what comes after the others'.
    pub(super) fn write_last_attached(&mut self) {
        let include = &self.context.options.include;
        if include.comments {
            self.write_comments(Kind::comes_last);
        }
        if include.security_labels {
            self.write_labels(Kind::comes_last);
        }
    }

    /// Revokes what was granted to owners so that they could get their objects.
    fn write_revokes(&mut self) {
        if let Some(sql) = temporary::render_revokes(self.context) {
            self.push_attached(Kind::Acl, &temporary::label(), None, [sql]);
        }
    }
}

//! Comments.

use super::writer::Writer;
use crate::catalog::comment::{Comment, CommentTarget};
use crate::ddl::kind::Kind;
use crate::ddl::object::comment::render_comment;
use crate::pg::Sql;

/// A comment with its place in the script.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct PlacedComment {
    /// The step that creates what it is about.
    creator: usize,
    column: i32,
    sql: Sql,
}

impl Writer<'_, '_> {
    /// Comments in the order of the steps that create what they are about; `chosen` says whose.
    pub(super) fn write_comments(&mut self, chosen: fn(Kind) -> bool) {
        let mut comments = Vec::new();
        for comment in &self.context.catalog.comments {
            if let Some(creator) = self.creator_of_comment(comment)
                && self
                    .plan
                    .step(creator)
                    .is_some_and(|step| chosen(step.object.kind()))
                && !self.keeps_comment(comment)
                && let Some(sql) = render_comment(comment, self.context.target())
            {
                comments.push(PlacedComment {
                    creator,
                    column: comment.attnum,
                    sql,
                });
            }
        }
        comments.sort();
        for PlacedComment { creator, sql, .. } in comments {
            if let Some(step) = self.plan.step(creator) {
                self.push_attached(Kind::Comment, &step.label, Some(creator), [sql]);
            }
        }
    }

    /// The step that creates what a comment is about. The trigger of a partition comes with that of the
    /// table above.
    fn creator_of_comment(&self, comment: &Comment) -> Option<usize> {
        let creator = self.creator(comment.class, comment.oid);
        let CommentTarget::Trigger(_, name) = &comment.target else {
            return creator;
        };
        creator.or_else(|| {
            let mut tables = self.context.catalog.tables.iter();
            self.creator_of(tables.find(|table| table.name == *name)?.id)
        })
    }
}

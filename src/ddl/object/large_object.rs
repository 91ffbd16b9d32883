//! What surrounds a large object: owner, privileges, comment. It exists when these are run.

use super::grant::{GrantTarget, Rendered, render_changes};
use crate::catalog::acl::changes;
use crate::catalog::load::large_object::LargeObject;
use crate::pg::Literal;
use crate::sql;

/// Renders owner, privileges and comment of a large object that the connecting role has made.
pub fn render_large_object(object: &LargeObject, target: &GrantTarget<'_>) -> Rendered {
    let clause = sql!("LARGE OBJECT {}", object.oid);
    let mut statements = vec![sql!("ALTER {} OWNER TO {}", clause, object.owner)];
    if let Some(comment) = &object.comment {
        statements.push(sql!("COMMENT ON {} IS {}", clause, Literal(comment)));
    }
    let steps = changes(&object.base, &object.acl, &object.owner);
    let grants = render_changes(&steps, &clause, &object.owner, target);
    statements.extend(grants.statements);
    Rendered {
        statements,
        left_out: grants.left_out,
    }
}

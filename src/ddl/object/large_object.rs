//! What surrounds a large object: owner, privileges, comment. It exists when these are run.

use super::grant::{Rendered, render_changes};
use crate::catalog::acl::plan_changes;
use crate::catalog::load::large_object::LargeObject;
use crate::ddl::options::Options;
use crate::pg::Literal;
use crate::sql;

/// Renders owner, privileges and comment of a large object that the connecting role has created.
pub fn render_large_object(object: &LargeObject, options: &Options) -> Rendered {
    let Options { target, include } = options;
    let clause = sql!("LARGE OBJECT {}", object.oid);
    let mut map = include.role_map.clone();
    let mut statements = Vec::new();
    if include.owners {
        let owner = map.of(&object.owner);
        statements.push(sql!("ALTER {} OWNER TO {}", clause, owner));
    } else {
        map.replace(object.owner.clone(), target.connected_as.clone());
    }
    if let Some(comment) = object.comment.as_ref().filter(|_| include.comments) {
        statements.push(sql!("COMMENT ON {} IS {}", clause, Literal(comment)));
    }
    let mut skipped = Vec::new();
    if include.privileges {
        let (base, acl) = (&object.base, &object.acl);
        let owner = map.of(&object.owner);
        let steps = plan_changes(
            &map.acl(base, &object.owner),
            &map.acl(acl, &object.owner),
            owner,
        );
        let grants = render_changes(&steps, &clause, owner, target);
        statements.extend(grants.statements);
        skipped = grants.skipped;
    }
    Rendered {
        statements,
        skipped,
    }
}

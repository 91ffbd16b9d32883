//! What is lent to owners while a script runs.
//!
//! Without superuser, an object can be given only to a role that may create in its schema, which
//! an owner need not be allowed to. So owners get that right on the script's own schemas, and
//! give it back before the schemas get the privileges that they are to have.

use super::Script;
use super::context::Context;
use super::statement::{Kind, Label, Statement};
use crate::pg::{Ident, Sql};
use crate::sql;

/// Puts what lends the right behind the schemas.
pub(super) fn lend(context: &Context<'_>, script: &mut Script) {
    let grants = pairs(context)
        .map(|(schemas, owners)| sql!("GRANT CREATE ON SCHEMA {} TO {}", schemas, owners));
    let Some(sql) = grants else { return };
    let is_schema = |statement: &Statement| statement.kind == Kind::Schema;
    let at = script
        .pre_data
        .iter()
        .rposition(is_schema)
        .map_or(0, |at| at + 1);
    let wave = at
        .checked_sub(1)
        .map_or(0, |last| script.pre_data[last].wave + 1);
    for later in &mut script.pre_data[at..] {
        later.wave += 2;
    }
    script.pre_data.insert(at, statement(sql, wave));
}

/// What takes the right back.
pub(super) fn returned(context: &Context<'_>) -> Option<Sql> {
    let (schemas, owners) = pairs(context)?;
    Some(sql!("REVOKE CREATE ON SCHEMA {} FROM {}", schemas, owners))
}

/// The schemas, and the roles that must be able to create in them.
fn pairs(context: &Context<'_>) -> Option<(Sql, Sql)> {
    let target = &context.options.target;
    let owners = context.owners.borrow();
    if target.is_superuser || owners.is_empty() {
        return None;
    }
    // Below 15 everyone may create in `public`, which is not ours.
    let lends = target.version.has_closed_public_schema();
    let schemas = context.catalog.schemas.iter();
    let schemas: Vec<&Ident> = schemas
        .filter(|schema| lends || !schema.is_public())
        .map(|schema| &schema.name)
        .collect();
    let join = |names: Vec<&Ident>| Sql::join(names, ", ");
    (!schemas.is_empty()).then(|| (join(schemas), join(owners.keys().collect())))
}

/// A statement about privileges that nothing runs beside.
pub(super) fn statement(sql: Sql, wave: u32) -> Statement {
    Statement {
        sql,
        object: Label::plain("right", &Ident::from_catalog("CREATE")),
        kind: Kind::Acl,
        relation: None,
        wave,
        must_run_alone: true,
        needs_no_transaction: false,
        secret: false,
    }
}

//! Temporary privileges of owners while a script runs.
//!
//! Without superuser, an object can be given only to a role that may create in its schema, which
//! an owner need not be allowed to. So owners get that right on the script's own schemas, and
//! lose it again before the schemas get the privileges that they are to have.

use super::context::Context;
use super::kind::Kind;
use super::label::Label;
use super::necessity::Necessity;
use super::options::Options;
use super::stage::Stage;
use super::statement::Script;
use super::statement::{NO_RELATION, Statement, Step};
use crate::pg::{Ident, Sql};
use crate::sql;

/// Inserts the grants after the schemas.
pub(super) fn add_grants(context: &Context<'_>, script: &mut Script) {
    let grants = find_temporary_grants(context)
        .map(|(schema, owners)| sql!("GRANT CREATE ON SCHEMA {} TO {}", schema, owners));
    let grants = Sql::join(grants, "; ");
    if grants.as_str().is_empty() {
        return;
    }
    let is_schema = |statement: &Statement| statement.kind == Kind::Schema;
    let at = script.pre_data.iter().rposition(is_schema);
    let at = at.map_or(0, |at| at + 1);
    let place = script.steps.len();
    let schemas = script.pre_data[..at].iter().map(|statement| statement.step);
    script.steps.push(Step {
        needs: schemas.collect(),
        stage: Stage::Definitions,
        locks: vec![NO_RELATION],
        must_run_alone: true,
        ..Step::default()
    });
    for later in &script.pre_data[at..] {
        script.steps[later.step].needs.push(place);
    }
    script.pre_data.insert(
        at,
        Statement {
            sql: grants,
            object: label(),
            kind: Kind::Acl,
            necessity: Necessity::Required,
            step: place,
            needs_no_transaction: false,
            secret: false,
        },
    );
}

/// What takes the right back.
pub(super) fn render_revokes(context: &Context<'_>) -> Option<Sql> {
    let revokes = find_temporary_grants(context)
        .map(|(schema, owners)| sql!("REVOKE CREATE ON SCHEMA {} FROM {}", schema, owners));
    let revokes = Sql::join(revokes, "; ");
    (!revokes.as_str().is_empty()).then_some(revokes)
}

/// Each schema, and the roles that must be able to create in it and do not own it.
fn find_temporary_grants<'a>(context: &Context<'a>) -> impl Iterator<Item = (&'a Ident, Sql)> {
    let Options { target, include } = context.options;
    // Below 15 everyone may create in `public`, which is not ours.
    let is_closed = target.version.has_closed_public_schema();
    let is_superuser = target.is_superuser;
    let owners: Vec<Ident> = context.owners.borrow().keys().cloned().collect();
    let schemas = context.catalog.schemas.iter();
    schemas
        .filter(move |schema| !is_superuser && (is_closed || !schema.is_public()))
        .filter(|schema| !target.is_foreign_schema(&schema.name))
        .filter_map(move |schema| {
            let owner = include.role_map.of(&schema.owner);
            let others: Vec<_> = owners.iter().filter(|other| *other != owner).collect();
            (!others.is_empty()).then(|| (&schema.name, Sql::join(others, ", ")))
        })
}

/// The label of these grants.
pub(super) fn label() -> Label {
    Label::plain("right", &Ident::from_catalog("CREATE"))
}

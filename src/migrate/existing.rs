//! What stands in a database of the target already, and must neither leak into what is made there
//! nor be taken for granted.

use std::collections::HashSet;

use super::{Error, Side};
use crate::catalog::acl::{AclKind, AclName, ObjectAcl};
use crate::catalog::load::default_acl::load_default_acls;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::ddl::object::grant::{render_default_privileges, render_without_default_privileges};
use crate::ddl::{self, Kind, Label, Statement};

use crate::pg::Sql;

/// Takes away the default privileges that a used database has, so that they do not leak into the
/// objects made in it; the statements that bring them back.
///
/// # Errors
/// The target cannot be asked, or refuses.
pub(super) async fn set_defaults_aside(
    target: &Endpoint,
    options: &ddl::Options,
) -> Result<Vec<Sql>, Error> {
    let side = Side::Target;
    let session = open(target).await?;
    let found = load_default_acls(&session).await;
    let found = found.map_err(|source| Error::Catalog {
        side,
        place: "default privileges".to_owned(),
        source,
    })?;
    let (mut away, mut back) = (Vec::new(), Vec::new());
    // Those of roles that we cannot act for are none of ours, and nothing is made by them.
    for default in found.iter().filter(|d| options.target.reaches(&d.role)) {
        away.extend(render_without_default_privileges(default, &options.target).statements);
        back.extend(render_default_privileges(default, &options.target).statements);
    }
    run(&session, &away).await?;
    Ok(back)
}

/// Brings default privileges back.
///
/// # Errors
/// The target cannot be reached, or refuses.
pub(super) async fn bring_defaults_back(target: &Endpoint, back: &[Sql]) -> Result<(), Error> {
    if back.is_empty() {
        return Ok(());
    }
    run(&open(target).await?, back).await
}

async fn open(target: &Endpoint) -> Result<Session, Error> {
    let side = Side::Target;
    let session = target.session(Purpose::Build).await;
    session.map_err(|source| Error::Connect { side, source })
}

async fn run(session: &Session, statements: &[Sql]) -> Result<(), Error> {
    if statements.is_empty() {
        return Ok(());
    }
    let all = Sql::join(statements, "; ");
    let done = session.batch(&all).await;
    done.map_err(Error::examine(Side::Target))
}

/// Drops the grants on what the server or an extension made and the target does not have: another
/// version may lack it. What was dropped, in words.
///
/// # Errors
/// The target cannot be asked.
pub(super) async fn drop_missing(
    target: &Endpoint,
    acls: &[ObjectAcl],
    statements: &mut Vec<Statement>,
) -> Result<Vec<String>, connect::Error> {
    let system: Vec<&ObjectAcl> = acls.iter().filter(|acl| acl.is_system).collect();
    if system.is_empty() {
        return Ok(Vec::new());
    }
    let session = target.session(Purpose::Introspect).await?;
    let parts: Vec<_> = system.iter().map(|acl| part(acl)).collect();
    let kinds: Vec<&str> = parts.iter().map(|(kind, ..)| *kind).collect();
    let schemas: Vec<&str> = parts.iter().map(|(_, schema, ..)| *schema).collect();
    let names: Vec<&str> = parts.iter().map(|(_, _, name, _)| *name).collect();
    let details: Vec<&str> = parts.iter().map(|(.., detail)| *detail).collect();
    let sql = Sql::fixed(include_str!("sql/missing.sql"));
    let rows = session
        .query(&sql, &[&kinds, &schemas, &names, &details])
        .await?;
    let missing: HashSet<Label> = rows
        .iter()
        .filter_map(|row| {
            let place = usize::try_from(row.get::<_, i64>(0)).ok()?;
            system.get(place.checked_sub(1)?)
        })
        .map(|acl| ddl::privileges_label(acl))
        .collect();
    let is_missing =
        |statement: &Statement| statement.kind == Kind::Acl && missing.contains(&statement.object);
    statements.retain(|statement| !is_missing(statement));
    let mut told: Vec<_> = missing
        .iter()
        .map(|label| format!("{label}: the target has no such object"))
        .collect();
    told.sort();
    Ok(told)
}

/// What the query needs to find an object: kind, schema, name, detail.
fn part(acl: &ObjectAcl) -> (&'static str, &str, &str, &str) {
    let kind = match acl.kind {
        AclKind::Schema => "schema",
        AclKind::Language => "language",
        AclKind::Type => "type",
        AclKind::Function | AclKind::Procedure => "routine",
        AclKind::ForeignDataWrapper => "wrapper",
        AclKind::ForeignServer => "server",
        AclKind::Table | AclKind::Sequence => "relation",
        AclKind::Column => "column",
    };
    match &acl.name {
        AclName::Plain(name) => (kind, "", name.as_str(), ""),
        AclName::Qualified(name) => (kind, name.schema.as_str(), name.name.as_str(), ""),
        AclName::Routine(name, arguments) => (
            kind,
            name.schema.as_str(),
            name.name.as_str(),
            arguments.as_str(),
        ),
        AclName::Column(name, column) => (
            kind,
            name.schema.as_str(),
            name.name.as_str(),
            column.as_str(),
        ),
    }
}

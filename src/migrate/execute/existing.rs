//! What is in a database of the target already, and must neither leak into what is created there
//! nor be taken for granted.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::catalog::acl::{AclKind, AclName, ObjectAcl};
use crate::catalog::load::default_acl::load_default_acls;
use crate::catalog::load::labels::load_member_comments;
use crate::catalog::load::quoting::quote_for;
use crate::catalog::model::{Extension, MemberComment, MemberRelation, ObjectId, SecurityLabel};
use crate::catalog::{self, Catalog, Class};
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::ddl::object::grant::{render_default_privileges, render_without_default_privileges};
use crate::ddl::{self, Kind, Label, OmissionReason, Script, Statement};
use crate::migrate::error::Error;
use crate::pg::{Ident, Literal, Oid, ServerVersion, Side, Sql, SqlState, readable};
use crate::sql;

/// The default privileges of a used database: revoked while objects are created in it, so that they do not
/// leak into these, and granted again afterwards.
#[derive(Debug, Default)]
pub(crate) struct DefaultPrivileges {
    /// Revokes them.
    pub(crate) revokes: Vec<Sql>,
    /// Grants them again.
    pub(crate) grants: Vec<Sql>,
}

/// Loads the default privileges of a used database.
///
/// # Errors
/// The target cannot be asked.
pub(crate) async fn load_default_privileges(
    target: &Endpoint,
    options: &ddl::Options,
) -> Result<DefaultPrivileges, Error> {
    let side = Side::Target;
    let session = open_session(target).await?;
    let found = load_default_acls(&session).await;
    let found = found.map_err(Error::read(side, "default privileges".to_owned()))?;
    let mut privileges = DefaultPrivileges::default();
    // Our role creates nothing as a role that it cannot `SET ROLE` to.
    for default in found.iter().filter(|d| options.target.reaches(&d.role)) {
        let revokes = render_without_default_privileges(default, &options.target);
        privileges.revokes.extend(revokes.statements);
        let grants = render_default_privileges(default, &options.target);
        privileges.grants.extend(grants.statements);
    }
    Ok(privileges)
}

/// Revokes the default privileges of a used database; returns the statements that grant them again.
///
/// # Errors
/// The target cannot be asked, or refuses.
pub(crate) async fn set_defaults_aside(
    target: &Endpoint,
    options: &ddl::Options,
) -> Result<Vec<Sql>, Error> {
    let privileges = load_default_privileges(target, options).await?;
    run_statements(&open_session(target).await?, &privileges.revokes).await?;
    Ok(privileges.grants)
}

/// Brings default privileges back.
///
/// # Errors
/// The target cannot be reached, or refuses.
pub(crate) async fn bring_defaults_back(target: &Endpoint, back: &[Sql]) -> Result<(), Error> {
    if back.is_empty() {
        return Ok(());
    }
    run_statements(&open_session(&target.despite_stop()).await?, back).await
}

async fn open_session(target: &Endpoint) -> Result<Session, Error> {
    let side = Side::Target;
    let session = target.session(Purpose::Build).await;
    session.map_err(Error::connect(side))
}

async fn run_statements(session: &Session, statements: &[Sql]) -> Result<(), Error> {
    if statements.is_empty() {
        return Ok(());
    }
    let all = Sql::join(statements, "; ");
    let done = session.batch(&all).await;
    done.map_err(Error::examine(Side::Target))
}

/// Brings what comes after the rows to what the first half of a script has created in the database. What
/// is lost by that, in words.
///
/// # Errors
/// The target cannot be asked.
pub(crate) async fn fit_post_data(
    target: &Endpoint,
    catalog: &Catalog,
    options: &ddl::Options,
    script: &mut Script,
) -> Result<Vec<String>, connect::Error> {
    let acls: Vec<&ObjectAcl> = catalog.acls.iter().filter(|acl| acl.is_system).collect();
    let mut lost = drop_missing(target, &acls, &mut script.post_data).await?;
    lost.extend(add_member_comments(target, catalog, options, script).await?);
    lost.extend(absent_members(target, &catalog.member_relations).await?);
    Ok(lost)
}

/// The same for a dry run, as far as it can be known before extensions are created: for the server's own
/// objects, and for those of extensions that the database has already. Read-only: who may comment on an object
/// follows from its owner instead of an attempt.
///
/// # Errors
/// The target cannot be asked.
pub(crate) async fn foresee(
    target: &Endpoint,
    catalog: &Catalog,
    options: &ddl::Options,
    script: &mut Script,
    extensions: &BTreeSet<Ident>,
) -> Result<(), connect::Error> {
    let exists = |extension: &Extension| extensions.contains(&extension.name);
    let existing = catalog.extensions.iter().filter(|one| exists(one));
    let existing: HashSet<Oid> = existing.map(|extension| extension.id.oid).collect();
    let is_known = |acl: &&ObjectAcl| {
        let class = Class::from_oid(acl.class);
        let id = class.map(|class| ObjectId::new(class, acl.oid));
        let member_of = id.and_then(|id| catalog.members.get(&id));
        acl.is_system && member_of.is_none_or(|extension| existing.contains(extension))
    };
    let acls: Vec<&ObjectAcl> = catalog.acls.iter().filter(is_known).collect();
    drop_missing(target, &acls, &mut script.post_data).await?;
    let of_others = match options.target.is_superuser {
        true => BTreeSet::new(),
        false => load_extensions_of_others(target).await?,
    };
    let is_known = |comment: &MemberComment| {
        let extension = Ident::from_catalog(comment.extension.0.as_str());
        match comment.extension.0.is_empty() {
            true => options.target.is_superuser,
            false => extensions.contains(&extension) && !of_others.contains(&extension),
        }
    };
    let comments = plan_member_comments(target, catalog, options, &is_known).await?;
    attach_comments(script, comments);
    Ok(())
}

/// Adds the comments on objects of extensions, and on the server's own, that differ. What the target does
/// not accept, in words.
async fn add_member_comments(
    target: &Endpoint,
    catalog: &Catalog,
    options: &ddl::Options,
    script: &mut Script,
) -> Result<Vec<String>, connect::Error> {
    let mut comments = plan_member_comments(target, catalog, options, &|_| true).await?;
    let lost = drop_refused(target, &mut comments).await?;
    attach_comments(script, comments);
    Ok(lost)
}

/// Plans the comments on objects of extensions, and on the server's own, that differ.
async fn plan_member_comments(
    target: &Endpoint,
    catalog: &Catalog,
    options: &ddl::Options,
    chosen: &dyn Fn(&MemberComment) -> bool,
) -> Result<Vec<(Label, Sql)>, connect::Error> {
    if !options.include.comments {
        return Ok(Vec::new());
    }
    let wanted = catalog.member_comments.iter().filter(|one| chosen(one));
    let wanted: Vec<MemberComment> = wanted.cloned().collect();
    member_comments(target, &wanted, catalog.version).await
}

fn attach_comments(script: &mut Script, comments: Vec<(Label, Sql)>) {
    for (label, sql) in comments {
        script.attach(Kind::Comment, label, sql);
    }
}

/// Loads the extensions with an object that another role owns, such as trusted ones, whose objects belong to the
/// first superuser.
async fn load_extensions_of_others(target: &Endpoint) -> Result<BTreeSet<Ident>, connect::Error> {
    let session = target.session(Purpose::Introspect).await?;
    let sql = Sql::fixed(include_str!("../sql/extensions_of_others.sql"));
    let rows = session.query(&sql, &[]).await?;
    let names = rows.iter().map(|row| row.get::<_, String>(0));
    Ok(names.map(Ident::from_catalog).collect())
}

/// The extensions that are in a database and are not ours, whose comments are therefore not ours
/// to change.
///
/// # Errors
/// The target cannot be asked.
pub(crate) async fn load_foreign_extensions(
    target: &Endpoint,
) -> Result<BTreeSet<Ident>, connect::Error> {
    let session = target.session(Purpose::Introspect).await?;
    let sql = Sql::fixed(
        "SELECT extname::text FROM pg_catalog.pg_extension \
         WHERE NOT pg_catalog.pg_has_role(extowner, 'USAGE')",
    );
    let rows = session.query(&sql, &[]).await?;
    let names = rows.iter().map(|row| row.get::<_, String>(0));
    Ok(names.map(Ident::from_catalog).collect())
}

/// Drops the comments on what the target lacks or somebody else owns there; which, in words. Who
/// owns an object of an extension depends on how that was created, so each is tried, and nothing is
/// kept of that.
async fn drop_refused(
    target: &Endpoint,
    comments: &mut Vec<(Label, Sql)>,
) -> Result<Vec<String>, connect::Error> {
    if comments.is_empty() {
        return Ok(Vec::new());
    }
    let session = target.session(Purpose::Build).await?;
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for (label, sql) in comments.drain(..) {
        session.batch(&Sql::fixed("BEGIN")).await?;
        let tried = session.batch(&sql).await;
        session.batch(&Sql::fixed("ROLLBACK")).await?;
        match tried.map_err(|error| (error.sqlstate(), error)) {
            Err((Some(SqlState::INSUFFICIENT_PRIVILEGE), _)) => {
                refused.push(format!("{label}: {}", OmissionReason::NotOurs));
            }
            Err((Some(SqlState::UNDEFINED_FUNCTION | SqlState::UNDEFINED_OBJECT), _)) => {
                refused.push(format!("{label}: the target has no such object"));
            }
            Err((None, error)) => return Err(error),
            // Every other error is reported when it is run.
            Ok(()) | Err((Some(_), _)) => kept.push((label, sql)),
        }
    }
    *comments = kept;
    Ok(refused)
}

/// The relations that users of the source added to extensions: those that the same version of the
/// extension does not make on the target. In words.
async fn absent_members(
    target: &Endpoint,
    wanted: &[MemberRelation],
) -> Result<Vec<String>, connect::Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let session = target.session(Purpose::Introspect).await?;
    let column = |part: fn(&MemberRelation) -> &str| wanted.iter().map(part).collect::<Vec<_>>();
    let extensions = column(|member| &member.extension.0);
    let versions = column(|member| &member.extension.1);
    let schemas = column(|member| member.name.schema.as_str());
    let names = column(|member| member.name.name.as_str());
    let sql = Sql::fixed(include_str!("../sql/absent_members.sql"));
    let rows = session
        .query(&sql, &[&extensions, &versions, &schemas, &names])
        .await?;
    let absent = rows.iter().filter_map(|row| {
        let place = usize::try_from(row.get::<_, i64>(0)).ok()?;
        wanted.get(place.checked_sub(1)?)
    });
    let told = absent.map(|member| {
        let extension = Ident::from_catalog(member.extension.0.as_str());
        format!(
            "relation {}: not copied with its rows, it was added to extension {extension} by hand",
            member.name
        )
    });
    Ok(told.collect())
}

/// Drops the grants on what the server or an extension made and the target does not have: another
/// version may lack it. What was dropped, in words.
async fn drop_missing(
    target: &Endpoint,
    system: &[&ObjectAcl],
    statements: &mut Vec<Statement>,
) -> Result<Vec<String>, connect::Error> {
    if system.is_empty() {
        return Ok(Vec::new());
    }
    let session = target.session(Purpose::Introspect).await?;
    let parts: Vec<_> = system.iter().map(|acl| acl_part(acl)).collect();
    let kinds: Vec<&str> = parts.iter().map(|(kind, ..)| *kind).collect();
    let schemas: Vec<&str> = parts.iter().map(|(_, schema, ..)| *schema).collect();
    let names: Vec<&str> = parts.iter().map(|(_, _, name, _)| *name).collect();
    let details: Vec<&str> = parts.iter().map(|(.., detail)| *detail).collect();
    let sql = Sql::fixed(include_str!("../sql/missing.sql"));
    let rows = session
        .query(&sql, &[&kinds, &schemas, &names, &details])
        .await?;
    let missing: HashSet<Label> = rows
        .iter()
        .filter_map(|row| {
            let place = usize::try_from(row.get::<_, i64>(0)).ok()?;
            system.get(place.checked_sub(1)?)
        })
        .map(|acl| Label::privileges(acl))
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
fn acl_part(acl: &ObjectAcl) -> (&'static str, &str, &str, &str) {
    let kind = match acl.kind {
        AclKind::Schema => "schema",
        AclKind::Language => "language",
        AclKind::Type => "type",
        AclKind::Function => "routine",
        AclKind::Procedure => "procedure",
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

/// The modules for security labels that the target has not loaded, of those that labels name. No
/// catalog lists them, so each is asked to take away a label, and nothing is kept of that.
///
/// # Errors
/// The connection broke.
pub(crate) async fn load_missing_label_providers(
    target: &Endpoint,
    labels: &[SecurityLabel],
) -> Result<BTreeSet<String>, connect::Error> {
    let providers: BTreeSet<&String> = labels.iter().map(|label| &label.provider).collect();
    let mut missing = BTreeSet::new();
    if providers.is_empty() {
        return Ok(missing);
    }
    let session = target.session(Purpose::Build).await?;
    for provider in providers {
        session.batch(&Sql::fixed("BEGIN")).await?;
        let asked = session
            .batch(&sql!(
                "SECURITY LABEL FOR {} ON DATABASE {} IS NULL",
                Ident::from_catalog(provider.as_str()),
                Ident::from_catalog(target.database())
            ))
            .await;
        session.batch(&Sql::fixed("ROLLBACK")).await?;
        match asked.map_err(|error| (error.sqlstate(), error)) {
            Err((Some(SqlState::INVALID_PARAMETER_VALUE), _)) => {
                missing.insert(provider.clone());
            }
            Err((None, error)) => return Err(error),
            Ok(()) | Err((Some(_), _)) => {}
        }
    }
    Ok(missing)
}

/// What sets the comments on objects of extensions, and on the server's own, equally: a user may have changed
/// some of those that the extensions made. Of extensions in another version nothing is changed.
async fn member_comments(
    target: &Endpoint,
    wanted: &[MemberComment],
    version: ServerVersion,
) -> Result<Vec<(Label, Sql)>, connect::Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let session = target.session(Purpose::Introspect).await?;
    // Both sides write names alike.
    quote_for(&session, version).await?;
    let found = match load_member_comments(&session).await {
        Ok(found) => found,
        Err(catalog::Error::Query { source, .. }) => return Err(source),
        Err(error) => {
            tracing::warn!(%error, "comments on objects of extensions cannot be compared");
            return Ok(Vec::new());
        }
    };
    Ok(differing_comments(wanted, &found))
}

fn differing_comments(wanted: &[MemberComment], found: &[MemberComment]) -> Vec<(Label, Sql)> {
    let versions = |comments: &[MemberComment]| -> BTreeMap<String, String> {
        let extensions = comments.iter().map(|comment| comment.extension.clone());
        extensions.collect()
    };
    let (ours, theirs) = (versions(wanted), versions(found));
    let is_same = |(extension, version): &(String, String)| {
        let same =
            |side: &BTreeMap<String, String>| side.get(extension).is_none_or(|v| v == version);
        same(&ours) && same(&theirs)
    };
    let set: BTreeSet<&MemberComment> = found.iter().collect();
    let kept: BTreeSet<&str> = wanted.iter().map(|one| one.object.as_str()).collect();
    let changed = wanted
        .iter()
        .filter(|comment| !set.contains(comment))
        .map(|comment| (comment, sql!("{}", Literal(&comment.text))));
    let gone = found
        .iter()
        .filter(|comment| !kept.contains(comment.object.as_str()))
        .filter(|comment| ours.contains_key(&comment.extension.0))
        // The server's own: the source has some that initdb made, which are not read.
        .filter(|comment| !comment.extension.0.is_empty())
        .map(|comment| (comment, Sql::fixed("NULL")));
    changed
        .chain(gone)
        .filter(|(comment, _)| is_same(&comment.extension))
        .map(|(comment, text)| {
            let object = Sql::deparsed(comment.object.as_str());
            let label = Label::text("comment on", &readable(&comment.object));
            (label, sql!("COMMENT ON {} IS {}", object, text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment(version: &str, object: &str, text: &str) -> MemberComment {
        MemberComment {
            extension: ("e".to_owned(), version.to_owned()),
            object: object.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn only_what_a_user_changed_is_changed() {
        let found = [
            comment("1", "FUNCTION s.f()", "old"),
            comment("1", "FUNCTION s.g()", "same"),
            comment("1", "FUNCTION s.h()", "removed"),
        ];
        let wanted = [
            comment("1", "FUNCTION s.f()", "new"),
            comment("1", "FUNCTION s.g()", "same"),
        ];
        let changes = differing_comments(&wanted, &found);
        let sql: Vec<_> = changes.iter().map(|(_, sql)| sql.as_str()).collect();
        assert_eq!(
            sql,
            [
                "COMMENT ON FUNCTION s.f() IS 'new'",
                "COMMENT ON FUNCTION s.h() IS NULL"
            ]
        );
    }

    #[test]
    fn another_version_has_comments_of_its_own() {
        let found = [comment("2", "FUNCTION s.f()", "newer")];
        let wanted = [comment("1", "FUNCTION s.f()", "older")];
        assert_eq!(differing_comments(&wanted, &found), []);
    }
}

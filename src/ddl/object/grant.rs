//! `GRANT`, `REVOKE` and `ALTER DEFAULT PRIVILEGES`.
//!
//! The server records as grantor the object's owner when a superuser or a member of the owner
//! grants, and the current role otherwise. A grant by somebody else is therefore issued under
//! `SET ROLE`, which, unlike `SET SESSION AUTHORIZATION`, every member of that role may do. The
//! three commands are one statement: sent together they are one transaction, so a refused grant
//! leaves no session in a foreign role.
//!
//! Known limit, as in `pg_dump`: a grantor who is a superuser or a member of the owner *now*
//! grants on the owner's behalf.

use std::fmt;

use crate::catalog::acl::{
    Acl, AclKind, AclName, Change, ChangeKind, DefaultAcl, DefaultAclKind, Grantee, ObjectAcl,
    Privilege, plan_changes,
};
use crate::ddl::target::Target;
use crate::pg::{Fragment, Ident, Printable, ServerVersion, Sql};
use crate::sql;

/// Why a grant is skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkippedGrantReason {
    /// The grantee or grantor does not exist on the target.
    NoSuchRole(Ident),
    /// We cannot act for the grantor.
    OutOfReach(Ident),
    /// The target's version has no such privilege.
    NoSuchPrivilege(Privilege),
}

/// A grant that the target cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedGrant {
    /// The statement that would create it.
    pub statement: Sql,
    /// Why it is not created.
    pub reason: SkippedGrantReason,
}

/// One line, free of control characters.
impl fmt::Display for SkippedGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            SkippedGrantReason::NoSuchRole(role) => write!(f, "role {role} does not exist: ")?,
            SkippedGrantReason::OutOfReach(role) => {
                write!(f, "the connecting role cannot SET ROLE {role}: ")?;
            }
            SkippedGrantReason::NoSuchPrivilege(privilege) => {
                write!(f, "the target has no privilege {privilege}: ")?;
            }
        }
        Printable(self.statement.as_str()).fmt(f)
    }
}

/// Statements in order, and what they skip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Each is sent as one simple query.
    pub statements: Vec<Sql>,
    /// What is skipped.
    pub skipped: Vec<SkippedGrant>,
}

/// Renders the privileges of an object that exists on the target with those it has by itself.
pub fn render_grants(object: &ObjectAcl, target: &Target) -> Rendered {
    let steps = if object.is_public_schema() {
        let base = public_schema_acl(&object.owner, target.version);
        plan_changes(&base, &object.acl, &object.owner)
    } else {
        plan_changes(&object.base, &object.acl, &object.owner)
    };
    if let AclName::Column(_, column) = &object.name {
        let clause = Clause {
            column: Some(column),
            prefix: None,
            object: &object_clause(object),
        };
        return render(&steps, &clause, &object.owner, target);
    }
    render_changes(&steps, &object_clause(object), &object.owner, target)
}

/// Renders steps on an object named by its kind and name, e.g. `DATABASE "a"`.
pub fn render_changes(steps: &[Change], object: &Sql, owner: &Ident, target: &Target) -> Rendered {
    let clause = Clause {
        column: None,
        prefix: None,
        object,
    };
    render(steps, &clause, owner, target)
}

/// Renders default privileges on a target that has none for this role, schema and kind.
pub fn render_default_privileges(default: &DefaultAcl, target: &Target) -> Rendered {
    let steps = plan_changes(&default.base, &default.acl, &default.role);
    render_default(default, &steps, target)
}

/// Renders what revokes default privileges that the **target** has, so that they do not leak into the
/// objects created there. [`render_default_privileges`] of the same restores them.
pub fn render_without_default_privileges(default: &DefaultAcl, target: &Target) -> Rendered {
    let steps = plan_changes(&default.acl, &default.base, &default.role);
    render_default(default, &steps, target)
}

fn render_default(default: &DefaultAcl, steps: &[Change], target: &Target) -> Rendered {
    let mut prefix = sql!("ALTER DEFAULT PRIVILEGES FOR ROLE {} ", default.role);
    if let Some(schema) = &default.schema {
        prefix.push(&sql!("IN SCHEMA {} ", schema));
    }
    let object = Sql::fixed(match default.kind {
        DefaultAclKind::Tables => "TABLES",
        DefaultAclKind::Sequences => "SEQUENCES",
        DefaultAclKind::Functions => "FUNCTIONS",
        DefaultAclKind::Types => "TYPES",
        DefaultAclKind::Schemas => "SCHEMAS",
        DefaultAclKind::LargeObjects => "LARGE OBJECTS",
    });
    let clause = Clause {
        column: None,
        prefix: Some(&prefix),
        object: &object,
    };
    render(steps, &clause, &default.role, target)
}

/// What the schema `public` of a fresh database holds once it belongs to `owner`. Its recorded
/// initial privileges are no help: they name the source's owner, and since 15 PUBLIC may no
/// longer create in it.
fn public_schema_acl(owner: &Ident, version: ServerVersion) -> Acl {
    let mut acl = Acl::default();
    for privilege in [Privilege::Usage, Privilege::Create] {
        acl.add(
            Grantee::Role(owner.clone()),
            owner.clone(),
            privilege,
            false,
        );
        if privilege == Privilege::Usage || !version.has_closed_public_schema() {
            acl.add(Grantee::Public, owner.clone(), privilege, false);
        }
    }
    acl
}

fn object_clause(object: &ObjectAcl) -> Sql {
    let word = Sql::fixed(match object.kind {
        AclKind::Schema => "SCHEMA",
        AclKind::Language => "LANGUAGE",
        AclKind::Type => "TYPE",
        AclKind::Function => "FUNCTION",
        AclKind::Procedure => "PROCEDURE",
        AclKind::ForeignDataWrapper => "FOREIGN DATA WRAPPER",
        AclKind::ForeignServer => "FOREIGN SERVER",
        AclKind::Table | AclKind::Column => "TABLE",
        AclKind::Sequence => "SEQUENCE",
    });
    match &object.name {
        AclName::Plain(name) => sql!("{} {}", word, name),
        AclName::Qualified(name) | AclName::Column(name, _) => sql!("{} {}", word, name),
        AclName::Routine(name, arguments) => sql!("{} {}({})", word, name, arguments),
    }
}

/// Where a grant applies.
struct Clause<'a> {
    column: Option<&'a Ident>,
    prefix: Option<&'a Sql>,
    object: &'a Sql,
}

fn render(steps: &[Change], clause: &Clause<'_>, owner: &Ident, target: &Target) -> Rendered {
    let mut rendered = Rendered::default();
    for step in steps {
        let (known, unknown): (Vec<_>, Vec<_>) = step
            .privileges
            .iter()
            .copied()
            .partition(|privilege| privilege.exists_in(target.version));
        let gives = matches!(step.kind, ChangeKind::Grant | ChangeKind::GrantWithOption);
        // A privilege that the target does not have needs no revoking.
        for privilege in unknown.into_iter().filter(|_| gives) {
            rendered.skipped.push(SkippedGrant {
                statement: statement(step, &[privilege], clause, owner),
                reason: SkippedGrantReason::NoSuchPrivilege(privilege),
            });
        }
        if known.is_empty() {
            continue;
        }
        let statement = statement(step, &known, clause, owner);
        match obstacle(step, owner, target) {
            None => rendered.statements.push(statement),
            Some(reason) if gives => rendered.skipped.push(SkippedGrant { statement, reason }),
            Some(_) => {}
        }
    }
    rendered
}

/// What an owner grants is granted by whoever owns the object on the target.
fn obstacle(step: &Change, owner: &Ident, target: &Target) -> Option<SkippedGrantReason> {
    let grantee = match &step.grantee {
        Grantee::Public => None,
        Grantee::Role(role) => Some(role),
    };
    let grantor = Some(&step.grantor).filter(|grantor| *grantor != owner);
    let missing = grantee
        .into_iter()
        .chain(grantor)
        .find(|role| !target.roles.contains(*role));
    if let Some(role) = missing {
        return Some(SkippedGrantReason::NoSuchRole(role.clone()));
    }
    let closed = grantor.filter(|role| !target.reaches(role));
    closed.map(|role| SkippedGrantReason::OutOfReach(role.clone()))
}

fn statement(step: &Change, privileges: &[Privilege], clause: &Clause<'_>, owner: &Ident) -> Sql {
    let words = privileges.iter().map(|privilege| {
        let word = Sql::fixed(privilege.word());
        match clause.column {
            Some(column) => sql!("{} ({})", word, column),
            None => word,
        }
    });
    let words = Sql::join(words, ", ");
    let grantee: &dyn Fragment = match &step.grantee {
        Grantee::Public => &Sql::fixed("PUBLIC"),
        Grantee::Role(role) => role,
    };
    let (prefix, object) = (clause.prefix.cloned(), clause.object);
    let sql = match step.kind {
        ChangeKind::Revoke => sql!("{}REVOKE {} ON {} FROM {}", prefix, words, object, grantee),
        ChangeKind::RevokeGrantOption => sql!(
            "{}REVOKE GRANT OPTION FOR {} ON {} FROM {}",
            prefix,
            words,
            object,
            grantee
        ),
        ChangeKind::Grant => sql!("{}GRANT {} ON {} TO {}", prefix, words, object, grantee),
        ChangeKind::GrantWithOption => sql!(
            "{}GRANT {} ON {} TO {} WITH GRANT OPTION",
            prefix,
            words,
            object,
            grantee
        ),
    };
    if step.grantor == *owner {
        sql
    } else {
        sql!("SET ROLE {}; {}; RESET ROLE", step.grantor, sql)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::{Oid, QualifiedName};

    fn name(text: &str) -> Ident {
        Ident::from_catalog(text)
    }

    fn list(items: &[(&str, &str, Privilege, bool)]) -> Acl {
        let mut acl = Acl::default();
        for (grantee, grantor, privilege, grantable) in items {
            let grantee = match *grantee {
                "" => Grantee::Public,
                role => Grantee::Role(name(role)),
            };
            acl.add(grantee, name(grantor), *privilege, *grantable);
        }
        acl
    }

    fn object(kind: AclKind, named: AclName, base: Acl, acl: Acl) -> ObjectAcl {
        ObjectAcl {
            class: Oid(0),
            oid: Oid(0),
            kind,
            name: named,
            owner: name("o"),
            acl,
            base,
            is_system: false,
        }
    }

    fn rendered(
        object: &ObjectAcl,
        major: u32,
        roles: &[&str],
    ) -> (Vec<String>, Vec<SkippedGrantReason>) {
        let roles = roles.iter().map(|role| name(role)).collect();
        let target = Target::unrestricted(ServerVersion::new(major * 10_000), roles);
        let rendered = render_grants(object, &target);
        (
            rendered
                .statements
                .iter()
                .map(|sql| sql.as_str().to_owned())
                .collect(),
            rendered
                .skipped
                .into_iter()
                .map(|left| left.reason)
                .collect(),
        )
    }

    #[test]
    fn a_grant_by_another_role_is_one_statement_in_that_role() {
        let table = AclName::Qualified(QualifiedName::from_catalog("s", "t"));
        let acl = list(&[
            ("a", "o", Privilege::Select, true),
            ("", "a", Privilege::Select, false),
        ]);
        let (statements, skipped) = rendered(
            &object(AclKind::Table, table, Acl::default(), acl),
            12,
            &["o", "a"],
        );
        assert_eq!(
            statements,
            [
                r#"GRANT SELECT ON TABLE "s"."t" TO "a" WITH GRANT OPTION"#,
                r#"SET ROLE "a"; GRANT SELECT ON TABLE "s"."t" TO PUBLIC; RESET ROLE"#,
            ]
        );
        assert!(skipped.is_empty());
    }

    #[test]
    fn columns_are_named_behind_each_privilege() {
        let column = AclName::Column(QualifiedName::from_catalog("s", "t"), name("c\"d"));
        let acl = list(&[
            ("a", "o", Privilege::Select, false),
            ("a", "o", Privilege::Update, false),
        ]);
        let (statements, _) = rendered(
            &object(AclKind::Column, column, Acl::default(), acl),
            12,
            &["o", "a"],
        );
        assert_eq!(
            statements,
            [r#"GRANT SELECT ("c""d"), UPDATE ("c""d") ON TABLE "s"."t" TO "a""#]
        );
    }

    #[test]
    fn what_the_target_lacks_is_skipped_and_reported() {
        let table = AclName::Qualified(QualifiedName::from_catalog("s", "t"));
        let acl = list(&[
            ("a", "o", Privilege::Maintain, false),
            ("a", "o", Privilege::Select, false),
            ("gone", "o", Privilege::Select, false),
        ]);
        let base = list(&[("o", "o", Privilege::Maintain, false)]);
        let (statements, skipped) =
            rendered(&object(AclKind::Table, table, base, acl), 16, &["o", "a"]);
        assert_eq!(statements, [r#"GRANT SELECT ON TABLE "s"."t" TO "a""#]);
        assert_eq!(
            skipped,
            [
                SkippedGrantReason::NoSuchPrivilege(Privilege::Maintain),
                SkippedGrantReason::NoSuchRole(name("gone")),
            ]
        );
    }

    #[test]
    fn the_schema_public_is_compared_with_a_fresh_one_of_the_targets_version() {
        let open = list(&[
            ("o", "o", Privilege::Usage, false),
            ("o", "o", Privilege::Create, false),
            ("", "o", Privilege::Usage, false),
            ("", "o", Privilege::Create, false),
        ]);
        let mut closed = open.clone();
        closed.items[1].privileges.remove(&Privilege::Create);
        let public = |acl| {
            object(
                AclKind::Schema,
                AclName::Plain(name("public")),
                Acl::default(),
                acl,
            )
        };
        let (statements, _) = rendered(&public(open.clone()), 15, &["o"]);
        assert_eq!(statements, [r#"GRANT CREATE ON SCHEMA "public" TO PUBLIC"#]);
        let (statements, _) = rendered(&public(closed.clone()), 14, &["o"]);
        assert_eq!(
            statements,
            [r#"REVOKE CREATE ON SCHEMA "public" FROM PUBLIC"#]
        );
        assert!(rendered(&public(open), 14, &["o"]).0.is_empty());
        // An owner that the target lacks is no reason to leave the schema open.
        assert!(rendered(&public(closed), 14, &[]).0.len() == 1);
    }

    #[test]
    fn default_privileges_are_taken_away_and_restored() {
        let default = DefaultAcl {
            role: name("o"),
            schema: Some(name("s")),
            schema_oid: Oid(1),
            kind: DefaultAclKind::Functions,
            acl: list(&[("a", "o", Privilege::Execute, false)]),
            base: Acl::default(),
        };
        let roles = ["o", "a"].map(name).into();
        let target = Target::unrestricted(ServerVersion::new(120_000), roles);
        assert_eq!(
            render_without_default_privileges(&default, &target).statements[0].as_str(),
            r#"ALTER DEFAULT PRIVILEGES FOR ROLE "o" IN SCHEMA "s" REVOKE EXECUTE ON FUNCTIONS FROM "a""#
        );
        assert_eq!(
            render_default_privileges(&default, &target).statements[0].as_str(),
            r#"ALTER DEFAULT PRIVILEGES FOR ROLE "o" IN SCHEMA "s" GRANT EXECUTE ON FUNCTIONS TO "a""#
        );
    }
}

//! What the target offers, and which roles its databases will have.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::cluster::{Attribute, Roles, Settable};
use crate::catalog::load::database::load_settable;
use crate::cluster::finding::{Code, Finding, Level};
use crate::connect::Session;
use crate::ddl::cluster::find_unreachable_roles;
use crate::ddl::cluster::{RoleMerge, RoleOptions, plan_role_merge};
use crate::ddl::{self, AvailableExtension, Target};
use crate::migrate::error::Error;
use crate::migrate::options::Options;
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::{Ident, Sql};
use crate::pg::{Side, Sides};
use crate::remedy::{Remedy, Setting};
use crate::sql;

/// Plans what becomes of the roles, and learns what the target can do.
///
/// # Errors
/// The target refused a question.
pub(crate) async fn plan_cluster(
    session: &Session,
    options: &Options,
    roles: Sides<Roles>,
) -> Result<(TargetCluster, Vec<Finding>), Error> {
    let Sides { source, target } = roles;
    let side = Side::Target;
    let settable = load_settable(session)
        .await
        .map_err(Error::read(side, "parameters".to_owned()))?;
    let findings = judge_map(options, &source, &target);
    let provider = source.provider;
    let source = options.definitions.role_map.roles(&source);
    let wanted = RoleOptions {
        passwords: options.cluster.role_passwords,
        settable: &settable,
    };
    let merge = if options.cluster.roles {
        plan_role_merge(&source, &target, wanted)
    } else {
        RoleMerge::default()
    };
    let capabilities = load_capabilities(session, &target, &merge, settable).await?;
    let cluster = TargetCluster {
        roles: target,
        merge,
        options: ddl::Options {
            target: capabilities,
            include: ddl::Include {
                provider,
                ..options.definitions.clone()
            },
        },
        actors: BTreeSet::new(),
    };
    Ok((cluster, findings))
}

/// Learns what the target can hold, and what our role may do there.
async fn load_capabilities(
    session: &Session,
    target: &Roles,
    merge: &RoleMerge,
    settable: Settable,
) -> Result<Target, Error> {
    let is_superuser = target.we_have(Attribute::Superuser);
    let roles = target.roles.keys().chain(&merge.created).cloned().collect();
    let standing = target.roles.values();
    let standing = standing.filter(|role| role.has(Attribute::Superuser));
    let superusers = standing.map(|role| &role.name).chain(&merge.superusers);
    let superusers = superusers.cloned().collect();
    Ok(Target {
        missing_label_providers: BTreeSet::new(),
        existing_schemas: BTreeMap::new(),
        existing_objects: BTreeSet::new(),
        // It comes with every database, and belongs to whoever created the cluster.
        foreign_extensions: [Ident::from_catalog("plpgsql")]
            .into_iter()
            .filter(|_| !is_superuser)
            .collect(),
        version: session.version(),
        connected_as: target.connected_as.clone(),
        is_superuser,
        roles,
        superusers,
        out_of_reach: find_unreachable_roles(target, merge),
        settable,
        has_lz4: has_lz4(session).await?,
        tablespaces: tablespaces(session).await?,
        extensions: extensions(session, is_superuser || target.provider.is_some()).await?,
    })
}

/// The tablespaces in which our role may create.
async fn tablespaces(session: &Session) -> Result<BTreeSet<Ident>, Error> {
    let sql = Sql::fixed(
        "SELECT spcname::text FROM pg_catalog.pg_tablespace \
         WHERE spcname !~ '^pg_' AND pg_catalog.has_tablespace_privilege(oid, 'CREATE')",
    );
    let rows = session.query(&sql, &[]).await;
    let rows = rows.map_err(Error::examine(Side::Target))?;
    Ok(rows
        .iter()
        .map(|row| Ident::from_catalog(row.get::<_, String>(0)))
        .collect())
}

/// Whether columns may be compressed by LZ4: the setting of their default lists the methods.
async fn has_lz4(session: &Session) -> Result<bool, Error> {
    let sql = Sql::fixed(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_settings \
          WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals))",
    );
    let row = session.query_one(&sql, &[]).await;
    Ok(row.map_err(Error::examine(Side::Target))?.get(0))
}

/// The extensions that can be created. Managed services let their users create what elsewhere requires
/// superuser, by rules that no catalog shows.
async fn extensions(
    session: &Session,
    makes_all: bool,
) -> Result<BTreeMap<Ident, AvailableExtension>, Error> {
    let sql = Sql::fixed(include_str!("../sql/extensions.sql"));
    let rows = session.query(&sql, &[]).await;
    let rows = rows.map_err(Error::examine(Side::Target))?;
    let mut extensions = BTreeMap::new();
    for row in &rows {
        let needs_superuser: bool = row.get("superuser");
        let is_trusted: bool = row.get("trusted");
        let name = Ident::from_catalog(row.get::<_, String>("name"));
        let available = AvailableExtension {
            version: row.get("version"),
            schema: row
                .get::<_, Option<String>>("schema")
                .map(Ident::from_catalog),
            is_loaded: row.get("loaded"),
            is_permitted: makes_all || !needs_superuser || is_trusted,
        };
        extensions.insert(name, available);
    }
    Ok(extensions)
}

/// Whether the roles that get other names exist, and may have those names.
fn judge_map(options: &Options, source: &Roles, target: &Roles) -> Vec<Finding> {
    let map = &options.definitions.role_map;
    let absent = map.olds().filter(|old| !source.roles.contains_key(*old));
    let mut findings: Vec<_> = absent
        .map(|old| {
            let message = format!("role {old}, which is to get another name, does not exist");
            Finding::new(Code::MappedRoleMissing, Level::Error, Side::Source, message)
                .about(old)
                .remedy(Remedy::Correct(Setting::RoleMap))
        })
        .collect();
    let news: BTreeSet<_> = map.news().collect();
    let reserved =
        |new: &&&Ident| new.as_str().starts_with("pg_") && !target.roles.contains_key(**new);
    findings.extend(news.iter().filter(reserved).map(|new| {
        let message = format!("role name {new}, which a role is to get, is reserved by the server");
        Finding::new(Code::ReservedRoleName, Level::Error, Side::Target, message)
            .about(new)
            .remedy("choose another name")
    }));
    findings
}

/// Whether our role can give objects away at all: below 16 a role may be created not to inherit.
pub(crate) fn judge_inheritance(cluster: &TargetCluster) -> Option<Finding> {
    let roles = &cluster.roles;
    let inherits = roles.version.has_membership_options()
        || roles.we_have(Attribute::Superuser)
        || roles.we_have(Attribute::Inherit);
    (!inherits && cluster.options.include.owners).then(|| {
        let message = format!(
            "role {} does not inherit the rights of its roles",
            roles.connected_as
        );
        let inherit = sql!("ALTER ROLE {} INHERIT", roles.connected_as);
        Finding::new(Code::NoInherit, Level::Error, Side::Target, message)
            .about(&roles.connected_as)
            .remedy(Remedy::RunOn(Side::Target, inherit))
            .remedy(Remedy::Pass(Setting::NoOwner))
    })
}

/// Owners that the target will not have, or that we cannot give anything to.
pub(crate) fn judge_owners(owners: &BTreeMap<Ident, usize>, target: &Target) -> Vec<Finding> {
    let us = &target.connected_as;
    let is_out_of_reach = |role: &&Ident| target.roles.contains(*role) && !target.reaches(role);
    let granted = Sql::join(owners.keys().filter(is_out_of_reach), ", ");
    let grant_all = Remedy::RunOn(Side::Target, sql!("GRANT {} TO {}", granted, us));
    let judge = |(role, count): (&Ident, &usize)| {
        let objects = if *count == 1 { "object" } else { "objects" };
        let grant = || Remedy::RunOn(Side::Target, sql!("GRANT {} TO {}", role, us));
        let (code, what, remedy, several) = if !target.roles.contains(role) {
            let what = "does not exist";
            let (create, several) = ("create it".into(), "create them".into());
            (Code::MissingRole, what, create, several)
        } else if target.reaches(role) {
            return None;
        } else {
            let what = "is not one that the connecting role can SET ROLE to";
            (Code::RoleOutOfReach, what, grant(), grant_all.clone())
        };
        let message = format!("role {role}, which owns {count} {objects}, {what}");
        let no_owner = Remedy::Pass(Setting::NoOwner);
        let map = Remedy::pass_to(Setting::RoleMap, "replace them");
        let finding = Finding::new(code, Level::Error, Side::Target, message).about(role);
        let finding = finding.with_remedies([remedy, map_role(role), no_owner.clone()]);
        Some(finding.for_group([several, map, no_owner]))
    };
    owners.iter().filter_map(judge).collect()
}

/// To have an existing role in place of one.
pub(super) fn map_role(role: &Ident) -> Remedy {
    Remedy::PassValue(Setting::RoleMap, format!("{role}=…"))
}

//! Rights to set a parameter of the server, for the merge of roles. They belong
//! to the cluster, and are only gained, like memberships.

use super::difference::Difference;
use super::role_merge::RoleMerge;
use crate::catalog::acl::{Acl, AclItem, Grantee, plan_changes};
use crate::catalog::cluster::{Attribute, ParameterAcl, Roles, Settable};
use crate::ddl::object::grant::{self, SkippedGrant};
use crate::ddl::target::Target;
use crate::pg::{Ident, Sql};
use crate::sql;

/// Adds the grants that the target lacks.
pub(super) fn plan_parameter_grants(
    merge: &mut RoleMerge,
    source: &Roles,
    target: &Roles,
    settable: &Settable,
) {
    let (Some(from), Some(to)) = (&source.bootstrap, &target.bootstrap) else {
        return;
    };
    let roles = target.roles.keys().chain(&merge.created).cloned().collect();
    let grant_target = Target::unrestricted(target.version, roles);
    for parameter in &source.parameters {
        let wanted = owned_by(parameter, from, to);
        let steps = plan_changes(&held(target, &parameter.name, &wanted), &wanted, to);
        let object = sql!("PARAMETER {}", parameter.name);
        let rendered = grant::render_changes(&steps, &object, to, &grant_target);
        let possible =
            target.we_have(Attribute::Superuser) && settable.contains(parameter.name.as_str());
        let skipped = rendered
            .skipped
            .into_iter()
            .map(|SkippedGrant { statement, .. }| statement);
        let (run, skipped_grants) = if possible {
            (rendered.statements, skipped.collect::<Vec<_>>())
        } else {
            let skipped_grants = rendered.statements.into_iter().chain(skipped).collect();
            (Vec::<Sql>::new(), skipped_grants)
        };
        for sql in run {
            merge.push(&parameter.name, sql);
        }
        merge
            .differences
            .extend(
                skipped_grants
                    .into_iter()
                    .map(|statement| Difference::Parameter {
                        parameter: parameter.name.clone(),
                        statement,
                    }),
            );
    }
}

/// The list with the target's bootstrap superuser in place of the source's, since that role owns every
/// parameter. The owner's own privileges are omitted.
fn owned_by(parameter: &ParameterAcl, from: &Ident, to: &Ident) -> Acl {
    let grantor = |item: &AclItem| {
        if item.grantor == *from {
            to
        } else {
            &item.grantor
        }
        .clone()
    };
    let items = parameter.acl.items.iter();
    Acl {
        items: items
            .filter(|item| item.grantee != Grantee::Role(from.clone()))
            .map(|item| AclItem {
                grantor: grantor(item),
                ..item.clone()
            })
            .collect(),
    }
}

/// What the target holds of `wanted`: nothing else is taken from it.
fn held(target: &Roles, parameter: &Ident, wanted: &Acl) -> Acl {
    let found = target
        .parameters
        .iter()
        .find(|held| held.name == *parameter);
    let mut acl = Acl::default();
    for item in found.iter().flat_map(|held| &held.acl.items) {
        let same = wanted
            .items
            .iter()
            .find(|other| (&other.grantee, &other.grantor) == (&item.grantee, &item.grantor));
        for (privilege, grantable) in &item.privileges {
            let kept = same.and_then(|other| other.privileges.get(privilege));
            if let Some(wanted) = kept {
                let (grantee, grantor) = (item.grantee.clone(), item.grantor.clone());
                acl.add(grantee, grantor, *privilege, *grantable && *wanted);
            }
        }
    }
    acl
}

//! Settings of every role in every database (`ALTER ROLE ALL`), for
//! the merge of roles. They belong to the cluster: the target gains what it lacks,
//! and keeps what it has.

use super::difference::{CommonSettingDifference, Difference};
use super::role_merge::{RoleMerge, RoleStatement};
use crate::catalog::cluster::{Attribute, Roles, Settable};
use crate::ddl::secret::is_secret;
use crate::ddl::setting;
use crate::pg::{Ident, Sql};

/// Adds the settings that the target lacks.
pub(super) fn plan_common_settings(
    merge: &mut RoleMerge,
    source: &Roles,
    target: &Roles,
    settable: &Settable,
) {
    for entry in &source.common_settings {
        let differs = |why| Difference::CommonSetting {
            parameter: entry.name.clone(),
            why,
        };
        let mut theirs = target.common_settings.iter();
        match theirs.find(|other| other.name.eq_ignore_ascii_case(&entry.name)) {
            Some(other) if other.value == entry.value => {}
            Some(_) => merge
                .differences
                .push(differs(CommonSettingDifference::Kept)),
            None if target.we_have(Attribute::Superuser) && settable.contains(&entry.name) => {
                merge.statements.push(RoleStatement {
                    role: Ident::from_catalog("ALL"),
                    sql: setting::alter(&Sql::fixed("ROLE ALL"), entry),
                    is_secret: is_secret(&entry.name, &entry.value),
                    otherwise: Some(differs(CommonSettingDifference::Refused)),
                });
            }
            None => merge
                .differences
                .push(differs(CommonSettingDifference::NotSettable)),
        }
    }
}

//! Settings of every role in every database (`ALTER ROLE ALL`), for
//! [`role::merge`](super::role::merge). They belong to the cluster: the target gains what it lacks,
//! and keeps what it has.

use super::role::{Difference, RoleMerge, RoleStatement};
use crate::catalog::cluster::{Attribute, Roles, Settable};
use crate::ddl::secret::is_secret;
use crate::ddl::setting;
use crate::pg::{Ident, Sql};

/// Why a setting is not what it is on the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommonSettingDifference {
    /// The target has another value.
    Kept,
    /// The target does not know the parameter, or only a superuser may set it for every role.
    NotSettable,
    /// The target does not take the value.
    Refused,
}

impl CommonSettingDifference {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Kept => "the target keeps its own value",
            Self::NotSettable => {
                "left out, the target does not know it or does not let us set it for every role"
            }
            Self::Refused => "left out, the target does not take its value",
        }
    }
}

/// Adds the settings that the target lacks.
pub(super) fn merge(merge: &mut RoleMerge, source: &Roles, target: &Roles, settable: &Settable) {
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

//! Findings about objects and roles that the target does not get, or gets in another form.

use crate::cluster::finding::{Code, Finding, Level};
use crate::ddl::cluster::{Difference, database};
use crate::ddl::object::grant::SkippedGrantReason;
use crate::ddl::{Label, Omission, OmissionReason};
use crate::pg::{Ident, Printable, Side};

/// The finding about something that the target does not get.
pub(crate) fn judge_omission(level: Level, omission: &Omission) -> Finding {
    let code = match &omission.reason {
        OmissionReason::InvalidIndex => Code::InvalidIndex,
        OmissionReason::Tablespace(_) => Code::Tablespace,
        OmissionReason::UnsupportedOnTarget(_) => Code::UnsupportedOnTarget,
        OmissionReason::Downgraded(_) => Code::Downgraded,
        OmissionReason::RuleName => Code::RuleName,
        OmissionReason::Subscription(_) => Code::Subscription,
        OmissionReason::HiddenOptions => Code::HiddenOptions,
        OmissionReason::Owner(_) => Code::OwnerKept,
        OmissionReason::Superuser(_) => Code::RequiresSuperuser,
        OmissionReason::NotOurs => Code::NotOwnedOnTarget,
        OmissionReason::Unvalidated => Code::NotValidated,
        OmissionReason::NamesOfRoles => Code::UsesRoleNames,
        OmissionReason::Setting(_) => Code::UnknownParameter,
        OmissionReason::Provider => Code::ProviderObject,
        OmissionReason::ByExtension => Code::CreatedByExtension,
        OmissionReason::Skipped(_) => Code::ExtensionSkipped,
        OmissionReason::Excluded => Code::ObjectExcluded,
        OmissionReason::DependsOnExcluded(_) => Code::DependsOnExcluded,
        OmissionReason::PlainTable => Code::PlainTable,
        OmissionReason::ByHand(_) => Code::CreatedByHand,
        OmissionReason::DependsOn(_) => Code::DependsOnSkipped,
        OmissionReason::Unselected(..) => Code::DependsOnUnselected,
        OmissionReason::CutOff(_) => Code::TableDependsOnUnselected,
        OmissionReason::Orphans => Code::KeyNotValid,
        OmissionReason::NotCreated => Code::ObjectNotCreated,
        OmissionReason::NoLabelProvider(_) => Code::LabelProvider,
        OmissionReason::NoSuchRole(_) => Code::ForMissingRole,
        OmissionReason::HasOne(_) => Code::MappedRoleConflict,
        OmissionReason::OutOfReach(_) => Code::GrantorOutOfReach,
        OmissionReason::NoSuchPrivilege(_) => Code::NoSuchPrivilege,
    };
    Finding::new(code, level, Side::Target, omission.to_string()).about(&omission.object)
}

/// The finding about what the target skips of a database's properties. `name` is its name there.
pub(crate) fn judge_property(name: &Ident, omission: &database::Omission) -> Finding {
    let code = match omission {
        database::Omission::NotSettable { .. } | database::Omission::SettingRefused { .. } => {
            Code::UnknownParameter
        }
        database::Omission::NoSuchRole { .. } => Code::ForMissingRole,
        database::Omission::NotOurs(_) => Code::NotOwnedOnTarget,
        database::Omission::Owner(_) => Code::OwnerKept,
        database::Omission::Grant(skipped) => match &skipped.reason {
            SkippedGrantReason::NoSuchRole(_) => Code::ForMissingRole,
            SkippedGrantReason::OutOfReach(_) => Code::GrantorOutOfReach,
            SkippedGrantReason::NoSuchPrivilege(_) => Code::NoSuchPrivilege,
        },
        database::Omission::Tablespace(_) => Code::Tablespace,
    };
    let object = Label::plain("database", name);
    Finding::new(code, Level::Warning, Side::Target, omission.to_string()).about(&object)
}

/// The finding about what the target's roles lack, or have otherwise than the source's.
pub(crate) fn judge_difference(difference: &Difference) -> Finding {
    let message = difference.to_string();
    let finding = |code| Finding::new(code, Level::Note, Side::Target, message);
    match difference {
        Difference::Kept { role, .. } => finding(Code::RoleDiffers).about(role),
        Difference::NotCreated { role } => finding(Code::RoleNotCreated).about(role),
        Difference::NotGrantable { role, .. } | Difference::Administrative { role, .. } => {
            finding(Code::RoleAttribute).about(role)
        }
        Difference::NoPassword { role, .. } => finding(Code::RolePassword).about(role),
        Difference::SettingRefused { role, .. } | Difference::NotSettable { role, .. } => {
            finding(Code::RoleSetting).about(role)
        }
        Difference::Membership { role, .. } => finding(Code::Membership).about(role),
        Difference::Parameter { parameter, .. } => {
            finding(Code::ParameterPrivilege).about(parameter)
        }
        Difference::CommonSetting { parameter, .. } => {
            finding(Code::CommonSetting).about(&Printable(parameter))
        }
        Difference::OrphanMemberships { .. } => finding(Code::OrphanMemberships),
    }
}

//! What belongs to the whole cluster and what a database is created with: roles, memberships, rights to set
//! parameters, settings of all roles, and the databases themselves.
//!
//! These are no steps of a script: the target may have them already, and gains what it lacks.

mod attribute;
mod common_setting;
pub mod database;
mod difference;
mod membership;
mod merge;
#[cfg(test)]
mod merge_tests;
mod parameter;
mod role;
mod role_merge;
mod temporary_membership;

pub use difference::{CommonSettingDifference, Difference, MembershipDifference, NoPassword};
pub use merge::plan_role_merge;
pub use role_merge::{RoleMerge, RoleOptions, RoleStatement};
pub use temporary_membership::{
    TemporaryMembership, TemporaryMemberships, find_unreachable_roles, plan_temporary_memberships,
};

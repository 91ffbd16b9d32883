//! What belongs to the whole cluster and what a database is created with: roles, memberships, rights to set
//! parameters, settings of all roles, and the databases themselves.
//!
//! These are no steps of a script: the target may have them already, and gains what it lacks.

mod common_setting;
pub mod database;
pub mod membership;
mod parameter;
pub mod role;

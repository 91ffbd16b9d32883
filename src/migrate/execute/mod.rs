//! What writes: all phases of `init` after the confirmation, from the publications to the flush.

mod complete;
pub(crate) mod contents;
pub(crate) mod database;
mod database_privileges;
pub(crate) mod drop;
pub(crate) mod empty;
pub(crate) mod execution;
pub(crate) mod existing;
pub(crate) mod extensions;
pub(crate) mod failover;
pub(crate) mod failure;
pub(crate) mod fill;
pub(crate) mod missing;
mod missing_steps;
pub(crate) mod phase;
pub(crate) mod pre_data;
pub(crate) mod publication;
pub(crate) mod roles;
pub(crate) mod run;
pub(crate) mod slot_guard;
pub(crate) mod target_options;

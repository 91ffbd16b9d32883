//! What writes: all phases of `init` after the confirmation, from the publications to the flush.

pub(crate) mod contents;
pub(crate) mod database;
pub(crate) mod drop;
pub(crate) mod empty;
pub(crate) mod execution;
pub(crate) mod existing;
pub(crate) mod extensions;
pub(crate) mod failure;
pub(crate) mod fill;
pub(crate) mod missing;
pub(crate) mod phase;
pub(crate) mod pre_data;
pub(crate) mod publication;
pub(crate) mod roles;
pub(crate) mod run;
pub(crate) mod slot_guard;
pub(crate) mod target_options;

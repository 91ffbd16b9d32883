//! The checks and the plan of `init`: examine both clusters, decide what happens to each database.

pub(crate) mod adopt;
mod databases;
mod objects;
mod planner;
pub(crate) mod prepare;
pub(crate) mod rate;
pub(crate) mod replication;
mod selection;
pub(crate) mod target_action;

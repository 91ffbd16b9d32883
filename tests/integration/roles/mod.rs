//! Roles, privileges and databases, and copies by roles that are not superusers.

mod clusters;
mod creators;
mod databases;
mod merging;
mod unprivileged;

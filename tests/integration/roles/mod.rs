//! Roles, privileges and databases, and copies by roles that are not superusers.

mod creators;
mod databases;
mod unprivileged;

//! Attributes of roles in the words of `CREATE ROLE`.

use crate::catalog::cluster::Attribute;
use crate::pg::Sql;

/// An attribute as `CREATE ROLE` turns it on or off.
pub(super) fn render_attribute(attribute: Attribute, on: bool) -> Sql {
    Sql::fixed(match (attribute, on) {
        (Attribute::Superuser, true) => "SUPERUSER",
        (Attribute::Superuser, false) => "NOSUPERUSER",
        (Attribute::Inherit, true) => "INHERIT",
        (Attribute::Inherit, false) => "NOINHERIT",
        (Attribute::CreateRole, true) => "CREATEROLE",
        (Attribute::CreateRole, false) => "NOCREATEROLE",
        (Attribute::CreateDatabase, true) => "CREATEDB",
        (Attribute::CreateDatabase, false) => "NOCREATEDB",
        (Attribute::Login, true) => "LOGIN",
        (Attribute::Login, false) => "NOLOGIN",
        (Attribute::Replication, true) => "REPLICATION",
        (Attribute::Replication, false) => "NOREPLICATION",
        (Attribute::BypassRowSecurity, true) => "BYPASSRLS",
        (Attribute::BypassRowSecurity, false) => "NOBYPASSRLS",
    })
}

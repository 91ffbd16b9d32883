//! What a script is for.

use std::collections::BTreeSet;

use super::target::Target;
use crate::catalog::RoleMap;
use crate::catalog::provider::Provider;
use crate::pg::{Ident, ServerVersion};

/// What a script is for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server that runs it.
    pub target: Target,
    /// What is copied.
    pub include: Include,
}

/// What is copied beside the definitions themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// Whether objects get their owners.
    pub owners: bool,
    /// Whether privileges and default privileges are granted.
    pub privileges: bool,
    /// Whether comments are created.
    pub comments: bool,
    /// Whether tables get rows between the sections. Without rows nothing is checked apart, and
    /// materialized views stay empty.
    pub rows: bool,
    /// Whether security labels are set.
    pub security_labels: bool,
    /// Whether foreign keys to rows that are not copied are created; they stay `NOT VALID`.
    pub orphans: bool,
    /// Whether tablespaces of the same name are used.
    pub tablespaces: bool,
    /// Roles that have another name on the target.
    pub role_map: RoleMap,
    /// The managed service that the source is; its own objects are not copied.
    pub provider: Option<Provider>,
    /// Extensions that are skipped, with their objects and every object that depends on those.
    pub skipped_extensions: BTreeSet<Ident>,
}

impl Default for Include {
    fn default() -> Self {
        Self {
            owners: true,
            privileges: true,
            comments: true,
            rows: true,
            security_labels: true,
            orphans: false,
            tablespaces: true,
            role_map: RoleMap::default(),
            provider: None,
            skipped_extensions: BTreeSet::new(),
        }
    }
}

impl Options {
    /// Everything, for a target of this version with these roles.
    pub fn everything(version: ServerVersion, roles: BTreeSet<Ident>) -> Self {
        Self {
            target: Target::unrestricted(version, roles),
            include: Include::default(),
        }
    }

    /// A tablespace, if the target has it and it is wanted.
    pub fn tablespace<'a>(&self, name: Option<&'a Ident>) -> Option<&'a Ident> {
        let has = |name: &&Ident| self.target.tablespaces.contains(*name);
        name.filter(|_| self.include.tablespaces).filter(has)
    }
}

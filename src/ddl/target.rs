//! What the server that runs a script can do and we may do there: found out before anything is
//! written.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::cluster::Settable;
use crate::catalog::model::ObjectId;
use crate::pg::{Ident, ServerVersion};

/// An extension that the target could create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvailableExtension {
    /// The version that it would create.
    pub version: Option<String>,
    /// The schema that its control file prescribes, if it does.
    pub schema: Option<Ident>,
    /// Whether the server has loaded what it must have at its start.
    pub is_loaded: bool,
    /// Whether we may create it.
    pub is_permitted: bool,
}

/// The server that runs a script, and our role there.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its version.
    pub version: ServerVersion,
    /// Our role there.
    pub connected_as: Ident,
    /// Whether that is a superuser.
    pub is_superuser: bool,
    /// Its roles, with those that the run creates: nothing is granted to or by others.
    pub roles: BTreeSet<Ident>,
    /// The superusers among them: of some kinds only they can be owners.
    pub superusers: BTreeSet<Ident>,
    /// Roles that we cannot act for: nothing is given to them or granted in their name.
    pub out_of_reach: BTreeSet<Ident>,
    /// The parameters that may be set on it.
    pub settable: Settable,
    /// Whether it was built with LZ4, by which columns may be compressed.
    pub has_lz4: bool,
    /// The tablespaces that we may use.
    pub tablespaces: BTreeSet<Ident>,
    /// Modules for security labels that it has not loaded.
    pub missing_label_providers: BTreeSet<String>,
    /// Extensions in its database that are not ours.
    pub foreign_extensions: BTreeSet<Ident>,
    /// Schemas that exist in its database already, and whether they are ours to change.
    pub existing_schemas: BTreeMap<Ident, bool>,
    /// Objects of the source that exist in its database already, because the script of an extension
    /// creates them without making them its own.
    pub existing_objects: BTreeSet<ObjectId>,
    /// The extensions that it has.
    pub extensions: BTreeMap<Ident, AvailableExtension>,
}

impl Target {
    /// A server of this version with these roles, and nothing that we may not do there.
    pub fn unrestricted(version: ServerVersion, roles: BTreeSet<Ident>) -> Self {
        Self {
            version,
            connected_as: Ident::from_catalog("postgres"),
            is_superuser: true,
            superusers: roles.clone(),
            roles,
            out_of_reach: BTreeSet::new(),
            settable: Settable::anything(),
            has_lz4: true,
            tablespaces: BTreeSet::new(),
            missing_label_providers: BTreeSet::new(),
            foreign_extensions: BTreeSet::new(),
            existing_schemas: BTreeMap::new(),
            existing_objects: BTreeSet::new(),
            extensions: BTreeMap::new(),
        }
    }

    /// Whether a schema exists already and belongs to somebody that we cannot act for.
    pub(crate) fn is_foreign_schema(&self, name: &Ident) -> bool {
        self.existing_schemas.get(name) == Some(&false)
    }

    /// Whether objects can be given to a role, and grants created in its name.
    pub fn reaches(&self, role: &Ident) -> bool {
        self.roles.contains(role) && !self.out_of_reach.contains(role)
    }
}

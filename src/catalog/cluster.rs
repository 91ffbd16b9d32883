//! What belongs to the cluster rather than to one database: roles, their memberships and
//! settings, and the databases themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::acl::Acl;
use super::provider::Provider;
use crate::connect::Secret;
use crate::pg::{Ident, Oid, ServerVersion, UnknownLetter};

/// The oid of the superuser that `initdb` creates (`BOOTSTRAP_SUPERUSERID`).
const BOOTSTRAP_SUPERUSER: Oid = Oid(10);

/// A run-time setting attached to a role or a database, as `pg_db_role_setting` holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Setting {
    /// The parameter, e.g. `search_path`.
    pub name: String,
    /// Its value, for list parameters with the quotes of its elements.
    pub value: String,
}

impl Setting {
    /// Splits `name=value`; a value may itself hold `=`.
    pub fn parse(entry: &str) -> Self {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }
}

/// The parameters that our session may attach to a role or a database of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settable {
    /// In lower case: parameters have no case.
    names: BTreeSet<String>,
    /// Whether a name with a prefix that no library has claimed is taken, too: a placeholder for
    /// an extension's or an application's own parameter. Only a superuser may attach those.
    pub takes_any_prefixed: bool,
    takes_any: bool,
}

impl Settable {
    /// A server that takes every parameter, where nothing is known of it.
    pub fn anything() -> Self {
        Self {
            takes_any: true,
            ..Self::default()
        }
    }

    /// Adds a parameter.
    pub fn add(&mut self, name: &str) {
        self.names.insert(name.to_ascii_lowercase());
    }

    /// Whether a parameter exists and we may attach it.
    pub fn contains(&self, name: &str) -> bool {
        self.takes_any
            || self.names.contains(&name.to_ascii_lowercase())
            || (self.takes_any_prefixed && name.contains('.'))
    }
}

/// A power of a role that is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// `SUPERUSER`.
    Superuser,
    /// `INHERIT`.
    Inherit,
    /// `CREATEROLE`.
    CreateRole,
    /// `CREATEDB`.
    CreateDatabase,
    /// `LOGIN`.
    Login,
    /// `REPLICATION`.
    Replication,
    /// `BYPASSRLS`.
    BypassRowSecurity,
}

impl Attribute {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 7] = [
        Self::Superuser,
        Self::Inherit,
        Self::CreateRole,
        Self::CreateDatabase,
        Self::Login,
        Self::Replication,
        Self::BypassRowSecurity,
    ];
}

/// A role of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Key in the catalogs.
    pub oid: Oid,
    /// Name.
    pub name: Ident,
    /// Which powers are on.
    pub attributes: BTreeSet<Attribute>,
    /// Connections at a time; -1 for any number.
    pub connection_limit: i32,
    /// The password's verifier, where the catalog let us read it and there is one.
    pub password: Option<Secret>,
    /// When the password ends to be valid: a timestamp in UTC, or `infinity`.
    pub valid_until: Option<String>,
    /// Settings in every database.
    pub settings: Vec<Setting>,
    /// Comment.
    pub comment: Option<String>,
}

impl Role {
    /// Whether the server itself created the role (`pg_monitor`, …): the prefix is reserved.
    pub fn is_predefined(&self) -> bool {
        is_predefined(&self.name)
    }

    /// Whether `initdb` created the role.
    pub fn is_bootstrap(&self) -> bool {
        self.oid == BOOTSTRAP_SUPERUSER
    }

    /// Whether a power is on.
    pub fn has(&self, attribute: Attribute) -> bool {
        self.attributes.contains(&attribute)
    }
}

/// Whether a role of this name comes with the server.
pub fn is_predefined(role: &Ident) -> bool {
    role.as_str().starts_with("pg_")
}

/// One grant of a role to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Membership {
    /// The role that is granted.
    pub role: Ident,
    /// Who becomes a member of it.
    pub member: Ident,
    /// Who granted it. None where that role is gone, and before 16, where it is not kept reliably.
    pub grantor: Option<Ident>,
    /// Whether the member may grant it on.
    pub admin: bool,
    /// Whether the member has its privileges without `SET ROLE`. None before 16: the member's
    /// `INHERIT` attribute decides.
    pub inherit: Option<bool>,
    /// Whether the member may `SET ROLE` to it. None before 16: always.
    pub set: Option<bool>,
}

/// Privileges on a parameter of the server, since 15.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterAcl {
    /// The parameter, in lower case as the catalog holds it.
    pub name: Ident,
    /// Who may set it.
    pub acl: Acl,
}

/// All roles of a cluster and what ties them together.
#[derive(Clone, Debug)]
pub struct Roles {
    /// The server's version.
    pub version: ServerVersion,
    /// The role of our session.
    pub connected_as: Ident,
    /// The superuser that `initdb` made.
    pub bootstrap: Option<Ident>,
    /// The managed service that the cluster belongs to, if any.
    pub provider: Option<Provider>,
    /// Whether verifiers of passwords could be read.
    pub passwords_readable: bool,
    /// By name.
    pub roles: BTreeMap<Ident, Role>,
    /// Settings of every role in every database.
    pub common_settings: Vec<Setting>,
    /// By role, member, grantor.
    pub memberships: Vec<Membership>,
    /// Parameters that others than superusers may set; empty before 15.
    pub parameters: Vec<ParameterAcl>,
    /// Rows of `pg_auth_members` that name a role which no longer exists.
    pub orphan_memberships: usize,
}

impl Roles {
    /// Whether our session's role has a power.
    pub fn we_have(&self, attribute: Attribute) -> bool {
        self.roles
            .get(&self.connected_as)
            .is_some_and(|role| role.has(attribute))
    }

    /// Whether `member` belongs to `role`, directly or through other roles.
    pub fn is_member(&self, member: &Ident, role: &Ident) -> bool {
        let mut seen = BTreeSet::from([member]);
        let mut waiting = vec![member];
        while let Some(current) = waiting.pop() {
            if current == role {
                return true;
            }
            for grant in self.memberships.iter().filter(|m| m.member == *current) {
                if seen.insert(&grant.role) {
                    waiting.push(&grant.role);
                }
            }
        }
        false
    }
}

/// Where a database's sort order comes from (`pg_database.datlocprovider`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocaleProvider {
    /// The operating system.
    Libc,
    /// ICU, since 15.
    Icu {
        /// The ICU locale.
        locale: String,
        /// Tailoring rules, since 16.
        rules: Option<String>,
    },
    /// PostgreSQL itself, since 17.
    Builtin {
        /// `C`, `C.UTF-8` or `PG_UNICODE_FAST`.
        locale: String,
    },
}

impl LocaleProvider {
    /// The provider of a catalog's letter, with the values of its catalog row.
    ///
    /// # Errors
    /// The letter is a newer server's.
    pub fn parse(
        letter: &str,
        locale: Option<String>,
        rules: Option<String>,
    ) -> Result<Self, UnknownLetter> {
        let locale = locale.unwrap_or_default();
        match letter {
            "c" => Ok(Self::Libc),
            "i" => Ok(Self::Icu { locale, rules }),
            "b" => Ok(Self::Builtin { locale }),
            _ => Err(UnknownLetter {
                what: "locale provider",
                letter: letter.to_owned(),
            }),
        }
    }
}

/// How a database sorts and classifies text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale {
    /// `LC_COLLATE`.
    pub collate: String,
    /// `LC_CTYPE`.
    pub ctype: String,
    /// Provider.
    pub provider: LocaleProvider,
}

/// A setting of a role within one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSetting {
    /// The role.
    pub role: Ident,
    /// The setting.
    pub setting: Setting,
}

/// A database of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Key in the catalogs; with the cluster's identifier the database's identity.
    pub oid: Oid,
    /// Name.
    pub name: Ident,
    /// Owner.
    pub owner: Ident,
    /// Encoding by name, e.g. `UTF8`.
    pub encoding: String,
    /// Locale.
    pub locale: Locale,
    /// Connections at a time; -1 for any number.
    pub connection_limit: i32,
    /// Whether any role with `CREATEDB` may clone it.
    pub is_template: bool,
    /// Whether it can be connected to.
    pub allows_connections: bool,
    /// False where `DROP DATABASE` was interrupted: only dropping it again is possible.
    pub is_valid: bool,
    /// Default tablespace.
    pub tablespace: Ident,
    /// Privileges. None: the built-in ones.
    pub acl: Option<Acl>,
    /// The built-in privileges of the source's version.
    pub acl_default: Acl,
    /// Comment.
    pub comment: Option<String>,
    /// Settings of every role in it.
    pub settings: Vec<Setting>,
    /// Settings of single roles in it.
    pub role_settings: Vec<RoleSetting>,
}

/// Whether a database is copied when nothing is said about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// Yes.
    Yes,
    /// Only when it is named: the administrative database `postgres`.
    WhenNamed,
    /// No: `template0` or `template1`, which every cluster has.
    Template,
    /// When it is named, or holds objects of users: another template.
    WhenUsed,
    /// No: it refuses connections.
    NoConnections,
    /// No: it is half dropped.
    Invalid,
    /// No: it belongs to the managed service.
    Provider,
}

impl Database {
    /// Whether the database is copied when nothing is said about it.
    pub fn candidate(&self, provider: Option<Provider>) -> Candidate {
        if matches!(self.name.as_str(), "template0" | "template1") {
            Candidate::Template
        } else if provider.is_some_and(|provider| provider.owns_database(&self.name)) {
            Candidate::Provider
        } else if !self.is_valid {
            Candidate::Invalid
        } else if !self.allows_connections {
            Candidate::NoConnections
        } else if self.is_template {
            Candidate::WhenUsed
        } else if self.name.as_str() == "postgres" {
            Candidate::WhenNamed
        } else {
            Candidate::Yes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_split_at_the_first_equals_sign() {
        let setting = Setting::parse("app.where=a=b");
        assert_eq!((&*setting.name, &*setting.value), ("app.where", "a=b"));
    }

    #[test]
    fn a_superuser_may_attach_any_prefixed_name() {
        let mut settable = Settable::default();
        settable.add("TimeZone");
        assert!(settable.contains("timezone"));
        assert!(!settable.contains("app.user"));
        settable.takes_any_prefixed = true;
        assert!(settable.contains("app.user") && !settable.contains("old_snapshot_threshold"));
    }
}

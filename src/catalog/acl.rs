//! Access control lists, and what must be granted and revoked to turn one into another.
//!
//! An ACL is kept as a difference to what the object has by itself. That is its initial privileges where an
//! extension or `initdb` recorded some, else `acldefault()` **of the source**. Revoking all
//! and granting the list again would take from an owner what a newer target grants by default
//! (`MAINTAIN`, since 17). It would also keep what PUBLIC has by default.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::pg::{Ident, Oid, QualifiedName, ServerVersion, Sql, UnknownLetter};

macro_rules! privileges {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// Something that can be granted (manual, "Privileges").
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Privilege { $($(#[$doc])* $variant),+ }

        impl Privilege {
            /// The word in `GRANT`, as `aclexplode()` gives it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for Privilege {
            type Err = UnknownLetter;

            fn from_str(text: &str) -> Result<Self, UnknownLetter> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownLetter { what: "privilege", letter: text.to_owned() }),
                }
            }
        }
    };
}

privileges! {
    /// Read rows.
    Select = "SELECT",
    /// Add rows.
    Insert = "INSERT",
    /// Change rows.
    Update = "UPDATE",
    /// Remove rows.
    Delete = "DELETE",
    /// Empty a table.
    Truncate = "TRUNCATE",
    /// Refer to a table by foreign key.
    References = "REFERENCES",
    /// Create triggers.
    Trigger = "TRIGGER",
    /// `VACUUM`, `ANALYZE`, `REFRESH`, …; since 17.
    Maintain = "MAINTAIN",
    /// Use a schema, sequence, type, language, wrapper or server.
    Usage = "USAGE",
    /// Create in a schema or database.
    Create = "CREATE",
    /// Connect to a database.
    Connect = "CONNECT",
    /// Create temporary tables.
    Temporary = "TEMPORARY",
    /// Call a routine.
    Execute = "EXECUTE",
    /// Set a parameter; since 15.
    Set = "SET",
    /// Set a parameter for the cluster; since 15.
    AlterSystem = "ALTER SYSTEM",
}

impl Privilege {
    /// Whether a server of this version knows the privilege.
    pub const fn exists_in(self, version: ServerVersion) -> bool {
        match self {
            Self::Maintain => version.has_maintain_privilege(),
            Self::Set | Self::AlterSystem => version.has_parameter_privileges(),
            Self::Select
            | Self::Insert
            | Self::Update
            | Self::Delete
            | Self::Truncate
            | Self::References
            | Self::Trigger
            | Self::Usage
            | Self::Create
            | Self::Connect
            | Self::Temporary
            | Self::Execute => true,
        }
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Who holds a privilege.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grantee {
    /// Everyone.
    Public,
    /// A role.
    Role(Ident),
}

/// What one role granted to one grantee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclItem {
    /// Who holds the privileges.
    pub grantee: Grantee,
    /// Who granted them.
    pub grantor: Ident,
    /// The privileges, and whether the grantee may grant each on.
    pub privileges: BTreeMap<Privilege, bool>,
}

/// An access control list in the server's order, which keeps chains of grants in sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acl {
    /// Its items; one per grantee and grantor.
    pub items: Vec<AclItem>,
}

impl Acl {
    /// Adds a privilege to its item, or a new item at the end.
    pub fn add(&mut self, grantee: Grantee, grantor: Ident, privilege: Privilege, grantable: bool) {
        let found = self
            .items
            .iter_mut()
            .find(|item| item.grantee == grantee && item.grantor == grantor);
        match found {
            Some(item) => {
                item.privileges.insert(privilege, grantable);
            }
            None => self.items.push(AclItem {
                grantee,
                grantor,
                privileges: BTreeMap::from([(privilege, grantable)]),
            }),
        }
    }

    /// The list with `owner` as the grantor of everything. Initial privileges name who owned the object when
    /// they were recorded. A later owner revokes them in its own name.
    #[must_use]
    pub fn granted_by(&self, owner: &Ident) -> Self {
        let mut list = Self::default();
        for item in &self.items {
            for (privilege, grantable) in &item.privileges {
                let held = list.grantable(&item.grantee, owner, *privilege);
                let grantable = *grantable || held.unwrap_or(false);
                list.add(item.grantee.clone(), owner.clone(), *privilege, grantable);
            }
        }
        list
    }

    /// Whether a grantee may grant on what it holds by a grantor; None where it holds nothing.
    pub(super) fn grantable(
        &self,
        grantee: &Grantee,
        grantor: &Ident,
        privilege: Privilege,
    ) -> Option<bool> {
        let item = self.item(grantee, grantor)?;
        item.privileges.get(&privilege).copied()
    }

    fn item(&self, grantee: &Grantee, grantor: &Ident) -> Option<&AclItem> {
        self.items
            .iter()
            .find(|item| item.grantee == *grantee && item.grantor == *grantor)
    }
}

/// What an ACL belongs to, by the word that `GRANT` uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AclKind {
    /// A schema.
    Schema,
    /// A procedural language.
    Language,
    /// A type or domain.
    Type,
    /// A function, window function or aggregate.
    Function,
    /// A procedure.
    Procedure,
    /// A foreign-data wrapper.
    ForeignDataWrapper,
    /// A foreign server.
    ForeignServer,
    /// A table, view, materialized view or foreign table.
    Table,
    /// A sequence.
    Sequence,
    /// A column of one of [`Table`](Self::Table)'s.
    Column,
}

/// How a grant names its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AclName {
    /// An object outside schemas.
    Plain(Ident),
    /// An object in a schema.
    Qualified(QualifiedName),
    /// A routine with what identifies it: the types of a function's input arguments, all arguments
    /// of a procedure.
    Routine(QualifiedName, Sql),
    /// A column of a relation.
    Column(QualifiedName, Ident),
}

/// An object whose privileges differ from those it has by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectAcl {
    /// The catalog that holds the object (`pg_class`, …), by its oid.
    pub class: Oid,
    /// The object.
    pub oid: Oid,
    /// What it is.
    pub kind: AclKind,
    /// Its name.
    pub name: AclName,
    /// Its owner, for columns that of the relation.
    pub owner: Ident,
    /// Its privileges.
    pub acl: Acl,
    /// The privileges it has by itself.
    pub base: Acl,
    /// Whether the server or an extension made it: the target may have it in another form.
    pub is_system: bool,
}

impl ObjectAcl {
    /// Who must act for the privileges to be as they are: the owner, and everyone who granted.
    pub fn actors(&self) -> BTreeSet<&Ident> {
        let grantors = self.acl.items.iter().map(|item| &item.grantor);
        grantors.chain([&self.owner]).collect()
    }

    /// Whether this is the schema that every database has from its template.
    pub fn is_public_schema(&self) -> bool {
        matches!((self.kind, &self.name), (AclKind::Schema, AclName::Plain(name)) if name.as_str() == "public")
    }
}

/// Privileges that objects created later get automatically (`pg_default_acl`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultAcl {
    /// Whose new objects are meant.
    pub role: Ident,
    /// In which schema; None: in all.
    pub schema: Option<Ident>,
    /// That schema's row; invalid: in all.
    pub schema_oid: Oid,
    /// Which objects.
    pub kind: DefaultAclKind,
    /// The privileges.
    pub acl: Acl,
    /// What they are a difference to: nothing within a schema, the built-in ones elsewhere.
    pub base: Acl,
}

/// What kind of new objects default privileges are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DefaultAclKind {
    /// Tables, views and the like.
    Tables,
    /// Sequences.
    Sequences,
    /// Functions and procedures.
    Functions,
    /// Types.
    Types,
    /// Schemas.
    Schemas,
    /// Large objects, since 18.
    LargeObjects,
}

impl FromStr for DefaultAclKind {
    type Err = UnknownLetter;

    fn from_str(text: &str) -> Result<Self, UnknownLetter> {
        match text {
            "r" => Ok(Self::Tables),
            "S" => Ok(Self::Sequences),
            "f" => Ok(Self::Functions),
            "T" => Ok(Self::Types),
            "n" => Ok(Self::Schemas),
            "L" => Ok(Self::LargeObjects),
            _ => Err(UnknownLetter {
                what: "defaclobjtype",
                letter: text.to_owned(),
            }),
        }
    }
}

/// What a [`Change`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// `REVOKE`.
    Revoke,
    /// `REVOKE GRANT OPTION FOR`.
    RevokeGrantOption,
    /// `GRANT`.
    Grant,
    /// `GRANT … WITH GRANT OPTION`.
    GrantWithOption,
}

/// One step from one ACL to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What is done.
    pub kind: ChangeKind,
    /// To whom.
    pub grantee: Grantee,
    /// On whose behalf.
    pub grantor: Ident,
    /// With which privileges; never empty.
    pub privileges: Vec<Privilege>,
}

/// Plans the steps that turn `base` into `wanted`. Revokes come first, dependants before those they depend
/// on. Then come the grants, each after the grant option that it depends on.
pub fn plan_changes(base: &Acl, wanted: &Acl, owner: &Ident) -> Vec<Change> {
    let revoked = base
        .items
        .iter()
        .rev()
        .flat_map(|item| plan_revokes(item, wanted.item(&item.grantee, &item.grantor)));
    let granted = wanted
        .items
        .iter()
        .flat_map(|item| plan_grants(item, base.item(&item.grantee, &item.grantor)))
        .collect();
    revoked
        .chain(in_chain_order(granted, base, owner))
        .collect()
}

/// An owner may grant on any object, but what is written down counts once the object
/// changes hands.
fn is_grantable(item: &AclItem, privilege: Privilege) -> bool {
    item.privileges.get(&privilege).copied().unwrap_or(false)
}

fn plan_revokes(base: &AclItem, wanted: Option<&AclItem>) -> Vec<Change> {
    let kept = |privilege: &Privilege| wanted.is_some_and(|w| w.privileges.contains_key(privilege));
    let gone = base.privileges.keys().copied().filter(|p| !kept(p));
    let no_longer_grantable = base.privileges.keys().copied().filter(|privilege| {
        kept(privilege)
            && is_grantable(base, *privilege)
            && !wanted.is_some_and(|item| is_grantable(item, *privilege))
    });
    [
        build_change(ChangeKind::Revoke, base, gone.collect()),
        build_change(
            ChangeKind::RevokeGrantOption,
            base,
            no_longer_grantable.collect(),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn plan_grants(wanted: &AclItem, base: Option<&AclItem>) -> Vec<Change> {
    let missing = |privilege: Privilege| {
        let grantable = is_grantable(wanted, privilege);
        match base {
            Some(item) if item.privileges.contains_key(&privilege) => {
                grantable && !is_grantable(item, privilege)
            }
            _ => true,
        }
    };
    let (with_option, plain): (Vec<_>, Vec<_>) = wanted
        .privileges
        .keys()
        .copied()
        .filter(|privilege| missing(*privilege))
        .partition(|privilege| is_grantable(wanted, *privilege));
    [
        build_change(ChangeKind::Grant, wanted, plain),
        build_change(ChangeKind::GrantWithOption, wanted, with_option),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn build_change(kind: ChangeKind, item: &AclItem, privileges: Vec<Privilege>) -> Option<Change> {
    (!privileges.is_empty()).then(|| Change {
        kind,
        grantee: item.grantee.clone(),
        grantor: item.grantor.clone(),
        privileges,
    })
}

/// Keeps the order of the array, except that a grant comes after the one that gives its grantor the right.
/// The array differs from that where an early item gained its grant option later.
fn in_chain_order(mut waiting: Vec<Change>, base: &Acl, owner: &Ident) -> Vec<Change> {
    let mut may_grant: BTreeSet<(Grantee, Privilege)> = base
        .items
        .iter()
        .flat_map(|item| item.privileges.iter().map(move |(p, on)| (item, *p, *on)))
        .filter(|(_, _, grantable)| *grantable)
        .map(|(item, privilege, _)| (item.grantee.clone(), privilege))
        .collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let may = |change: &Change| {
            let grantor = Grantee::Role(change.grantor.clone());
            let holds = |privilege: &Privilege| may_grant.contains(&(grantor.clone(), *privilege));
            change.grantor == *owner || change.privileges.iter().all(holds)
        };
        // Only a catalog that was edited by hand holds a grant without a right to it; the server
        // will say so.
        let next = waiting.remove(waiting.iter().position(may).unwrap_or(0));
        if next.kind == ChangeKind::GrantWithOption {
            let held = next.privileges.iter();
            may_grant.extend(held.map(|privilege| (next.grantee.clone(), *privilege)));
        }
        ordered.push(next);
    }
    ordered
}

#[cfg(test)]
mod tests;

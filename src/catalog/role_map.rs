//! Roles that have another name on the target.

use std::collections::{BTreeMap, BTreeSet};

use super::acl::{Acl, DefaultAcl, Grantee, ObjectAcl};
use super::cluster::{Database, Membership, Role, Roles, Setting};
use crate::pg::Ident;

/// Which role of the target replaces which of the source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleMap(BTreeMap<Ident, Ident>);

impl RoleMap {
    /// Lets `new` replace `old`. False if another role does already.
    pub fn add(&mut self, old: Ident, new: Ident) -> bool {
        self.0.insert(old, new).is_none()
    }

    /// Lets `new` replace `old`, whichever did before.
    pub fn replace(&mut self, old: Ident, new: Ident) {
        self.0.insert(old, new);
    }

    /// The role of the target that replaces a role of the source.
    pub fn of<'a>(&'a self, role: &'a Ident) -> &'a Ident {
        self.0.get(role).unwrap_or(role)
    }

    /// The roles of the source that get another name.
    pub fn olds(&self) -> impl Iterator<Item = &Ident> {
        self.0.keys()
    }

    /// The roles that replace others.
    pub fn news(&self) -> impl Iterator<Item = &Ident> {
        self.0.values()
    }

    /// An access list of an object of `owner`, in the target's names.
    pub fn acl(&self, acl: &Acl, owner: &Ident) -> Acl {
        acl.rename_grantee(self.of(owner), |role| self.of(role))
    }

    /// The privileges of an object, in the target's names.
    pub fn object_acl(&self, object: &ObjectAcl) -> ObjectAcl {
        ObjectAcl {
            owner: self.of(&object.owner).clone(),
            acl: self.acl(&object.acl, &object.owner),
            base: self.acl(&object.base, &object.owner),
            ..object.clone()
        }
    }

    /// Default privileges, in the target's names.
    pub fn default_acl(&self, default: &DefaultAcl) -> DefaultAcl {
        DefaultAcl {
            role: self.of(&default.role).clone(),
            acl: self.acl(&default.acl, &default.role),
            base: self.acl(&default.base, &default.role),
            ..default.clone()
        }
    }

    /// A setting, in the target's names: two parameters hold the name of a role.
    pub fn setting(&self, setting: &Setting) -> Setting {
        let names_a_role = ["role", "session_authorization"]
            .iter()
            .any(|name| setting.name.eq_ignore_ascii_case(name));
        let mut mapped = setting.clone();
        if names_a_role {
            let old = Ident::from_catalog(setting.value.as_str());
            self.of(&old).as_str().clone_into(&mut mapped.value);
        }
        mapped
    }

    /// A database, in the target's names.
    pub fn database(&self, database: &Database) -> Database {
        let acl = |acl| self.acl(acl, &database.owner);
        let mut mapped = Database {
            owner: self.of(&database.owner).clone(),
            acl: database.acl.as_ref().map(acl),
            acl_default: acl(&database.acl_default),
            settings: self.map_settings(&database.settings),
            ..database.clone()
        };
        for entry in &mut mapped.role_settings {
            entry.role = self.of(&entry.role).clone();
            entry.setting = self.setting(&entry.setting);
        }
        let mut seen = BTreeSet::new();
        let first = |role: &Ident, name: &str| seen.insert((role.clone(), name.to_owned()));
        let mut first = first;
        mapped
            .role_settings
            .retain(|entry| first(&entry.role, &entry.setting.name));
        mapped
    }

    fn map_settings(&self, settings: &[Setting]) -> Vec<Setting> {
        settings.iter().map(|entry| self.setting(entry)).collect()
    }

    /// The roles of a cluster, in the target's names.
    pub fn roles(&self, roles: &Roles) -> Roles {
        let mut mapped: BTreeMap<Ident, Role> = BTreeMap::new();
        let is_renamed = |role: &&Role| self.0.contains_key(&role.name);
        // A role that has the name by itself comes first: it keeps what it is.
        let own = roles.roles.values().filter(|role| !is_renamed(role));
        for role in own.chain(roles.roles.values().filter(is_renamed)) {
            let name = self.of(&role.name).clone();
            match mapped.get_mut(&name) {
                None => {
                    let role = Role {
                        name: name.clone(),
                        settings: self.map_settings(&role.settings),
                        ..role.clone()
                    };
                    mapped.insert(name, role);
                }
                Some(same) => {
                    for setting in self.map_settings(&role.settings) {
                        if same.settings.iter().all(|own| own.name != setting.name) {
                            same.settings.push(setting);
                        }
                    }
                }
            }
        }
        let owner = roles.bootstrap.as_ref();
        let mut parameters = roles.parameters.clone();
        for parameter in &mut parameters {
            let owner = owner.map_or(&roles.connected_as, |owner| owner);
            parameter.acl = self.acl(&parameter.acl, owner);
        }
        Roles {
            connected_as: self.of(&roles.connected_as).clone(),
            bootstrap: owner.map(|owner| self.of(owner).clone()),
            roles: mapped,
            common_settings: self.map_settings(&roles.common_settings),
            memberships: self.map_memberships(&roles.memberships),
            parameters,
            ..roles.clone()
        }
    }

    fn map_memberships(&self, memberships: &[Membership]) -> Vec<Membership> {
        let mut mapped: Vec<Membership> = Vec::with_capacity(memberships.len());
        for membership in memberships {
            let new = Membership {
                role: self.of(&membership.role).clone(),
                member: self.of(&membership.member).clone(),
                grantor: membership.grantor.as_ref().map(|by| self.of(by).clone()),
                ..membership.clone()
            };
            let key = |m: &Membership| (m.role.clone(), m.member.clone(), m.grantor.clone());
            if new.role == new.member {
                continue;
            }
            match mapped.iter_mut().find(|same| key(same) == key(&new)) {
                None => mapped.push(new),
                Some(same) => {
                    let either = |a: Option<bool>, b: Option<bool>| a.zip(b).map(|(a, b)| a || b);
                    same.admin |= new.admin;
                    same.inherit = either(same.inherit, new.inherit);
                    same.set = either(same.set, new.set);
                }
            }
        }
        mapped
    }
}

impl Acl {
    /// The list with other names; `owner` is the owner's new one. What a role would grant to
    /// itself by that is what it holds already.
    fn rename_grantee<'a>(&'a self, owner: &Ident, name: impl Fn(&'a Ident) -> &'a Ident) -> Self {
        let mut renamed = Self::default();
        for item in &self.items {
            let grantor = name(&item.grantor);
            let grantee = match &item.grantee {
                Grantee::Public => Grantee::Public,
                Grantee::Role(role) => Grantee::Role(name(role).clone()),
            };
            if grantee == Grantee::Role(grantor.clone()) && grantor != owner {
                continue;
            }
            for (privilege, grantable) in &item.privileges {
                let held = renamed.grantable(&grantee, grantor, *privilege);
                let grantable = *grantable || held.unwrap_or(false);
                renamed.add(grantee.clone(), grantor.clone(), *privilege, grantable);
            }
        }
        renamed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::acl::Privilege;

    fn name(text: &str) -> Ident {
        Ident::from_catalog(text)
    }

    fn map(pairs: &[(&str, &str)]) -> RoleMap {
        let mut map = RoleMap::default();
        for (old, new) in pairs {
            assert!(map.add(name(old), name(new)));
        }
        map
    }

    #[test]
    fn two_roles_that_become_one_hold_what_either_held() {
        let role = |text: &str| Grantee::Role(name(text));
        let mut acl = Acl::default();
        acl.add(role("a"), name("o"), Privilege::Select, true);
        acl.add(role("b"), name("o"), Privilege::Select, false);
        acl.add(role("b"), name("a"), Privilege::Select, false);
        let mapped = map(&[("a", "c"), ("b", "c")]).acl(&acl, &name("o"));
        let mut wanted = Acl::default();
        wanted.add(role("c"), name("o"), Privilege::Select, true);
        assert_eq!(mapped, wanted);
    }

    #[test]
    fn names_change_places_at_once() {
        let swap = map(&[("a", "b"), ("b", "a")]);
        assert_eq!(swap.of(&name("a")), &name("b"));
        assert_eq!(swap.of(&name("b")), &name("a"));
        assert_eq!(swap.of(&name("c")), &name("c"));
    }
}

//! What is set on a database when the run ends.

use super::omission::Omission;
use super::options::{DEFAULT_TABLESPACE, DatabaseOptions, uses_tablespace};
use crate::catalog::RoleMap;
use crate::catalog::acl::plan_changes;
use crate::catalog::cluster::{Database, Setting};
use crate::ddl::object::grant;
use crate::ddl::secret::{is_secret, masked};
use crate::ddl::setting;
use crate::ddl::target::Target;
use crate::pg::{Fragment, Ident, Literal, Sql};
use crate::sql;

/// A statement that finishes a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishStatement {
    /// The statement.
    pub sql: Sql,
    /// What is skipped if the target refuses it; None for what must succeed.
    pub otherwise: Option<Omission>,
    /// Whether it is a setting that looks like a secret.
    pub is_secret: bool,
}

impl FinishStatement {
    /// The text for people: without its constants where it holds a secret.
    pub fn shown(&self) -> Sql {
        if self.is_secret {
            masked(&self.sql)
        } else {
            self.sql.clone()
        }
    }
}

/// The statements that finish a database, and what they skip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finish {
    /// To be run when nothing else is to be done in the database.
    pub statements: Vec<FinishStatement>,
    /// What is skipped.
    pub omissions: Vec<Omission>,
}

/// Renders owner, comment, privileges, settings and limits of a database, which is described in
/// the target's names.
pub fn render_finish(database: &Database, options: DatabaseOptions<'_>) -> Finish {
    let mut finish = Finish::default();
    let script = options.script;
    let is_ours = |existing: &Database| script.target.reaches(&existing.owner);
    let has_place = match options.existing {
        None => uses_tablespace(database, script),
        Some(existing) => existing.tablespace == database.tablespace,
    };
    if database.tablespace.as_str() != DEFAULT_TABLESPACE && !has_place {
        let tablespace = Omission::Tablespace(database.tablespace.clone());
        finish.omissions.push(tablespace);
    }
    match options.existing {
        Some(existing) if !is_ours(existing) => {
            let owner = existing.owner.clone();
            finish.omissions.push(Omission::NotOurs(owner));
            finish.role_settings(database, options);
        }
        Some(_) | None => {
            finish.own(database, options);
            finish.role_settings(database, options);
            finish.limits(database, options);
        }
    }
    finish
}

impl Finish {
    fn push(&mut self, sql: Sql) {
        self.statements.push(FinishStatement {
            sql,
            otherwise: None,
            is_secret: false,
        });
    }

    /// What only the owner may do.
    fn own(&mut self, database: &Database, options: DatabaseOptions<'_>) {
        let (name, script) = (options.name, options.script);
        let former = options.existing.map(|existing| &existing.owner);
        let owner = match former {
            Some(former) if !script.include.owners => former,
            _ => &database.owner,
        };
        if former.is_some_and(|former| former != owner) {
            self.statements.push(FinishStatement {
                sql: sql!("ALTER DATABASE {} OWNER TO {}", name, owner),
                otherwise: Some(Omission::Owner(owner.clone())),
                is_secret: false,
            });
        }
        if let Some(comment) = database
            .comment
            .as_ref()
            .filter(|_| script.include.comments)
        {
            let comment = Literal(comment);
            self.push(sql!("COMMENT ON DATABASE {} IS {}", name, comment));
        }
        if script.include.privileges {
            self.grants(database, options, owner);
        }
        for entry in &database.settings {
            self.setting(&sql!("DATABASE {}", name), None, entry, &script.target);
        }
    }

    fn grants(&mut self, database: &Database, options: DatabaseOptions<'_>, owner: &Ident) {
        let held = options.existing.map(|existing| {
            let acl = existing.acl.as_ref().unwrap_or(&existing.acl_default);
            let mut given = RoleMap::default();
            given.replace(existing.owner.clone(), owner.clone());
            given.acl(acl, &existing.owner)
        });
        let default = &database.acl_default;
        let wanted = match (&database.acl, &held) {
            (Some(acl), _) => acl,
            (None, Some(_)) => default,
            (None, None) => return,
        };
        let steps = plan_changes(held.as_ref().unwrap_or(default), wanted, owner);
        let object = sql!("DATABASE {}", options.name);
        let rendered = grant::render_changes(&steps, &object, owner, &options.script.target);
        for sql in rendered.statements {
            self.push(sql);
        }
        self.omissions
            .extend(rendered.skipped.into_iter().map(Omission::Grant));
    }

    fn role_settings(&mut self, database: &Database, options: DatabaseOptions<'_>) {
        let target = &options.script.target;
        for entry in &database.role_settings {
            let (role, entry) = (&entry.role, &entry.setting);
            if target.roles.contains(role) {
                let object = sql!("ROLE {} IN DATABASE {}", role, options.name);
                self.setting(&object, Some(role), entry, target);
            } else {
                self.omissions.push(Omission::NoSuchRole {
                    role: role.clone(),
                    parameter: entry.name.clone(),
                });
            }
        }
    }

    fn limits(&mut self, database: &Database, options: DatabaseOptions<'_>) {
        let name = options.name;
        let is_template = options
            .existing
            .is_some_and(|existing| existing.is_template);
        if database.is_template != is_template {
            let flag = Sql::fixed(if database.is_template {
                "true"
            } else {
                "false"
            });
            self.push(sql!("ALTER DATABASE {} WITH IS_TEMPLATE = {}", name, flag));
        }
        if database.connection_limit != -1 {
            let limit = database.connection_limit;
            self.push(sql!(
                "ALTER DATABASE {} WITH CONNECTION LIMIT = {}",
                name,
                limit
            ));
        }
    }

    fn setting(
        &mut self,
        object: &impl Fragment,
        role: Option<&Ident>,
        entry: &Setting,
        target: &Target,
    ) {
        let (role, parameter) = (role.cloned(), entry.name.clone());
        if target.settable.contains(&entry.name) {
            self.statements.push(FinishStatement {
                sql: setting::alter(object, entry),
                otherwise: Some(Omission::SettingRefused { role, parameter }),
                is_secret: is_secret(&entry.name, &entry.value),
            });
        } else {
            self.omissions
                .push(Omission::NotSettable { role, parameter });
        }
    }
}

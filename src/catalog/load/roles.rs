//! Reads the roles of a cluster. A few small queries: verifiers of passwords, which only a
//! superuser or a role with a column grant may read, are asked for apart.

use std::collections::{BTreeMap, BTreeSet};

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::cluster::{Attribute, Membership, ParameterAcl, Role, Roles, Setting};
use crate::catalog::provider::Provider;
use crate::connect::{Secret, Session};
use crate::pg::Oid;

const WHAT: &str = "roles";

/// Reads all roles of the cluster with settings, comments and memberships.
///
/// # Errors
/// The server refused a query, or the connection broke.
pub async fn load_roles(session: &Session) -> Result<Roles, Error> {
    let rights = query(session, WHAT, include_str!("../sql/role_rights.sql"), &[]).await?;
    let rights = Columns::only(WHAT, &rights)?;
    let passwords_readable = rights.value("passwords_readable")?;
    let mut passwords = if passwords_readable {
        load_passwords(session).await?
    } else {
        BTreeMap::new()
    };
    let mut roles = BTreeMap::new();
    for row in &query(session, WHAT, include_str!("../sql/roles.sql"), &[]).await? {
        let mut role = read_role(&Columns::new(WHAT, row))?;
        role.password = passwords.remove(&role.oid);
        roles.insert(role.name.clone(), role);
    }
    let common_settings = load_common_settings(session).await?;
    let parameters = load_parameters(session).await?;
    let (memberships, orphan_memberships) = load_memberships(session).await?;
    let bootstrap = roles.values().find(|role| role.is_bootstrap());
    Ok(Roles {
        version: session.version(),
        bootstrap: bootstrap.map(|role| role.name.clone()),
        provider: Provider::recognize(roles.keys()),
        connected_as: rights.name("connected_as")?,
        passwords_readable,
        roles,
        common_settings,
        memberships,
        parameters,
        orphan_memberships,
    })
}

async fn load_common_settings(session: &Session) -> Result<Vec<Setting>, Error> {
    let sql = include_str!("../sql/common_settings.sql");
    let mut settings = Vec::new();
    for row in &query(session, WHAT, sql, &[]).await? {
        let entries: Vec<&str> = Columns::new(WHAT, row).value("settings")?;
        settings.extend(entries.into_iter().map(Setting::parse));
    }
    Ok(settings)
}

async fn load_parameters(session: &Session) -> Result<Vec<ParameterAcl>, Error> {
    if !session.version().has_parameter_privileges() {
        return Ok(Vec::new());
    }
    let rows = query(session, WHAT, include_str!("../sql/parameter_acl.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::new(WHAT, row);
            Ok(ParameterAcl {
                name: columns.name("name")?,
                acl: columns.acl("acl")?,
            })
        })
        .collect()
}

async fn load_passwords(session: &Session) -> Result<BTreeMap<Oid, Secret>, Error> {
    let rows = query(
        session,
        WHAT,
        include_str!("../sql/role_passwords.sql"),
        &[],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::new(WHAT, row);
            Ok((
                columns.oid("oid")?,
                Secret::new(columns.value::<&str>("password")?),
            ))
        })
        .collect()
}

fn read_role(row: &Columns<'_>) -> Result<Role, Error> {
    let mut attributes = BTreeSet::new();
    for attribute in Attribute::ALL {
        if row.value(attribute_column(attribute))? {
            attributes.insert(attribute);
        }
    }
    let settings: Vec<&str> = row.value("settings")?;
    Ok(Role {
        oid: row.oid("oid")?,
        name: row.name("name")?,
        attributes,
        connection_limit: row.value("rolconnlimit")?,
        password: None,
        valid_until: row.value("valid_until")?,
        settings: settings.into_iter().map(Setting::parse).collect(),
        comment: row.value("comment")?,
    })
}

const fn attribute_column(attribute: Attribute) -> &'static str {
    match attribute {
        Attribute::Superuser => "rolsuper",
        Attribute::Inherit => "rolinherit",
        Attribute::CreateRole => "rolcreaterole",
        Attribute::CreateDatabase => "rolcreatedb",
        Attribute::Login => "rolcanlogin",
        Attribute::Replication => "rolreplication",
        Attribute::BypassRowSecurity => "rolbypassrls",
    }
}

/// Memberships, and how many rows name a role that is gone.
async fn load_memberships(session: &Session) -> Result<(Vec<Membership>, usize), Error> {
    let rows = query(session, WHAT, include_str!("../sql/memberships.sql"), &[]).await?;
    let mut memberships = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = Columns::new(WHAT, row);
        let (Some(role), Some(member)) = (row.optional_name("role")?, row.optional_name("member")?)
        else {
            continue;
        };
        let grantor = row.optional_name("grantor")?;
        memberships.push(Membership {
            role,
            member,
            grantor: grantor.filter(|_| session.version().has_membership_options()),
            admin: row.value("admin")?,
            inherit: row.value("inherit")?,
            set: row.value("set")?,
        });
    }
    let orphans = rows.len() - memberships.len();
    Ok((memberships, orphans))
}

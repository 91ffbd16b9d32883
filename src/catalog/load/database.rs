//! Reads the databases of a cluster, and which parameters may be set on them.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::cluster::{Database, Locale, LocaleProvider, RoleSetting, Settable, Setting};
use crate::connect::Session;
use crate::pg::Ident;

const WHAT: &str = "databases";

/// `pg_database.datconnlimit` of a database whose `DROP DATABASE` was interrupted.
const INVALID: i32 = -2;

/// Reads all databases of the cluster, by name.
///
/// # Errors
/// The server refused the query, or the connection broke.
pub async fn load_databases(session: &Session) -> Result<Vec<Database>, Error> {
    let rows = query(session, WHAT, include_str!("../sql/databases.sql"), &[]).await?;
    rows.iter()
        .map(|row| read_database(&Columns::new(WHAT, row)))
        .collect()
}

/// Reads which parameters our session may attach to a role or a database.
///
/// # Errors
/// The server refused a query, or the connection broke.
pub async fn load_settable(session: &Session) -> Result<Settable, Error> {
    const WHAT: &str = "parameters";
    let mut settable = Settable::default();
    for row in &query(session, WHAT, include_str!("../sql/settable.sql"), &[]).await? {
        let row = Columns::new(WHAT, row);
        settable.takes_any_prefixed = row.value("is_superuser")?;
        settable.add(row.value("name")?);
    }
    if session.version().has_parameter_privileges() {
        let text = include_str!("../sql/settable_by_grant.sql");
        for row in &query(session, WHAT, text, &[]).await? {
            settable.add(Columns::new(WHAT, row).value("name")?);
        }
    }
    Ok(settable)
}

fn read_database(row: &Columns<'_>) -> Result<Database, Error> {
    let connection_limit = row.value("datconnlimit")?;
    let has_acl: bool = row.value("has_acl")?;
    let settings: Vec<&str> = row.value("settings")?;
    Ok(Database {
        oid: row.oid("oid")?,
        name: row.name("name")?,
        owner: row.name("owner")?,
        encoding: row.value("encoding")?,
        locale: read_locale(row)?,
        connection_limit,
        is_template: row.value("datistemplate")?,
        allows_connections: row.value("datallowconn")?,
        is_valid: connection_limit != INVALID,
        tablespace: row.name("tablespace")?,
        acl: has_acl.then(|| row.acl("acl")).transpose()?,
        acl_default: row.acl("acl_default")?,
        comment: row.value("comment")?,
        settings: settings.into_iter().map(Setting::parse).collect(),
        role_settings: role_settings(row)?,
    })
}

fn read_locale(row: &Columns<'_>) -> Result<Locale, Error> {
    let provider = LocaleProvider::parse(
        row.value("provider")?,
        row.value("locale")?,
        row.value("icu_rules")?,
    )?;
    Ok(Locale {
        collate: row.value("collate")?,
        ctype: row.value("ctype")?,
        provider,
    })
}

fn role_settings(row: &Columns<'_>) -> Result<Vec<RoleSetting>, Error> {
    let roles: Vec<&str> = row.value("setting_roles")?;
    let entries: Vec<&str> = row.value("role_settings")?;
    let pair = |(role, entry): (&str, &str)| RoleSetting {
        role: Ident::from_catalog(role),
        setting: Setting::parse(entry),
    };
    Ok(roles.into_iter().zip(entries).map(pair).collect())
}

//! Reads every access list of a database in one query: of schemas, languages, types, routines, wrappers,
//! servers, relations and columns. Objects of extensions and of the server are included where somebody
//! changed their lists.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::acl::{AclKind, AclName, ObjectAcl};
use crate::connect::Session;
use crate::pg::{QualifiedName, Sql, UnknownLetter};

const WHAT: &str = "privileges";

/// Reads the objects whose privileges differ from those they have by default, in the order in
/// which they can be granted; `public` always, since the target's may differ.
///
/// # Errors
/// The server refused the query, or the connection broke.
pub async fn load_acls(session: &Session) -> Result<Vec<ObjectAcl>, Error> {
    let rows = query(session, WHAT, include_str!("../sql/acl.sql"), &[]).await?;
    rows.iter()
        .map(|row| read_object(&Columns::new(WHAT, row)))
        .collect()
}

fn read_object(row: &Columns<'_>) -> Result<ObjectAcl, Error> {
    let kind = read_kind(row.value("kind")?)?;
    let owner = row.name("owner")?;
    Ok(ObjectAcl {
        class: row.oid("class")?,
        oid: row.oid("oid")?,
        kind,
        name: read_name(row, kind)?,
        acl: row.acl("acl")?,
        base: row.acl("base")?.granted_by(&owner),
        owner,
        is_system: row.value("is_system")?,
    })
}

fn read_kind(word: &str) -> Result<AclKind, Error> {
    Ok(match word {
        "schema" => AclKind::Schema,
        "language" => AclKind::Language,
        "type" => AclKind::Type,
        "function" => AclKind::Function,
        "procedure" => AclKind::Procedure,
        "wrapper" => AclKind::ForeignDataWrapper,
        "server" => AclKind::ForeignServer,
        "table" => AclKind::Table,
        "sequence" => AclKind::Sequence,
        "column" => AclKind::Column,
        _ => {
            return Err(Error::Letter(UnknownLetter {
                what: "kind of access list",
                letter: word.to_owned(),
            }));
        }
    })
}

fn read_name(row: &Columns<'_>, kind: AclKind) -> Result<AclName, Error> {
    let name = row.name("name")?;
    let qualified = |name| {
        let schema = row.name("schema")?;
        Ok::<_, Error>(QualifiedName { schema, name })
    };
    Ok(match kind {
        AclKind::Schema
        | AclKind::Language
        | AclKind::ForeignDataWrapper
        | AclKind::ForeignServer => AclName::Plain(name),
        AclKind::Type | AclKind::Table | AclKind::Sequence => AclName::Qualified(qualified(name)?),
        AclKind::Function | AclKind::Procedure => {
            let arguments: Option<&str> = row.value("detail")?;
            AclName::Routine(qualified(name)?, Sql::deparsed(arguments.unwrap_or("")))
        }
        AclKind::Column => AclName::Column(qualified(name)?, row.name("detail")?),
    })
}

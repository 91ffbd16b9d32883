//! Reads security labels, and the comments on objects of extensions.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{MemberComment, SecurityLabel};
use crate::connect::Session;

pub(super) async fn load_security_labels(session: &Session) -> Result<Vec<SecurityLabel>, Error> {
    const WHAT: &str = "security labels";
    let text = include_str!("../sql/security_labels.sql");
    let rows = query(session, WHAT, text, &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            Ok(SecurityLabel {
                class: row.oid("class")?,
                oid: row.oid("oid")?,
                provider: row.value("provider")?,
                object: row.sql("object")?,
                role: row.optional_name("role")?,
                label: row.value("label")?,
            })
        })
        .collect()
}

/// Reads the comments on objects of extensions, by extension and object.
///
/// # Errors
/// The server refused the query, or the connection broke.
pub async fn load_member_comments(session: &Session) -> Result<Vec<MemberComment>, Error> {
    const WHAT: &str = "comments on objects of extensions";
    let text = include_str!("../sql/member_comments.sql");
    let rows = query(session, WHAT, text, &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            Ok(MemberComment {
                extension: (row.value("extension")?, row.value("version")?),
                object: row.value("object")?,
                text: row.value("text")?,
            })
        })
        .collect()
}

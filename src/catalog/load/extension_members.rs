//! Reads in one statement what a script needs besides the objects that it creates. That is: comments on
//! objects of extensions and of the server, relations of extensions, and uses of multiranges.

use std::collections::BTreeSet;

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, MemberComment, MemberRelation, ObjectId};
use crate::connect::Session;
use crate::pg::QualifiedName;

const WHAT: &str = "members of extensions";

/// Each part is a query of its own, which can be run in `psql`.
const SQL: &str = concat!(
    "SELECT 'comment' AS kind, c.extension AS one, c.version AS two, c.object AS three, c.text AS four, \
            NULL::pg_catalog.oid AS class, NULL::pg_catalog.oid AS oid, NULL::pg_catalog.int2 AS number \
       FROM (\n",
    include_str!("../sql/member_comments.sql"),
    "\n) c \
     UNION ALL SELECT 'relation', r.extension, r.version, r.schema, r.name, NULL, NULL, NULL FROM (\n",
    include_str!("../sql/member_relations.sql"),
    "\n) r \
     UNION ALL SELECT 'multirange', NULL, NULL, NULL, NULL, m.class, m.oid, m.number FROM (\n",
    include_str!("../sql/multiranges.sql"),
    "\n) m ORDER BY 1, 2, 4, 5, 6, 7, 8"
);

/// See the module's documentation.
#[derive(Default)]
pub(super) struct ExtensionMembers {
    pub(super) comments: Vec<MemberComment>,
    pub(super) relations: Vec<MemberRelation>,
    /// Relations with the column's number, and routines and domains with 0.
    pub(super) multiranges: BTreeSet<(ObjectId, i16)>,
}

pub(super) async fn load_extension_members(session: &Session) -> Result<ExtensionMembers, Error> {
    let mut found = ExtensionMembers::default();
    for row in &query(session, WHAT, SQL, &[]).await? {
        let row = Columns::new(WHAT, row);
        match row.value::<&str>("kind")? {
            "comment" => found.comments.push(MemberComment {
                extension: (row.value("one")?, row.value("two")?),
                object: row.value("three")?,
                text: row.value("four")?,
            }),
            "relation" => found.relations.push(MemberRelation {
                extension: (row.value("one")?, row.value("two")?),
                name: QualifiedName::from_catalog(
                    row.value::<String>("three")?,
                    row.value::<String>("four")?,
                ),
            }),
            _ => {
                let (oid, number) = (row.oid("oid")?, row.value("number")?);
                if let Some(class) = Class::from_oid(row.oid("class")?) {
                    let object = ObjectId::new(class, oid);
                    found.multiranges.insert((object, number));
                }
            }
        }
    }
    Ok(found)
}

//! Reads all comments of a database in one query.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::comment::{Comment, CommentTarget, RoutineKind};
use crate::connect::Session;
use crate::pg::{Ident, QualifiedName, Sql, UnknownLetter};

const WHAT: &str = "comments";

/// `pg_constraint.contype` of a not-null constraint.
const NOT_NULL: &str = "n";

/// Reads the comments of users' objects. For `public` and for extensions, which bring a comment
/// with them, only one that differs from it.
///
/// # Errors
/// The server refused the query, or the connection broke.
pub async fn load_comments(session: &Session) -> Result<Vec<Comment>, Error> {
    let rows = query(session, WHAT, include_str!("../sql/comments.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            Ok(Comment {
                class: row.oid("class")?,
                oid: row.oid("oid")?,
                attnum: row.value("sub")?,
                target: read_target(&row)?,
                text: row.value("description")?,
            })
        })
        .collect()
}

fn read_target(row: &Columns<'_>) -> Result<CommentTarget, Error> {
    let name = row.name("name")?;
    let detail: Option<&str> = row.value("detail")?;
    let detail = detail.unwrap_or("");
    let is_not_null = detail == NOT_NULL;
    let whole = || read_qualified(row, "on_schema", "on_name");
    let routine = |kind| {
        let name = read_qualified(row, "schema", "name")?;
        Ok::<_, Error>(CommentTarget::Routine(kind, name, Sql::deparsed(detail)))
    };
    Ok(match row.value("kind")? {
        "schema" => CommentTarget::Schema(name),
        "extension" => CommentTarget::Extension(name),
        "relation" => {
            CommentTarget::Relation(detail.parse()?, read_qualified(row, "schema", "name")?)
        }
        "column" => CommentTarget::Column(whole()?, name),
        "type" => CommentTarget::Type(Sql::deparsed(detail)),
        "domain" => CommentTarget::Domain(Sql::deparsed(detail)),
        "function" => routine(RoutineKind::Function)?,
        "procedure" => routine(RoutineKind::Procedure)?,
        "aggregate" => routine(RoutineKind::Aggregate)?,
        "constraint" => CommentTarget::Constraint {
            name,
            table: whole()?,
            is_not_null,
        },
        "domain constraint" => CommentTarget::DomainConstraint {
            name,
            domain: whole()?,
            is_not_null,
        },
        "trigger" => CommentTarget::Trigger(name, whole()?),
        "policy" => CommentTarget::Policy(name, whole()?),
        "rule" => CommentTarget::Rule(name, whole()?),
        "collation" => CommentTarget::Collation(read_qualified(row, "schema", "name")?),
        "search" => CommentTarget::Search(detail.parse()?, read_qualified(row, "schema", "name")?),
        "language" => CommentTarget::Language(name),
        "access method" => CommentTarget::AccessMethod(name),
        "cast" => CommentTarget::Cast(Sql::deparsed(detail), row.sql("on_name")?),
        "transform" => CommentTarget::Transform(Sql::deparsed(detail), name),
        "conversion" => CommentTarget::Conversion(read_qualified(row, "schema", "name")?),
        "operator" => {
            let symbol = row.sql("on_name")?;
            CommentTarget::Operator(symbol, Sql::deparsed(detail))
        }
        "operator family" => {
            let name = read_qualified(row, "schema", "name")?;
            CommentTarget::OperatorFamily(name, Ident::from_catalog(detail))
        }
        "operator class" => {
            let name = read_qualified(row, "schema", "name")?;
            CommentTarget::OperatorClass(name, Ident::from_catalog(detail))
        }
        "wrapper" => CommentTarget::ForeignDataWrapper(name),
        "server" => CommentTarget::ForeignServer(name),
        "publication" => CommentTarget::Publication(name),
        "event trigger" => CommentTarget::EventTrigger(name),
        "statistics" => CommentTarget::Statistics(read_qualified(row, "schema", "name")?),
        word => {
            return Err(Error::Letter(UnknownLetter {
                what: "kind of comment",
                letter: word.to_owned(),
            }));
        }
    })
}

fn read_qualified(
    row: &Columns<'_>,
    schema: &'static str,
    name: &'static str,
) -> Result<QualifiedName, Error> {
    Ok(QualifiedName {
        schema: row.name(schema)?,
        name: row.name(name)?,
    })
}

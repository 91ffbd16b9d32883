//! Which tables must be copied as text.
//!
//! Binary COPY is faster and exact, but some types put something into it that means another
//! thing on another cluster, or nothing. The `reg*` types travel as bare oids and would come out
//! wrong without any error. Before 14 `array_recv` and `record_recv` compare the oids of types
//! that are written into the data, and user-defined types have other oids on each cluster. A
//! value may hold such a part at any depth, so the closure of each column's type is searched:
//! arrays, domains, composites, ranges, multiranges.
//!
//! One column decides for its whole table: the format is one of the COPY.

use std::collections::HashMap;

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::connect::Session;
use crate::pg::{Ident, Oid, ServerVersion, UnknownLetter};

const WHAT: &str = "types of columns";

/// Why a value may not travel in binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// A `reg*` type: its binary form is the oid of an object of this cluster.
    ObjectIdentifier,
    /// The type has no `send` or no `receive` function.
    NoBinaryForm,
    /// The type's `receive` function refuses some of what `send` writes.
    RefusedByReceive,
    /// The binary form of an array or row names the oid of a type, which the target compares.
    TypeOid,
    /// An infinite interval is a finite one to a target that does not know it.
    InfiniteInterval,
    /// The type is of an extension, of which an older target may hold an older version.
    OlderExtension,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ObjectIdentifier => "its binary form is an oid of this cluster",
            Self::NoBinaryForm => "it has no binary form",
            Self::RefusedByReceive => "its receive function refuses some of what send writes",
            Self::TypeOid => "its oid in the binary form differs on the target",
            Self::InfiniteInterval => "the target has no infinite intervals",
            Self::OlderExtension => "its extension may be older on the target",
        })
    }
}

/// A column whose table is sent as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextReason {
    /// The column.
    pub column: Ident,
    /// Its type, for people.
    pub type_name: String,
    /// The part of that type which forbids binary; often the type itself.
    pub part: String,
    /// Why.
    pub why: Why,
}

/// Reads which tables must travel as text to a target of this version, by the table's oid; every
/// other table may travel in binary.
///
/// # Errors
/// The server refused the query, or the connection broke.
pub async fn load_transfer(
    session: &Session,
    target: ServerVersion,
) -> Result<HashMap<Oid, Vec<TextReason>>, Error> {
    let source = session.version();
    let compares_type_oids = !target.accepts_foreign_type_oids();
    let loses_infinity = source.has_infinite_intervals() && !target.has_infinite_intervals();
    let older = target.major() < source.major();
    let text = include_str!("../sql/transfer.sql");
    let rows = query(
        session,
        WHAT,
        text,
        &[&compares_type_oids, &loses_infinity, &older],
    )
    .await?;
    let mut tables: HashMap<Oid, Vec<TextReason>> = HashMap::new();
    for row in &rows {
        let row = Columns::new(WHAT, row);
        let reason = TextReason {
            column: row.name("attname")?,
            type_name: row.value("type_name")?,
            part: row.value("part")?,
            why: parse_why(row.value("reason")?)?,
        };
        tables.entry(row.oid("attrelid")?).or_default().push(reason);
    }
    Ok(tables)
}

fn parse_why(word: &str) -> Result<Why, Error> {
    Ok(match word {
        "object identifier" => Why::ObjectIdentifier,
        "no binary form" => Why::NoBinaryForm,
        "refused by receive" => Why::RefusedByReceive,
        "type oid" => Why::TypeOid,
        "infinite interval" => Why::InfiniteInterval,
        "older extension" => Why::OlderExtension,
        _ => {
            return Err(Error::Letter(UnknownLetter {
                what: "reason for text",
                letter: word.to_owned(),
            }));
        }
    })
}

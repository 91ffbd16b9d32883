//! What of a database of the source the connecting role cannot read.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::cluster::finding::{Code, Finding, Level};
use crate::connect::Session;
use crate::migrate::error::Error;
use crate::pg::{QualifiedName, Side, Sql};

/// Relations and large objects that the role cannot read in full; all of them are listed, but those
/// skipped. Chunks are read with their hypertable's privileges.
pub(super) async fn find_unreadable(
    session: &Session,
    catalog: &Catalog,
    excluded: &BTreeSet<QualifiedName>,
) -> Result<Vec<Finding>, Error> {
    let side = Side::Source;
    let sql = Sql::fixed(include_str!("../sql/unreadable.sql"));
    let rows = session
        .query(&sql, &[])
        .await
        .map_err(Error::examine(side))?;
    let timescale = catalog.timescale.iter();
    let chunks: BTreeSet<_> = timescale.flat_map(|t| t.internals.values()).collect();
    let mut findings: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let name =
                QualifiedName::from_catalog(row.get::<_, String>(0), row.get::<_, String>(1));
            let why: Option<String> = row.get(2);
            let finding = || unreadable_relation(&name, why.as_deref().unwrap_or_default());
            (!chunks.contains(&name) && !excluded.contains(&name)).then(finding)
        })
        .collect();
    let sql = Sql::fixed(include_str!("../sql/unreadable_objects.sql"));
    let row = session
        .query_one(&sql, &[])
        .await
        .map_err(Error::examine(side))?;
    let (count, first): (i64, Vec<String>) = (row.get(0), row.get(1));
    if count > 0 {
        let message = format!(
            "large objects that are not readable: {count}, among them {}",
            first.join(", ")
        );
        let remedy = "GRANT SELECT ON LARGE OBJECT … TO the connecting role";
        let finding = Finding::new(Code::LargeObjectNotReadable, Level::Error, side, message);
        findings.push(finding.remedy(remedy));
    }
    Ok(findings)
}

fn unreadable_relation(name: &QualifiedName, why: &str) -> Finding {
    let error = |code, message: String, remedy: &'static str| {
        let finding = Finding::new(code, Level::Error, Side::Source, message);
        finding.about(name).remedy(remedy)
    };
    match why {
        "schema" => error(
            Code::SchemaNotUsable,
            format!("{name} is in a schema that is not usable"),
            "GRANT USAGE ON SCHEMA … TO the connecting role",
        ),
        "row security" => error(
            Code::RowSecurity,
            format!("row security hides rows of {name}"),
            "connect as its owner or as a role with BYPASSRLS",
        ),
        "sequence" => error(
            Code::SequenceNotReadable,
            format!("sequence {name} is not readable"),
            "GRANT SELECT ON SEQUENCE … TO the connecting role",
        ),
        _ => error(
            Code::TableNotReadable,
            format!("table {name} is not readable"),
            "GRANT SELECT ON TABLE … TO the connecting role",
        ),
    }
}

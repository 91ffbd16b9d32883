//! What of a database of the source the connecting role cannot read.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::cluster::finding::{Code, Finding, Level};
use crate::connect::Session;
use crate::migrate::error::Error;
use crate::pg::{Ident, QualifiedName, ServerVersion, Side, Sql};
use crate::remedy::Remedy;
use crate::sql;

/// The connecting role of the source.
#[derive(Clone, Copy)]
struct Reader<'a> {
    role: &'a Ident,
    version: ServerVersion,
}

impl Reader<'_> {
    /// A remedy that allows to read one relation.
    fn grant(self, privilege: &Sql, object: &Sql) -> Remedy {
        let grant = sql!("GRANT {} ON {} TO {}", privilege, object, self.role);
        Remedy::RunOn(Side::Source, grant)
    }

    /// A remedy that allows to read all relations; before 14 there is no role for that.
    fn grant_all(self) -> Option<Remedy> {
        let grant = sql!("GRANT pg_read_all_data TO {}", self.role);
        let has_role = self.version.has_read_all_data();
        has_role.then_some(Remedy::RunOn(Side::Source, grant))
    }
}

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
    let role = Ident::from_catalog(session.endpoint().user());
    let reader = Reader {
        role: &role,
        version: session.version(),
    };
    let timescale = catalog.timescale.iter();
    let chunks: BTreeSet<_> = timescale.flat_map(|t| t.internals.values()).collect();
    let mut findings: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let name =
                QualifiedName::from_catalog(row.get::<_, String>(0), row.get::<_, String>(1));
            let why: Option<String> = row.get(2);
            let why = why.as_deref().unwrap_or_default();
            let finding = || judge_unreadable(&name, why, reader);
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
        let rest = if first.len() < usize::try_from(count).unwrap_or(usize::MAX) {
            ", …"
        } else {
            ""
        };
        let objects = Sql::deparsed(format!("{}{rest}", first.join(", ")));
        let grant = sql!("GRANT SELECT ON LARGE OBJECT {} TO {}", objects, role);
        let remedy = Remedy::RunOn(side, grant);
        let finding = Finding::new(Code::LargeObjectNotReadable, Level::Error, side, message);
        findings.push(finding.remedy(remedy));
    }
    Ok(findings)
}

fn judge_unreadable(name: &QualifiedName, why: &str, reader: Reader<'_>) -> Finding {
    let error =
        |code, message: String| Finding::new(code, Level::Error, Side::Source, message).about(name);
    let readable = |finding: Finding, privilege: &'static str, object: &Sql| {
        let grant = reader.grant(&Sql::fixed(privilege), object);
        finding.remedy(grant).for_group(reader.grant_all())
    };
    match why {
        "schema" => {
            let message = format!("{name} is in a schema that is not usable");
            let schema = sql!("SCHEMA {}", name.schema);
            readable(error(Code::SchemaNotUsable, message), "USAGE", &schema)
        }
        "row security" => {
            let message = format!("row security hides rows of {name}");
            let bypass = sql!("ALTER ROLE {} BYPASSRLS", reader.role);
            let bypass = Remedy::RunOn(Side::Source, bypass);
            error(Code::RowSecurity, message)
                .remedy("connect as its owner")
                .remedy(bypass.clone())
                .for_group(["connect as their owner".into(), bypass])
        }
        "sequence" => {
            let message = format!("sequence {name} is not readable");
            let sequence = sql!("SEQUENCE {}", name);
            readable(
                error(Code::SequenceNotReadable, message),
                "SELECT",
                &sequence,
            )
        }
        _ => {
            let message = format!("table {name} is not readable");
            let table = sql!("TABLE {}", name);
            readable(error(Code::TableNotReadable, message), "SELECT", &table)
        }
    }
}

//! What one database needs: readable tables, kinds of objects that are covered, extensions that
//! the target has.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Level, Side};
use crate::catalog::Catalog;
use crate::catalog::load::load;
use crate::catalog::load::unsupported::{Severity, Unsupported};
use crate::catalog::model::Extension;
use crate::connect::{Endpoint, Purpose, Session};
use crate::ddl;
use crate::migrate::Error;
use crate::pg::{QualifiedName, ServerVersion, Sql};
use crate::task::Scope;

/// What was learned of a database of the source.
#[derive(Debug)]
pub(in crate::migrate) struct Examination {
    /// Estimated bytes of the rows on the source's disk.
    pub(in crate::migrate) bytes: u64,
    /// Tables with rows of their own.
    pub(in crate::migrate) tables: usize,
    /// The largest of them, largest first.
    pub(in crate::migrate) largest: Vec<QualifiedName>,
    /// What stands in the way, and what is good to know.
    pub(in crate::migrate) findings: Vec<Finding>,
}

/// How many tables the measurement of the source's rate may read.
const LARGEST: usize = 8;

/// What the target offers.
#[derive(Clone, Debug)]
pub(in crate::migrate) struct Offer {
    /// Its version.
    pub(in crate::migrate) version: ServerVersion,
    /// Extensions by name, with the version it would install.
    pub(in crate::migrate) extensions: BTreeMap<String, Option<String>>,
}

impl Offer {
    /// Asks the target.
    ///
    /// # Errors
    /// The server refused the question.
    pub(in crate::migrate) async fn load(session: &Session) -> Result<Self, Error> {
        let sql = Sql::fixed(
            "SELECT name::text, default_version FROM pg_catalog.pg_available_extensions",
        );
        let rows = session
            .query(&sql, &[])
            .await
            .map_err(Error::examine(Side::Target))?;
        let extensions = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        Ok(Self {
            version: session.version(),
            extensions,
        })
    }
}

/// Examines the database that `source` names. Read-only.
///
/// # Errors
/// The database cannot be reached or read, or the scope was stopped.
pub(in crate::migrate) async fn examine(
    source: &Endpoint,
    offer: &Offer,
    scope: &Scope,
) -> Result<Examination, Error> {
    let session = source
        .session(Purpose::Introspect)
        .await
        .map_err(|source| Error::Connect {
            side: Side::Source,
            source,
        })?;
    let looking = look(&session, source.database(), offer);
    tokio::select! {
        biased;
        done = looking => done,
        () = scope.stop.cancelled() => {
            // A table's size waits for whoever locks it, and so would the server without us.
            if let Err(error) = session.canceller().cancel().await {
                tracing::debug!(%error, "a cancel request did not reach the server");
            }
            Err(Error::Stopped)
        }
    }
}

async fn look(session: &Session, name: &str, offer: &Offer) -> Result<Examination, Error> {
    let side = Side::Source;
    session
        .batch(&Sql::fixed(
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        ))
        .await
        .map_err(Error::examine(side))?;
    let mut findings = unreadable(session).await?;
    let wrap = |source| Error::Catalog {
        side,
        place: format!("database {name}"),
        source,
    };
    let catalog = load(session).await.map_err(wrap)?;
    findings.extend(catalog.unsupported.iter().map(not_covered));
    findings.extend(extensions(&catalog, offer));
    if findings.iter().all(|finding| finding.level != Level::Error) {
        let options = ddl::Options::everything(offer.version, BTreeSet::new());
        if let Err(error) = ddl::script(&catalog, &options) {
            findings.push(Finding::new(Level::Error, side, error.to_string()));
        }
    }
    let findings = findings
        .into_iter()
        .map(|finding| finding.in_database(name))
        .collect();
    let mut tables: Vec<_> = catalog.row_sources().map(|rows| rows.table).collect();
    tables.sort_by_key(|table| std::cmp::Reverse(table.size.bytes()));
    Ok(Examination {
        bytes: tables.iter().map(|table| table.size.bytes()).sum(),
        tables: tables.len(),
        largest: tables
            .iter()
            .take(LARGEST)
            .map(|table| table.name.clone())
            .collect(),
        findings,
    })
}

/// Relations and large objects that the role cannot read in full; all of them are listed.
async fn unreadable(session: &Session) -> Result<Vec<Finding>, Error> {
    let side = Side::Source;
    let sql = Sql::fixed(include_str!("../sql/unreadable.sql"));
    let rows = session
        .query(&sql, &[])
        .await
        .map_err(Error::examine(side))?;
    let mut findings: Vec<_> = rows
        .iter()
        .map(|row| {
            let name =
                QualifiedName::from_catalog(row.get::<_, String>(0), row.get::<_, String>(1));
            let why: Option<String> = row.get(2);
            unreadable_relation(&name, why.as_deref().unwrap_or_default())
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
            "{count} large objects are not readable, among them {}",
            first.join(", ")
        );
        let cure = "GRANT SELECT ON LARGE OBJECT … TO the connecting role";
        findings.push(Finding::new(Level::Error, side, message).cure(cure));
    }
    Ok(findings)
}

fn unreadable_relation(name: &QualifiedName, why: &str) -> Finding {
    let error = |message: String| Finding::new(Level::Error, Side::Source, message);
    match why {
        "schema" => error(format!("{name} lies in a schema that is not usable"))
            .cure("GRANT USAGE ON SCHEMA … TO the connecting role"),
        "row security" => error(format!("row security hides rows of {name}"))
            .cure("connect as its owner or as a role with BYPASSRLS"),
        "sequence" => error(format!("sequence {name} is not readable"))
            .cure("GRANT SELECT ON SEQUENCE … TO the connecting role"),
        _ => error(format!("table {name} is not readable"))
            .cure("GRANT SELECT ON TABLE … TO the connecting role"),
    }
}

/// An object of a kind that this version does not copy: never skipped silently.
fn not_covered(object: &Unsupported) -> Finding {
    match object.severity {
        Severity::Refuse => {
            let message = format!("{object} is of a kind that this version does not copy");
            Finding::new(Level::Error, Side::Source, message).cure("see docs/limits.md")
        }
        Severity::Note => {
            let message = format!("{object} is not copied");
            Finding::new(Level::Warning, Side::Source, message).cure("see docs/limits.md")
        }
    }
}

/// Extensions that the target lacks, or has in another version.
fn extensions(catalog: &Catalog, offer: &Offer) -> Vec<Finding> {
    let judge = |extension: &Extension| {
        let name = extension.name.as_str();
        match offer.extensions.get(name) {
            None => {
                let message = format!("extension {name} is not available");
                let cure = "install its package on the target's host";
                Some(Finding::new(Level::Error, Side::Target, message).cure(cure))
            }
            Some(Some(version)) if *version != extension.version => {
                let message = format!("extension {name} is {}, here {version}", extension.version);
                Some(Finding::new(Level::Note, Side::Target, message))
            }
            Some(_) => None,
        }
    };
    catalog.extensions.iter().filter_map(judge).collect()
}

//! An initial copy by the target's server, where `init` has left no slot: the publication that it needs, and the tables
//! that must be empty before it.

use super::additions::load_has_rows;
use super::error::Error;
use super::followed::Replicated;
use super::found::{Found, Readers};
use crate::cluster::{Code, Finding, Level};
use crate::connect::Session;
use crate::logical::{
    Definition, FormerIdentity, Mark, Published, Publishing, RunTag, create_publication,
};
use crate::pg::{QualifiedName, Side};
use crate::remedy::Remedy;
use crate::selection::TableScope;
use crate::sql;

/// What precedes an initial copy.
#[derive(Clone, Debug)]
pub(super) struct InitialCopy {
    /// The publication to be created; none if there is one.
    pub(super) publication: Option<NewPublication>,
    /// What prevents the copy.
    pub(super) findings: Vec<Finding>,
}

/// A publication to be created.
#[derive(Clone, Debug)]
pub(super) struct NewPublication {
    definition: Definition,
    mark: Mark,
}

impl InitialCopy {
    /// Finds what the copy needs.
    ///
    /// # Errors
    /// A server refused a query.
    pub(super) async fn find(
        readers: &Readers,
        replicated: &Replicated,
        found: &Found,
    ) -> Result<Self, Error> {
        if let Some(publication) = &found.publication {
            let tables = publication.definition().tables.iter();
            return Ok(Self {
                publication: None,
                findings: find_unusable(&readers.target, tables).await?,
            });
        }
        let database = &replicated.database;
        let everything = TableScope::default();
        let scope = database.scope.as_ref().unwrap_or(&everything);
        let name = database.names.publication.clone();
        let publishing = Publishing::load_for_scope(&readers.source, name, scope).await?;
        let changed: &[FormerIdentity] = &[];
        let published = publishing.judge(&readers.source, changed).await?;
        let mut findings = find_unusable(&readers.target, published.tables.iter()).await?;
        findings.extend(judge_blocked(&published));
        let definition = Definition::new(&published, readers.source.version());
        Ok(Self {
            publication: Some(NewPublication::new(replicated, definition)),
            findings,
        })
    }
}

impl NewPublication {
    fn new(replicated: &Replicated, definition: Definition) -> Self {
        let database = &replicated.database;
        let slot = database.names.slot.as_ref();
        let mark = Mark::new(
            replicated.run.clone(),
            RunTag::new(),
            &database.target,
            slot.map_or("", |slot| slot.as_str()),
            definition.digest(),
        );
        Self {
            definition,
            // No copy of ours precedes it: the subscription's own copy is repeated by the server until it is whole.
            mark: mark.completed(None),
        }
    }

    /// The number of the run in its mark.
    pub(super) fn run_number(&self) -> &str {
        self.mark.name()
    }

    /// The publications that the subscription asks for.
    pub(super) fn names(&self, replicated: &Replicated) -> Vec<crate::pg::Ident> {
        let first = &replicated.database.names.publication;
        let second = crate::logical::inserts_name(first);
        let has_second = !self.definition.insert_only.is_empty();
        let second = has_second.then_some(second);
        std::iter::once(first.clone()).chain(second).collect()
    }

    /// Creates it.
    ///
    /// # Errors
    /// The source refused a statement.
    pub(super) async fn create(
        &self,
        session: &Session,
        replicated: &Replicated,
    ) -> Result<(), Error> {
        let name = &replicated.database.names.publication;
        let created = create_publication(session, name, &self.definition, &self.mark).await;
        created.map_err(|source| Error::Publication {
            publication: Box::new(name.clone()),
            source: Box::new(source),
        })
    }
}

/// Finds tables that are missing on the target, or have rows: those would be there twice.
async fn find_unusable(
    target: &Session,
    tables: impl Iterator<Item = &QualifiedName>,
) -> Result<Vec<Finding>, Error> {
    let mut found = Vec::new();
    for table in tables {
        let has_rows = load_has_rows(target, table).await;
        let refused = match has_rows.map_err(Error::query(Side::Target))? {
            Some(false) => continue,
            Some(true) => {
                let message =
                    format!("table {table} is not empty: its rows would be copied once more");
                let code = Code::TableNotSubscribed;
                let truncate = Remedy::RunOn(Side::Target, sql!("TRUNCATE {}", table));
                Finding::new(code, Level::Error, Side::Target, message).remedy(truncate)
            }
            None => {
                let message =
                    format!("table {table} is missing: the server copies rows, not definitions");
                let code = Code::TableMissingOnTarget;
                Finding::new(code, Level::Error, Side::Target, message)
                    .remedy("create it there as on the source")
            }
        };
        found.push(refused.about(table));
    }
    Ok(found)
}

/// Tables whose UPDATE and DELETE would fail on the source.
fn judge_blocked(published: &Published) -> Vec<Finding> {
    let blocked = published.blocked.iter();
    let refused = blocked.map(|one| {
        let message = format!("table {} {}", one.table, one.blocker);
        let code = Code::TableNotPublishable;
        Finding::new(code, Level::Error, Side::Source, message)
            .about(&one.table)
            .with_remedies(one.all_remedies())
    });
    refused.collect()
}

//! An initial copy by the target's server, where `init` has left no slot: the publication that it needs, and the tables
//! that must be empty before it.

use super::additions::load_has_rows;
use super::error::Error;
use super::followed::Replicated;
use super::found::{Found, Readers};
use super::recorded::recorded_predicates;
use crate::cluster::{Code, Finding, Level};
use crate::connect::Session;
use crate::logical::{
    Definition, FormerIdentity, FoundPublication, Mark, PublishError, Published, Publishing,
    RunTag, Seconds, create_publication, find_publication, load_sent_tables, note_listed,
    remove_publication,
};
use crate::pg::{Ident, QualifiedName, Side};
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
        let begun = found.mark().filter(|mark| mark.native && !mark.complete);
        if let (Some(publication), None) = (&found.publication, begun) {
            return Self::of_existing(readers, publication).await;
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
        findings.extend(judge_filters(
            readers,
            replicated,
            &published.filters.keys().collect::<Vec<_>>(),
        ));
        let definition = Definition::new(&published, readers.source.version());
        Ok(Self {
            publication: Some(NewPublication::new(replicated, definition)),
            findings,
        })
    }
}

impl InitialCopy {
    /// Judges a copy of the tables of a publication that exists.
    async fn of_existing(readers: &Readers, publication: &FoundPublication) -> Result<Self, Error> {
        let names: Vec<&Ident> = publication.names().collect();
        let sent = load_sent_tables(&readers.source, &names).await;
        let sent = sent.map_err(Error::query(Side::Source))?;
        let mut findings = find_unusable(&readers.target, sent.iter()).await?;
        let name = &publication.name;
        let mut odd = publication.odd_options(publication.definition().via_root);
        if !publication.listed.filters.is_empty()
            && !readers.target.version().has_publication_filters()
        {
            odd.push(
                "filters rows, which the target's server copies all before PostgreSQL 15"
                    .to_owned(),
            );
        }
        findings.extend(odd.into_iter().map(|odd| {
            let message = format!("publication {name} {odd}");
            let code = Code::PublicationDiffers;
            let found = Finding::new(code, Level::Error, Side::Source, message).about(name);
            found.remedy("drop it if nobody uses it, or name another one")
        }));
        Ok(Self {
            publication: None,
            findings,
        })
    }
}

/// Filters that would not be kept: of the recorded selection, if it is not given again, and on a target before 15.
fn judge_filters(
    readers: &Readers,
    replicated: &Replicated,
    filtered: &[&QualifiedName],
) -> Option<Finding> {
    let recorded = replicated
        .recorded
        .as_ref()
        .filter(|_| !replicated.is_selected);
    let has_recorded = recorded.is_some_and(|one| !recorded_predicates(&one.selection).is_empty());
    let message = match (has_recorded, filtered.first()) {
        (true, _) => {
            "the recorded selection has filters, which are not given now: rows outside of them would be copied"
        }
        (false, Some(_)) if !readers.target.version().has_publication_filters() => {
            "before PostgreSQL 15 the target's server copies all rows of a table with a filter"
        }
        (false, _) => return None,
    };
    let code = Code::SelectionChanged;
    let found = Finding::new(code, Level::Error, Side::Source, message);
    Some(found.remedy("give the whole selection, or copy with init"))
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
            // It is complete once it lists all tables.
            mark: mark.of_native_copy(),
        }
    }

    /// The number of the run in its mark.
    pub(super) fn run_number(&self) -> &str {
        self.mark.name()
    }

    /// The publications that the subscription asks for.
    pub(super) fn names(&self, replicated: &Replicated) -> Vec<Ident> {
        let first = &replicated.database.names.publication;
        let second = crate::logical::inserts_name(first);
        let has_second = !self.definition.insert_only.is_empty();
        let second = has_second.then_some(second);
        std::iter::once(first.clone()).chain(second).collect()
    }

    /// Creates it, in the place of one that an interrupted command has left. A slot that such a command has left has no
    /// rows behind it, and is dropped.
    ///
    /// # Errors
    /// The source refused a statement.
    pub(super) async fn create(
        &self,
        session: &Session,
        replicated: &Replicated,
    ) -> Result<(), Error> {
        let name = &replicated.database.names.publication;
        let wrap = |source: PublishError| Error::Publication {
            publication: Box::new(name.clone()),
            source: Box::new(source),
        };
        let find = || find_publication(session, name, Seconds::Any);
        if let Some(left) = find().await.map_err(|error| wrap(error.into()))? {
            remove_publication(session, &left)
                .await
                .map_err(|error| wrap(error.into()))?;
        }
        create_publication(session, name, &self.definition, &self.mark)
            .await
            .map_err(wrap)?;
        if let Some(created) = find().await.map_err(|error| wrap(error.into()))? {
            note_listed(session, &created)
                .await
                .map_err(|error| wrap(error.into()))?;
        }
        Ok(())
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

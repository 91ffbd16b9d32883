//! The publications on the source that runs have marked.

use std::collections::BTreeMap;

use crate::catalog::cluster::Database;
use crate::cluster::run_lock::LockKey;
use crate::connect::{Endpoint, Purpose};
use crate::logical::{self, FoundPublication, PUBLICATION};
use crate::pg::Side;
use crate::pg::{Ident, Oid};
use crate::teardown::error::Error;
use crate::teardown::find::is_leaving;
use crate::teardown::{PROGRAM, TeardownOptions};

/// A publication, and where it is.
pub(crate) struct Marked {
    pub(crate) database: String,
    pub(crate) oid: Oid,
    pub(crate) publication: FoundPublication,
}

impl Marked {
    /// The lock of the run that uses it.
    pub(crate) fn key(&self) -> LockKey {
        LockKey::source(&self.database, self.oid, &self.publication.name)
    }

    /// Where it is and whose, in words.
    pub(crate) fn describe(&self) -> String {
        let Self {
            database,
            publication,
            ..
        } = self;
        let name = &publication.name;
        let place = format!("source, database {database}: publication {name}");
        match &publication.mark {
            Some(mark) => format!(
                "{place}, of {} into database {} (teardown --run {})",
                mark.describe(),
                mark.target,
                mark.name()
            ),
            None => format!("{place}, which no run has marked"),
        }
    }
}

/// The runs of these publications in words, each with its databases and with what removes it.
pub(crate) fn describe_runs(marked: &[Marked]) -> Vec<String> {
    let mut runs = BTreeMap::<_, Vec<&str>>::new();
    for one in marked {
        if let Some(mark) = &one.publication.mark {
            let run = (mark.describe(), mark.name());
            runs.entry(run).or_default().push(&one.database);
        }
    }
    let describe = |((run, name), databases): ((String, &str), Vec<&str>)| {
        let databases = databases.join(", ");
        format!("{run} of database {databases}: {PROGRAM} teardown --run {name}")
    };
    runs.into_iter().map(describe).collect()
}

/// The publications of databases that runs have marked, and those that have our name without a mark.
pub(crate) async fn publications(
    endpoint: &Endpoint,
    databases: &[&Database],
    options: &TeardownOptions,
) -> Result<Vec<Marked>, Error> {
    let mut all = Vec::new();
    for database in databases {
        let name = database.name.as_str();
        let found = match of_database(&endpoint.with_database(name), options).await {
            Err(error) if is_leaving(&error) => {
                tracing::debug!(%error, database = name, "a database is being dropped");
                continue;
            }
            other => other?,
        };
        all.extend(found.into_iter().map(|publication| Marked {
            database: name.to_owned(),
            oid: database.oid,
            publication,
        }));
    }
    Ok(all)
}

async fn of_database(
    database: &Endpoint,
    options: &TeardownOptions,
) -> Result<Vec<FoundPublication>, Error> {
    let side = Side::Source;
    let session = database.session(Purpose::Introspect).await;
    let session = session.map_err(Error::connect(side))?;
    let mut found = logical::find_marked(&session)
        .await
        .map_err(Error::examine(side))?;
    let usual = Ident::from_catalog(PUBLICATION);
    let asked = options.publication.as_ref();
    let named = logical::find_publication(&session, asked.unwrap_or(&usual)).await;
    let named = named.map_err(Error::examine(side))?;
    found.extend(named.filter(|one| one.mark.is_none()));
    found.retain(|one| asked.is_none_or(|asked| one.name == *asked));
    Ok(found)
}

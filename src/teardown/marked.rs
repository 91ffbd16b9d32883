//! The publications on the source that runs have marked.

use std::collections::BTreeMap;

use crate::catalog::cluster::Database;
use crate::cluster::other::Other;
use crate::cluster::run_lock::LockKey;
use crate::connect::{Endpoint, Purpose};
use crate::logical::{self, FoundPublication, PUBLICATION};
use crate::pg::Side;
use crate::pg::{Ident, Oid};
use crate::remedy::Remedy;
use crate::teardown::TeardownOptions;
use crate::teardown::error::Error;
use crate::teardown::find::is_leaving;

/// A publication, and where it is.
pub(crate) struct Marked {
    pub(crate) database: String,
    pub(crate) oid: Oid,
    pub(crate) publication: FoundPublication,
}

impl Marked {
    /// The lock of the run that uses it.
    pub(crate) fn key(&self) -> LockKey {
        LockKey::of_source(&self.database, self.oid, &self.publication.name)
    }

    /// Where it is and whose.
    pub(crate) fn as_other(&self) -> Other {
        let Self {
            database,
            publication,
            ..
        } = self;
        let name = &publication.name;
        let place = format!("source, database {database}: publication {name}");
        match &publication.mark {
            Some(mark) => {
                let run = mark.describe();
                Other::new(format!("{place}, of {run} into database {}", mark.target))
                    .removed_by(Remedy::remove_run("remove it", mark.name()))
            }
            None => Other::new(format!("{place}, which no run has marked")),
        }
    }
}

/// The runs of these publications, each with its databases and with what removes it.
pub(crate) fn list_runs(marked: &[Marked]) -> Vec<Other> {
    let mut runs = BTreeMap::<_, Vec<&str>>::new();
    for one in marked {
        if let Some(mark) = &one.publication.mark {
            let run = (mark.describe(), mark.name());
            runs.entry(run).or_default().push(&one.database);
        }
    }
    let describe = |((run, name), databases): ((String, &str), Vec<&str>)| {
        let databases = databases.join(", ");
        Other::new(format!("{run} of database {databases}"))
            .removed_by(Remedy::remove_run("if nobody needs it, remove it", name))
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

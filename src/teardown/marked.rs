//! The publications on the source that runs have marked.

use std::collections::BTreeMap;

use crate::catalog::cluster::Database;
use crate::cluster::run_lock::LockKey;
use crate::connect::{Endpoint, Purpose};
use crate::logical::{self, FoundPublication, PUBLICATION, Seconds, inserts_name};
use crate::pg::{Ident, Oid, Side};
use crate::remedy::Remedy;
use crate::teardown::error::Error;
use crate::teardown::leftover::{Leftover, Object};
use crate::teardown::options::TeardownOptions;
use crate::teardown::reached::{Reached, skip_dropped};
use crate::teardown::unrecorded::UnrecordedObject;

/// A publication and its database.
pub(crate) struct Marked {
    pub(crate) database: String,
    pub(crate) oid: Oid,
    pub(crate) publication: FoundPublication,
}

impl Marked {
    /// Returns the lock of the run that uses it.
    pub(crate) fn lock_key(&self) -> LockKey {
        LockKey::of_source(&self.database, self.oid, &self.publication.name)
    }

    /// Returns it as an object to remove.
    pub(crate) fn into_leftover(self) -> Leftover {
        Leftover {
            side: Side::Source,
            database: self.database,
            object: Object::Publication(Box::new(self.publication)),
        }
    }

    /// Returns it as an object of another run, which is not removed.
    pub(crate) fn to_other(&self) -> UnrecordedObject {
        let name = &self.publication.name;
        let place = format!("source, database {}: publication {name}", self.database);
        match &self.publication.mark {
            Some(mark) => {
                let run = mark.describe();
                UnrecordedObject::new(format!("{place}, of {run} into database {}", mark.target))
                    .removed_by(Remedy::remove_run("remove it", mark.name()))
            }
            None => UnrecordedObject::new(format!("{place}, which no run has marked")),
        }
    }
}

/// Lists the runs of these publications, each with its databases and with the command that removes it.
pub(crate) fn list_runs(marked: &[Marked]) -> Vec<UnrecordedObject> {
    let mut runs = BTreeMap::<_, Vec<&str>>::new();
    for one in marked {
        if let Some(mark) = &one.publication.mark {
            let run = (mark.describe(), mark.name());
            runs.entry(run).or_default().push(&one.database);
        }
    }
    let listed = runs.into_iter().map(|((run, name), databases)| {
        let databases = databases.join(", ");
        UnrecordedObject::new(format!("{run} of database {databases}"))
            .removed_by(Remedy::remove_run("if nobody needs it, remove it", name))
    });
    listed.collect()
}

/// Loads the publications that runs have marked in these databases, and those that have our name without a
/// mark.
pub(crate) async fn load_marked(
    source: &Reached,
    databases: &[&Database],
    options: &TeardownOptions,
) -> Result<Vec<Marked>, Error> {
    let mut all = Vec::new();
    for database in databases {
        let name = database.name.as_str();
        let endpoint = source.cluster.endpoint.with_database(name);
        let loaded = load_publications(&endpoint, options).await;
        let publications = skip_dropped(loaded, name)?.unwrap_or_default();
        all.extend(publications.into_iter().map(|publication| Marked {
            database: name.to_owned(),
            oid: database.oid,
            publication,
        }));
    }
    Ok(all)
}

async fn load_publications(
    database: &Endpoint,
    options: &TeardownOptions,
) -> Result<Vec<FoundPublication>, Error> {
    let examine = Error::examine(Side::Source);
    let session = database
        .session(Purpose::Introspect)
        .await
        .map_err(Error::connect(Side::Source))?;
    let mut found = logical::find_marked(&session).await.map_err(examine)?;
    let usual = Ident::from_catalog(PUBLICATION);
    let asked = options.publication.as_ref();
    let name = asked.unwrap_or(&usual);
    let named = logical::find_publication(&session, name, Seconds::Marked)
        .await
        .map_err(examine)?;
    found.extend(named.filter(|one| one.mark.is_none()));
    let is_asked = |one: &FoundPublication, asked: &Ident| {
        one.name == *asked || one.name == inserts_name(asked)
    };
    found.retain(|one| asked.is_none_or(|asked| is_asked(one, asked)));
    Ok(found)
}

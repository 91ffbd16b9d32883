//! The phases of a migration, each by the functions that its command calls.

use std::path::PathBuf;
use std::time::Duration;

use super::{DATABASE, Error};
use crate::cluster::{Finding, Level};
use crate::connect::Endpoint;
use crate::ddl;
use crate::migrate;
use crate::pg::Sides;
use crate::replicate::{self, SyncedDatabase};
use crate::selection::{DatabaseMap, Databases, Rules, TableScope, Tables};
use crate::status::{self, Watcher};
use crate::task::Scope;
use crate::teardown::{self, TeardownOptions, Which};
use crate::verify::{self, DatabasePair};

/// How long `sync` waits until the target has caught up.
const CATCH_UP: Duration = Duration::from_secs(300);

/// How long `status` measures the lag at most.
const LAG_LIMIT: Duration = Duration::from_secs(2);

/// The two servers.
pub(super) struct Servers {
    pub(super) source: Endpoint,
    pub(super) target: Endpoint,
    /// Where the run is recorded.
    pub(super) state: PathBuf,
}

impl Servers {
    fn sides(&self) -> Sides<Endpoint> {
        Sides {
            source: self.source.clone(),
            target: self.target.clone(),
        }
    }

    /// Runs the checks of `init`, as `validate` does.
    ///
    /// # Errors
    /// The checks cannot be run, or refuse the copy.
    pub(super) async fn check(&self, scope: &Scope) -> Result<migrate::Prepared, Error> {
        let prepared = migrate::prepare(&self.init_options(), scope).await?;
        refuse_errors(&prepared.findings)?;
        Ok(prepared)
    }

    /// Runs `init`.
    ///
    /// # Errors
    /// The checks refuse the copy, or it fails.
    pub(super) async fn copy(&self, scope: &Scope) -> Result<migrate::DatabaseReport, Error> {
        let prepared = self.check(scope).await?;
        let options = self.init_options();
        let report = Box::pin(migrate::execute(prepared, &options, scope)).await?;
        report
            .databases
            .into_iter()
            .next()
            .ok_or(Error::NothingCopied)
    }

    fn init_options(&self) -> migrate::Options {
        migrate::Options {
            source: self.source.clone(),
            target: self.target.clone(),
            databases: Databases::Only(vec![DATABASE.to_owned()]),
            tables: Tables::All,
            rules: Rules::default(),
            as_of: None,
            excluded_objects: Vec::new(),
            map: DatabaseMap::default(),
            allow_same_cluster: false,
            jobs: migrate::automatic_jobs(),
            replicate: true,
            replication: migrate::ReplicationOptions::default(),
            locks: migrate::LockOptions::default(),
            drop_existing: false,
            schema_only: false,
            definitions_only: false,
            on_refusal: migrate::OnRefusal::default(),
            split_larger_than: None,
            analyze: true,
            definitions: ddl::Include::default(),
            cluster: migrate::ClusterOptions::default(),
            state: Some(migrate::StateOptions {
                root: self.state.clone(),
                resume: true,
            }),
        }
    }

    /// Finds what is replicated, as `sync` and `status` do without options.
    async fn find_followed(&self) -> Result<replicate::Followed, Error> {
        let map = DatabaseMap::default();
        let asked = replicate::Asked {
            allow_same_cluster: false,
            wanted: None,
            map: &map,
            publication: None,
            subscription: None,
        };
        let servers = Sides {
            source: &self.source,
            target: &self.target,
        };
        Ok(replicate::find_followed(servers, asked, Some(&self.state)).await?)
    }

    /// Runs `sync`.
    ///
    /// # Errors
    /// The checks refuse it, it fails, or the target does not catch up.
    pub(super) async fn synchronize(&self, scope: &Scope) -> Result<SyncedDatabase, Error> {
        let options = replicate::Options {
            servers: self.sides(),
            followed: self.find_followed().await?,
            state_root: Some(self.state.clone()),
            subscription_source: None,
            copy_data: false,
            timeout: CATCH_UP,
            max_retained_wal: None,
        };
        let prepared = replicate::prepare(&options, scope).await?;
        refuse_errors(&prepared.findings)?;
        let report = Box::pin(replicate::execute(prepared, &options, scope)).await?;
        if let Some(failed) = report.failures.into_iter().next() {
            return Err(failed.error.into());
        }
        let mut databases = report.databases.into_iter();
        databases.next().ok_or(Error::NothingReplicated)
    }

    /// Prepares what `status` observes.
    ///
    /// # Errors
    /// A server cannot be reached or read.
    pub(super) async fn watch(&self) -> Result<Watcher, Error> {
        let followed = self.find_followed().await?;
        let databases = followed.databases.into_iter();
        Ok(Watcher::new(&status::Options {
            servers: self.sides(),
            databases: databases.map(|one| one.database).collect(),
            lag_limit: LAG_LIMIT,
            heartbeat: false,
            max_retained_wal: None,
        }))
    }

    /// Runs `verify`.
    ///
    /// # Errors
    /// The comparison fails.
    pub(super) async fn compare(&self, scope: &Scope) -> Result<verify::Report, Error> {
        let options = verify::Options {
            servers: self.sides(),
            databases: vec![DatabasePair {
                source: DATABASE.to_owned(),
                target: DATABASE.to_owned(),
                scope: TableScope::default(),
            }],
            jobs: migrate::automatic_jobs(),
            strict: true,
        };
        Ok(verify::compare_databases(&options, scope).await?)
    }

    /// Runs `teardown`; what it has removed, in words.
    ///
    /// # Errors
    /// A server refuses.
    pub(super) async fn tear_down(&self) -> Result<Vec<String>, Error> {
        let options = TeardownOptions {
            subscription: None,
            servers: self.sides().map(Some),
            databases: Databases::All,
            map: DatabaseMap::default(),
            publication: None,
            which: Which::Pair,
            state_root: Some(self.state.clone()),
            removes_state: true,
        };
        let leftovers = teardown::find_leftovers(&options).await?;
        teardown::remove_leftovers(&leftovers, &options).await?;
        let removed = leftovers.objects.iter();
        Ok(removed.map(|one| one.object.to_string()).collect())
    }
}

fn refuse_errors(findings: &[Finding]) -> Result<(), Error> {
    let mut errors = findings.iter().filter(|one| one.level == Level::Error);
    match errors.next() {
        None => Ok(()),
        Some(finding) => Err(Error::Refused {
            finding: finding.to_string(),
        }),
    }
}

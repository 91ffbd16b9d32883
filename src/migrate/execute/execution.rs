//! What the parts of a run share, and what it knows of one database beside the plan.

use std::sync::Arc;

use crate::catalog::load::cached::CachedCatalog;
use crate::connect::Endpoint;
use crate::logical::Publisher;
use crate::migrate::options::Options;
use crate::migrate::planned::PlannedDatabase;
use crate::migrate::record::Record;
use crate::migrate::target_action::TargetAction;
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::Sides;
use crate::snapshot::{CheckedDatabase, CopyRequest, WatchedSlots};
use crate::transfer::Ledger;

/// What all databases of a run share.
#[derive(Clone, Copy)]
pub(crate) struct Execution<'a> {
    /// What the run is asked to do.
    pub(crate) options: &'a Options,
    /// The target cluster as the checks read it.
    pub(crate) cluster: &'a TargetCluster,
    /// Where the run records what it does.
    pub(crate) record: &'a Record,
    /// The slots that are watched until the run ends.
    pub(crate) slots: &'a WatchedSlots,
}

/// One database while its plan is carried out. The plan itself never changes.
pub(crate) struct DatabaseRun<'a> {
    /// What it shares with the others.
    pub(crate) execution: Execution<'a>,
    /// What was planned for it.
    pub(crate) planned: &'a PlannedDatabase,
    /// Its publication, where it is to replicate.
    publisher: Option<Arc<Publisher>>,
    /// The definitions that the checks have read. The first attempt uses them up.
    definitions: Option<CachedCatalog>,
    /// What happens on the target: first as planned, after a failed attempt by what that has left.
    pub(crate) action: TargetAction,
    /// What an interrupted run or attempt has recorded of the target's contents at its end.
    pub(crate) seal: Option<String>,
}

impl<'a> DatabaseRun<'a> {
    /// Begins to carry out the plan of a database.
    pub(crate) fn new(
        execution: Execution<'a>,
        planned: &'a PlannedDatabase,
        publisher: Option<Arc<Publisher>>,
        definitions: Option<CachedCatalog>,
    ) -> Self {
        Self {
            execution,
            planned,
            publisher,
            definitions,
            action: planned.action.clone(),
            seal: planned.seal.clone(),
        }
    }

    /// Takes what the checks learned of the database, for one attempt.
    pub(crate) fn take_checked(&mut self) -> CheckedDatabase {
        let options = self.execution.options;
        CheckedDatabase {
            definitions: self.definitions.take(),
            publisher: self.publisher.clone(),
            keeping: if options.locks.keep { options.jobs } else { 0 },
            ..self.planned.checked.again()
        }
    }

    /// Returns the database on the target.
    pub(crate) fn target(&self) -> Endpoint {
        let options = self.execution.options;
        options.target.with_database(self.planned.target().as_str())
    }
}

/// Builds the request to copy the rows of a database.
pub(crate) fn build_copy_request(
    planned: &PlannedDatabase,
    cluster: &TargetCluster,
    options: &Options,
    ledger: Ledger,
) -> CopyRequest {
    let Sides { source, target } = planned.endpoints(options);
    CopyRequest {
        source,
        target,
        target_version: cluster.options.target.version,
        jobs: options.jobs,
        only_configuration: options.schema_only,
        rules: planned.scope.rules.clone(),
        split_larger_than: options.split_larger_than,
        ledger,
    }
}

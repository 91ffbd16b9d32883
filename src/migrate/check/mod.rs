//! What can be known before anything is written: all of it is found and reported together.
//!
//! Loading asks the servers, in read-only sessions; judging is pure. A refusal names every
//! obstacle at once, so that a night's migration does not fail one finding at a time.

mod bodies;
mod connections;
mod database;
mod difference;
mod failover;
mod filters;
mod identities;
mod installed;
mod output_plugin;
mod references;
mod relations;
mod replication;
mod server;
mod subscription;
mod target;
mod unreadable;

pub(super) use connections::examine_connections;
pub use connections::{ComparedServer, examine_comparison};
pub(super) use database::{Examination, Judge, examine};
pub(super) use difference::{judge_difference, judge_property};
pub(super) use failover::{FailoverFacts, judge_failover, judge_kept_slot};
pub(super) use installed::examine_installed;
pub(super) use replication::{
    ExaminedReplication, ReplicationJudge, examine_replication, left_slot,
};
pub(super) use subscription::{SubscriptionFacts, judge_subscriptions};
pub(super) use target::{judge_inheritance, judge_owners, plan_cluster};

use crate::cluster::facts::ServerFacts;
use crate::cluster::finding::{Finding, Level};
use crate::cluster::place::{Place, examine_place};
use crate::cluster::server::Cluster;
use crate::migrate::error::Error;
use crate::migrate::options::Options;
use crate::pg::Sides;

/// What concerns the two clusters as such: versions, and whether they are one.
///
/// # Errors
/// A server refused a question.
pub(super) async fn examine_pair(
    servers: &Sides<Cluster>,
    options: &Options,
) -> Result<Place, Error> {
    let allow_older = options.cluster.allow_older_target;
    let (source, target) = (&servers.source.facts, &servers.target.facts);
    let mut findings = server::judge_versions(source, target, allow_older);
    let place = examine_place(servers, options.allow_same_cluster).await?;
    findings.extend(place.findings);
    Ok(Place { findings, ..place })
}

/// What the roles and settings of both clusters allow. `slots` are those to be created on the source, if
/// it is to replicate.
pub(super) fn judge_abilities(
    servers: Sides<&ServerFacts>,
    slots: Option<usize>,
    creates: bool,
) -> Vec<Finding> {
    let mut findings = server::judge_target(servers.target, creates);
    if let Some(slots) = slots {
        findings.extend(server::judge_replication(servers.source, slots));
    }
    findings
}

/// Whether the findings refuse the run.
pub(super) fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Error)
}

//! What can be known before anything is written: all of it is found and reported together.
//!
//! Loading asks the servers, in read-only sessions; judging is pure. A refusal names every
//! obstacle at once, so that a night's migration does not fail one finding at a time.

mod contents;
mod database;
mod finding;
mod place;
mod server;
mod target;

pub use finding::{Finding, Level, Side};
pub use server::ServerFacts;

pub(super) use contents::Contents;
pub(super) use database::{Examination, Judge, examine};
pub(super) use target::{cluster, judge_inheritance, judge_owners};

use super::{Error, Options};
use crate::connect::Session;

/// What concerns the two clusters as such: versions, and whether they are one.
///
/// # Errors
/// A server refused a question.
pub(super) async fn pair(
    source: (&Session, &ServerFacts),
    target: (&Session, &ServerFacts),
    options: &Options,
) -> Result<Vec<Finding>, Error> {
    let allow_older = options.cluster.allow_older_target;
    let mut findings = server::judge_versions(source.1, target.1, allow_older);
    findings.extend(place::judge(source, target).await?);
    Ok(findings)
}

/// What the roles and settings of both clusters allow.
pub(super) fn abilities(
    source: &ServerFacts,
    target: &ServerFacts,
    replicate: bool,
    creates: bool,
) -> Vec<Finding> {
    let mut findings = server::judge_target(target, creates);
    if replicate {
        findings.extend(server::judge_replication(source, SLOTS_AT_A_TIME));
    }
    findings
}

/// Databases are copied one after the other, so one slot is held at a time.
const SLOTS_AT_A_TIME: i64 = 1;

/// Whether the findings refuse the run.
pub(super) fn refused(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Error)
}

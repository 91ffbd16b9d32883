//! What the facts mean: findings with remedies, and a verdict. Pure.
//!
//! A problem of the objects themselves explains everything that follows from it. So only the first level at which
//! something is wrong is reported: the objects, then the workers, then the positions.

use std::collections::BTreeSet;

mod tables;
#[cfg(test)]
mod tests;

use super::facts::{SourceFacts, TargetFacts};
use super::lag::Measured;
use super::report::{LagTime, Names, TroubledTable, Verdict};
use crate::cluster::{Code, Finding, Level};
use crate::logical::{FoundPublication, FoundSubscription, Slot, SlotFault, judge_slot};
use crate::pg::{Ident, Printable, Side, SlotName};
use crate::remedy::{Command, Remedy};
use crate::sql;

/// Everything that was seen of a database.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    /// Its name on the source.
    pub(super) database: &'a str,
    /// Its name on the target.
    pub(super) target_database: &'a str,
    pub(super) names: &'a Names,
    pub(super) source: &'a SourceFacts,
    pub(super) target: &'a TargetFacts,
    /// What the target has shown before the lag was measured.
    pub(super) before: &'a TargetFacts,
    pub(super) measured: Measured,
    pub(super) troubled: &'a [TroubledTable],
    /// Why the apply worker may fail.
    pub(super) causes: &'a [Finding],
    /// How much WAL a slot may retain, in bytes.
    pub(super) max_retained_wal: Option<u64>,
}

/// A finding, and what it alone would make of the verdict.
struct Problem {
    verdict: Verdict,
    finding: Finding,
}

/// What was found, worst first, and what it comes to.
#[derive(Debug, PartialEq)]
pub(super) struct Judgment {
    pub(super) findings: Vec<Finding>,
    pub(super) verdict: Verdict,
}

/// Judges a database.
pub(super) fn judge(seen: Seen<'_>) -> Judgment {
    let mut problems = seen.judge_objects();
    if problems.is_empty() {
        problems.extend(seen.judge_workers());
    }
    problems.extend(seen.judge_risks());
    problems.extend(seen.judge_tables());
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.verdict));
    drop_repeated(&mut problems);
    let by_problems = problems.iter().map(|problem| problem.verdict).max();
    let by_lag = match seen.measured.lag.time.is_caught_up() {
        true => Verdict::CaughtUp,
        false => Verdict::Lagging,
    };
    let findings = problems.into_iter().map(|problem| {
        let finding = problem.finding;
        match finding.database {
            Some(_) => finding,
            None => finding.in_database(seen.database),
        }
    });
    Judgment {
        findings: findings.collect(),
        verdict: by_problems.map_or(by_lag, |worst| worst.max(by_lag)),
    }
}

/// Keeps the worst problem of each kind and object. A missing table is in trouble, and may be why the worker fails.
fn drop_repeated(problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    problems.retain(|problem| {
        let finding = &problem.finding;
        seen.insert((finding.code, finding.object.clone()))
    });
}

fn problem(verdict: Verdict, code: Code, side: Side, message: impl Into<String>) -> Problem {
    let level = match verdict {
        Verdict::CaughtUp => Level::Note,
        Verdict::Lagging => Level::Warning,
        Verdict::NotActive | Verdict::Broken => Level::Error,
    };
    Problem {
        verdict,
        finding: Finding::new(code, level, side, message),
    }
}

impl Problem {
    fn about(mut self, object: &(impl std::fmt::Display + ?Sized)) -> Self {
        self.finding = self.finding.about(object);
        self
    }

    fn remedy(mut self, remedy: impl Into<Remedy>) -> Self {
        self.finding = self.finding.remedy(remedy);
        self
    }
}

/// To copy everything again: nothing else closes a gap.
pub(crate) fn copy_again() -> Remedy {
    Remedy::Steps(vec![
        Remedy::invoke("remove what is left", Command::Teardown),
        Remedy::invoke("copy again", Command::Init),
    ])
}

/// A warning of a slot that retains more WAL than this many bytes. What can be done depends on who asks.
pub(crate) fn judge_retained(slot: &Slot, limit: Option<u64>) -> Option<Finding> {
    let (retained, limit) = (slot.retained?, limit?);
    if retained <= limit {
        return None;
    }
    let name = &slot.name;
    let message = format!(
        "replication slot {name} retains {retained} bytes of WAL, more than the limit of {limit}"
    );
    let finding = Finding::new(Code::SlotRetainsWal, Level::Warning, Side::Source, message);
    Some(finding.about(name))
}

/// Nobody reads from the slot, most likely because the target's server cannot connect.
fn no_connection(name: &Ident, message: String) -> Problem {
    let code = Code::WorkerNotRunning;
    problem(Verdict::NotActive, code, Side::Target, message)
        .about(name)
        .remedy("check that the target's server can connect to the source with the subscription's connection string")
        .remedy(format!(
            "read the target's server log: the lines of \"logical replication apply worker for subscription \
             \"{name}\"\" have the error"
        ))
}

impl Seen<'_> {
    /// Judges slot, publication and subscription. One that is missing is a consequence of nothing else.
    fn judge_objects(&self) -> Vec<Problem> {
        let source = self.judge_source();
        let target = self.judge_subscription();
        let is_unstarted = self.target.subscription.is_none()
            && source
                .iter()
                .any(|one| one.finding.code == Code::SlotMissing);
        match (is_unstarted, self.source.publication.is_some()) {
            // Nothing of a replication exists: that is one fact.
            (true, false) => vec![self.not_prepared()],
            _ => source.into_iter().chain(target).collect(),
        }
    }

    fn not_prepared(&self) -> Problem {
        let message =
            "no replication was prepared: neither publication, slot nor subscription exists";
        let remedy = Remedy::invoke("copy it and prepare the replication", Command::Init);
        problem(
            Verdict::NotActive,
            Code::SubscriptionMissing,
            Side::Target,
            message,
        )
        .remedy(remedy)
    }

    fn judge_source(&self) -> Vec<Problem> {
        let source = self.source;
        let mut found = Vec::new();
        if source.is_standby {
            let message = "is a standby: it has neither the publication's changes to offer nor a position to measure";
            let standby = problem(Verdict::Broken, Code::Standby, Side::Source, message);
            found.push(standby.remedy("connect to its primary"));
        }
        if source.wal_level != "logical" && !source.is_standby {
            let message = format!("wal_level is {}, not logical", source.wal_level);
            let level = problem(Verdict::Broken, Code::WalLevel, Side::Source, message);
            found.push(level.remedy("set wal_level = logical and restart the source"));
        }
        found.extend(self.judge_slot());
        found.extend(self.judge_publication());
        found
    }

    fn judge_slot(&self) -> Option<Problem> {
        let name = self.names.slot.as_ref()?;
        let slot = self.source.slot.as_ref();
        let broken = |code, message: String| {
            let found = problem(Verdict::Broken, code, Side::Source, message);
            Some(found.about(name))
        };
        match judge_slot(slot, None) {
            Some(SlotFault::Gone) => {
                let message = format!("replication slot {name} does not exist");
                return broken(Code::SlotMissing, message).map(|one| one.remedy(copy_again()));
            }
            Some(fault @ SlotFault::Lost(_)) => {
                let message = format!("replication slot {name} {fault}");
                return broken(Code::SlotLost, message).map(|one| one.remedy(copy_again()));
            }
            // A slot at risk still serves.
            Some(SlotFault::Unreserved | SlotFault::KeepsTooMuch { .. }) | None => {}
        }
        let other = slot.and_then(|slot| slot.database.as_deref());
        let other = other.filter(|other| *other != self.database)?;
        let message = format!(
            "replication slot {name} decodes database {}",
            Printable(other)
        );
        broken(Code::SlotOfOtherDatabase, message).map(|one| one.remedy(copy_again()))
    }

    fn judge_publication(&self) -> Option<Problem> {
        let name = &self.names.publication;
        let side = Side::Source;
        let Some(found) = &self.source.publication else {
            let message = format!("publication {name} does not exist");
            let found = problem(Verdict::Broken, Code::PublicationMissing, side, message);
            return Some(found.about(name).remedy(copy_again()));
        };
        let mut odd = found.odd_options(found.definition().via_root);
        odd.extend(self.source.publication_changes.iter().cloned());
        if !odd.is_empty() {
            let message = format!("publication {name} was changed: {}", odd.join("; "));
            let found = problem(Verdict::Broken, Code::PublicationChanged, side, message);
            return Some(found.about(name).remedy(copy_again()));
        }
        let is_complete = found.mark.as_ref().is_none_or(|mark| mark.complete);
        if is_complete {
            return None;
        }
        let message = "the copy that publication and slot belong to is not complete";
        let found = problem(Verdict::NotActive, Code::CopyIncomplete, side, message);
        Some(
            found
                .about(name)
                .remedy(Remedy::invoke("complete it", Command::Init)),
        )
    }

    fn judge_subscription(&self) -> Option<Problem> {
        let side = Side::Target;
        let Some(found) = &self.target.subscription else {
            let message = "no subscription reads from the replication slot";
            let found = problem(Verdict::NotActive, Code::SubscriptionMissing, side, message);
            return Some(found.remedy(Remedy::invoke("start the replication", Command::Sync)));
        };
        let name = &found.name;
        let ours = self.names.slot.as_ref().map(SlotName::as_str);
        let inactive = |code, message: String| {
            let found = problem(Verdict::NotActive, code, side, message).about(name);
            Some(found.remedy(Remedy::invoke("start it again", Command::Sync)))
        };
        match found.slot.as_deref() {
            None => {
                let message = format!("subscription {name} is detached from its replication slot");
                return inactive(Code::SubscriptionDetached, message);
            }
            Some(slot) if ours.is_some_and(|ours| ours != slot) => {
                let slot = Printable(slot);
                let message =
                    format!("subscription {name} reads from slot {slot}, which is not this run's");
                let found = problem(Verdict::Broken, Code::OtherSubscription, side, message);
                return Some(found.about(name).remedy("remove it if nobody uses it"));
            }
            Some(_) => {}
        }
        if !found.is_enabled {
            let message = format!("subscription {name} is disabled");
            let by_error = self.target.apply_errors().is_some_and(|count| count > 0);
            let message = match by_error {
                true => format!("{message}; errors of its apply worker were counted before"),
                false => message,
            };
            return inactive(Code::SubscriptionDisabled, message);
        }
        self.judge_asked_publications(found)
    }

    /// Judges whether a subscription asks for all publications that there are.
    fn judge_asked_publications(&self, found: &FoundSubscription) -> Option<Problem> {
        let published = self.source.publication.iter();
        let names = published.flat_map(FoundPublication::names);
        let is_missing = |name: &&Ident| {
            let mut asked = found.publications.iter();
            !asked.any(|asked| asked == name.as_str())
        };
        let missing: Vec<String> = names.filter(is_missing).map(ToString::to_string).collect();
        if missing.is_empty() {
            return None;
        }
        let name = &found.name;
        let message = format!(
            "subscription {name} does not ask for publication {}",
            missing.join(" and ")
        );
        let code = Code::SubscriptionPublications;
        let found = problem(Verdict::Broken, code, Side::Target, message).about(name);
        Some(found.remedy(Remedy::invoke("have it ask for it", Command::Sync)))
    }

    /// Judges the processes: whether somebody applies, and whether that succeeds.
    fn judge_workers(&self) -> Vec<Problem> {
        let (now, before) = (self.target, self.before);
        let Some(subscription) = &now.subscription else {
            return Vec::new();
        };
        let is_level = matches!(self.measured.lag.time, LagTime::Within(_));
        let worker = now.worker.as_ref().filter(|_| !is_level);
        if let Some(by) = worker.and_then(|worker| worker.blocked_by.as_ref()) {
            return vec![self.apply_blocked(subscription, by)];
        }
        let grew = |count: fn(&super::facts::TargetFacts) -> Option<i64>| {
            count(now)
                .zip(count(before))
                .is_some_and(|(now, before)| now > before)
        };
        let has_failed = now.apply_errors().is_some_and(|count| count > 0);
        let pids = [before, now].map(|facts| facts.worker.as_ref().map(|worker| worker.pid));
        let is_steady = pids[0].is_some() && pids[0] == pids[1];
        let is_applied = matches!(self.measured.lag.time, LagTime::Within(_));
        // Otherwise nobody has read from the slot: errors that were counted before are not the reason.
        let was_read = !matches!(self.measured.lag.time, LagTime::Unknown);
        let mut found = Vec::new();
        if grew(super::facts::TargetFacts::sync_errors) {
            found.push(self.table_copy_fails(subscription));
        }
        let fails = grew(super::facts::TargetFacts::apply_errors)
            || !is_steady && !is_applied && (has_failed && was_read || !self.causes.is_empty());
        if fails {
            found.extend(self.apply_fails(subscription));
        } else if pids[1].is_none() {
            found.push(self.worker_missing(subscription));
        } else if !was_read {
            found.push(self.worker_unconnected(subscription));
        } else if !is_applied && !self.measured.has_moved && !self.causes.is_empty() {
            found.extend(self.apply_fails(subscription));
        }
        found
    }

    /// The apply worker fails, with the causes that could be found.
    fn apply_fails(&self, subscription: &FoundSubscription) -> Vec<Problem> {
        let name = &subscription.name;
        let count = self.target.apply_errors();
        let counted = count.map_or_else(String::new, |count| format!("; errors counted: {count}"));
        let message =
            format!("the apply worker of subscription {name} fails and is started again{counted}");
        let side = Side::Target;
        let mut failing = problem(Verdict::Broken, Code::ApplyFails, side, message).about(name);
        if self.causes.is_empty() {
            failing = failing
                .remedy(format!(
                    "read the target's server log: the lines of \"logical replication apply worker for subscription \
                     \"{name}\"\" have the error, its table and the finish LSN of the transaction"
                ))
                .remedy("a conflicting row: change or delete it on the target, the worker then continues");
        }
        let skip = sql!("ALTER SUBSCRIPTION {} SKIP (lsn = 'finish LSN')", name);
        failing = failing.remedy(Remedy::Steps(vec![
            format!("only if nothing else helps: as a superuser of a target of 15 or newer, skip the whole transaction with {};",
                skip.as_str()).into(),
            Remedy::invoke("find the rows that differ then", Command::Verify),
        ]));
        let causes = self.causes.iter().map(|cause| Problem {
            verdict: Verdict::Broken,
            finding: cause.clone(),
        });
        // Their remedies come before the last resort.
        causes.chain(std::iter::once(failing)).collect()
    }

    fn apply_blocked(&self, subscription: &FoundSubscription, by: &str) -> Problem {
        let name = &subscription.name;
        let by = Printable(by);
        let message = format!("the apply worker of subscription {name} waits for locks of {by}");
        let found = problem(Verdict::Lagging, Code::ApplyBlocked, Side::Target, message);
        found
            .about(name)
            .remedy("end those transactions on the target, or wait for their end")
    }

    fn table_copy_fails(&self, subscription: &FoundSubscription) -> Problem {
        let name = &subscription.name;
        let message =
            format!("the initial copy of a table fails in subscription {name} and is repeated");
        let found = problem(Verdict::Broken, Code::TableCopyFails, Side::Target, message);
        found.about(name).remedy(format!(
            "read the target's server log: the lines of \"logical replication table synchronization worker for subscription \
             \"{name}\"\" have the error"
        ))
    }

    fn worker_missing(&self, subscription: &FoundSubscription) -> Problem {
        let name = &subscription.name;
        let side = Side::Target;
        let workers = self.target.workers;
        if workers.running >= workers.limit {
            let message = format!(
                "no logical replication worker is free for subscription {name}: {} of {} run",
                workers.running, workers.limit
            );
            let found =
                problem(Verdict::NotActive, Code::WorkersExhausted, side, message).about(name);
            return found.remedy(
                "raise max_logical_replication_workers and max_worker_processes on the target, and restart it",
            );
        }
        let message = format!("the apply worker of subscription {name} does not run");
        no_connection(name, message)
    }

    fn worker_unconnected(&self, subscription: &FoundSubscription) -> Problem {
        let name = &subscription.name;
        let message =
            format!("the apply worker of subscription {name} is not connected to the source");
        no_connection(name, message)
    }

    /// Judges what is not wrong yet: a slot that may be lost, conflicts that were counted.
    fn judge_risks(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        let slot = self.source.slot.as_ref();
        if let (Some(slot), Some(fault @ SlotFault::Unreserved)) = (slot, judge_slot(slot, None)) {
            let message = format!("replication slot {} {fault}", slot.name);
            let risk = problem(Verdict::Lagging, Code::SlotAtRisk, Side::Source, message);
            let remedy = "raise max_slot_wal_keep_size on the source and reload its settings";
            found.push(risk.about(&slot.name).remedy(remedy));
        }
        found.extend(self.judge_retained());
        let conflicts = self.target.conflicts();
        if !conflicts.is_empty() {
            let listed: Vec<String> = conflicts
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            let message = format!("the target has counted conflicts: {}", listed.join(", "));
            let note = problem(Verdict::CaughtUp, Code::Conflicts, Side::Target, message);
            found.push(note.remedy(Remedy::invoke("find rows that differ", Command::Verify)));
        }
        found
    }

    fn judge_retained(&self) -> Option<Problem> {
        let slot = self.source.slot.as_ref()?;
        let finding = judge_retained(slot, self.max_retained_wal)?;
        let found = Problem {
            verdict: Verdict::Lagging,
            finding,
        };
        Some(found.remedy("remove what keeps the target from applying; teardown drops the slot and ends the replication"))
    }
}

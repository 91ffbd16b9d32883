//! Whether a database can be published: the right to, the identities of its tables, and what is on
//! the source under our names.

use std::collections::BTreeSet;

use crate::cluster::finding::{Code, Finding, Level};
use crate::connect::locks::LockMode;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::logical::{
    Blocked, Blocker, Definition, FormerIdentity, FoundPublication, Mark, Published, Seconds, Slot,
    find_other_inserts, find_publication, find_slot,
};
use crate::migrate::check::output_plugin::judge_output_plugins;
use crate::migrate::error::Error;
use crate::migrate::repeats::Repeats;
use crate::migrate::replication::{Replication, Whose, ways_out};
use crate::pg::Side;
use crate::pg::{Counted, Ident, QualifiedName, Sql, SqlState};
use crate::remedy::{Command, Remedy, Setting};
use crate::sql;
use crate::task::Scope;

/// What the replication of a database is judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplicationJudge<'a> {
    pub(crate) replication: &'a Replication,
    /// Whether the state was read, which knows our own runs.
    pub(crate) has_state: bool,
    /// Whether the slot is in use only by the target database that is replaced.
    pub(crate) is_freed: bool,
}

/// What the examination of a database's replication has found.
#[derive(Debug, Default)]
pub(crate) struct ExaminedReplication {
    pub(crate) findings: Vec<Finding>,
    /// Tables that cannot be published as they are.
    pub(crate) not_followed: BTreeSet<QualifiedName>,
    /// Tables that get `REPLICA IDENTITY FULL`.
    pub(crate) made_full: Vec<QualifiedName>,
}

/// How many tables one note names.
const NAMED: usize = 5;

/// A slot of an earlier run that this one does not use. While nobody reads from it, it retains WAL.
pub(crate) fn left_slot(database: &str, slot: &Slot) -> Option<Finding> {
    if slot.active_pid.is_some() {
        return None;
    }
    let name = &slot.name;
    let message = format!("replication slot {name} of an earlier run retains WAL on the source");
    let finding = Finding::new(Code::SlotRetainsWal, Level::Warning, Side::Source, message);
    let finding = finding
        .in_database(database)
        .about(name)
        .remedy(Remedy::invoke("replicate from it", Command::Sync));
    Some(finding.remedy(Remedy::invoke("remove it", Command::Teardown)))
}

/// Examines a database of the source. Read-only. `has_state` shows whether the state was looked at, which
/// knows our own runs; `is_freed`, that who uses the slot ends with the target database that is replaced.
///
/// # Errors
/// The database cannot be reached, or refused a question.
pub(crate) async fn examine_replication(
    source: &Endpoint,
    judge: ReplicationJudge<'_>,
    scope: &Scope,
) -> Result<ExaminedReplication, Error> {
    let what = format!("locks to read the tables of database {}", source.database());
    let mut repeats = Repeats::new(source, LockMode::AccessShare, what);
    loop {
        let examined = tokio::select! {
            biased;
            () = scope.stop.cancelled() => return Err(Error::Stopped),
            examined = examine_once(source, judge) => examined,
        };
        match examined {
            Ok(examined) => return Ok(examined),
            Err(error) => repeats.after(error).await?,
        }
    }
}

async fn examine_once(
    source: &Endpoint,
    judge: ReplicationJudge<'_>,
) -> Result<ExaminedReplication, Error> {
    let side = Side::Source;
    let replication = judge.replication;
    let wrap = Error::examine(side);
    let session = source.session(Purpose::Introspect).await;
    let session = session.map_err(Error::connect(side))?;
    let mut findings = facts(&session).await.map_err(wrap)?;
    findings.extend(judge_connection(source).await?);
    let seconds = Seconds::of(&replication.publishing.insert_only);
    let found = find_publication(&session, &replication.publishing.name, seconds).await;
    let found = found.map_err(wrap)?;
    let published = replication.load_published(&session, found.as_ref()).await?;
    findings.extend(judge_tables(&published));
    let wanted = Definition::new(&published, session.version());
    let other = find_other_inserts(&session, &replication.publishing.name).await;
    let other = other
        .map_err(wrap)?
        .filter(|_| !wanted.insert_only.is_empty());
    let first = found.iter();
    findings.extend(first.map(|found| judge_publication(found, &wanted, judge)));
    findings.extend(other.map(|other| judge_other_inserts(&other, judge)));
    let slot = find_slot(&session, &replication.slot).await.map_err(wrap)?;
    if let Some(slot) = slot {
        let is_ours = !judge.has_state || replication.owns_slot(found.as_ref());
        let active = slot.active_pid.filter(|_| !judge.is_freed);
        findings.push(judge_slot(active, &slot.name, is_ours));
    }
    let name = source.database();
    let findings = findings.into_iter();
    Ok(ExaminedReplication {
        findings: findings.map(|finding| finding.in_database(name)).collect(),
        made_full: published
            .identities
            .iter()
            .map(FormerIdentity::table)
            .collect(),
        not_followed: published.not_followed,
    })
}

/// Whether a connection for replication commands is refused, as poolers do. A want of WAL senders has its
/// own finding.
async fn judge_connection(source: &Endpoint) -> Result<Option<Finding>, Error> {
    let Err(refusal) = source.replication().await else {
        return Ok(None);
    };
    match refusal.refused_start() {
        Some(answer) if answer.code == SqlState::TOO_MANY_CONNECTIONS => Ok(None),
        Some(answer) => {
            let message = format!("refuses a connection for replication: {}", answer.message);
            let code = Code::ReplicationRefused;
            let finding = Finding::new(code, Level::Error, Side::Source, message);
            let finding = finding.remedy(connect::POOLER_HINT);
            Ok(Some(finding.remedy(Remedy::copy_once())))
        }
        None => Err(Error::connect(Side::Source)(refusal)),
    }
}

async fn facts(session: &Session) -> Result<Vec<Finding>, connect::Error> {
    let sql = Sql::fixed(include_str!("../sql/replication.sql"));
    let row = session.query_one(&sql, &[]).await?;
    let mut findings = Vec::new();
    if !row.get::<_, bool>("may_create") {
        let message = "the connecting role may not create a publication in it";
        let [database, role] = [session.endpoint().database(), session.endpoint().user()];
        let [database, role] = [database, role].map(Ident::from_catalog);
        let grant = sql!("GRANT CREATE ON DATABASE {} TO {}", database, role);
        let code = Code::NoPublicationPrivilege;
        let finding = Finding::new(code, Level::Error, Side::Source, message)
            .remedy(Remedy::RunOn(Side::Source, grant))
            .remedy(Remedy::copy_once());
        findings.push(finding);
    }
    let old: Vec<i32> = row.get("old_pids");
    if !old.is_empty() {
        let pids: Vec<String> = old.iter().map(ToString::to_string).collect();
        let message = format!(
            "transactions open for more than an hour hold up the slot: pid {}",
            pids.join(", ")
        );
        let code = Code::LongTransaction;
        let finding = Finding::new(code, Level::Warning, Side::Source, message);
        findings.push(finding.remedy("end them"));
    }
    let prepared: Vec<String> = row.get("prepared");
    findings.extend(prepared.iter().map(|one| {
        let message = format!("a prepared transaction holds up the slot: {one}");
        let remedy = "COMMIT PREPARED or ROLLBACK PREPARED it";
        Finding::new(
            Code::PreparedTransaction,
            Level::Warning,
            Side::Source,
            message,
        )
        .about(one)
        .remedy(remedy)
    }));
    findings.extend(judge_output_plugins(row.get("output_plugins")));
    let kept = row.get("kept_megabytes");
    findings.extend(judge_kept(kept, row.get("bytes")));
    Ok(findings)
}

/// Whether the source retains WAL for as long as a copy may take.
fn judge_kept(kept_megabytes: Option<i64>, database_bytes: i64) -> Option<Finding> {
    let kept = kept_megabytes.filter(|kept| *kept >= 0)?;
    (kept.saturating_mul(1 << 20) < database_bytes).then(|| {
        let message = format!(
            "max_slot_wal_keep_size is {kept} MB, less than the database's size: the slot may be lost \
             while rows are copied"
        );
        Finding::new(Code::WalKeepSize, Level::Warning, Side::Source, message)
            .remedy("raise it until the copy is done")
    })
}

fn judge_tables(published: &Published) -> Vec<Finding> {
    let mut findings: Vec<Finding> = published.blocked.iter().map(blocked).collect();
    findings.extend(published.not_owned.iter().map(|table| {
        let message = format!("table {table} belongs to another role and cannot be published");
        Finding::new(Code::TableNotOwned, Level::Error, Side::Source, message)
            .about(table)
            .remedy("connect as its owner or a member of it")
            .with_remedies([Remedy::exclude_table(), Remedy::copy_once()])
            .for_group([Remedy::exclude_tables(), Remedy::copy_once()])
    }));
    for kind in ["unlogged", "foreign"] {
        let apart = published.apart.iter().filter(|(_, why)| *why == kind);
        let names: Vec<String> = apart.map(|(table, _)| table.to_string()).collect();
        if !names.is_empty() {
            let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>();
            let rest = if names.len() > NAMED { ", …" } else { "" };
            let verb = if names.len() == 1 { "is" } else { "are" };
            let message = format!(
                "{} {verb} never published: {}{rest}",
                Counted(names.len(), &format!("{kind} table")),
                shown.join(", ")
            );
            let code = Code::NeverPublished;
            findings.push(Finding::new(code, Level::Note, Side::Source, message));
        }
    }
    findings
}

/// A table that cannot be published, with every way out.
fn blocked(blocked: &Blocked) -> Finding {
    let code = match &blocked.blocker {
        Blocker::NoKey => Code::NoReplicaIdentity,
        Blocker::LostIndex => Code::LostReplicaIdentity,
        Blocker::Nothing => Code::ReplicaIdentityNothing,
        Blocker::NoEquality(_) => Code::NoEquality,
        Blocker::Generated(_) => Code::GeneratedReplicaIdentity,
        Blocker::Differs(_) => Code::PartitionReplicaIdentity,
        Blocker::Hypertable => Code::HypertablePublished,
        Blocker::FilterColumns(_) => Code::FilterColumns,
        Blocker::Filter(_) => Code::FilterNotPublishable,
        Blocker::FilterVersion(_) => Code::FilterVersion,
    };
    let message = format!("table {} {}", blocked.table, blocked.blocker);
    let full = Remedy::Pass(Setting::ReplicaIdentityFull);
    let full = blocked.full_helps.then_some(full);
    let insert_only = Remedy::with(
        "replicate only their INSERT and TRUNCATE",
        Setting::InsertOnlyTables,
    );
    let is_of_identity = blocked.blocker.is_of_identity();
    let insert_only = is_of_identity.then_some(insert_only);
    let snapshot_only = Remedy::with(
        "copy them without their later changes",
        Setting::SnapshotOnlyTables,
    );
    Finding::new(code, Level::Error, Side::Source, message)
        .about(&blocked.table)
        .with_remedies(blocked.all_remedies())
        .remedy(Remedy::copy_once())
        .for_group(full)
        .for_group(insert_only)
        .for_group([snapshot_only, Remedy::exclude_tables(), Remedy::copy_once()])
}

/// What is under our publication's name already.
fn judge_publication(
    found: &FoundPublication,
    wanted: &Definition,
    judge: ReplicationJudge<'_>,
) -> Finding {
    let name = &found.name;
    let Some(mark) = &found.mark else {
        let differences = found.differences(wanted);
        return if differences.is_empty() {
            let message = format!(
                "publication {name} was not created by this program; it publishes what is required and is used"
            );
            Finding::new(Code::PublicationUsed, Level::Note, Side::Source, message).about(name)
        } else {
            let message = format!(
                "publication {name} was not created by this program, and differs: it {}",
                differences.join("; ")
            );
            Finding::new(
                Code::PublicationDiffers,
                Level::Error,
                Side::Source,
                message,
            )
            .about(name)
            .remedy("drop it if nobody needs it")
            .remedy(Remedy::copy_once())
        };
    };
    judge_marked(name, mark, judge)
}

/// What has the name of the publication of insert-only tables, and does not go with the other one.
fn judge_other_inserts(found: &FoundPublication, judge: ReplicationJudge<'_>) -> Finding {
    let name = &found.name;
    if let Some(mark) = &found.mark {
        return judge_marked(name, mark, judge);
    }
    let message = format!(
        "publication {name} was not created by this program, and has the name that the publication of insert-only \
         tables must have"
    );
    Finding::new(
        Code::PublicationDiffers,
        Level::Error,
        Side::Source,
        message,
    )
    .about(name)
    .remedy("drop it if nobody needs it")
    .remedy(Remedy::PassValue(Setting::Publication, "NAME".to_owned()))
    .remedy(Remedy::copy_once())
}

/// A publication that a run has marked.
fn judge_marked(name: &Ident, mark: &Mark, judge: ReplicationJudge<'_>) -> Finding {
    let whose = judge.replication.whose(mark);
    let run = mark.describe();
    let target = &mark.target;
    let (code, level, message) = match whose {
        Whose::Ours => {
            let message = format!("publication {name} of an earlier run is created again");
            let code = Code::PublicationReplaced;
            return Finding::new(code, Level::Note, Side::Source, message).about(name);
        }
        Whose::Unknown if !judge.has_state => {
            let message = format!(
                "publication {name} is of {run} into database {target}; a copy replaces it if its state directory \
                 records that run"
            );
            let code = Code::PublicationNotRecorded;
            return Finding::new(code, Level::Warning, Side::Source, message).about(name);
        }
        Whose::Unknown => {
            let message = format!(
                "publication {name} is of {run} into database {target}, of which the state directory knows \
                 nothing"
            );
            (Code::PublicationNotRecorded, Level::Error, message)
        }
        Whose::OtherTarget => {
            let message =
                format!("publication {name} is of {run} into database {target} of another target");
            (Code::PublicationOfOtherTarget, Level::Error, message)
        }
    };
    Finding::new(code, level, Side::Source, message)
        .about(name)
        .with_remedies(ways_out(whose, mark))
}

/// What is under our slot's name already.
fn judge_slot(active: Option<i32>, name: &str, is_ours: bool) -> Finding {
    let finding =
        |code, level, message: String| Finding::new(code, level, Side::Source, message).about(name);
    match active {
        Some(pid) => {
            let message = format!("its replication is active: slot {name} is in use by pid {pid}");
            finding(Code::SlotActive, Level::Error, message)
                .remedy(Remedy::invoke("end it first", Command::Teardown))
        }
        None if is_ours => {
            let message = format!("replication slot {name} of an earlier run is created again");
            finding(Code::SlotReplaced, Level::Note, message)
        }
        None => {
            let message = format!(
                "replication slot {name} belongs to a run that the state directory does not record"
            );
            finding(Code::SlotNotRecorded, Level::Error, message)
                .remedy("adopt that run as its publication says")
                .remedy(Remedy::remove_slot("remove the slot", name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_below_the_database_is_warned_about() {
        assert_eq!(judge_kept(None, 1 << 40), None);
        assert_eq!(judge_kept(Some(-1), 1 << 40), None);
        assert_eq!(judge_kept(Some(10), 10 << 20), None);
        assert!(judge_kept(Some(9), 10 << 20).is_some());
    }

    #[test]
    fn a_slot_in_use_or_of_another_run_refuses_the_run() {
        assert_eq!(judge_slot(None, "s", true).level, Level::Note);
        assert_eq!(judge_slot(None, "s", false).level, Level::Error);
        assert_eq!(judge_slot(Some(7), "s", true).level, Level::Error);
    }
}

//! What a failover of the source does to the slots of a run. Loading asks the source; judging is pure.

use crate::cluster::finding::{Code, Finding, Level};
use crate::connect::{self, Session};
use crate::logical::Slot;
use crate::pg::{ServerVersion, Side, Sql};
use crate::remedy::{Remedy, Setting};

/// The facts about a source that failover slots depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailoverFacts {
    version: ServerVersion,
    /// The names in `synchronized_standby_slots`; `None` on a server without failover slots.
    standby_slots: Option<Vec<String>>,
    /// Permanent physical slots that are in use and valid.
    used: Vec<String>,
    /// All slots.
    slots: Vec<String>,
    /// How many standbys are connected.
    standbys: i64,
}

impl FailoverFacts {
    /// Loads the facts.
    ///
    /// # Errors
    /// The source refused the query.
    pub(crate) async fn load(session: &Session) -> Result<Self, connect::Error> {
        let sql = Sql::fixed(include_str!("../sql/failover.sql"));
        let row = session.query_one(&sql, &[]).await?;
        let standby_slots: Option<&str> = row.get("standby_slots");
        Ok(Self {
            version: session.version(),
            standby_slots: standby_slots.map(split_slots),
            used: row.get("used"),
            slots: row.get("slots"),
            standbys: row.get("standbys"),
        })
    }
}

/// Names of slots contain no blanks and no commas.
fn split_slots(setting: &str) -> Vec<String> {
    let names = setting.split(',').map(|name| name.trim_matches([' ', '"']));
    let names = names.filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// Judges what a failover of the source does to the slots; `is_wanted` is whether they are to be failover slots.
pub(crate) fn judge_failover(facts: &FailoverFacts, is_wanted: bool) -> Vec<Finding> {
    match (&facts.standby_slots, is_wanted) {
        (None, false) => Vec::new(),
        (None, true) => vec![judge_version(facts.version)],
        (Some(_), false) => judge_plain_slot(facts.standbys).into_iter().collect(),
        (Some(names), true) => judge_failover_slot(facts, names),
    }
}

fn judge_version(version: ServerVersion) -> Finding {
    let message = format!("PostgreSQL {version} has no failover slots: 17 is the first with them");
    let code = Code::NoFailoverSlots;
    let finding = Finding::new(code, Level::Error, Side::Source, message);
    finding.remedy(Remedy::Omit(Setting::FailoverSlot))
}

/// A slot that standbys do not have.
fn judge_plain_slot(standbys: i64) -> Option<Finding> {
    let standbys = match standbys {
        ..=0 => return None,
        1 => "1 standby is".to_owned(),
        _ => format!("{standbys} standbys are"),
    };
    let message = format!(
        "{standbys} connected: after a failover the promoted standby does not have the replication slot, and the copy must \
         be repeated"
    );
    let code = Code::SlotLostAtFailover;
    let finding = Finding::new(code, Level::Note, Side::Source, message);
    let remedy = Remedy::with(
        "create a slot that standbys synchronize",
        Setting::FailoverSlot,
    );
    Some(finding.remedy(remedy))
}

fn judge_failover_slot(facts: &FailoverFacts, names: &[String]) -> Vec<Finding> {
    let finding = |code, level, message: String| Finding::new(code, level, Side::Source, message);
    let requirements = "a standby has the failover slot only after replication from it has begun, and only with \
                        sync_replication_slots = on, hot_standby_feedback = on, primary_slot_name, and dbname in \
                        primary_conninfo";
    let code = Code::StandbyRequirements;
    let mut findings = vec![
        finding(code, Level::Note, requirements.to_owned())
            .remedy("set these on each standby that may be promoted"),
    ];
    if names.is_empty() {
        let message = "synchronized_standby_slots is empty: the target may receive changes that a promoted standby \
                       does not have";
        findings.push(
            finding(Code::NoStandbySlots, Level::Note, message.to_owned()).remedy(
                "list the physical slots of the standbys there; replication then waits for these standbys",
            ),
        );
    }
    let unused = names.iter().filter(|name| !facts.used.contains(name));
    findings.extend(unused.map(|name| {
        let state = match facts.slots.contains(name) {
            true => "is not in use by a standby",
            false => "does not exist",
        };
        let message = format!(
            "synchronized_standby_slots names slot {name}, which {state}: replication from a failover slot waits for it"
        );
        let remedy = "start its standby, or remove the name from synchronized_standby_slots";
        finding(Code::StandbySlotUnused, Level::Warning, message)
            .about(name)
            .remedy(remedy)
    }));
    findings
}

/// Judges the slot of a finished database, which a run that creates failover slots keeps. None if it is one already.
pub(crate) fn judge_kept_slot(slot: &Slot) -> Option<Finding> {
    if slot.is_failover {
        return None;
    }
    let name = &slot.name;
    let finding =
        |code, level, message: String| Finding::new(code, level, Side::Source, message).about(name);
    Some(match slot.active_pid {
        Some(pid) => {
            let message = format!(
                "replication slot {name} is in use by pid {pid}, and cannot be turned into a failover slot"
            );
            finding(Code::SlotActive, Level::Error, message)
                .remedy("disable the subscription")
                .remedy(Remedy::Omit(Setting::FailoverSlot))
        }
        None => {
            let message = format!("replication slot {name} is turned into a failover slot");
            finding(Code::SlotBecomesFailover, Level::Note, message)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(standby_slots: Option<&str>) -> FailoverFacts {
        FailoverFacts {
            version: ServerVersion::new(170_000),
            standby_slots: standby_slots.map(split_slots),
            used: vec!["one".to_owned()],
            slots: vec!["one".to_owned(), "two".to_owned()],
            standbys: 0,
        }
    }

    fn judged(facts: &FailoverFacts, is_wanted: bool) -> Vec<(Code, Level)> {
        let findings = judge_failover(facts, is_wanted);
        let kinds = findings.iter().map(|finding| (finding.code, finding.level));
        kinds.collect()
    }

    #[test]
    fn names_of_slots_are_split_at_commas() {
        let none: [&str; 0] = [];
        assert_eq!(split_slots(""), none);
        assert_eq!(split_slots(" , "), none);
        assert_eq!(split_slots("one, \"two\",three"), ["one", "two", "three"]);
    }

    #[test]
    fn a_failover_slot_requires_a_source_that_has_them_and_standbys_that_take_it() {
        let requirements = (Code::StandbyRequirements, Level::Note);
        let unused = (Code::StandbySlotUnused, Level::Warning);
        for (standby_slots, expected) in [
            (None, vec![(Code::NoFailoverSlots, Level::Error)]),
            (
                Some(""),
                vec![requirements, (Code::NoStandbySlots, Level::Note)],
            ),
            (Some("one"), vec![requirements]),
            (Some("one, two"), vec![requirements, unused]),
            (Some("gone, two"), vec![requirements, unused, unused]),
        ] {
            assert_eq!(
                judged(&facts(standby_slots), true),
                expected,
                "{standby_slots:?}"
            );
        }
    }

    #[test]
    fn without_the_option_only_connected_standbys_matter() {
        let lost = vec![(Code::SlotLostAtFailover, Level::Note)];
        for (standby_slots, standbys, expected) in [
            (None, 1, vec![]),
            (Some("gone"), 0, vec![]),
            (Some(""), 1, lost.clone()),
            (Some(""), 3, lost),
        ] {
            let facts = FailoverFacts {
                standbys,
                ..facts(standby_slots)
            };
            assert_eq!(judged(&facts, false), expected, "{facts:?}");
        }
    }

    #[test]
    fn messages_name_what_is_wrong() {
        let old = FailoverFacts {
            version: ServerVersion::new(160_004),
            ..facts(None)
        };
        assert!(judge_failover(&old, true)[0].message.contains("16.4"));
        let findings = judge_failover(&facts(Some("gone, two")), true);
        assert!(findings[1].message.contains("gone, which does not exist"));
        assert!(findings[2].message.contains("two, which is not in use"));
    }

    #[test]
    fn a_kept_slot_becomes_a_failover_slot_unless_it_is_in_use() {
        let slot = |is_failover, active_pid| Slot {
            name: "s".to_owned(),
            database: Some("d".to_owned()),
            active_pid,
            restart_lsn: None,
            confirmed_lsn: None,
            retained: None,
            safe_wal_size: None,
            inactive_since: None,
            wal_status: None,
            invalidation: None,
            is_failover,
        };
        for (is_failover, active_pid, expected) in [
            (true, None, None),
            (true, Some(7), None),
            (false, None, Some((Code::SlotBecomesFailover, Level::Note))),
            (false, Some(7), Some((Code::SlotActive, Level::Error))),
        ] {
            let finding = judge_kept_slot(&slot(is_failover, active_pid));
            let kind = finding.map(|finding| (finding.code, finding.level));
            assert_eq!(kind, expected);
        }
    }
}

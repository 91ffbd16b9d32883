//! What the two clusters must be able to do, regardless of what is copied. Judging is pure.

use crate::cluster::facts::ServerFacts;
use crate::cluster::finding::{Code, Finding, Level};
use crate::pg::{Ident, ServerVersion, Side};
use crate::remedy::{Remedy, Setting};
use crate::sql;

/// Versions of the pair.
pub(crate) fn judge_versions(
    source: &ServerFacts,
    target: &ServerFacts,
    allow_older: bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (side, facts) in [(Side::Source, source), (Side::Target, target)] {
        let major = facts.version.major();
        let finding = if major < ServerVersion::OLDEST_MAJOR {
            let message = format!("PostgreSQL {} is too old: 12 is the oldest", facts.version);
            Finding::new(Code::VersionTooOld, Level::Error, side, message)
        } else if major > ServerVersion::NEWEST_MAJOR {
            let message = format!(
                "PostgreSQL {} is newer than this program knows",
                facts.version
            );
            Finding::new(Code::VersionTooNew, Level::Error, side, message)
                .remedy("use a newer release of this program")
        } else {
            let message = format!("PostgreSQL {}", facts.version);
            Finding::new(Code::ServerVersion, Level::Ok, side, message)
        };
        findings.push(finding);
    }
    if target.version.major() < source.version.major() {
        let message = format!(
            "the target's PostgreSQL {} is older than the source's {}",
            target.version, source.version
        );
        let finding = |level| Finding::of_pair(Code::OlderTarget, level, message);
        findings.push(if allow_older {
            finding(Level::Warning).remedy("see what is omitted or created differently")
        } else {
            finding(Level::Error)
                .remedy("choose a target of the same or a newer major version")
                .remedy(Remedy::Pass(Setting::AllowOlderTarget))
        });
    }
    findings
}

/// Whether the source can give this many slots: each stays. Databases are copied one after the other,
/// so one WAL sender is busy at a time.
pub(crate) fn judge_replication(source: &ServerFacts, slots: usize) -> Vec<Finding> {
    let error = |code, message: &str, remedy: &'static str| {
        Finding::new(code, Level::Error, Side::Source, message)
            .remedy(remedy)
            .remedy(Remedy::copy_once())
    };
    let role = Ident::from_catalog(&source.role);
    let mut findings = Vec::new();
    if source.standby {
        findings.push(error(
            Code::Standby,
            "is a standby: no publication can be created there",
            "connect to its primary",
        ));
    }
    if source.wal_level != "logical" {
        let message = format!("wal_level is {}, not logical", source.wal_level);
        let remedy = "ALTER SYSTEM SET wal_level = 'logical' and restart (RDS: rds.logical_replication = 1; \
                    Cloud SQL: cloudsql.logical_decoding = on; Azure: the server parameter wal_level)";
        findings.push(error(Code::WalLevel, &message, remedy));
    }
    if !source.replication {
        let message = format!("role {role} may not use replication");
        let alter = sql!("ALTER ROLE {} REPLICATION", role);
        let grant = sql!("GRANT rds_replication TO {}", role);
        let code = Code::NoReplicationPrivilege;
        let finding = Finding::new(code, Level::Error, Side::Source, message)
            .about(&role)
            .remedy(Remedy::RunOn(Side::Source, alter))
            .remedy(format!("on RDS run: {};", grant.as_str()))
            .remedy(Remedy::copy_once());
        findings.push(finding);
    }
    let needed = i64::try_from(slots).unwrap_or(i64::MAX);
    if source.free_slots < needed {
        let free = source.free_slots.max(0);
        let message = format!("free replication slots: {free}; needed: {slots}");
        let remedy = "raise max_replication_slots";
        findings.push(error(Code::TooFewSlots, &message, remedy));
    }
    if source.free_senders < 1 {
        let message = "has no free WAL sender";
        findings.push(error(Code::NoWalSender, message, "raise max_wal_senders"));
    }
    if let Some(timeout) = &source.idle_slot_timeout {
        let message = format!(
            "idle_replication_slot_timeout is {timeout}: the slot, which nobody reads from until replication \
             starts, would be invalidated"
        );
        let remedy = "run ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_catalog.pg_reload_conf();";
        findings.push(error(Code::IdleSlotTimeout, &message, remedy));
    }
    if source.prepared > 0 {
        let message = format!(
            "prepared transactions that hold up the slot: {}",
            source.prepared
        );
        let code = Code::PreparedTransaction;
        let finding = Finding::new(code, Level::Warning, Side::Source, message);
        findings.push(finding.remedy("commit or roll them back"));
    }
    findings
}

/// What the target's role must be allowed. `creates` shows whether a database must be created.
pub(crate) fn judge_target(target: &ServerFacts, creates: bool) -> Vec<Finding> {
    let side = Side::Target;
    let role = Ident::from_catalog(&target.role);
    let mut findings = Vec::new();
    if target.standby {
        let message = "is a standby and cannot be written";
        let finding = Finding::new(Code::Standby, Level::Error, side, message);
        findings.push(finding.remedy("connect to its primary"));
    }
    if creates && !target.createdb {
        let message = format!("role {role} may not create databases");
        let alter = sql!("ALTER ROLE {} CREATEDB", role);
        let finding = Finding::new(Code::NoCreateDatabase, Level::Error, side, message)
            .about(&role)
            .remedy("create the databases beforehand")
            .remedy(Remedy::RunOn(side, alter));
        findings.push(finding);
    }
    if !target.createrole {
        let message = format!("role {role} may not create roles");
        let alter = sql!("ALTER ROLE {} CREATEROLE", role);
        let finding = Finding::new(Code::NoCreateRole, Level::Warning, side, message)
            .about(&role)
            .remedy("create every role beforehand")
            .remedy(Remedy::RunOn(side, alter));
        findings.push(finding);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> ServerFacts {
        ServerFacts {
            version: ServerVersion::new(170_000),
            standby: false,
            system_identifier: Some("1".to_owned()),
            wal_level: "logical".to_owned(),
            free_slots: 1,
            free_senders: 1,
            role: "me".to_owned(),
            superuser: false,
            replication: true,
            createdb: true,
            createrole: true,
            prepared: 0,
            idle_slot_timeout: None,
        }
    }

    fn errors(findings: &[Finding]) -> usize {
        findings
            .iter()
            .filter(|finding| finding.level == Level::Error)
            .count()
    }

    #[test]
    fn every_obstacle_to_replication_is_listed_at_once() {
        let bad = ServerFacts {
            standby: true,
            wal_level: "replica".to_owned(),
            replication: false,
            free_slots: 0,
            free_senders: 0,
            idle_slot_timeout: Some("1min".to_owned()),
            ..facts()
        };
        assert_eq!(errors(&judge_replication(&bad, 1)), 6);
        assert!(judge_replication(&facts(), 1).is_empty());
    }

    #[test]
    fn versions_must_be_known_and_not_descend() {
        let at = |number| ServerFacts {
            version: ServerVersion::new(number),
            ..facts()
        };
        assert_eq!(
            errors(&judge_versions(&at(120_022), &at(180_004), false)),
            0
        );
        assert_eq!(
            errors(&judge_versions(&at(110_000), &at(170_000), false)),
            1
        );
        assert_eq!(
            errors(&judge_versions(&at(170_000), &at(160_000), false)),
            1
        );
        assert_eq!(
            errors(&judge_versions(&at(170_000), &at(190_000), false)),
            1
        );
    }

    #[test]
    fn a_database_can_only_be_made_with_the_right_to() {
        let poor = ServerFacts {
            createdb: false,
            ..facts()
        };
        assert_eq!(errors(&judge_target(&poor, true)), 1);
        assert_eq!(errors(&judge_target(&poor, false)), 0);
    }
}

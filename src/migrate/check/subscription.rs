//! Whether the target can have a subscription of its own in each database. Without one, replication is only possible
//! by a program that applies the changes. Loading asks the target; judging is pure.

use crate::cluster::finding::{Code, Finding, Level};
use crate::connect::{self, Session};
use crate::logical::{SubscribeGrade, SubscribePrivilege};
use crate::pg::{Counted, Ident, Side, Sql};
use crate::remedy::Remedy;
use crate::sql;

/// The facts about a target that its subscriptions depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SubscriptionFacts {
    /// The connecting role, and whether it may create subscriptions.
    privilege: SubscribePrivilege,
    /// Databases that exist, and in which the role may not create.
    closed: Vec<String>,
    workers: Limit,
    processes: Limit,
    origins: Limit,
}

/// A limit of the server, and how much of it is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit {
    setting: &'static str,
    maximum: i64,
    used: i64,
}

impl SubscriptionFacts {
    /// Loads the facts. `slots` are those of the run; `existing` are databases that exist on the target and stay.
    ///
    /// # Errors
    /// The target refused the query.
    pub(crate) async fn load(
        session: &Session,
        slots: &[String],
        existing: &[String],
    ) -> Result<Self, connect::Error> {
        let sql = Sql::fixed(include_str!("../sql/subscription.sql"));
        let row = session.query_one(&sql, &[&slots, &existing]).await?;
        let other: i64 = row.get("other_subscriptions");
        let max_origins: Option<i64> = row.get("max_origins");
        Ok(Self {
            privilege: SubscribePrivilege::load(session).await?,
            closed: row.get("closed"),
            workers: Limit {
                setting: "max_logical_replication_workers",
                maximum: row.get("max_workers"),
                used: other,
            },
            processes: Limit {
                setting: "max_worker_processes",
                maximum: row.get("max_processes"),
                used: other.saturating_add(row.get("other_processes")),
            },
            origins: Limit {
                setting: match max_origins {
                    Some(_) => "max_active_replication_origins",
                    None => "max_replication_slots",
                },
                maximum: max_origins.unwrap_or_else(|| row.get("max_slots")),
                used: row.get("other_origins"),
            },
        })
    }
}

/// Judges whether the target can have a subscription in each of so many databases.
pub(crate) fn judge_subscriptions(facts: &SubscriptionFacts, databases: usize) -> Vec<Finding> {
    let mut findings: Vec<Finding> = judge_privileges(facts).collect();
    let workers = Code::TooFewReplicationWorkers;
    for (code, limit, what) in [
        (workers, facts.workers, "a logical replication worker"),
        (workers, facts.processes, "a background worker"),
        (
            Code::TooFewReplicationOrigins,
            facts.origins,
            "a replication origin",
        ),
    ] {
        findings.extend(judge_limit(code, limit, what, databases));
    }
    findings
}

fn judge_privileges(facts: &SubscriptionFacts) -> impl Iterator<Item = Finding> {
    let role = &facts.privilege.role;
    let finding = |message| {
        let code = Code::NoSubscriptionPrivilege;
        Finding::new(code, Level::Warning, Side::Target, message)
    };
    let way_out = match facts.privilege.grade {
        SubscribeGrade::Granted => None,
        SubscribeGrade::NotMember => Some(Remedy::RunOn(
            Side::Target,
            sql!("GRANT pg_create_subscription TO {}", role),
        )),
        SubscribeGrade::NotSuperuser => Some("connect to the target as a superuser".into()),
    };
    let refused = way_out.map(|way_out| {
        let message = format!(
            "role {role} may not create subscriptions: replication by the target's own subscription is not possible"
        );
        finding(message).about(role).remedy(way_out)
    });
    let closed = facts.closed.iter().map(move |name| {
        let database = Ident::from_catalog(name);
        let grant = sql!("GRANT CREATE ON DATABASE {} TO {}", database, role);
        let message = format!("role {role} may not create a subscription in database {database}");
        finding(message)
            .about(&database)
            .remedy(Remedy::RunOn(Side::Target, grant))
    });
    refused.into_iter().chain(closed)
}

fn judge_limit(code: Code, limit: Limit, what: &str, databases: usize) -> Option<Finding> {
    let needed = i64::try_from(databases).unwrap_or(i64::MAX);
    let least = limit.used.saturating_add(needed);
    if limit.maximum >= least {
        return None;
    }
    let setting = limit.setting;
    let message = format!(
        "{setting} is {} (in use: {}): too few for the subscriptions of {}, each of which requires {what}",
        limit.maximum,
        limit.used,
        Counted(databases, "database")
    );
    let finding = Finding::new(code, Level::Warning, Side::Target, message).about(setting);
    Some(finding.remedy(format!(
        "raise it to at least {least} and restart the target"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(setting: &'static str, maximum: i64, used: i64) -> Limit {
        Limit {
            setting,
            maximum,
            used,
        }
    }

    fn privilege(grade: SubscribeGrade) -> SubscribePrivilege {
        SubscribePrivilege {
            role: Ident::from_catalog("me"),
            is_superuser: false,
            grade,
        }
    }

    fn facts() -> SubscriptionFacts {
        SubscriptionFacts {
            privilege: privilege(SubscribeGrade::Granted),
            closed: Vec::new(),
            workers: limit("max_logical_replication_workers", 4, 1),
            processes: limit("max_worker_processes", 8, 2),
            origins: limit("max_replication_slots", 10, 1),
        }
    }

    fn statements(facts: &SubscriptionFacts) -> Vec<String> {
        let findings = judge_subscriptions(facts, 1);
        let remedies = findings.iter().flat_map(|finding| &finding.remedies);
        remedies.map(|remedy| format!("{remedy:?}")).collect()
    }

    #[test]
    fn each_limit_is_compared_with_the_number_of_databases() {
        for (databases, expected) in [
            (0, &[][..]),
            (3, &[]),
            (4, &["max_logical_replication_workers"]),
            (
                7,
                &["max_logical_replication_workers", "max_worker_processes"],
            ),
            (
                10,
                &[
                    "max_logical_replication_workers",
                    "max_worker_processes",
                    "max_replication_slots",
                ],
            ),
        ] {
            let findings = judge_subscriptions(&facts(), databases);
            assert!(
                findings
                    .iter()
                    .all(|finding| finding.level == Level::Warning)
            );
            let settings = findings
                .iter()
                .filter_map(|finding| finding.object.as_deref());
            assert_eq!(settings.collect::<Vec<_>>(), expected, "{databases}");
        }
    }

    #[test]
    fn a_limit_names_the_least_value_that_suffices() {
        let findings = judge_subscriptions(&facts(), 4);
        let expected = "max_logical_replication_workers is 4 (in use: 1): too few for the subscriptions of \
                        4 databases, each of which requires a logical replication worker";
        assert_eq!(findings[0].message, expected);
        let remedy = Remedy::act("raise it to at least 5 and restart the target");
        assert_eq!(findings[0].remedies, [remedy]);
    }

    #[test]
    fn the_missing_privilege_depends_on_the_server() {
        let with = |grade| SubscriptionFacts {
            privilege: privilege(grade),
            ..facts()
        };
        assert!(statements(&with(SubscribeGrade::Granted)).is_empty());
        for (grade, expected) in [
            (SubscribeGrade::NotMember, "GRANT pg_create_subscription TO"),
            (SubscribeGrade::NotSuperuser, "as a superuser"),
        ] {
            let statements = statements(&with(grade));
            assert!(
                statements.len() == 1 && statements[0].contains(expected),
                "{statements:?}"
            );
        }
    }

    #[test]
    fn a_database_without_create_is_named_with_its_grant() {
        let closed = SubscriptionFacts {
            closed: vec!["App".to_owned()],
            ..facts()
        };
        let statements = statements(&closed);
        let grant = r#"GRANT CREATE ON DATABASE "App" TO"#;
        assert!(
            statements.len() == 1 && statements[0].contains(grant),
            "{statements:?}"
        );
    }
}

//! What the target must let us do before a subscription is created there.

use super::error::Error;
use crate::cluster::{Code, Finding, Level};
use crate::connect::Session;
use crate::logical::{FoundPublication, SubscribeGrade, SubscribePrivilege};
use crate::pg::{Ident, QualifiedName, ServerVersion, Side, Sql};
use crate::remedy::Remedy;
use crate::sql;

/// The target as a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subscriber {
    version: ServerVersion,
    privilege: SubscribePrivilege,
    /// Whether it may create objects in the database.
    may_create: bool,
    workers: Use,
    origins: Use,
    /// Owners of published tables to which the role cannot `SET ROLE`, with a table of each.
    unreachable: Vec<(Ident, String)>,
}

/// How many of something are in use, and how many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Use {
    used: i64,
    limit: i64,
}

impl Use {
    const fn is_exhausted(self) -> bool {
        self.used >= self.limit
    }
}

impl Subscriber {
    /// Loads what the target allows.
    ///
    /// # Errors
    /// The target refused a query.
    pub(super) async fn load(
        session: &Session,
        publication: Option<&FoundPublication>,
    ) -> Result<Self, Error> {
        let wrap = Error::query(Side::Target);
        let sql = Sql::fixed(include_str!("sql/subscriber.sql"));
        let row = session.query_one(&sql, &[]).await.map_err(wrap)?;
        let uses = |used: &str, limit: &str| Use {
            used: row.get(used),
            limit: row.get(limit),
        };
        let privilege = SubscribePrivilege::load(session).await.map_err(wrap)?;
        let unreachable = match (publication, privilege.is_superuser) {
            (Some(publication), false) if session.version().has_parallel_apply() => {
                load_unreachable(session, publication).await?
            }
            _ => Vec::new(),
        };
        Ok(Self {
            version: session.version(),
            privilege,
            may_create: row.get("may_create"),
            workers: uses("workers", "worker_limit"),
            origins: uses("origins", "origin_limit"),
            unreachable,
        })
    }

    /// Judges whether a subscription can be created and can apply. Pure.
    pub(super) fn judge(&self, target_database: &str) -> Vec<Finding> {
        let error = |code, message: String| Finding::new(code, Level::Error, Side::Target, message);
        let mut found = Vec::new();
        found.extend(self.judge_privilege(target_database));
        if self.workers.is_exhausted() {
            let Use { used, limit } = self.workers;
            let message = format!("no logical replication worker is free: {used} of {limit} run");
            let remedy = "raise max_logical_replication_workers and max_worker_processes on the target, and restart it";
            found.push(error(Code::WorkersExhausted, message).remedy(remedy));
        }
        if self.origins.is_exhausted() {
            let Use { used, limit } = self.origins;
            let message = format!("no replication origin is free: {used} of {limit} exist");
            let setting = match self.version.major() {
                18.. => "max_active_replication_origins",
                _ => "max_replication_slots",
            };
            let remedy = format!("raise {setting} on the target, and restart it");
            found.push(error(Code::TooFewReplicationOrigins, message).remedy(remedy));
        }
        let role = &self.privilege.role;
        found.extend(self.unreachable.iter().map(|(owner, example)| {
            let message = format!(
                "role {role} cannot SET ROLE to {owner}, which owns table {example}: the apply worker does that for each \
                 change"
            );
            let grant = sql!("GRANT {} TO {} WITH SET TRUE", owner, role);
            error(Code::TableOwnerOutOfReach, message)
                .about(owner)
                .remedy(Remedy::RunOn(Side::Target, grant))
                .remedy("keep the membership until teardown")
        }));
        found
    }

    /// The server checks CREATE on the database since 16; superusers and owners have it.
    fn judge_privilege(&self, target_database: &str) -> Option<Finding> {
        let SubscribePrivilege { role, grade, .. } = &self.privilege;
        let lacks_create = self.version.has_parallel_apply() && !self.may_create;
        let database = Ident::from_catalog(target_database);
        let member = sql!("GRANT pg_create_subscription TO {}", role);
        let create = sql!("GRANT CREATE ON DATABASE {} TO {}", database, role);
        let remedy = match grade {
            SubscribeGrade::Granted if !lacks_create => return None,
            SubscribeGrade::NotSuperuser => "connect to the target as a superuser".into(),
            SubscribeGrade::Granted | SubscribeGrade::NotMember => {
                let is_member = *grade == SubscribeGrade::Granted;
                let missing = [(!is_member, member), (lacks_create, create)];
                let missing = missing.into_iter().filter(|(is_missing, _)| *is_missing);
                let steps = missing.map(|(_, grant)| Remedy::RunOn(Side::Target, grant));
                Remedy::Steps(steps.collect())
            }
        };
        let message = format!("role {role} may not create subscriptions");
        let code = Code::NoSubscriptionPrivilege;
        let found = Finding::new(code, Level::Error, Side::Target, message).about(role);
        Some(found.remedy(remedy))
    }
}

async fn load_unreachable(
    session: &Session,
    publication: &FoundPublication,
) -> Result<Vec<(Ident, String)>, Error> {
    let sql = Sql::fixed(include_str!("sql/owners.sql"));
    let tables = &publication.definition().tables;
    let part = |part: fn(&QualifiedName) -> &Ident| {
        let parts = tables.iter().map(|table| part(table).as_str());
        parts.collect::<Vec<_>>()
    };
    let (schemas, names) = (part(|table| &table.schema), part(|table| &table.name));
    let rows = session.query(&sql, &[&schemas, &names]).await;
    let rows = rows.map_err(Error::query(Side::Target))?;
    let owner = |row: &tokio_postgres::Row| {
        let owner = Ident::from_catalog(row.get::<_, String>("owner"));
        (owner, row.get("example"))
    };
    Ok(rows.iter().map(owner).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscriber(major: u32) -> Subscriber {
        let free = Use { used: 1, limit: 4 };
        Subscriber {
            version: ServerVersion::new(major * 10_000),
            privilege: SubscribePrivilege {
                role: Ident::from_catalog("me"),
                is_superuser: false,
                grade: SubscribeGrade::Granted,
            },
            may_create: true,
            workers: free,
            origins: free,
            unreachable: Vec::new(),
        }
    }

    fn codes(subscriber: &Subscriber) -> Vec<Code> {
        let found = subscriber.judge("app");
        found.iter().map(|one| one.code).collect()
    }

    fn graded(major: u32, grade: SubscribeGrade) -> Subscriber {
        let mut subscriber = subscriber(major);
        subscriber.privilege.grade = grade;
        subscriber
    }

    #[test]
    fn who_may_not_subscribe_is_refused_with_what_is_missing() {
        let refused = [Code::NoSubscriptionPrivilege];
        assert_eq!(codes(&graded(15, SubscribeGrade::NotSuperuser)), refused);
        assert_eq!(codes(&graded(17, SubscribeGrade::NotMember)), refused);
        // Before 16, roles of providers may, and nobody checks CREATE on the database.
        for major in [15, 16] {
            assert!(codes(&subscriber(major)).is_empty());
            let closed = Subscriber {
                may_create: false,
                ..subscriber(major)
            };
            assert_eq!(codes(&closed).is_empty(), major == 15);
        }
    }

    #[test]
    fn everything_that_is_exhausted_or_out_of_reach_is_listed() {
        let full = Use { used: 4, limit: 4 };
        let busy = Subscriber {
            workers: full,
            origins: full,
            unreachable: vec![(Ident::from_catalog("owner"), "s.t".to_owned())],
            ..subscriber(18)
        };
        assert_eq!(
            codes(&busy),
            [
                Code::WorkersExhausted,
                Code::TooFewReplicationOrigins,
                Code::TableOwnerOutOfReach
            ]
        );
    }
}

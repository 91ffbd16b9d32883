//! Two databases to compare.

use seren_replicator::connect::{Purpose, Session};
use seren_replicator::pg::{Ident, Literal, Sides, Sql};
use seren_replicator::selection::TableScope;
use seren_replicator::sql;
use seren_replicator::task::Scope;
use seren_replicator::verify::{DatabasePair, Options, Report, compare_databases};

use super::{cluster, endpoint, fresh_database, fresh_name, text, url_as, wait_until_true};

/// The major of tests that do not care.
const MAJOR: u32 = 17;

/// Two databases: the source and the target of a run.
pub(crate) struct Pair {
    majors: [u32; 2],
    source: String,
    target: String,
}

async fn session(url: &str) -> Session {
    let session = endpoint(url).session(Purpose::Build).await.unwrap();
    session
        .batch(&Sql::fixed("SET search_path = public"))
        .await
        .unwrap();
    session
}

/// The name at the end of a URL.
fn name(url: &str) -> String {
    url.rsplit('/').next().unwrap().to_owned()
}

impl Pair {
    /// Fresh databases on one cluster.
    pub(crate) async fn new(hint: &str) -> Self {
        Self::of_majors(hint, [MAJOR, MAJOR]).await
    }

    /// Fresh databases on clusters of two majors.
    pub(crate) async fn of_majors(hint: &str, majors: [u32; 2]) -> Self {
        Self {
            majors,
            source: fresh_database(majors[0], hint).await,
            target: fresh_database(majors[1], hint).await,
        }
    }

    /// The same source with a fresh target of another encoding.
    pub(crate) async fn with_target_encoding(self, encoding: &str) -> Self {
        let name = fresh_name("encoded");
        let [_, major] = self.majors;
        let door = session(&cluster(major).url("postgres")).await;
        let create = sql!(
            "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'",
            Ident::from_catalog(&name),
            Literal(encoding)
        );
        door.batch(&create).await.unwrap();
        let target = cluster(major).url(&name);
        Self { target, ..self }
    }

    pub(crate) async fn source_session(&self) -> Session {
        session(&self.source).await
    }

    async fn target_session(&self) -> Session {
        session(&self.target).await
    }

    pub(crate) async fn on_source(&self, statements: &str) {
        let session = self.source_session().await;
        session.batch(&text(statements)).await.unwrap();
    }

    pub(crate) async fn on_target(&self, statements: &str) {
        let session = self.target_session().await;
        session.batch(&text(statements)).await.unwrap();
    }

    pub(crate) async fn both(&self, statements: &str) {
        tokio::join!(self.on_source(statements), self.on_target(statements));
    }

    /// Makes a setting the default of the target's database.
    pub(crate) async fn set_on_target(&self, setting: &str) {
        let mut statement = sql!(
            "ALTER DATABASE {} SET ",
            Ident::from_catalog(name(&self.target))
        );
        statement.push(&text(setting));
        let target = self.target_session().await;
        target.batch(&statement).await.unwrap();
    }

    /// A role of both sides that may log in, as often as that at the same time, and owns nothing.
    pub(crate) async fn reader(&self, connections: i32) -> String {
        let role = fresh_name("verify_reader");
        let create = format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT {connections}");
        self.on_source(&create).await;
        if self.majors[0] != self.majors[1] {
            self.on_target(&create).await;
        }
        role
    }

    pub(crate) fn options(&self) -> Options {
        self.options_as("postgres")
    }

    pub(crate) fn options_as(&self, user: &str) -> Options {
        let door = |url: &str| endpoint(&url_as(user, url));
        Options {
            servers: Sides {
                source: door(&self.source),
                target: door(&self.target),
            },
            databases: vec![DatabasePair {
                source: name(&self.source),
                target: name(&self.target),
                scope: TableScope::default(),
            }],
            jobs: 4,
            strict: false,
        }
    }

    pub(crate) async fn verify(&self) -> Report {
        compare_databases(&self.options(), &Scope::detached())
            .await
            .unwrap()
    }

    pub(crate) async fn verify_strictly(&self) -> Report {
        let options = Options {
            strict: true,
            ..self.options()
        };
        compare_databases(&options, &Scope::detached())
            .await
            .unwrap()
    }

    /// Waits until a COPY on the source waits for a lock.
    pub(crate) async fn wait_for_copy_behind_lock(&self) {
        let session = self.source_session().await;
        let waits = Sql::fixed(
            "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE wait_event_type = 'Lock' \
             AND query LIKE 'COPY%' AND datname = current_database()",
        );
        let count = async || {
            let row = session.query_one(&waits, &[]).await.unwrap();
            row.get::<_, i64>(0) > 0
        };
        wait_until_true("a COPY waits for a lock", count).await;
    }

    /// Ends the session that waits for a lock on the source.
    pub(crate) async fn terminate_copy_behind_lock(&self) {
        self.on_source(
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
             WHERE wait_event_type = 'Lock' AND query LIKE 'COPY%' AND datname = current_database()",
        )
        .await;
    }

    /// Sessions on both databases, without those that count.
    pub(crate) async fn sessions(&self) -> i64 {
        let others = Sql::fixed(
            "SELECT count(*) FROM pg_catalog.pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        let mut sum = 0;
        for session in [self.source_session().await, self.target_session().await] {
            let row = session.query_one(&others, &[]).await.unwrap();
            sum += row.get::<_, i64>(0);
        }
        sum
    }
}

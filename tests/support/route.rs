//! Two clusters and our program between them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use seren_replicator::sandbox::{Builder, Cluster};

use super::command::{Finished, Program, program};
use super::{database, fresh_name, run, value};
use seren_replicator::pg::Ident;
use seren_replicator::sql;

/// The major of tests that do not care.
pub(crate) const MAJOR: u32 = 17;

/// The other one of tests that look at two.
const OLDER_MAJOR: u32 = 15;

/// The number of the run that has created a database's publication; NULL without one.
pub(crate) const RUN: &str = "SELECT max(obj_description(oid, 'pg_publication')::json ->> 'number') \
      FROM pg_publication WHERE pubname = 'seren_replication_pub'";

/// Where a copy comes from and goes to.
pub(crate) struct Route {
    /// The cluster that is read.
    pub(crate) source: Arc<Cluster>,
    /// The cluster that is written.
    pub(crate) target: Arc<Cluster>,
}

/// The clusters of [`shared`] for tests that work with any major.
pub(crate) fn common() -> &'static Route {
    shared([MAJOR, MAJOR])
}

/// The same of an older major, for tests that look at two.
pub(crate) fn older() -> &'static Route {
    shared([OLDER_MAJOR, OLDER_MAJOR])
}

/// The clusters of two majors that all tests of this process share: one source and one target for each major. A test
/// that creates roles, changes settings, stops a server or holds up the slots of others has clusters of its own.
pub(crate) fn shared(majors: [u32; 2]) -> &'static Route {
    static ROUTES: Mutex<BTreeMap<[u32; 2], &'static Route>> = Mutex::new(BTreeMap::new());
    let [source, target] = majors;
    let clusters = [(SOURCES.of(source), source), (TARGETS.of(target), target)];
    // Outside of the lock: other tests start other clusters meanwhile.
    let [source, target] = in_parallel(clusters.map(|(place, major)| {
        move || Arc::clone(place.get_or_init(|| Arc::new(start_shared(major))))
    }));
    let mut routes = ROUTES.lock().unwrap_or_else(PoisonError::into_inner);
    routes
        .entry(majors)
        .or_insert_with(|| Box::leak(Box::new(Route { source, target })))
}

/// Shared clusters by their major.
struct Shared([OnceLock<Arc<Cluster>>; 7]);

static SOURCES: Shared = Shared([const { OnceLock::new() }; 7]);
static TARGETS: Shared = Shared([const { OnceLock::new() }; 7]);

impl Shared {
    fn of(&self, major: u32) -> &OnceLock<Arc<Cluster>> {
        &self.0[(major - 12) as usize]
    }
}

/// Many tests use a shared cluster at once.
fn start_shared(major: u32) -> Cluster {
    let builder = Cluster::builder(major)
        .with_setting("max_connections", "200")
        .with_setting("max_logical_replication_workers", "60")
        .with_setting("max_worker_processes", "80");
    builder.start().unwrap()
}

/// Runs two calls at the same time.
fn in_parallel<T: Send>([one, other]: [impl FnOnce() -> T + Send; 2]) -> [T; 2] {
    std::thread::scope(|threads| {
        let one = threads.spawn(one);
        let other = other();
        [one.join().unwrap(), other]
    })
}

impl Route {
    /// Own clusters of two majors.
    pub(crate) fn of_majors(majors: [u32; 2]) -> Self {
        Self::start(majors.map(Cluster::builder))
    }

    /// Starts both at the same time.
    pub(crate) fn start(builders: [Builder; 2]) -> Self {
        let start = |builder: Builder| move || Arc::new(builder.start().unwrap());
        let [source, target] = in_parallel(builders.map(start));
        Self { source, target }
    }

    /// A database on the source; its name.
    pub(crate) async fn fresh(&self, hint: &str) -> String {
        let name = fresh_name(hint);
        self.create(&name).await;
        name
    }

    /// A database on the source, after these statements; its name.
    pub(crate) async fn filled(&self, hint: &str, statements: &str) -> String {
        let name = self.fresh(hint).await;
        run(&self.source.url(&name), statements).await;
        name
    }

    /// A database on the source with this name.
    pub(crate) async fn create(&self, name: &str) {
        let admin = database(&self.source.url("postgres")).await;
        let create = sql!(
            "CREATE DATABASE {} TEMPLATE template0",
            Ident::from_catalog(name)
        );
        admin.batch(&create).await.unwrap();
    }

    /// Removes a copy, and the slots that it has left on the source.
    pub(crate) async fn drop_target(&self, name: &str) {
        let admin = database(&self.target.url("postgres")).await;
        let copy = Ident::from_catalog(name);
        admin
            .batch(&sql!("DROP DATABASE {} WITH (FORCE)", copy))
            .await
            .unwrap();
        let slots = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
                     WHERE database = current_database()";
        run(&self.source.url(name), slots).await;
    }

    /// Removes by its number what the only run of a database has left, if it has replicated: most tests keep no
    /// state.
    pub(crate) async fn remove_run(&self, database: &str) -> Finished {
        let number = value(&self.source.url(database), RUN).await;
        let by_name = ["--yes", "--run", &number];
        let more = &by_name[..if number == "NULL" { 1 } else { 3 }];
        self.command("teardown", &[database], more).run().expect(0)
    }

    /// A command on these clusters' databases of these names.
    pub(crate) fn command(&self, command: &str, databases: &[&str], more: &[&str]) -> Program {
        let urls = [&self.source, &self.target].map(|cluster| cluster.url("postgres"));
        Self::command_through(&urls, command, (databases, more))
    }

    /// A command on databases of these names, with other ways to the clusters.
    pub(crate) fn command_through(
        [source, target]: &[String; 2],
        command: &str,
        (databases, more): (&[&str], &[&str]),
    ) -> Program {
        let quoted = |name: &&str| format!("\"{}\"", name.replace('"', "\"\""));
        let list: Vec<String> = databases.iter().map(quoted).collect();
        let list = list.join(",");
        let mut arguments = vec![command, "--source", source, "--target", target];
        if !databases.is_empty() {
            arguments.extend(["--include-databases", &list]);
        }
        arguments.extend(more);
        program(&arguments)
    }

    /// `init --yes` of one database, once: most tests' tables have nothing to replicate by.
    pub(crate) fn init(&self, database: &str, more: &[&str]) -> Program {
        self.replicate(database, &[&["--no-sync"], more].concat())
    }

    /// `init --yes` of one database, with publication and slot.
    pub(crate) fn replicate(&self, database: &str, more: &[&str]) -> Program {
        self.command("init", &[database], &[&["--yes"], more].concat())
    }
}

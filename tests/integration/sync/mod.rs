//! `sync` and `status`: the target follows the source by native logical replication.

mod apply;
mod beside;
mod faults;
mod follows;
mod gaps;
mod joins;
mod live;
mod network;
mod place;
mod removal;
mod secrets;
mod table_slots;
mod watch;

use tempfile::TempDir;

use crate::support::command::Finished;
use crate::support::route::Route;
use crate::support::{database, run, wait_for};

/// A database that is copied, with its state.
struct Copied<'a> {
    route: &'a Route,
    name: String,
    machine: TempDir,
}

impl<'a> Copied<'a> {
    /// Copies a database of these statements, with publication and slot.
    async fn new(route: &'a Route, hint: &str, statements: &str) -> Self {
        let name = route.filled(hint, statements).await;
        let machine = TempDir::new().unwrap();
        let copied = route.replicate(&name, &[]).state(&machine).run();
        copied.expect(0);
        Self {
            route,
            name,
            machine,
        }
    }

    /// The same, replicated by `sync`.
    async fn synced(route: &'a Route, hint: &str, statements: &str) -> Self {
        let copied = Self::new(route, hint, statements).await;
        copied.sync(&[]).expect(0);
        copied
    }

    fn source(&self) -> String {
        self.route.source.url(&self.name)
    }

    fn target(&self) -> String {
        self.route.target.url(&self.name)
    }

    fn command(&self, command: &str, more: &[&str]) -> Finished {
        let program = self.route.command(command, &[&self.name], more);
        program.state(&self.machine).run()
    }

    fn sync(&self, more: &[&str]) -> Finished {
        self.command("sync", more)
    }

    fn status(&self) -> Finished {
        self.command("status", &[])
    }

    async fn on_source(&self, statements: &str) {
        run(&self.source(), statements).await;
    }

    async fn on_target(&self, statements: &str) {
        run(&self.target(), statements).await;
    }

    /// Waits until a query is true on the target.
    async fn wait_on_target(&self, condition: &str) {
        wait_for(&database(&self.target()).await, condition).await;
    }

    /// Removes what the replication has left: shared clusters have few slots.
    fn remove(self) {
        self.command("teardown", &["--yes"]).expect(0);
    }
}

/// A table with rows.
const TABLE: &str = "CREATE TABLE public.t (id int PRIMARY KEY, note text);
    INSERT INTO public.t SELECT g, 'n' FROM generate_series(1, 10) g;";

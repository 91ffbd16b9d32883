//! Databases that are replicated on servers of their own, watched by page and monitor.

use tempfile::TempDir;

use crate::support::command::{Program, Running};
use crate::support::route::Route;
use crate::support::run;

/// Replicated databases, with their state.
pub(crate) struct Watched {
    route: Route,
    names: Vec<&'static str>,
    machine: TempDir,
}

impl Watched {
    /// Replicates databases of these names, filled by these statements.
    pub(crate) async fn new(route: Route, databases: &[(&'static str, &str)]) -> Self {
        for (name, statements) in databases {
            route.create(name).await;
            run(&route.source.url(name), statements).await;
        }
        let watched = Self {
            route,
            names: databases.iter().map(|(name, _)| *name).collect(),
            machine: tempfile::tempdir().unwrap(),
        };
        watched.command("init", &["--yes"]).run().expect(0);
        watched.command("sync", &[]).run().expect(0);
        watched
    }

    fn command(&self, command: &str, more: &[&str]) -> Program {
        let program = self.route.command(command, &self.names, more);
        program.state(&self.machine)
    }

    /// The URL of a database on the source.
    pub(crate) fn source(&self, name: &str) -> String {
        self.route.source.url(name)
    }

    /// The URL of a database on the target.
    pub(crate) fn target(&self, name: &str) -> String {
        self.route.target.url(name)
    }

    /// `status`, repeated.
    pub(crate) fn status(&self, interval: &str) -> Program {
        self.command("status", &["--watch", interval])
    }

    /// Starts the web server at an address; the URL of its page.
    pub(crate) fn serve(&self, address: &str, interval: &str) -> (Running, String) {
        let listen = ["--watch", interval, "--listen", address];
        let running = self.command("status", &listen).start();
        running.wait_for_error("status page: http://127.0.0.1:");
        let printed = running.error_text();
        let (_, rest) = printed.split_once("status page: ").unwrap();
        let url = rest.split_whitespace().next().unwrap().to_owned();
        (running, url)
    }
}

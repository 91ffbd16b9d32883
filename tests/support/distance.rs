//! A failing network between our program and both clusters.

use super::command::Program;
use super::cut::Line;
use super::oracle;
use super::route::Route;

/// What a lane sends to the source before rows come: the sample of the checks reads without a snapshot.
pub(crate) const READS: &[&str] = &["TRANSACTION SNAPSHOT", " TO STDOUT"];

/// What a lane sends to the target before rows go.
pub(crate) const WRITES: &[&str] = &[" FROM STDIN"];

/// A route and a line to each of its clusters.
pub(crate) struct Distance<'r> {
    route: &'r Route,
    /// The line to the source.
    pub(crate) source: Line,
    /// The line to the target.
    pub(crate) target: Line,
}

impl<'r> Distance<'r> {
    /// Lines that do not fail yet.
    pub(crate) fn between(route: &'r Route) -> Self {
        Self {
            route,
            source: Line::to(route.source.port()),
            target: Line::to(route.target.port()),
        }
    }

    /// A one-off `init --yes` of one database over the lines.
    pub(crate) fn init(&self, database: &str, more: &[&str]) -> Program {
        let more = [&["--yes", "--no-sync"], more].concat();
        self.command("init", database, &more)
    }

    /// A command on one database over the lines.
    pub(crate) fn command(&self, command: &str, database: &str, more: &[&str]) -> Program {
        let urls = [&self.source, &self.target].map(|line| {
            let port = line.port();
            // What is looked for in the bytes has to be readable.
            format!("postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable")
        });
        Route::command_through(&urls, command, (&[database], more))
    }

    /// Fails the test unless the copy has the source's definitions and rows.
    #[track_caller]
    pub(crate) fn assert_equal(&self, database: &str, told: &str) {
        let urls = [&self.route.source, &self.route.target].map(|cluster| cluster.url(database));
        let [source, target] = &urls;
        let none = Vec::<String>::new();
        assert_eq!(oracle::data_diff(source, target), none, "{told}");
        assert_eq!(oracle::schema_diff(source, target), none, "{told}");
    }
}

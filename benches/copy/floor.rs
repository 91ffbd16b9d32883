//! A lower bound of a copy between two servers that share this machine's processors: the server time of
//! the work that no tool can leave out, by one session, divided by the processors.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use super::support::{ask, dump, psql, psql_with, url};

/// Tables with rows of their own, largest first.
const TABLES: &str = "
SELECT c.oid::regclass, c.oid FROM pg_class c
WHERE c.relkind = 'r' AND c.relpersistence <> 't'
  AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
ORDER BY c.relpages DESC";

/// What an index build may use; one session is one processor.
const POST_OPTIONS: &str = "-c maintenance_work_mem=1GB -c max_parallel_maintenance_workers=0 \
                            -c synchronous_commit=off";

/// Names of the parts, in order.
pub(crate) const PARTS: [&str; 4] = ["out", "in", "post", "analyze"];

/// What is measured again and again for one database.
pub(crate) struct Floor {
    ports: [u16; 2],
    name: &'static str,
    pre_data: String,
    post_data: String,
    out: String,
    load: String,
    /// The rows as files; removed with it.
    _files: tempfile::TempDir,
}

impl Floor {
    /// Reads the definitions and saves the rows where both servers reach them.
    pub(crate) fn prepare(ports: [u16; 2], name: &'static str) -> Self {
        let source = url(ports[0], name);
        let files = tempfile::tempdir().unwrap();
        fs::set_permissions(files.path(), Permissions::from_mode(0o777)).unwrap();
        let folder = files.path().display();
        let (mut out, mut save) = (String::new(), String::new());
        let mut load =
            "SET synchronous_commit = off;\nSET session_replication_role = replica;\n".to_owned();
        for line in ask(&source, TABLES).lines() {
            let (table, oid) = line.split_once('\t').unwrap();
            out += &format!("COPY {table} TO '/dev/null' (FORMAT binary);\n");
            save += &format!("COPY {table} TO '{folder}/{oid}' (FORMAT binary);\n");
            load += &format!(
                "BEGIN; TRUNCATE ONLY {table}; COPY {table} FROM '{folder}/{oid}' (FORMAT binary, FREEZE); COMMIT;\n"
            );
        }
        psql(&source, &save);
        Self {
            ports,
            name,
            pre_data: dump(&source, &["--section=pre-data"]),
            post_data: dump(&source, &["--section=post-data"]),
            out,
            load,
            _files: files,
        }
    }

    /// Seconds of each part. The target's database does not exist before.
    pub(crate) fn measure(&self) -> [f64; 4] {
        let [source, target] = self.ports.map(|port| url(port, self.name));
        let create = format!("CREATE DATABASE {}", self.name);
        psql(&url(self.ports[1], "postgres"), &create);
        psql(&target, &self.pre_data);
        let timed = |work: &dyn Fn()| {
            let begun = Instant::now();
            work();
            begun.elapsed().as_secs_f64()
        };
        [
            timed(&|| psql(&source, &self.out)),
            timed(&|| psql(&target, &self.load)),
            timed(&|| psql_with(POST_OPTIONS, &target, &self.post_data)),
            timed(&|| psql(&target, "ANALYZE")),
        ]
    }
}

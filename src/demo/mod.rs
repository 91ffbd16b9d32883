//! A whole migration on two throw-away clusters: a shop in use is copied and then replicated while customers continue
//! to order. What arrived is proven from the writer's own books.
//!
//! ```text
//! writer   ──── orders, one transaction each ────────────────────────────┐ stops
//! demo     fill, validate, init, books, sync, status                      sync again, exactly once, verify, teardown
//! ```
//!
//! The same functions run as for the commands; nothing here knows a shorter way.

mod books;
mod error;
mod objects;
mod phases;
mod scenes;
mod shop;
mod stage;

pub use error::Error;
pub use stage::{Numbers, Proof, Report, ShowStep, Step};

use std::path::{Path, PathBuf};
use std::time::Instant;

use self::phases::Servers;
use self::scenes::play_scenes;
use self::stage::Stage;
use crate::connect::{Endpoint, Environment};
use crate::pg::Sides;
use crate::sandbox::{Binaries, Cluster};
use crate::task::Scope;

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
    let major = clusters.source.major();
    let shown = format!("two empty PostgreSQL {major} clusters run");
    stage.show_step("start", Proof::new(true, shown, []));
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

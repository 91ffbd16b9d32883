use std::path::PathBuf;

use clap::ValueHint;

use crate::checkpoint;
use crate::cli::Error;

/// Where runs record what they have done.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct State {
    /// Directory of the state files [default: ~/.local/state/postgres-seren-replicator]
    ///
    /// If the environment variable XDG_STATE_HOME is set, it replaces ~/.local/state in the default.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Run", hide_short_help = true)]
    state_dir: Option<PathBuf>,
}

impl State {
    /// The folder of all runs' records.
    ///
    /// # Errors
    /// No folder is given, and none follows from the environment.
    pub(in crate::cli) fn root(&self) -> Result<PathBuf, Error> {
        if let Some(folder) = &self.state_dir {
            return Ok(folder.clone());
        }
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        Ok(checkpoint::default_root(variable)?)
    }
}

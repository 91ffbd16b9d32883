use std::path::PathBuf;

use crate::checkpoint;
use crate::cli::Error;

/// Where runs record what they have done.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct State {
    /// Directory of the state files [default: postgres-seren-replicator in $XDG_STATE_HOME or
    /// ~/.local/state]
    #[arg(long, value_name = "DIR", help_heading = "Run")]
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

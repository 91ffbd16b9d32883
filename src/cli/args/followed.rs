use std::path::PathBuf;

use super::{Mapping, Selection, State, parse_publication};
use crate::cli::Error;
use crate::cli::connections::{log_selection, warn_about};
use crate::cluster;
use crate::connect::Endpoint;
use crate::pg::{Ident, Sides};
use crate::replicate::{self, Asked, Followed};
use crate::task::Scope;
use crate::ui::Ui;

/// Which replications a command is about.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Replication")]
pub(in crate::cli) struct Replications {
    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    mapping: Mapping,

    /// Allow source and target to be the same cluster, with other names for the target's databases
    #[arg(long, help_heading = "Selection", hide_short_help = true)]
    allow_same_cluster: bool,

    #[command(flatten)]
    state: State,

    /// Name of the publication, if init was given another one
    #[arg(long, help_heading = "Replication", value_name = "NAME", hide_short_help = true, value_parser = parse_publication)]
    publication: Option<Ident>,

    /// Name of the subscription in each target database [default: seren_replication_sub]
    #[arg(long, help_heading = "Replication", value_name = "NAME", hide_short_help = true, value_parser = parse_publication)]
    subscription: Option<Ident>,
}

impl Replications {
    /// Finds the databases and the objects that replicate them. Without selection, those are meant that `init` has
    /// recorded.
    ///
    /// # Errors
    /// An option cannot be read, a server cannot be reached or read, or a name selects nothing.
    pub(in crate::cli) async fn find(
        &self,
        servers: Sides<&Endpoint>,
        ui: &Ui,
        scope: &Scope,
    ) -> Result<Followed, Error> {
        warn_about(ui, [servers.source, servers.target]);
        let chosen = self.selection.resolve(None)?;
        let map = self.mapping.map()?;
        let root = self.state_root();
        cluster::refuse_pooler(servers.target).await?;
        let selection = &self.selection;
        let finding = selection.recorded_instant(&chosen.rules, servers, || Ok(root.clone()));
        let recorded = finding.await?;
        let wanted = selection.of_copy(&chosen, recorded.as_ref());
        let asked = Asked {
            wanted: selection.is_given().then_some(wanted),
            map: &map,
            publication: self.publication.as_ref(),
            subscription: self.subscription.as_ref(),
            allow_same_cluster: self.allow_same_cluster,
        };
        let finding = replicate::find_followed(servers, asked, root.as_deref());
        let what = "the replications of both servers";
        let followed = scope.events.reporting(what, finding).await?;
        log_selection(&followed.warnings, &followed.notes);
        Ok(followed)
    }

    /// The folder of the state; none where nothing says where it is: then the servers are asked.
    pub(in crate::cli) fn state_root(&self) -> Option<PathBuf> {
        self.state.root().ok()
    }
}

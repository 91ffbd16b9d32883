//! Groups of arguments that commands share.

mod connection;
mod definitions;
mod filter;
mod followed;
mod mapping;
mod output;
mod replication;
mod selection;
mod size;
mod state;

pub(super) use connection::{
    Connections, OptionalConnections, SOURCE_VARIABLE, TARGET_VARIABLE, parse_endpoint,
};
pub(super) use definitions::Definitions;
pub(super) use followed::Replications;
pub(super) use mapping::Mapping;
pub(super) use output::Output;
pub(super) use replication::{Replication, parse_publication};
pub(super) use selection::{DatabaseSelection, Selection};
pub(super) use size::parse_size;
pub(super) use state::State;

//! Groups of arguments that commands share.

mod carried;
mod connection;
mod mapping;
mod output;
mod replication;
mod selection;

pub(super) use carried::Carried;
pub(super) use connection::{Connections, OptionalConnections};
pub(super) use mapping::Mapping;
pub(super) use output::Output;
pub(super) use replication::{Replication, size};
pub(super) use selection::{DatabaseSelection, Selection};

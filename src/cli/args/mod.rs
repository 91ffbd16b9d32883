//! Groups of arguments that commands share.

mod carried;
mod connection;
mod output;
mod selection;
mod size;

pub(super) use carried::Carried;
pub(super) use connection::Connections;
pub(super) use output::Output;
pub(super) use selection::Selection;
pub(super) use size::parse_size;

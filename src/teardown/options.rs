//! What `teardown` is asked to do.

use std::path::PathBuf;

use crate::connect::Endpoint;
use crate::pg::{Ident, Sides, SlotName};
use crate::selection::{DatabaseMap, Databases};

/// The options of `teardown`.
#[derive(Clone, Debug)]
pub struct TeardownOptions {
    /// The two servers, as far as they are given.
    pub servers: Sides<Option<Endpoint>>,
    /// The databases of the source.
    pub databases: Databases,
    /// The databases that have another name on the target.
    pub map: DatabaseMap,
    /// The only publication that counts, if one is named.
    pub publication: Option<Ident>,
    /// The name that the subscriptions were given, if it is not the usual one.
    pub subscription: Option<Ident>,
    /// What is removed.
    pub which: Which,
    /// The folder in which runs keep their state, if it is known.
    pub state_root: Option<PathBuf>,
    /// Whether the state is removed, too.
    pub removes_state: bool,
}

/// What is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The objects of the run between the two clusters.
    Pair,
    /// The objects of the run of this name, for any target.
    Run(String),
    /// A slot, and the publication whose mark names it.
    Slot(SlotName),
}

//! From the model to statements. Pure: nothing here asks a server.
//!
//! [`script`] turns a catalog into two lists: what must be there before rows are copied, and what
//! waits for them. Each kind of object has its file in `object`, which says what it is called,
//! what it makes, what it needs, and how it is written. `plan` brings these steps into an order
//! that `pg_depend` allows and that is otherwise that of `pg_dump`; where objects need each
//! other, `repair` makes a part of one apart.

mod context;
mod graph;
pub mod object;
mod plan;
mod repair;
mod script;
mod setting;
mod statement;

use std::collections::BTreeSet;

pub use script::script;
pub use setting::render_setting;
pub use statement::{
    Kind, Label, NO_RELATION, Omission, OmissionReason, Script, Stage, Statement, Step,
};

use crate::pg::{Ident, ServerVersion};

/// What a script is for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The version of the server that runs it.
    pub target: ServerVersion,
    /// Whether objects get their owners.
    pub owners: bool,
    /// Whether privileges and default privileges are given.
    pub privileges: bool,
    /// Whether comments are made.
    pub comments: bool,
    /// Whether tables get rows between the sections. Without rows nothing is checked apart, and
    /// materialized views stay empty.
    pub rows: bool,
    /// The roles of the target: nothing is granted to or by others.
    pub roles: BTreeSet<Ident>,
}

impl Options {
    /// Everything, for a target of this version with these roles.
    pub const fn everything(target: ServerVersion, roles: BTreeSet<Ident>) -> Self {
        Self {
            target,
            owners: true,
            privileges: true,
            comments: true,
            rows: true,
            roles,
        }
    }
}

/// Why there is no script.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Objects need each other in a way that cannot be taken apart.
    #[error("objects need each other in a loop: {}", list(objects))]
    Loop {
        /// The objects of the loop.
        objects: Vec<Label>,
    },
}

fn list(objects: &[Label]) -> String {
    let names: Vec<String> = objects.iter().map(Label::to_string).collect();
    names.join(", ")
}

//! From the model to statements. Pure: nothing here asks a server.
//!
//! [`script`] turns a catalog into two lists: what must be there before rows are copied, and what
//! waits for them. Each kind of object has its file in `object`, which says what it is called,
//! what it makes, what it needs, and how it is written. `plan` brings these steps into an order
//! that `pg_depend` allows and that is otherwise that of `pg_dump`; where objects need each
//! other, `repair` makes a part of one apart.

mod callers;
pub mod cluster;
mod context;
mod cycle;
mod downgrade;
mod exclude;
mod graph;
mod not_created;
pub mod object;
mod omission;
mod one_line;
mod plan;
mod recreate;
mod removed_features;
mod repair;
mod script;
mod secret;
mod setting;
mod statement;
mod step_path;
mod target;
mod temporary;
mod timescale;
mod unselected;

use std::collections::BTreeSet;

pub use callers::generated_by_code;
pub use downgrade::degrade;
pub use exclude::leave_out;
pub use script::{privileges_label, script};
pub use setting::render_setting;
pub use statement::{
    Kind, Label, NO_RELATION, Omission, OmissionReason, Script, Stage, Statement, Step, attach,
};
pub use step_path::{Probe, StepPath};
pub use target::{AvailableExtension, Target};

use crate::catalog::RoleMap;
use crate::catalog::provider::Provider;
use crate::pg::{Ident, ServerVersion};

/// What a script is for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server that runs it.
    pub target: Target,
    /// What is carried over.
    pub carried: Carried,
}

/// What is carried over beside the definitions themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Whether objects get their owners.
    pub owners: bool,
    /// Whether privileges and default privileges are given.
    pub privileges: bool,
    /// Whether comments are made.
    pub comments: bool,
    /// Whether tables get rows between the sections. Without rows nothing is checked apart, and
    /// materialized views stay empty.
    pub rows: bool,
    /// Whether security labels are set.
    pub security_labels: bool,
    /// Whether tablespaces of the same name are used.
    pub tablespaces: bool,
    /// Roles that have another name on the target.
    pub role_map: RoleMap,
    /// The managed service that the source is: what is its own stays there.
    pub provider: Option<Provider>,
    /// Extensions that are left out, with their objects and whatever depends on them.
    pub skipped_extensions: BTreeSet<Ident>,
}

impl Default for Carried {
    fn default() -> Self {
        Self {
            owners: true,
            privileges: true,
            comments: true,
            rows: true,
            security_labels: true,
            tablespaces: true,
            role_map: RoleMap::default(),
            provider: None,
            skipped_extensions: BTreeSet::new(),
        }
    }
}

impl Options {
    /// Everything, for a target of this version with these roles.
    pub fn everything(version: ServerVersion, roles: BTreeSet<Ident>) -> Self {
        Self {
            target: Target::unrestricted(version, roles),
            carried: Carried::default(),
        }
    }

    /// A tablespace, if the target has it and it is wanted.
    pub fn tablespace<'a>(&self, name: Option<&'a Ident>) -> Option<&'a Ident> {
        let has = |name: &&Ident| self.target.tablespaces.contains(*name);
        name.filter(|_| self.carried.tablespaces).filter(has)
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
    /// The target is too old for objects that nothing can stand for.
    #[error("the target is too old for {}", reasons(objects))]
    TooNew {
        /// The objects, and what the target lacks.
        objects: Vec<(Label, &'static str)>,
    },
    /// The target takes objects no longer as they are.
    #[error("the target cannot make {}", reasons(objects))]
    TooOld {
        /// The objects, and what stands in the way.
        objects: Vec<(Label, &'static str)>,
    },
    /// The target has no postfix operators.
    #[error("the target has no postfix operators: {}", list(operators))]
    PostfixOperators {
        /// The operators.
        operators: Vec<Label>,
    },
}

fn reasons(objects: &[(Label, &'static str)]) -> String {
    let reason = |(label, what): &(Label, &'static str)| format!("{label} ({what})");
    let reasons: Vec<String> = objects.iter().map(reason).collect();
    reasons.join(", ")
}

fn list(objects: &[Label]) -> String {
    let names: Vec<String> = objects.iter().map(Label::to_string).collect();
    names.join(", ")
}

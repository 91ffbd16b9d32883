//! From the model to statements. Pure: nothing here asks a server.
//!
//! [`fit`] brings a catalog to what its target supports and is to get. Then it renders a script: the statements
//! before the rows, and those after them.
//!
//! | where | what |
//! |---|---|
//! | `downgrade`, `exclude`, `removed_features` | what of a catalog the target does not get, or gets in another form |
//! | `object` | one file per class of object: its steps, what they depend on, and how they are written |
//! | `kind` | the table of kinds: section, order, and what may be moved |
//! | `plan`, `graph` | an order of the steps that `pg_depend` allows and that is otherwise that of `pg_dump` |
//! | `repair`, `placement` | circular dependencies: a part of an object is created separately |
//! | `script` | writes the ordered steps, and comments, labels and privileges |
//! | `cluster` | roles, memberships, parameters, settings and databases: no steps of a script |

mod callers;
pub mod cluster;
mod context;
mod cycle;
mod downgrade;
mod error;
mod exclude;
mod fit;
mod graph;
mod kind;
mod label;
mod lookup;
mod named;
mod necessity;
mod not_created;
pub mod object;
mod omission;
mod one_line;
mod options;
mod orphans;
mod placement;
mod plan;
mod recreate;
mod relation;
mod removed_features;
mod repair;
mod script;
mod secret;
mod setting;
mod stage;
mod statement;
mod step_path;
mod target;
mod temporary;
mod timescale;
mod unselected;

pub use callers::find_generated_by_code;
pub use error::{Error, RefusedObject};
pub use fit::{Fitted, fit};
pub use kind::Kind;
pub use label::Label;
pub use necessity::Necessity;
pub use omission::{Omission, OmissionReason};
pub use options::{Include, Options};
pub use orphans::find_orphaned_keys;
pub use script::render_script;
pub use setting::render_setting;
pub use stage::Stage;
pub use statement::{NO_RELATION, PostData, PreData, Script, Statement, Step};
pub use step_path::{Probe, StepPath};
pub use target::{AvailableExtension, Target};

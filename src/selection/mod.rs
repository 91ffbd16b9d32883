//! Which databases and which of their tables take part, and what rules their tables have. Pure: names in, names
//! out.
//!
//! Names are compared exactly with the catalog, without folding or patterns. A name that matches
//! nothing is an error, since a typing mistake must not narrow a migration silently.

mod databases;
mod entry;
mod error;
mod filter;
mod known;
mod map;
mod objects;
mod origin;
pub mod quoted;
mod rule;
mod rules;
mod section;
mod tables;

pub use databases::Databases;
pub use entry::Entry;
pub use error::Error;
pub use filter::{DateSettings, NotPublishable, RowFilter};
pub use known::Offered;
pub use map::DatabaseMap;
pub use objects::{
    ExcludedObjects, NamedObject, ObjectEntry, ObjectKind, OfferedObject, ResolvedObjects,
    resolve_objects,
};
pub use origin::{Origin, Position};
pub use rule::{ChangesRule, RowCondition, RowsRule, Rule, TableRule, TimeFilter};
pub use rules::{Resolved, RuleEntry, Rules, TableRules, TableScope};
pub use section::Section;
pub use tables::{Selected, TableChoice, Tables};

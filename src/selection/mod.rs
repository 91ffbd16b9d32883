//! Which databases and which of their tables take part. Pure: names in, names out.
//!
//! Names are compared exactly with the catalog, without folding or patterns. A name that matches
//! nothing is an error, since a typing mistake must not narrow a migration silently.

mod databases;
mod entry;
mod error;
mod map;
mod tables;

pub use databases::Databases;
pub use entry::Entry;
pub use error::Error;
pub use map::DatabaseMap;
pub use tables::{Offered, Selected, TableChoice, Tables};

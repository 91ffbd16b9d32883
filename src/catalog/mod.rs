//! The source as plain data, and the queries that fill it.

pub mod acl;
pub mod cluster;
mod error;
pub mod load;
pub mod model;
pub mod provider;
mod removal;
mod role_map;

pub use error::{Error, is_missing};
pub use load::load_catalog;
pub use model::{Catalog, Class, ObjectId, comment};
pub use removal::Dependants;
pub use role_map::RoleMap;

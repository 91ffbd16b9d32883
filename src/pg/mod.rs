//! PostgreSQL's own values: positions, names, versions, codes, and SQL text that cannot be
//! assembled from raw strings. No I/O.

mod counted;
mod lsn;
mod name;
mod oid;
mod printable;
mod raw_text;
mod relation;
mod server_error;
mod side;
mod sql;
mod sqlstate;
mod version;

pub use counted::Counted;
pub use lsn::{Lsn, ParseLsnError};
pub use name::{Ident, InvalidName, QualifiedName, SlotName, readable};
pub use oid::Oid;
pub use printable::Printable;
pub use raw_text::{bytes_from_text, has_raw_bytes, text_from_bytes};
pub use relation::{Persistence, RelKind, ReplicaIdentity, UnknownLetter};
pub use server_error::ServerError;
pub use side::{Side, Sides};
pub use sql::{Fragment, Literal, Sql};
pub use sqlstate::SqlState;
pub use version::ServerVersion;

//! A database on the target: how it is created, and what is set on it when the run ends.
//!
//! Created bare and finished last, because a setting may lock us out of it
//! (`default_transaction_read_only`, a connection limit of 0, `session_preload_libraries`).

mod create;
mod finish;
mod omission;
mod options;

pub use create::{Error, render_create};
pub use finish::{Finish, FinishStatement, render_finish};
pub use omission::Omission;
pub use options::DatabaseOptions;

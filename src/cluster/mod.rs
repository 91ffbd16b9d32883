//! The two servers as every command needs them: sessions, facts, findings, the selection resolved on the
//! servers, the locks of a run, and the promises that are checked at its end.

pub(crate) mod contents;
pub(crate) mod error;
pub(crate) mod facts;
pub(crate) mod filter;
pub(crate) mod finding;
pub(crate) mod identity;
pub(crate) mod maintenance;
mod offer;
pub(crate) mod place;
pub(crate) mod promise;
pub(crate) mod run_lock;
pub(crate) mod select;
pub(crate) mod server;

pub use error::{BothErrors, Error};
pub use facts::ServerFacts;
pub use filter::{FilterFault, FilterFaultReason, RunInstant};
pub use finding::{Code, Finding, Level, group_findings};
pub use identity::ServerIdentity;
pub use maintenance::refuse_pooler;
pub use offer::{Offer, OfferedDatabase, OfferedTable};
pub use promise::Broken;
pub use select::{AsOf, SelectedDatabases, Wanted, select_databases};

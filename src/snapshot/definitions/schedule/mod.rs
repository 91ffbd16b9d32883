//! Which step may run when: pure. The workers ask it under a lock.
//!
//! A worker takes a step once everything that the step depends on is committed, or is under way in the
//! same session, where it comes first. A worker holds the relations of its steps until their commit,
//! and takes no step whose relations another worker holds. So workers never wait for each other's
//! locks on the server, and cannot block each other for good.
//!
//! While rows are copied, a step also waits for the rows of the tables that it touches. Ready steps run in
//! the order of their *critical path*: their own work and the longest work that waits for them. So the last
//! step of a run is never one that could have begun long before.

mod held;
mod retry;
pub(super) mod state;
pub(super) mod step;
#[cfg(test)]
mod tests;

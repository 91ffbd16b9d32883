//! `verify` against real servers.

mod concurrent;
mod parents;
mod report;
mod rows;

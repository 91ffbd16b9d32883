//! `verify` against real servers.

mod parents;
mod rows;

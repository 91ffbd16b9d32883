//! Long proofs, and those that need more than the sandbox fetches: not part of `cargo test`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "shared with the other tests, which use all of it")]
#[path = "../support/mod.rs"]
mod support;

mod beside;
mod browser;
mod cuts;
mod extensions;
mod follow;
mod kills;
mod operators;
mod pairs;
mod pictures;
mod svg;
mod timescale;
mod watched;
mod web_page;

//! One query per kind of object, each for the whole database or cluster: their number does not
//! grow with the number of objects.
//!
//! One text serves all versions. There are two ways to read a column that a version may lack:
//!
//! - by name in the row's JSON form, where an absent column is NULL;
//! - where that would be slow, without its table in a sub-select whose outer query offers a column
//!   of the same name: SQL looks inside first.
//!
//! To add a kind: its struct in [`model`](super::model), a loader here with its query in `sql`,
//! and one line in `whole.rs`.

mod aggregates;
mod attached;
mod casts;
mod collations;
mod columns;
mod constraints;
mod dependencies;
mod event_triggers;
mod extension_members;
mod foreign;
mod indexes;
mod languages;
mod operators;
mod publications;
mod relations;
mod routines;
mod row;
mod schemas;
mod search;
mod sequences;
mod subscriptions;
pub mod timescale;
mod types;
mod whole;

pub mod acl;
pub mod cached;
pub mod comment;
pub mod database;
pub mod default_acl;
pub mod labels;
pub mod large_object;
pub mod lock_batches;
pub mod planner_statistics;
pub mod quoting;
pub mod reading;
pub mod resolution;
pub mod roles;
pub mod transfer;
pub mod unsupported;

pub use whole::load_catalog;

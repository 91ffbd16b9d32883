//! Moves PostgreSQL databases to another PostgreSQL while they are in use, speaking the wire
//! protocol itself.
//!
//! # Layers
//!
//! A module may use those below it, never one above; `tests/layers.rs` holds the table.
//!
//! ```text
//! cli          subcommands, exit codes, where all areas' errors meet
//! ui           draws events and reports, asks questions
//! demo         the phases on two sandbox clusters, as a user would run them
//! migrate      init's phases in order; may call the engines
//! checkpoint   what is done, on this machine's disk; what the next run may keep of it
//! snapshot  verify             the engines; none imports another
//! logical      slots: the server's objects of replication
//! ddl          model → ordered statements (pure)
//! selection    which databases and tables (pure)
//! catalog      the model, and the queries that fill it
//! connect      connection strings, TLS, secrets → a session or a wire connection
//! wire         frames, messages, COPY, replication commands over any byte stream
//! pg           values: Lsn, Oid, names, Sql, SqlState, ServerVersion
//!   remedy        what a user can do, as values
//!   event, task   what the engines say, and how their tasks live
//!   sandbox       throw-away local clusters
//! ```

pub mod catalog;
pub mod checkpoint;
pub mod cli;
pub mod connect;
pub mod ddl;
pub mod demo;
pub mod event;
pub mod logical;
pub mod migrate;
pub mod pg;
pub mod remedy;
pub mod sandbox;
pub mod selection;
pub mod snapshot;
pub mod task;
pub mod ui;
pub mod verify;
pub mod wire;

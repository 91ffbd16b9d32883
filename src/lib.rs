//! Copies live PostgreSQL databases to another PostgreSQL server. Implements the wire protocol itself.
//!
//! # Layers
//!
//! A module may import modules of lower lines, never of its own or a higher line. `tests/layers.rs` checks the
//! imports and this list.
//!
//! ```text
//! cli                       commands, arguments, exit codes; knows the errors of all areas
//! serve                     a web server: metrics, checks of health, reports as JSON, a page
//! ui                        prints events and reports, asks questions
//! config                    the configuration file; what it and options of the command line come to
//! demo                      the phases on two sandbox clusters, as a user would run them
//! migrate, replicate, teardown  init: check, plan, execute; sync; the removal of what runs have created
//! checkpoint                the record of finished work on this machine; what the next run keeps of it
//! snapshot, status, verify  the engines; they do not import each other
//! cluster                   the two servers: sessions, facts, findings, locks of a run, selection of databases
//! logical                   replication objects of a server: publications, identities, slots, subscriptions
//! transfer                  for every engine that writes: ledger of committed work, flush, stalled connections
//! ddl                       model → ordered statements (pure)
//! selection                 which databases and tables are selected, and their rules (pure)
//! catalog                   the model, and the queries that load it
//! connect                   connection strings, TLS, secrets → a session or a wire connection
//! wire, sandbox             frames, messages, COPY, replication commands over any byte stream; temporary local clusters
//! task                      how tasks start, stop and end
//! event                     the events that engines emit
//! remedy                    what a user can do, as values
//! predicate                 boolean expressions that choose rows: their tokens and operands (pure)
//! pg                        values: Lsn, Oid, names, Sql, SqlState, ServerVersion
//! ```

pub mod catalog;
pub mod checkpoint;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod connect;
pub mod ddl;
pub mod demo;
pub mod event;
pub mod logical;
pub mod migrate;
pub mod pg;
pub mod predicate;
pub mod remedy;
pub mod replicate;
pub mod sandbox;
pub mod selection;
pub mod serve;
pub mod snapshot;
pub mod status;
pub mod task;
pub mod teardown;
pub mod transfer;
pub mod ui;
pub mod verify;
pub mod wire;

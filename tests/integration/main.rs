//! All tests that need servers, in one binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod beyond;
mod carried;
mod checklist;
mod command;
mod connect;
mod connecting;
mod connections;
mod creators;
mod cuts;
mod ddl;
mod ddl_races;
mod definitions;
mod demo;
mod encodings;
mod evaluation;
mod extensions;
mod faults;
mod foreign;
mod inherited;
mod init;
mod keys;
mod keywords;
mod kinds;
mod large_objects;
mod line;
mod lock_queues;
mod loops;
mod lost;
mod names;
mod older;
mod operators;
mod own_objects;
mod owner;
mod place;
mod planner;
mod poolers;
mod promises;
mod random;
mod recorder;
mod refusals;
mod remembered;
mod renamed;
mod replication;
mod resume;
mod roles;
mod runs;
mod same_cluster;
mod sandbox;
mod selection;
mod signals;
mod slot_safety;
mod split;
mod teardown;
mod tls;
mod told;
mod transfer;
mod tuning;
mod unprivileged;
mod used_target;
mod verify;
mod verify_parents;
mod wire;

#[tokio::test]
async fn test_validate_command_integration() {
    owner::validate().await;
}

#[tokio::test]
async fn test_full_migration_workflow() {
    owner::full_migration().await;
}

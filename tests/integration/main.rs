//! All tests that need servers, in one binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod acceptance;
mod cli;
mod concurrent;
mod connect;
mod copy;
mod ddl;
mod replication;
mod roles;
mod runs;
mod sandbox;
mod sync;
mod verify;
mod wire;

#[tokio::test]
async fn test_validate_command_integration() {
    cli::owner::validate().await;
}

#[tokio::test]
async fn test_full_migration_workflow() {
    cli::owner::full_migration().await;
}

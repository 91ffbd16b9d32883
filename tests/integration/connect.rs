//! Connection strings, passwords and addresses against real servers.

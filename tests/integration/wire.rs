//! The wire protocol against real servers.

//! The server's objects of replication. So far the slot: its name, and the consistent point that
//! making it gives.

mod slot;

pub use slot::{SlotIdentity, slot_name};

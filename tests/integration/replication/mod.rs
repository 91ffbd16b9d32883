//! What a replicating `init` creates on the source, and what it guarantees at its end.

mod failover;
mod promises;
mod publications;
mod slot_safety;
mod subscriptions;

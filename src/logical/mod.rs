//! The server's objects of replication: which tables may be published, our publication with the mark that
//! identifies its run, the slot, and on the target subscription and origin.

mod candidate;
mod definition;
mod error;
mod found;
mod identity;
mod listed;
mod mark;
mod publication;
mod publisher;
mod scope;
mod sent_tables;
mod slot;
mod slot_fault;
mod subscribe_privilege;
mod subscription;
mod subscription_change;
mod subscription_definition;
mod tag;

pub use candidate::{Candidate, LoadError, load_candidates};
pub use definition::{Definition, inserts_name};
pub use error::PublishError;
pub use found::{
    FoundPublication, Seconds, drop_statement, find_marked, find_other_inserts, find_publication,
};
pub use identity::{Blocked, Blocker, Judge, Published, judge};
pub use listed::{ListedDifferences, ListedTables};
pub use mark::{Copied, FormerIdentity, Mark, RunId};
pub use publication::{
    PUBLICATION, create_publication, extend_publication, note_listed, remove_publication,
};
pub use publisher::{Publisher, Publishing};
pub use sent_tables::{
    find_listed_changes, load_sent_tables, load_subscribed_tables, read_table_name,
};
pub use slot::{Slot, SlotIdentity, drop_slot, find_slot, load_slots, slot_name};
pub use slot_fault::{SlotFault, judge_slot};
pub use subscribe_privilege::{SubscribeGrade, SubscribePrivilege};
pub use subscription::{
    FoundSubscription, SUBSCRIPTION, drop_origin, drop_statements, drop_subscription,
    find_subscription, has_origin, load_subscriptions, mark_statement,
};
pub use subscription_change::{
    attach_statement, connect_statement, enable_statement, refresh_statement, request_statement,
};
pub use subscription_definition::SubscriptionDefinition;
pub use tag::RunTag;

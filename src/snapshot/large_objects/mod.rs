//! Large objects: batches of them, their order, and the connections that copy them.

pub(super) mod batch;
pub(super) mod copier;
pub(super) mod queue;

pub use batch::{
    LargeObjectBatch, LargeObjectPage, complete_large_object_batch, copy_large_object_batch,
    plan_large_objects,
};
pub use queue::CopiedObjects;

//! What a database holds, as plain data.
//!
//! Each object knows its row in the system catalogs ([`ObjectId`]), which is what dependencies
//! speak of, and its name, which is what statements speak of. Text that the server deparsed
//! (`pg_get_viewdef`, `format_type`, …) is kept as [`Sql`](crate::pg::Sql): it is handed on, never
//! parsed. Objects of extensions are not here, since `CREATE EXTENSION` creates them; that they
//! belong to one is, since others may depend on them.

mod aggregate;
mod attached;
mod cast;
mod collation;
pub mod comment;
mod constraint;
mod database;
mod event_trigger;
mod foreign;
mod id;
mod label;
mod language;
mod operator;
mod options;
mod publication;
mod relation;
mod resolution;
mod routine;
mod schema;
mod search;
mod subscription;
mod timescale;
mod types;
mod unsupported;

pub use aggregate::Aggregate;
pub use attached::{Enabled, KeyTrigger, Policy, PolicyCommand, Rule, Statistics, Trigger};
pub use cast::{Cast, CastContext, CastMethod, Conversion, Transform};
pub use collation::Collation;
pub use constraint::{Constraint, ConstraintKind, Index, KeyIndex};
pub use database::{Catalog, Lineages, RowSource};
pub use event_trigger::EventTrigger;
pub use foreign::{ForeignDataWrapper, ForeignServer, ForeignSource, UserMapping};
pub use id::{Class, Dependency, DependencyKind, ObjectId};
pub use label::{LabelOwner, MemberComment, MemberRelation, SecurityLabel};
pub use language::{AccessMethod, AccessMethodKind, Language};
pub use operator::{FamilyMembers, Operator, OperatorClass, OperatorFamily};
pub use options::Options;
pub use publication::{Publication, PublishedSchema, PublishedTable};
pub use relation::{
    Attribute, Column, Compression, Default, Generated, Identity, MaterializedView, NotNull, Owned,
    Partition, PartitionKey, Sequence, SequenceOwner, Size, Storage, Table, TypedAs, View,
};
pub use resolution::{Address, Calls, Resolution};
pub use routine::{Body, Parallel, Routine, RoutineKind, Volatility};
pub use schema::{ConfigTable, Extension, Schema};
pub use search::{Search, SearchKind};
pub use subscription::{Subscription, SubscriptionDetails};
pub use timescale::{
    ContinuousAggregate, Dimension, Hypertable, HypertableCompression, Job, Slices, Timescale,
};
pub use types::{Alignment, Base, Domain, Multirange, Range, Type, TypeKind};
pub use unsupported::Unsupported;

//! One file per class of object: from the model to the statements that make it.
//!
//! To add a kind: its file here, and one line in `nodes`.

mod access_method;
mod aggregate;
mod attach;
mod cast;
mod clause;
mod collation;
mod column;
pub mod comment;
mod constraint;
mod conversion;
mod default;
pub(super) mod domain_check;
mod event_trigger;
mod extension;
mod foreign_data;
mod foreign_key;
pub mod grant;
mod hypertable;
mod index;
mod inherited_key;
mod key_trigger;
mod language;
pub mod large_object;
mod materialized_view;
mod node;
mod not_null;
mod operator;
mod operator_family;
mod policy;
mod publication;
mod routine;
mod rule;
mod schema;
mod search;
mod sequence;
mod statistics;
mod subscription;
mod table;
mod trigger;
mod types;
mod view;

pub(super) use clause::stays_with_maker;
pub(super) use column::add_column;
pub(super) use foreign_data::why_not as why_no_mapping;
pub(super) use hypertable::argument as relation_argument;
pub(super) use index::is_left_out as index_is_left_out;
pub(super) use node::{NodeId, Object, Part};
pub(super) use operator::refused as refused_operators;
pub(super) use rule::has_name_of_views;
pub(super) use subscription::render_subscription;

use super::context::Context;

/// The steps of a script, in no order.
pub(super) type Nodes<'a> = Vec<Box<dyn Object + 'a>>;

/// Each kind adds its steps.
pub(super) fn nodes<'a>(context: &Context<'a>) -> Nodes<'a> {
    let mut nodes = Nodes::new();
    schema::collect(context, &mut nodes);
    language::collect(context, &mut nodes);
    extension::collect(context, &mut nodes);
    collation::collect(context, &mut nodes);
    types::collect(context, &mut nodes);
    cast::collect(context, &mut nodes);
    routine::collect(context, &mut nodes);
    aggregate::collect(context, &mut nodes);
    access_method::collect(context, &mut nodes);
    operator::collect(context, &mut nodes);
    operator_family::collect(context, &mut nodes);
    conversion::collect(context, &mut nodes);
    search::collect(context, &mut nodes);
    foreign_data::collect(context, &mut nodes);
    sequence::collect(context, &mut nodes);
    table::collect(context, &mut nodes);
    attach::collect(context, &mut nodes);
    default::collect(context, &mut nodes);
    hypertable::collect(context, &mut nodes);
    view::collect(context, &mut nodes);
    materialized_view::collect(context, &mut nodes);
    constraint::collect(context, &mut nodes);
    not_null::collect(context, &mut nodes);
    index::collect(context, &mut nodes);
    foreign_key::collect(context, &mut nodes);
    statistics::collect(context, &mut nodes);
    rule::collect(context, &mut nodes);
    trigger::collect(context, &mut nodes);
    key_trigger::collect(context, &mut nodes);
    policy::collect(context, &mut nodes);
    publication::collect(context, &mut nodes);
    event_trigger::collect(context, &mut nodes);
    nodes
}

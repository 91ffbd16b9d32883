//! One file per class of object: from the model to the statements that create it.
//!
//! To add a kind: its file here, and one line in `collect_steps` and in the table of `kind`.

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
mod not_null_name;
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

pub(super) use clause::stays_with_creator;
pub(super) use column::add_column;
pub(super) use foreign_data::why_not as why_no_mapping;
pub(super) use hypertable::argument as relation_argument;
pub(super) use index::is_skipped_index;
pub(super) use node::{NodeId, Nodes, Object, Part};
pub(super) use operator::find_postfix_operators;
pub(super) use rule::has_name_of_views;
pub(super) use subscription::render_subscription;

use super::context::Context;

/// Each kind adds its steps.
pub(super) fn collect_steps<'a>(context: &Context<'a>) -> Nodes<'a> {
    let mut nodes = Nodes::new();
    schema::collect_steps(context, &mut nodes);
    language::collect_steps(context, &mut nodes);
    extension::collect_steps(context, &mut nodes);
    collation::collect_steps(context, &mut nodes);
    types::collect_steps(context, &mut nodes);
    cast::collect_steps(context, &mut nodes);
    routine::collect_steps(context, &mut nodes);
    aggregate::collect_steps(context, &mut nodes);
    access_method::collect_steps(context, &mut nodes);
    operator::collect_steps(context, &mut nodes);
    operator_family::collect_steps(context, &mut nodes);
    conversion::collect_steps(context, &mut nodes);
    search::collect_steps(context, &mut nodes);
    foreign_data::collect_steps(context, &mut nodes);
    sequence::collect_steps(context, &mut nodes);
    table::collect_steps(context, &mut nodes);
    attach::collect_steps(context, &mut nodes);
    default::collect_steps(context, &mut nodes);
    hypertable::collect_steps(context, &mut nodes);
    view::collect_steps(context, &mut nodes);
    materialized_view::collect_steps(context, &mut nodes);
    constraint::collect_steps(context, &mut nodes);
    not_null::collect_steps(context, &mut nodes);
    index::collect_steps(context, &mut nodes);
    foreign_key::collect_steps(context, &mut nodes);
    statistics::collect_steps(context, &mut nodes);
    rule::collect_steps(context, &mut nodes);
    trigger::collect_steps(context, &mut nodes);
    key_trigger::collect_steps(context, &mut nodes);
    policy::collect_steps(context, &mut nodes);
    publication::collect_steps(context, &mut nodes);
    event_trigger::collect_steps(context, &mut nodes);
    nodes
}

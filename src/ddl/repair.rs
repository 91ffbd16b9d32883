//! Breaks loops by making a part of an object apart from it.
//!
//! | loop through | repair |
//! |---|---|
//! | a default, as every `serial` column's | set after the table |
//! | a check of a table or domain | added after the rows |
//! | a view | made with its columns only; its query follows after the rows |
//! | a view, and something after the rows | likewise |
//! | a materialized view, function or default, and something after the rows | made there, too |
//!
//! The first that applies is taken, which is also the least: a default set apart changes nothing.
//! What a repair moves may close another loop, so loops are looked for again. A loop that no line
//! covers is an error that lists it: a script that leaves something out, or in an order that
//! fails, would be worse.

use std::collections::HashSet;

use super::context::{Placement, Placements};
use super::plan::Plan;
use super::statement::Kind;
use crate::catalog::Class;
use crate::catalog::model::ObjectId;
use crate::ddl::context::Context;

/// Breaks one loop, a group of steps that need each other. False when nothing helps that was not
/// tried already.
pub(super) fn repair(
    plan: &Plan<'_>,
    context: &Context<'_>,
    group: &[usize],
    placements: &mut Placements,
) -> bool {
    let moves = if group.contains(&plan.boundary()) {
        across_sections(plan, context, group)
    } else {
        within_section(plan, context, group)
    };
    let mut is_repaired = false;
    for (object, placement) in moves {
        is_repaired |= placements.insert(object, placement) != Some(placement);
    }
    is_repaired
}

type Moves = Vec<(ObjectId, Placement)>;

/// Steps before the rows that need one after them: they, or the parts of them that do, move.
fn across_sections(plan: &Plan<'_>, context: &Context<'_>, group: &[usize]) -> Moves {
    let boundary = plan.boundary();
    let behind: HashSet<usize> = group.iter().copied().filter(|n| *n > boundary).collect();
    let ahead = group.iter().copied().filter(|n| *n < boundary);
    ahead
        .filter(|number| {
            let mut needs = plan.graph.needs(*number).iter();
            needs.any(|needed| behind.contains(needed))
        })
        .flat_map(|number| move_behind(plan, context, number, &behind))
        .collect()
}

fn move_behind(
    plan: &Plan<'_>,
    context: &Context<'_>,
    number: usize,
    behind: &HashSet<usize>,
) -> Moves {
    let Some(step) = plan.step(number) else {
        return Moves::new();
    };
    let object = step.object.node().object;
    match step.object.kind() {
        Kind::View => vec![(object, Placement::Dummy)],
        Kind::MaterializedView | Kind::Routine | Kind::Default => {
            vec![(object, Placement::Postponed)]
        }
        Kind::Table | Kind::Type => parts_in(plan, context, number, behind)
            .map(|part| (part, Placement::Separate))
            .collect(),
        Kind::Schema
        | Kind::Language
        | Kind::Collation
        | Kind::Transform
        | Kind::Extension
        | Kind::Cast
        | Kind::Aggregate
        | Kind::AccessMethod
        | Kind::Operator
        | Kind::OperatorFamily
        | Kind::Conversion
        | Kind::Search
        | Kind::ForeignDataWrapper
        | Kind::ForeignServer
        | Kind::UserMapping
        | Kind::Sequence
        | Kind::ColumnSettings
        | Kind::Attach
        | Kind::Hypertable
        | Kind::Boundary
        | Kind::Constraint
        | Kind::Index
        | Kind::IndexAttach
        | Kind::ReplicaIdentity
        | Kind::Statistics
        | Kind::ViewQuery
        | Kind::Rule
        | Kind::Trigger
        | Kind::ForeignKey
        | Kind::Validation
        | Kind::KeyTrigger
        | Kind::Policy
        | Kind::Publication
        | Kind::Comment
        | Kind::SecurityLabel
        | Kind::Acl
        | Kind::DefaultAcl
        | Kind::Refresh
        | Kind::EventTrigger => Moves::new(),
    }
}

/// The parts of a step that need others of the group.
fn parts_in<'p>(
    plan: &'p Plan<'_>,
    context: &Context<'_>,
    number: usize,
    group: &'p HashSet<usize>,
) -> impl Iterator<Item = ObjectId> + 'p {
    let parts = plan.step(number).map(|step| step.object.parts(context));
    parts.into_iter().flatten().filter(move |part| {
        let mut needs = plan.needs_of_row.get(part).into_iter().flatten();
        needs.any(|needed| *needed != number && group.contains(needed))
    })
}

/// A loop before the rows: defaults are set apart, else checks, else one view is emptied.
fn within_section(plan: &Plan<'_>, context: &Context<'_>, group: &[usize]) -> Moves {
    let mut parts = Vec::new();
    let members: HashSet<usize> = group.iter().copied().collect();
    for number in group {
        parts.extend(parts_in(plan, context, *number, &members));
    }
    for class in [Class::Default, Class::Constraint] {
        let moves: Moves = parts
            .iter()
            .filter(|part| part.class == class)
            .map(|part| (*part, Placement::Separate))
            .collect();
        if !moves.is_empty() {
            return moves;
        }
    }
    let mut steps = group.iter().filter_map(|number| plan.step(*number));
    let view = steps.find(|step| step.object.kind() == Kind::View);
    view.map(|step| (step.object.node().object, Placement::Dummy))
        .into_iter()
        .collect()
}

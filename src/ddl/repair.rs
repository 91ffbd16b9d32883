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

use super::context::{Placement, Placements};
use super::plan::{Plan, Step};
use super::statement::Kind;
use crate::catalog::Class;
use crate::catalog::model::ObjectId;
use crate::ddl::context::Context;

/// Breaks one loop, a group of steps that need each other. False when nothing helps.
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
    let is_repaired = !moves.is_empty();
    placements.extend(moves);
    is_repaired
}

type Moves = Vec<(ObjectId, Placement)>;

/// Steps before the rows that need one after them: they, or the parts of them that do, move.
fn across_sections(plan: &Plan<'_>, context: &Context<'_>, group: &[usize]) -> Moves {
    let boundary = plan.boundary();
    let behind: Vec<usize> = group.iter().copied().filter(|n| *n > boundary).collect();
    let ahead = group.iter().copied().filter(|n| *n < boundary);
    ahead
        .filter(|number| {
            let mut needs = plan.graph.needs(*number).iter();
            needs.any(|needed| behind.contains(needed))
        })
        .flat_map(|number| move_behind(plan, context, number, &behind))
        .collect()
}

fn move_behind(plan: &Plan<'_>, context: &Context<'_>, number: usize, behind: &[usize]) -> Moves {
    let Some(step) = plan.step(number) else {
        return Moves::new();
    };
    let object = step.object.node().object;
    match step.object.kind() {
        Kind::View => vec![(object, Placement::Dummy)],
        Kind::MaterializedView | Kind::Routine | Kind::Default => {
            vec![(object, Placement::Postponed)]
        }
        Kind::Table | Kind::Type => parts_in(plan, context, step, behind)
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

/// The parts of a step whose needs lie in the group.
fn parts_in<'p>(
    plan: &'p Plan<'_>,
    context: &Context<'_>,
    step: &Step<'_>,
    group: &'p [usize],
) -> impl Iterator<Item = ObjectId> + 'p {
    let parts = step.object.parts(context);
    parts.into_iter().filter(move |part| {
        let mut needs = plan.needs_of_row.get(part).into_iter().flatten();
        needs.any(|needed| group.contains(needed))
    })
}

/// A loop before the rows: defaults are set apart, else checks, else one view is emptied.
fn within_section(plan: &Plan<'_>, context: &Context<'_>, group: &[usize]) -> Moves {
    let mut parts = Vec::new();
    for number in group {
        if let Some(step) = plan.step(*number) {
            let others: Vec<usize> = group.iter().copied().filter(|n| n != number).collect();
            parts.extend(parts_in(plan, context, step, &others));
        }
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

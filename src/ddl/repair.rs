//! Breaks cycles by creating a part of an object separately.
//!
//! | cycle through | repair |
//! |---|---|
//! | a default, as every `serial` column's; a generated column, where its expression can be set | set after the table |
//! | a check of a table or domain | added after the rows |
//! | a domain's default | set after the rows |
//! | a view | created with its columns only; its query follows after the rows |
//! | routines that call each other | created without a body, which follows |
//! | a view, and something after the rows | likewise |
//! | anything else that rows do not need, and something after the rows | created there, too |
//!
//! The first that applies is taken, which is also the least: a default set separately changes nothing.
//! What a repair moves may close another cycle, so cycles are looked for again. A cycle that no line
//! covers is an error that lists it. A script that omits something, or fails, would be worse.

use std::collections::HashSet;

use super::kind::{Kind, Movable};
use super::object::{NodeId, Part};
use super::placement::{Placement, Placements};
use super::plan::{Plan, Step};
use crate::catalog::Class;
use crate::catalog::model::{Body, ObjectId};
use crate::ddl::context::Context;

/// Breaks one cycle, a group of steps that depend on each other. False when nothing helps that was not
/// tried already.
pub(super) fn repair_cycle(
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
    let NodeId { object, part } = step.object.node_id();
    match step.object.kind().movable() {
        Movable::Nothing => Moves::new(),
        Movable::Query => vec![(object, Placement::Dummy)],
        Movable::Body if part == Part::Body => vec![(object, Placement::LateBody)],
        Movable::Whole | Movable::Body => vec![(object, Placement::Postponed)],
        Movable::Parts => {
            let parts = parts_in(plan, context, number, behind);
            parts.map(|part| (part, Placement::Separate)).collect()
        }
    }
}

/// The parts of a step that need others of the group.
fn parts_in<'p>(
    plan: &'p Plan<'_>,
    context: &Context<'_>,
    number: usize,
    group: &'p HashSet<usize>,
) -> impl Iterator<Item = ObjectId> + 'p {
    let parts = plan
        .step(number)
        .map(|step| step.object.separable_parts(context));
    parts.into_iter().flatten().filter(move |part| {
        let mut needs = plan.needs_of_row.get(part).into_iter().flatten();
        needs.any(|needed| *needed != number && group.contains(needed))
    })
}

/// Whether an object is a routine whose body names others for the server to see.
fn has_parsed_body(context: &Context<'_>, id: ObjectId) -> bool {
    let mut routines = context.catalog.routines.iter();
    routines.any(|routine| routine.id == id && matches!(routine.body, Body::Sql { .. }))
}

/// A cycle within a section: defaults are set separately, else checks, else domains' defaults, else one
/// view is emptied, else one routine.
fn within_section(plan: &Plan<'_>, context: &Context<'_>, group: &[usize]) -> Moves {
    let mut parts = Vec::new();
    let members: HashSet<usize> = group.iter().copied().collect();
    for number in group {
        parts.extend(parts_in(plan, context, *number, &members));
    }
    for class in [Class::Default, Class::Constraint, Class::Type] {
        let moves: Moves = parts
            .iter()
            .filter(|part| part.class == class)
            .map(|part| (*part, Placement::Separate))
            .collect();
        if !moves.is_empty() {
            return moves;
        }
    }
    let first = |wanted: &dyn Fn(&Step<'_>) -> bool| {
        let mut steps = group.iter().filter_map(|number| plan.step(*number));
        let step = steps.find(|step| wanted(step))?;
        Some(step.object.node_id().object)
    };
    let view = first(&|step| step.object.kind() == Kind::View);
    let routine = || {
        let routine = first(&|step| {
            let NodeId { object, part } = step.object.node_id();
            part == Part::Definition && has_parsed_body(context, object)
        })?;
        let is_late = context.placement(routine) == Some(Placement::Postponed);
        let placement = if is_late {
            Placement::LateBody
        } else {
            Placement::Dummy
        };
        Some((routine, placement))
    };
    let view = view.map(|view| (view, Placement::Dummy));
    view.or_else(routine).into_iter().collect()
}

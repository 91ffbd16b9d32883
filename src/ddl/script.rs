//! Renders a whole catalog as a script.

mod attached;
mod comments;
mod kept;
mod privileges;
mod security_labels;
mod writer;

use std::cell::RefCell;

use super::context::Context;
use super::error::Error;
use super::lookup::Lookup;
use super::object::find_postfix_operators;
use super::options::Options;
use super::placement::Placements;
use super::plan::Plan;
use super::removed_features::find_removed;
use super::repair::repair_cycle;
use super::statement::Script;
use crate::catalog::Catalog;
use writer::write_script;

/// Cycles are repaired in rounds: what one repair moves may close another cycle. No schema needs
/// more than a handful; the limit only guards against repairs that undo each other.
const MAX_ROUNDS: usize = 100;

/// Renders the statements that create what a catalog holds, in an order that works. The same catalog gives
/// the same script.
///
/// # Errors
/// Objects depend on each other in a way that no order and no known repair satisfies; or the target's
/// version lacks a kind of object.
pub fn render_script(catalog: &Catalog, options: &Options) -> Result<Script, Error> {
    let lookup = Lookup::new(catalog);
    let mut placements = Placements::new();
    for _ in 0..MAX_ROUNDS {
        let owners = RefCell::default();
        let context = Context {
            catalog,
            options,
            lookup: &lookup,
            placements: &placements,
            owners: &owners,
        };
        check_target(&context)?;
        match attempt_order(&context)? {
            Attempt::Ordered(script) => {
                return Ok(Script {
                    owners: owners.into_inner(),
                    ..script
                });
            }
            Attempt::Cycles(moved) => placements = moved,
        }
    }
    Err(Error::CircularDependency {
        objects: Vec::new(),
    })
}

/// Refuses what the target's version does not accept.
fn check_target(context: &Context<'_>) -> Result<(), Error> {
    let operators = find_postfix_operators(context);
    if !operators.is_empty() {
        return Err(Error::PostfixOperators { operators });
    }
    let objects = find_removed(context);
    if !objects.is_empty() {
        return Err(Error::RemovedOnTarget { objects });
    }
    Ok(())
}

enum Attempt {
    /// There is an order.
    Ordered(Script),
    /// There are cycles, which these placements break.
    Cycles(Placements),
}

fn attempt_order(context: &Context<'_>) -> Result<Attempt, Error> {
    let plan = Plan::new(context);
    Ok(match plan.graph.order() {
        Some(order) => Attempt::Ordered(write_script(context, &plan, &order)),
        None => Attempt::Cycles(break_cycles(&plan, context)?),
    })
}

/// The placements that break every cycle of a plan.
fn break_cycles(plan: &Plan<'_>, context: &Context<'_>) -> Result<Placements, Error> {
    let mut placements = context.placements.clone();
    for group in plan.graph.loops() {
        if !repair_cycle(plan, context, &group, &mut placements) {
            let steps = group.iter().filter_map(|number| plan.step(*number));
            return Err(Error::CircularDependency {
                objects: steps.map(|step| step.label.clone()).collect(),
            });
        }
    }
    Ok(placements)
}

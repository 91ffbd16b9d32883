//! Finds what runs have left. Read-only.

use crate::checkpoint::{BegunCopy, DatabasePair, Pair, find_begun, find_unrevoked};
use crate::pg::{Side, Sides};
use crate::teardown::error::Error;
use crate::teardown::leftover::{Leftover, Object};
use crate::teardown::leftovers::{Leftovers, has_objects_of_runs};
use crate::teardown::options::{TeardownOptions, Which};
use crate::teardown::orphan::find_orphan_slot;
use crate::teardown::reached::{Answer, Reached};
use crate::teardown::seen::Seen;
use crate::teardown::source_side::examine_source;
use crate::teardown::statements::{render_source_statements, render_target_statements};
use crate::teardown::sync_slots::find_sync_slots;
use crate::teardown::target_side::{Owned, examine_target};

/// Examines both servers. It is no error that one of them does not answer.
///
/// # Errors
/// - No server answers, or one that answers refuses a query.
/// - A name matches no database.
/// - A run is running.
/// - The run or slot that is named has left nothing.
/// - Only objects of runs that no local state records were found.
pub async fn find_leftovers(options: &TeardownOptions) -> Result<Leftovers, Error> {
    let source = options.servers.source.as_ref();
    let source = Answer::of_server(Side::Source, source).await;
    if let Which::Slot(slot) = &options.which {
        return match source {
            Answer::Reached(source) => find_orphan_slot(slot, &source, options).await,
            Answer::NotGiven => Err(Error::NoSource),
            Answer::Failed(error) => Err(error),
        };
    }
    let target = options.servers.target.as_ref();
    let target = Answer::of_server(Side::Target, target).await;
    let answers = refuse_failures(source, target)?;
    let mut found = Leftovers {
        servers: answers.as_ref().map(Answer::identity),
        ..Leftovers::default()
    };
    let mut seen = examine_reached(&answers, options, &mut found).await?;
    match &options.which {
        Which::Pair => refuse_unknown(&mut found, &seen)?,
        Which::Run(run) => refuse_absent(run, &answers, &seen, &mut found)?,
        // It is examined above.
        Which::Slot(_) => {}
    }
    found.others.append(&mut found.unknown);
    // The target first: a subscription uses its slot.
    found.objects.append(&mut seen.objects);
    found.incomplete = list_incomplete(&answers, options, &found);
    add_unreachable(answers, &seen, options, &mut found);
    Ok(found)
}

/// Fails if no server answers, or if a server's failure is final.
fn refuse_failures(source: Answer, target: Answer) -> Result<Sides<Answer>, Error> {
    match (source, target) {
        (Answer::Failed(error), _) | (_, Answer::Failed(error)) if error.is_final() => Err(error),
        (Answer::Failed(error), Answer::Failed(_) | Answer::NotGiven)
        | (Answer::NotGiven, Answer::Failed(error)) => Err(error),
        (source, target) => Ok(Sides { source, target }),
    }
}

/// Examines the servers that answer, the source first.
async fn examine_reached(
    answers: &Sides<Answer>,
    options: &TeardownOptions,
    found: &mut Leftovers,
) -> Result<Seen, Error> {
    let Sides { source, target } = answers.as_ref().map(Answer::reached);
    let seen = match source {
        Some(source) => examine_source(source, target, options, found).await?,
        None => Seen::default(),
    };
    let Some(target) = target else {
        return Ok(seen);
    };
    let mut seen = seen;
    let owned = match source {
        Some(source) => {
            let memberships = list_memberships(source, target, options);
            found.objects.extend(memberships);
            Owned::of_source(&seen, options)
        }
        None => Owned::of_states(target, options),
    };
    examine_target(target, &owned, found).await?;
    if let Some(source) = source {
        // After their subscription: its workers use them.
        let slots = find_sync_slots(source, target, &found.objects).await?;
        seen.objects.splice(0..0, slots);
    }
    Ok(seen)
}

/// Refuses to remove only what no local state records. Beside recorded objects, such objects are kept.
fn refuse_unknown(found: &mut Leftovers, seen: &Seen) -> Result<(), Error> {
    let has_known = has_objects_of_runs(&found.objects) || has_objects_of_runs(&seen.objects);
    if !has_known && !found.unknown.is_empty() {
        let found = std::mem::take(&mut found.unknown);
        return Err(Error::UnknownRuns { found });
    }
    Ok(())
}

/// Refuses the name of a run that has left nothing on the source. Without the source, nothing shows that.
fn refuse_absent(
    run: &str,
    answers: &Sides<Answer>,
    seen: &Seen,
    found: &mut Leftovers,
) -> Result<(), Error> {
    let has_objects = has_objects_of_runs(&found.objects) || has_objects_of_runs(&seen.objects);
    if has_objects || found.run.is_some() || answers.source.reached().is_none() {
        return Ok(());
    }
    Err(Error::NoSuchRun {
        run: run.to_owned(),
        found: std::mem::take(&mut found.others),
    })
}

/// Lists the databases of the target that only the state, which is removed, shows to be incomplete.
fn list_incomplete(
    answers: &Sides<Answer>,
    options: &TeardownOptions,
    found: &Leftovers,
) -> Vec<DatabasePair> {
    let Sides { source, target } = answers.as_ref().map(Answer::reached);
    let (Some(_), Some(target), Some(root), Some(run), true) = (
        source,
        target,
        &options.state_root,
        &found.run,
        options.removes_state,
    ) else {
        return Vec::new();
    };
    let exists = |copy: &BegunCopy| {
        target
            .databases
            .iter()
            .any(|one| one.oid == copy.target_oid)
    };
    let begun = find_begun(root, run).into_iter().filter(exists);
    begun.map(|copy| copy.pair).collect()
}

/// Lists memberships that a killed run has granted to its own role. Only the state records them, and it is
/// removed at the end.
fn list_memberships(
    source: &Reached,
    target: &Reached,
    options: &TeardownOptions,
) -> Vec<Leftover> {
    let (Some(source), Some(on_target), Some(root)) = (
        source.cluster.system_identifier(),
        target.cluster.system_identifier(),
        &options.state_root,
    ) else {
        return Vec::new();
    };
    let pair = Pair {
        source: source.to_owned(),
        target: on_target.to_owned(),
    };
    let memberships = find_unrevoked(root, &pair).into_iter();
    memberships
        .map(|membership| Leftover {
            side: Side::Target,
            database: target.cluster.endpoint.database().to_owned(),
            object: Object::Membership(membership),
        })
        .collect()
}

/// Adds the statements for the servers that do not answer.
fn add_unreachable(
    answers: Sides<Answer>,
    seen: &Seen,
    options: &TeardownOptions,
    found: &mut Leftovers,
) {
    if answers.source.reached().is_none() {
        let target = answers.target.reached();
        let system = target.and_then(|target| target.cluster.system_identifier());
        let system = system.map(str::to_owned);
        let error = answers.source.into_error();
        let statements = render_source_statements(found, system.as_deref(), error);
        found.unreachable.push(statements);
    }
    if answers.target.reached().is_none() {
        let name = options.subscription.as_ref();
        let statements = render_target_statements(&seen.slots, name, answers.target.into_error());
        found.unreachable.push(statements);
    }
}
